//! Erases a visitor, a piece at a time, each in one transaction that no batch of any server overlaps.

use tokio_postgres::Row;
use uuid::Uuid;

use super::rows;
use super::statements::{Params, Session, named};
use crate::contract::erasure::{Erasure, Piece};
use crate::database::erasure::{
    Admission, FACTS_AT_ONCE, Gone, ROWS_AT_ONCE, Share, Stretch, left, marks, share, stretches,
};
use crate::database::error::Result;
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

const ROWS: i64 = ROWS_AT_ONCE as i64;
const FACTS: i64 = FACTS_AT_ONCE as i64;

/// Erases a piece; `before` is how many rows the pieces before it have erased. The caller has begun the
/// transaction, and commits it.
pub(super) async fn erase(session: &Session, asked: &Erasure, before: u64) -> Result<Piece> {
    let Erasure { visitor, by, now } = *asked;
    // No bitmap scans: a bitmap covers everything that an index finds, even if few of these rows are wanted.
    session.client.batch_execute("SET LOCAL enable_bitmapscan = off").await?;
    let stored_key = key(session, visitor).await?;
    let admission = Admission::of(by, stored_key, is_erased(session, visitor).await?);
    if admission == Admission::Refused {
        return Ok(Piece::NotTheirs);
    }
    if admission == Admission::Granted {
        session.execute(named!("erased_put"), &[&visitor.hash().as_slice(), &now]).await?;
    }
    let name = visitor.to_string();
    let found = session.query(named!("erase_find"), &[&name, &ROWS]).await?;
    let visits: Vec<Gone> = found.iter().map(gone).collect::<Result<_>>()?;
    let ids = ids(&visits);
    let emptied = session.query(named!("erase_tokens"), &[&ids, &now, &ROWS]).await?;
    let ended: Vec<Record> = emptied.iter().map(rows::record).collect::<Result<_>>()?;
    let tags: Vec<String> = ended.iter().map(|record| record.tag.to_string()).collect();
    let mut rows = ended.len() as u64;
    rows += session.execute(named!("erase_retired"), &[&tags]).await?;
    let deleted = [
        session.execute(named!("erase_visitor"), &[&name, &ROWS]).await?,
        session.execute(named!("erase_refunds"), &[&name, &ids, &ROWS]).await?,
        session.execute(named!("erase_orders"), &[&name, &ids, &ROWS]).await?,
    ];
    rows += deleted.iter().sum::<u64>();
    rows += session.execute(named!("erase_dead_letters"), &[&marks(visitor, &visits, &ended)]).await?;
    let is_full = |rows: usize| rows >= ROWS_AT_ONCE;
    let mut last = false;
    // A visit is deleted after everything that belongs to it.
    if !is_full(ended.len()) && !deleted.iter().any(|rows| is_full(*rows as usize)) {
        match share(&visits) {
            Share::Part(visit) => rows += part(session, visit).await?,
            Share::Whole(taken) => {
                let ids = self::ids(taken);
                rows += facts(session, taken, &ids).await?;
                rows += session.execute(named!("erase_visits"), &[&ids]).await?;
                last = taken.len() == visits.len() && !is_full(visits.len());
            }
        }
    }
    if last {
        rows += session.execute(named!("erase_visitor_key"), &[&name]).await?;
    }
    if last && (admission == Admission::Granted || before + rows > 0) {
        let erased = Millis::try_from(before + rows).unwrap_or(Millis::MAX);
        session.execute(named!("erasure_put"), &[&now, &by.kind(), &erased]).await?;
    }
    Ok(Piece::Done { rows, ended, last })
}

async fn key(session: &Session, visitor: VisitorId) -> Result<Option<SecretHash>> {
    let found = session.query(named!("visitor_key_get"), &[&[visitor.to_string()].as_slice()]).await?;
    found.first().map(|row| rows::secret_hash(row, 1)).transpose()
}

async fn is_erased(session: &Session, visitor: VisitorId) -> Result<bool> {
    let hashes = [visitor.hash()];
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    Ok(!session.query(named!("erased_get"), &[&hashes]).await?.is_empty())
}

fn gone(row: &Row) -> Result<Gone> {
    Ok(Gone::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
}

fn ids(visits: &[Gone]) -> Vec<Uuid> {
    visits.iter().map(|visit| visit.id).collect()
}

/// Deletes the facts of visits.
async fn facts(session: &Session, visits: &[Gone], ids: &[Uuid]) -> Result<u64> {
    let (mut page_views, mut events) = (0, 0);
    for Stretch { since, until, visits } in stretches(visits) {
        let place: Params<'_> = &[&visits, &since, &until, &FACTS];
        page_views += session.execute(named!("erase_page_views"), place).await?;
        events += session.execute(named!("erase_events"), place).await?;
    }
    let counted = |count: fn(&Gone) -> i64| visits.iter().map(count).sum::<i64>().unsigned_abs();
    if page_views < counted(|visit| visit.page_views) {
        page_views += session.execute(named!("erase_page_views_anywhere"), &[&ids, &FACTS]).await?;
    }
    if events < counted(|visit| visit.events) {
        events += session.execute(named!("erase_events_anywhere"), &[&ids, &FACTS]).await?;
    }
    Ok(page_views + events)
}

/// Deletes some facts of a visit that has many, and lowers its counters.
async fn part(session: &Session, visit: &Gone) -> Result<u64> {
    let ids = [visit.id];
    let around: Params<'_> = &[&ids.as_slice(), &visit.since, &visit.until, &FACTS];
    let mut page_views = session.execute(named!("erase_page_views"), around).await?;
    let mut events = session.execute(named!("erase_events"), around).await?;
    if page_views + events == 0 {
        let anywhere: Params<'_> = &[&ids.as_slice(), &FACTS];
        page_views = session.execute(named!("erase_page_views_anywhere"), anywhere).await?;
        events = session.execute(named!("erase_events_anywhere"), anywhere).await?;
    }
    let (page_views_left, events_left) = left(visit, page_views, events);
    session.execute(named!("erase_counted"), &[&visit.id, &page_views_left, &events_left]).await?;
    Ok(page_views + events)
}
