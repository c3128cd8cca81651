//! Rows and their types.

use rusqlite::types::Type;
use rusqlite::{Error, Row};
use uuid::Uuid;

use crate::ledger::known::VisitRow;
use crate::session::record::{Record, Retired};
use crate::session::token::{SecretHash, Tag};
use crate::session::visit::Visit;

/// A visit.
pub(super) fn visit(row: &Row<'_>) -> rusqlite::Result<VisitRow> {
    let visitor: Option<String> = row.get(2)?;
    let visit = Visit {
        id: uuid(row, 0)?,
        site: row.get(1)?,
        visitor_id: visitor.map(|text| text.parse().map_err(|()| malformed(2, "a visitor"))).transpose()?,
        user_id: row.get(3)?,
        started_at: row.get(4)?,
        last_activity: row.get(5)?,
        ended_at: row.get(6)?,
    };
    Ok(VisitRow { visit, page_views: row.get(7)?, events: row.get(8)? })
}

/// A token's record, without its retired secrets.
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let tag: String = row.get(0)?;
    Ok(Record {
        tag: Tag::parse(&tag).ok_or_else(|| malformed(0, "a tag"))?,
        secret_hash: SecretHash::from_bytes(row.get(1)?),
        generation: row.get(2)?,
        visit_id: optional_uuid(row, 3)?,
        user_id: row.get(4)?,
        created_at: row.get(5)?,
        last_activity: row.get(6)?,
        ended_at: row.get(7)?,
        retired: Vec::new(),
    })
}

/// A retired secret.
pub(super) fn retired(row: &Row<'_>) -> rusqlite::Result<Retired> {
    Ok(Retired { secret_hash: SecretHash::from_bytes(row.get(0)?), at: row.get(1)? })
}

pub(super) fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    optional_uuid(row, column)?.ok_or_else(|| malformed(column, "a UUID"))
}

fn optional_uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Uuid>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| malformed(column, "a UUID"))).transpose()
}

fn malformed(column: usize, what: &'static str) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, format!("not {what}").into())
}
