//! Copies every row of an SQLite file to Postgres, as it is.
//!
//! | module | holds |
//! |---|---|
//! | `tables` | the tables to copy |
//! | `source` | the file: locked, and only read |
//! | `target` | Postgres: chunks, each in one transaction |
//! | `compare` | whether both sides have the same content |
//! | `report` | the progress, and what was done |
//!
//! The copy may be interrupted at any time and run again: rows that Postgres has already stay as they are.
//! Postgres notes from which file its rows come, so that no two installations are mixed.
//!
//! Invariant: once both sides had the same content, nothing is copied any more. Otherwise a session that was
//! ended in Postgres since then would be live again.

mod compare;
mod report;
mod source;
mod tables;
mod target;

pub use self::report::{Progress, Report};
use self::source::Source;
use self::tables::TABLES;
use self::target::Target;
use super::postgres::partitions;
use super::postgres::url::PostgresUrl;
use super::sqlite::Sqlite;
use crate::database::error::Result;
use crate::session::Millis;

/// Copies the rows that Postgres does not have yet, then compares both sides.
///
/// # Errors
/// When a server uses the file, Postgres holds something else, or one of them fails. What was
/// copied stays; the next run goes on from there.
pub async fn migrate(
    from: &Sqlite,
    to: &PostgresUrl,
    now: Millis,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report> {
    let source = Source::open(from).await?;
    let mut target = Target::open(to).await?;
    let finished_before = target.begin(&source.name().await?, now).await?;
    if finished_before.is_none() {
        copy(&source, &mut target, progress).await?;
    }
    let report = compare::compare(&source, &target, to).await?;
    if finished_before.is_none() && report.differences.is_empty() {
        target.finish(now).await?;
    }
    Ok(Report { finished_before, ..report })
}

async fn copy(
    source: &Source,
    target: &mut Target,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<()> {
    for table in partitions::TABLES {
        target.cover(table, &source.months(table).await?).await?;
    }
    for table in TABLES {
        let of = source.count(table).await?;
        target.stage(table).await?;
        let mut rows = 0;
        let (mut chunks, reading) = source.chunks(table);
        while let Some(chunk) = chunks.recv().await {
            target.put(table, &chunk).await?;
            rows += chunk.len() as u64;
            progress(Progress { table: table.name, rows, of });
        }
        reading.await?;
    }
    target.settle().await
}
