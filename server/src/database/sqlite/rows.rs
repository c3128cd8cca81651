//! Rows and their types.

use rusqlite::types::Type;
use rusqlite::{Error, Row};
use uuid::Uuid;

use crate::contract::visit_owner::VisitOwner;
use crate::ledger::known::VisitRow;
use crate::session::record::{Record, Retired};
use crate::session::token::{SecretHash, Tag};
use crate::session::visit::{Visit, VisitorId};

/// A visit.
pub(super) fn visit(row: &Row<'_>) -> rusqlite::Result<VisitRow> {
    let visit = Visit {
        id: uuid(row, 0)?,
        site: row.get(1)?,
        visitor_id: visitor(row, 2)?,
        user_id: row.get(3)?,
        started_at: row.get(4)?,
        last_activity: row.get(5)?,
        ended_at: row.get(6)?,
    };
    Ok(VisitRow { visit, page_views: row.get(7)?, events: row.get(8)? })
}

/// The site and the visitor of a visit.
pub(super) fn visit_owner(row: &Row<'_>) -> rusqlite::Result<VisitOwner> {
    let visitor_id = visitor(row, 1)?;
    Ok(VisitOwner { site: row.get(0)?, settled: visitor_id.is_some() && row.get(2)?, visitor_id })
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
        signed_in_at: row.get(5)?,
        created_at: row.get(6)?,
        last_activity: row.get(7)?,
        ended_at: row.get(8)?,
        remembered: row.get(9)?,
        device: row.get(10)?,
        retired: Vec::new(),
    })
}

/// A retired secret.
pub(super) fn retired(row: &Row<'_>) -> rusqlite::Result<Retired> {
    Ok(Retired {
        secret_hash: SecretHash::from_bytes(row.get(0)?),
        at: row.get(1)?,
        visit_id: optional_uuid(row, 2)?,
    })
}

fn visitor(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<VisitorId>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|()| malformed(column, "a visitor"))).transpose()
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
