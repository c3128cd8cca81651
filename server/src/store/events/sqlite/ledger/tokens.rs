//! The records of tokens.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Ledger, rows, sql};
use crate::session::Millis;
use crate::session::record::{Record, Standing};
use crate::session::token::{SessionToken, Tag};
use crate::store::Result;

impl Ledger<'_> {
    pub(super) fn token(&self, tag: Tag) -> Result<Option<Record>> {
        let tag = tag.to_string();
        let Some(mut record) =
            self.db.prepare_cached(sql!("token_get"))?.query_row([&tag], rows::record).optional()?
        else {
            return Ok(None);
        };
        record.retired = self
            .db
            .prepare_cached(sql!("retired_of_token"))?
            .query_map([&tag], rows::retired)?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(record))
    }

    pub(super) fn live(&self, presented: &SessionToken, now: Millis) -> Result<Option<Record>> {
        let record = self.token(presented.tag())?;
        Ok(record.filter(|record| record.standing(&presented.hash(), now, self.ttl) == Standing::Live))
    }

    pub(super) fn put(&mut self, record: Record) -> Result<()> {
        let tag = record.tag.to_string();
        self.db.prepare_cached(sql!("token_put"))?.execute(params![
            tag,
            record.secret_hash.as_bytes(),
            record.generation,
            record.visit_id.map(|id| id.to_string()),
            record.user_id,
            record.created_at,
            record.last_activity,
            record.ended_at,
        ])?;
        for retired in &record.retired {
            self.db.prepare_cached(sql!("retired_put"))?.execute(params![
                retired.secret_hash.as_bytes(),
                tag,
                retired.at
            ])?;
        }
        self.changed.push(record);
        Ok(())
    }
}

/// Every session that is live, or ended so recently that facts of it may be in flight: what the
/// fast copy begins with. `since` bounds how long ago an end still matters.
///
/// # Errors
/// When the database refuses, or a row is malformed.
pub fn recent_sessions(db: &Connection, since: Millis) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = db
        .prepare_cached(sql!("tokens_recent"))?
        .query_map([since], rows::record)?
        .collect::<rusqlite::Result<_>>()?;
    let mut retired = db.prepare_cached(sql!("retired_of_token"))?;
    for record in &mut records {
        record.retired =
            retired.query_map([record.tag.to_string()], rows::retired)?.collect::<rusqlite::Result<_>>()?;
    }
    Ok(records)
}
