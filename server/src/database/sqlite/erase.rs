//! Erases a visitor, a piece at a time, each in one transaction.

use rusqlite::{Connection, Row, TransactionBehavior, params};
use uuid::Uuid;

use super::{load, rows, sql};
use crate::contract::erasure::{Erasure, Piece};
use crate::database::erasure::{
    Admission, FACTS_AT_ONCE, Gone, ROWS_AT_ONCE, Share, left, marks, share, stretches,
};
use crate::database::error::Result;
use crate::session::Millis;
use crate::session::record::Record;

const ROWS: i64 = ROWS_AT_ONCE as i64;
const FACTS: i64 = FACTS_AT_ONCE as i64;

/// Erases a piece; `before` is how many rows the pieces before it have erased.
pub(super) fn erase(db: &mut Connection, asked: &Erasure, before: u64) -> Result<Piece> {
    let Erasure { visitor, by, now } = *asked;
    let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let admission = Admission::of(by, load::key(&db, visitor)?, load::is_erased(&db, visitor)?);
    if admission == Admission::Refused {
        return Ok(Piece::NotTheirs);
    }
    if admission == Admission::Granted {
        changed(&db, sql!("erased_put"), params![visitor.hash(), now])?;
    }
    let name = visitor.to_string();
    let visits = find(&db, &name)?;
    let ids = ids(&visits);
    let ended = sessions(&db, &ids, now)?;
    let mut rows = ended.len() as u64;
    for record in &ended {
        rows += changed(&db, sql!("erase_retired"), params![record.tag.to_string()])?;
    }
    let deleted = [
        changed(&db, sql!("erase_visitor"), params![name, ROWS])?,
        changed(&db, sql!("erase_refunds"), params![name, ids, ROWS])?,
        changed(&db, sql!("erase_orders"), params![name, ids, ROWS])?,
    ];
    rows += deleted.iter().sum::<u64>();
    rows += changed(&db, sql!("erase_dead_letters"), [list(marks(visitor, &visits, &ended))])?;
    let is_full = |rows: usize| rows >= ROWS_AT_ONCE;
    let mut last = false;
    // A visit is deleted after everything that belongs to it.
    if !is_full(ended.len()) && !deleted.iter().any(|rows| is_full(*rows as usize)) {
        match share(&visits) {
            Share::Part(visit) => rows += part(&db, visit)?,
            Share::Whole(taken) => {
                rows += facts(&db, taken)?;
                rows += changed(&db, sql!("erase_visits"), [self::ids(taken)])?;
                last = taken.len() == visits.len() && !is_full(visits.len());
            }
        }
    }
    if last {
        rows += changed(&db, sql!("erase_visitor_key"), [&name])?;
    }
    if last && (admission == Admission::Granted || before + rows > 0) {
        changed(&db, sql!("erasure_put"), params![now, by.kind(), before + rows])?;
    }
    db.commit()?;
    Ok(Piece::Done { rows, ended, last })
}

fn find(db: &Connection, visitor: &str) -> Result<Vec<Gone>> {
    let gone = |row: &Row<'_>| {
        Ok(Gone::new(rows::uuid(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    };
    let mut statement = db.prepare_cached(sql!("erase_find"))?;
    let visits = statement.query_map(params![visitor, ROWS], gone)?;
    Ok(visits.collect::<rusqlite::Result<_>>()?)
}

/// Ends and empties sessions of the visits.
fn sessions(db: &Connection, visits: &str, now: Millis) -> Result<Vec<Record>> {
    let mut statement = db.prepare_cached(sql!("erase_tokens"))?;
    let records = statement.query_map(params![visits, now, ROWS], rows::record)?;
    Ok(records.collect::<rusqlite::Result<_>>()?)
}

/// Deletes the facts of visits.
fn facts(db: &Connection, visits: &[Gone]) -> Result<u64> {
    let (mut page_views, mut events) = (0, 0);
    for stretch in stretches(visits) {
        let of_visits = list(stretch.visits.iter().map(Uuid::to_string).collect());
        let place = params![of_visits, stretch.since, stretch.until, FACTS];
        page_views += changed(db, sql!("erase_page_views"), place)?;
        events += changed(db, sql!("erase_events"), place)?;
    }
    let counted = |count: fn(&Gone) -> i64| visits.iter().map(count).sum::<i64>().unsigned_abs();
    if page_views < counted(|visit| visit.page_views) {
        page_views += changed(db, sql!("erase_page_views_anywhere"), params![ids(visits), FACTS])?;
    }
    if events < counted(|visit| visit.events) {
        events += changed(db, sql!("erase_events_anywhere"), params![ids(visits), FACTS])?;
    }
    Ok(page_views + events)
}

/// Deletes some facts of a visit that has many, and lowers its counters.
fn part(db: &Connection, visit: &Gone) -> Result<u64> {
    let id = ids(std::slice::from_ref(visit));
    let around = params![id, visit.since, visit.until, FACTS];
    let mut page_views = changed(db, sql!("erase_page_views"), around)?;
    let mut events = changed(db, sql!("erase_events"), around)?;
    if page_views + events == 0 {
        page_views = changed(db, sql!("erase_page_views_anywhere"), params![id, FACTS])?;
        events = changed(db, sql!("erase_events_anywhere"), params![id, FACTS])?;
    }
    let (page_views_left, events_left) = left(visit, page_views, events);
    let counted = params![visit.id.to_string(), page_views_left, events_left];
    changed(db, sql!("erase_counted"), counted)?;
    Ok(page_views + events)
}

fn changed(db: &Connection, statement: &str, values: impl rusqlite::Params) -> Result<u64> {
    Ok(db.prepare_cached(statement)?.execute(values)? as u64)
}

fn ids(visits: &[Gone]) -> String {
    list(visits.iter().map(|visit| visit.id.to_string()).collect())
}

/// A list as a parameter of SQLite: JSON.
fn list(texts: Vec<String>) -> String {
    serde_json::Value::from(texts).to_string()
}
