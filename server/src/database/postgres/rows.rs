//! Rows and their types.

use tokio_postgres::Row;
use uuid::Uuid;

use crate::contract::visit_owner::VisitOwner;
use crate::database::error::{Result, StoreError};
use crate::ledger::known::VisitRow;
use crate::session::record::{Record, Retired};
use crate::session::token::{SecretHash, Tag};
use crate::session::visit::{Visit, VisitorId};

/// A visit.
pub(super) fn visit(row: &Row) -> Result<VisitRow> {
    let visitor: Option<&str> = row.try_get(2)?;
    let visit = Visit {
        id: row.try_get(0)?,
        site: row.try_get(1)?,
        visitor_id: visitor.map(visitor_id).transpose()?,
        user_id: row.try_get(3)?,
        started_at: row.try_get(4)?,
        last_activity: row.try_get(5)?,
        ended_at: row.try_get(6)?,
    };
    Ok(VisitRow { visit, page_views: row.try_get(7)?, events: row.try_get(8)? })
}

/// The site and the visitor of a visit.
pub(super) fn visit_owner(row: &Row) -> Result<VisitOwner> {
    let visitor: Option<&str> = row.try_get(1)?;
    Ok(VisitOwner {
        site: row.try_get(0)?,
        visitor_id: visitor.map(visitor_id).transpose()?,
        settled: visitor.is_some() && row.try_get(2)?,
    })
}

/// A token's record, without its retired secrets.
pub(super) fn record(row: &Row) -> Result<Record> {
    let generation: i64 = row.try_get(2)?;
    Ok(Record {
        tag: tag(row, 0)?,
        secret_hash: secret_hash(row, 1)?,
        generation: u64::try_from(generation).map_err(|_| StoreError::Malformed("generation"))?,
        visit_id: row.try_get::<_, Option<Uuid>>(3)?,
        user_id: row.try_get(4)?,
        signed_in_at: row.try_get(5)?,
        created_at: row.try_get(6)?,
        last_activity: row.try_get(7)?,
        ended_at: row.try_get(8)?,
        remembered: row.try_get(9)?,
        device: row.try_get(10)?,
        retired: Vec::new(),
    })
}

/// A retired secret, and the tag of its session.
pub(super) fn retired(row: &Row) -> Result<(Tag, Retired)> {
    let retired =
        Retired { secret_hash: secret_hash(row, 1)?, at: row.try_get(2)?, visit_id: row.try_get(3)? };
    Ok((tag(row, 0)?, retired))
}

/// The visitor in a row.
pub(super) fn visitor_id(text: &str) -> Result<VisitorId> {
    text.parse().map_err(|()| StoreError::Malformed("visitor_id"))
}

pub(super) fn tag(row: &Row, column: usize) -> Result<Tag> {
    Tag::parse(row.try_get(column)?).ok_or(StoreError::Malformed("tag"))
}

/// A hash of a secret.
pub(super) fn secret_hash(row: &Row, column: usize) -> Result<SecretHash> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map(SecretHash::from_bytes).map_err(|_| StoreError::Malformed("secret_hash"))
}
