//! Postgres: for several servers on one database, or a database that others run.
//!
//! | module | holds |
//! |---|---|
//! | [`url`] | `postgres://…`, checked |
//! | [`connect`] | one connection: limits, keepalives |
//! | `tls` | whose server it is |
//! | [`pool`] | the connections for reports, and those for users and keys |
//! | [`migrations`] | the schema, brought up to date by one server at a time |
//! | [`reports`] | the queries of the dashboard |
//! | [`accounts`] | users and API keys |
//! | [`partitions`] | a partition a month, made ahead |
//! | `retention` | what is too old goes |
//! | [`errors`] | away, or refused |
//!
//! The statements are the `.sql` files of `server/sql/postgres`, named as those of SQLite.

pub mod accounts;
pub mod connect;
pub mod errors;
pub mod migrations;
pub mod partitions;
pub mod pool;
pub mod reports;
mod retention;
mod tls;
pub mod url;

/// A statement by the name of its file.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/postgres/", $name, ".sql"))
    };
}
use sql;
