//! The durable store.

pub mod sqlite;
