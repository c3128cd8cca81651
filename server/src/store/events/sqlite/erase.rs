//! Erases a visitor, in one transaction.

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use uuid::Uuid;

use super::{rows, sql};
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::visit::VisitorId;
use crate::store::Result;
use crate::store::events::erasure::{AskedBy, Erased, Erasure, Gone, marks, may_ask, stretches};

pub(super) fn erase(db: &mut Connection, asked: &Erasure) -> Result<Erased> {
    let Erasure { visitor, by, now } = *asked;
    let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let AskedBy::Visitor(visit_id) = by {
        let visit = db.prepare_cached(sql!("visit_get"))?.query_row([visit_id.to_string()], rows::visit);
        let of_visit = visit.optional()?.map(|row| row.visit.visitor_id.map(|visitor| visitor.to_string()));
        let of_visit = of_visit.as_ref().map(Option::as_deref);
        if !may_ask(visitor, of_visit, is_erased(&db, visitor)?) {
            return Ok(Erased::NotTheirs);
        }
    }
    let name = visitor.to_string();
    let visits = visits(&db, &name)?;
    let ended = sessions(&db, &visits, now)?;
    let mut count = (visits.len() + ended.len()) as u64;
    for record in &ended {
        count += changed(&db, sql!("erase_retired"), params![record.tag.to_string()])?;
    }
    count += changed(&db, sql!("erase_visitor"), [&name])?;
    count += facts(&db, &visits)?;
    count += changed(&db, sql!("erase_refunds"), [&name, &ids(&visits)])?;
    count += changed(&db, sql!("erase_orders"), [&name, &ids(&visits)])?;
    count += changed(&db, sql!("erase_dead_letters"), [list(marks(visitor, &visits, &ended))])?;
    changed(&db, sql!("erased_put"), params![visitor.hash(), now])?;
    changed(&db, sql!("erasure_put"), params![now, by.kind(), count])?;
    db.commit()?;
    Ok(Erased::Done { rows: count, ended })
}

/// Whether a visitor's data was erased within the last days.
pub(super) fn is_erased(db: &Connection, visitor: VisitorId) -> Result<bool> {
    Ok(db.prepare_cached(sql!("erased_get"))?.exists([visitor.hash()])?)
}

/// Deletes the visits.
fn visits(db: &Connection, visitor: &str) -> Result<Vec<Gone>> {
    let gone = |row: &Row<'_>| {
        Ok(Gone::new(rows::uuid(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    };
    let mut statement = db.prepare_cached(sql!("erase_visits"))?;
    let visits = statement.query_map([visitor], gone)?;
    Ok(visits.collect::<rusqlite::Result<_>>()?)
}

/// Ends and empties their sessions.
fn sessions(db: &Connection, visits: &[Gone], now: Millis) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let mut statement = db.prepare_cached(sql!("erase_tokens"))?;
    for visit in visits {
        for record in statement.query_map(params![visit.id.to_string(), now], rows::record)? {
            records.push(record?);
        }
    }
    Ok(records)
}

/// Deletes their facts.
fn facts(db: &Connection, visits: &[Gone]) -> Result<u64> {
    let (mut page_views, mut events) = (0, 0);
    for stretch in stretches(visits) {
        let of_visits = list(stretch.visits.iter().map(Uuid::to_string).collect());
        let place = params![of_visits, stretch.since, stretch.until];
        page_views += changed(db, sql!("erase_page_views"), place)?;
        events += changed(db, sql!("erase_events"), place)?;
    }
    let counted = |count: fn(&Gone) -> i64| visits.iter().map(count).sum::<i64>().unsigned_abs();
    if page_views < counted(|visit| visit.page_views) {
        page_views += changed(db, sql!("erase_page_views_anywhere"), [ids(visits)])?;
    }
    if events < counted(|visit| visit.events) {
        events += changed(db, sql!("erase_events_anywhere"), [ids(visits)])?;
    }
    Ok(page_views + events)
}

fn changed(db: &Connection, statement: &str, values: impl rusqlite::Params) -> Result<u64> {
    Ok(db.prepare_cached(statement)?.execute(values)? as u64)
}

fn ids(visits: &[Gone]) -> String {
    list(visits.iter().map(|visit| visit.id.to_string()).collect())
}

/// As SQLite takes a list: JSON.
fn list(texts: Vec<String>) -> String {
    serde_json::Value::from(texts).to_string()
}
