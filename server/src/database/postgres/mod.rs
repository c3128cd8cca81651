//! Postgres: for several servers on one database, or a managed database.
//!
//! | module | holds |
//! |---|---|
//! | [`url`] | the URL, checked |
//! | [`writer`] | the writer's connection: batches of the ledger, housekeeping |
//! | `load`, `write`, `statements`, `rows` | what a batch looks up, what it writes |
//! | `facts` | facts: inserting and disclosing them, by the lists of their columns |
//! | `erase`, `disclosure` | deleting and reading a visitor's data |
//! | [`tokens`] | single sessions, beside the writer |
//! | [`connect`] | one connection: limits, keepalives |
//! | `tls` | encryption, and the check of the server's certificate |
//! | [`pool`] | the connections for reports, and those for sessions, users and keys |
//! | [`migrations`] | bringing the schema up to date, in one server at a time |
//! | [`reports`] | the queries of the dashboard |
//! | [`accounts`] | users and API keys |
//! | [`partitions`] | a partition a month, made ahead |
//! | `retention` | deleting old rows |
//! | [`maintenance`] | a round of both |
//! | [`errors`] | what an error means: away, or refused |
//!
//! The statements are the `.sql` files of `server/sql/postgres`, named as those of SQLite. Those of facts are made of the
//! lists of columns in [`kinds`](crate::ledger::kinds).

pub mod accounts;
pub mod connect;
pub(super) mod disclosure;
mod erase;
pub mod errors;
pub(super) mod facts;
mod load;
pub mod maintenance;
pub mod migrations;
pub mod partitions;
pub mod pool;
pub mod reports;
mod retention;
mod rows;
mod statements;
mod tls;
pub mod tokens;
pub mod url;
mod write;
pub mod writer;

/// A statement by the name of its file.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/postgres/", $name, ".sql"))
    };
}
pub(super) use sql;
