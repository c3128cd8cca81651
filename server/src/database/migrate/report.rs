//! How far a migration is, and what it has done.

use crate::session::Millis;

/// How far the copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The table.
    pub table: &'static str,
    /// Rows of it that were sent.
    pub rows: u64,
    /// Rows of it that there are.
    pub of: u64,
}

/// What has been done, and what both sides tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// When an earlier run had finished; this one has copied nothing then.
    pub finished_before: Option<Millis>,
    /// Table, rows in the file, rows in Postgres.
    pub tables: Vec<(&'static str, u64, u64)>,
    /// Sites whose figures were compared.
    pub sites: usize,
    /// What the two sides do not agree about; nothing, if all is well.
    pub differences: Vec<String>,
}
