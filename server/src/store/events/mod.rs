//! The durable store: what it is asked to commit, and the database that does.

pub mod command;
pub mod sqlite;
