//! The progress of a migration, and what it has done.

use crate::session::Millis;

/// The progress of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The table.
    pub table: &'static str,
    /// Rows of it that were sent.
    pub rows: u64,
    /// Rows that it has.
    pub of: u64,
}

/// What was done, and the content of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// When an earlier run had finished; if one had, this run has copied nothing.
    pub finished_before: Option<Millis>,
    /// Table, rows in the file, rows in Postgres.
    pub tables: Vec<(&'static str, u64, u64)>,
    /// Sites whose figures were compared.
    pub sites: usize,
    /// The differences between the two sides.
    pub differences: Vec<String>,
}
