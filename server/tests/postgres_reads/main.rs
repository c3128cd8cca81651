//! Reading from Postgres, against a real one: the same answers as from SQLite, accounts,
//! migrations, partitions and the ways to connect.

#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod accounts;
mod cluster;
mod connect;
mod cost;
mod migrations;
mod partitions;
mod reports;
mod rows;
