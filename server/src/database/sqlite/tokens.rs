//! The records of tokens, for the session cache.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{rows, sql};
use crate::contract::visit_owner::VisitOwner;
use crate::database::error::Result;
use crate::ledger::known::UserTokens;
use crate::session::Millis;
use crate::session::record::{RETIRED_MAX, Record, Retired};
use crate::session::token::Tag;

/// The record of a token.
///
/// # Errors
/// When the database refuses, or a row is malformed; so for all below.
pub fn token(db: &Connection, tag: Tag) -> Result<Option<Record>> {
    Ok(records(db, sql!("token_get"), &[&tag.to_string()])?.pop())
}

/// The records that were rotated, given another visit or ended at or after an instant.
///
/// # Errors
/// As above.
pub fn changed_since(db: &Connection, since: Millis) -> Result<Vec<Record>> {
    records(db, sql!("tokens_changed"), &[&since])
}

/// Every session that is live, or ended after an instant.
///
/// # Errors
/// As above.
pub fn recent(db: &Connection, since: Millis) -> Result<Vec<Record>> {
    records(db, sql!("tokens_recent"), &[&since])
}

/// The sessions of a user that have not ended, those that began last first.
///
/// # Errors
/// As above.
pub fn of_user(db: &Connection, (user_id, site, most): &UserTokens) -> Result<Vec<Record>> {
    records(db, sql!("tokens_of_user"), &[user_id, site, &i64::try_from(*most).unwrap_or(i64::MAX)])
}

/// The site and the visitor of a visit.
///
/// # Errors
/// As above.
pub fn visit_owner(db: &Connection, visit_id: Uuid) -> Result<Option<VisitOwner>> {
    Ok(db
        .prepare_cached(sql!("visit_owner"))?
        .query_row([visit_id.to_string()], rows::visit_owner)
        .optional()?)
}

/// The secrets that were replaced within the last minute.
pub(super) fn retired(db: &Connection, tag: Tag) -> Result<Vec<Retired>> {
    let mut statement = db.prepare_cached(sql!("retired_of_token"))?;
    let retired = statement.query_map(params![tag.to_string(), RETIRED_MAX], rows::retired)?;
    Ok(retired.collect::<rusqlite::Result<_>>()?)
}

fn records(db: &Connection, statement: &str, keys: &[&dyn rusqlite::ToSql]) -> Result<Vec<Record>> {
    let mut records: Vec<Record> =
        db.prepare_cached(statement)?.query_map(keys, rows::record)?.collect::<rusqlite::Result<_>>()?;
    for record in &mut records {
        record.retired = retired(db, record.tag)?;
    }
    Ok(records)
}
