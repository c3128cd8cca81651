//! Looks up what a batch wants to know. SQLite runs in the process, so one prepared statement for each key costs less
//! than one statement for all keys.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::tokens::{self, retired};
use super::{rows, sql};
use crate::database::error::Result;
use crate::ledger::kinds::order::Source;
use crate::ledger::known::{StoredOrder, TOKENS_OF_MAX, Table};
use crate::ledger::{Known, Wants};
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

pub(super) fn look_up(db: &Connection, wants: &Wants, known: &mut Known) -> Result<()> {
    for tag in &wants.tokens {
        let found =
            db.prepare_cached(sql!("token_get"))?.query_row([tag.to_string()], rows::record).optional()?;
        if let Some(mut record) = found {
            record.retired = retired(db, *tag)?;
            // Its visit is nearly always wanted next.
            if let Some(visit_id) = record.visit_id {
                visits(db, sql!("visit_get"), &[&visit_id.to_string()], known)?;
            }
            known.token(record);
        }
    }
    for id in &wants.visits {
        visits(db, sql!("visit_get"), &[&id.to_string()], known)?;
    }
    for id in &wants.tokens_of {
        let mut statement = db.prepare_cached(sql!("tokens_of_visit"))?;
        for record in statement.query_map(params![id.to_string(), TOKENS_OF_MAX], rows::record)? {
            let mut record = record?;
            record.retired = retired(db, record.tag)?;
            known.token(record);
        }
    }
    for key in &wants.tokens_of_user {
        for record in tokens::of_user(db, key)? {
            known.token_of_user(key, record);
        }
    }
    for of in &wants.endings {
        let mut statement = db.prepare_cached(sql!("user_ending_get"))?;
        if let Some(at) = statement.query_row(params![of.user_hash, of.site], |row| row.get(0)).optional()? {
            known.ending(of.clone(), at);
        }
    }
    for (visitor, site) in &wants.current {
        if let Some(id) = visits(db, sql!("visit_current"), &[&visitor.to_string(), site], known)? {
            known.current(site.clone(), *visitor, id);
        }
    }
    for visitor in &wants.latest_open {
        if let Some(id) = visits(db, sql!("visit_latest_open"), &[&visitor.to_string()], known)? {
            known.latest_open(*visitor, id);
        }
    }
    for visitor in &wants.erased {
        if is_erased(db, *visitor)? {
            known.erased(*visitor);
        }
    }
    for visitor in &wants.keys {
        let mut statement = db.prepare_cached(sql!("visitor_known"))?;
        let hash = |row: &Row<'_>| Ok(row.get::<_, Option<_>>(0)?.map(SecretHash::from_bytes));
        if let Some(hash) = statement.query_row([visitor.to_string()], hash).optional()? {
            known.key(*visitor, hash);
        }
    }
    for (visitor, site, at) in &wants.visitor_at {
        visits(db, sql!("visit_of_visitor_at"), &[&visitor.to_string(), site, at], known)?;
    }
    for (user_id, at) in &wants.user_at {
        if let Some(id) = visits(db, sql!("visit_of_user_at"), &[user_id, at], known)? {
            known.user_at(user_id.clone(), *at, id);
        }
    }
    for key in &wants.anonymous {
        let (visitor, until, most) = key;
        let most = i64::try_from(*most).unwrap_or(i64::MAX);
        let mut statement = db.prepare_cached(sql!("visits_anonymous"))?;
        for row in statement.query_map(params![visitor.to_string(), until, most], rows::visit)? {
            let row = row?;
            known.anonymous(*key, row.visit.id);
            known.visit(row);
        }
    }
    for (table, id, site) in &wants.facts {
        let stored = match table {
            Table::PageViews => sql!("page_views_stored"),
            Table::Events => sql!("events_stored"),
        };
        if db.prepare_cached(stored)?.exists(params![id.to_string(), site])? {
            known.fact(*table, *id, site.clone());
        }
    }
    for (site, id) in &wants.orders {
        let order = |row: &Row<'_>| {
            let api = row.get::<_, String>(0)? == "api";
            let source = if api { Source::Api } else { Source::Browser };
            Ok(StoredOrder { source, amount: row.get(1)?, currency: row.get(2)?, items: row.get(3)? })
        };
        let found = db.prepare_cached(sql!("order_get"))?.query_row([site, id], order).optional()?;
        if let Some(order) = found {
            known.order(site.clone(), id.clone(), order);
        }
    }
    for (site, id) in &wants.refunds {
        if db.prepare_cached(sql!("refund_get"))?.exists([site, id])? {
            known.refund(site.clone(), id.clone());
        }
    }
    for (user_id, hash) in &wants.accounts {
        if db.prepare_cached(sql!("user_is_current"))?.exists(params![user_id, hash])? {
            known.account(user_id.clone(), hash.clone());
        }
    }
    Ok(())
}

/// A visitor's key, if it has one.
pub(in crate::database) fn key(db: &Connection, visitor: VisitorId) -> Result<Option<SecretHash>> {
    let mut statement = db.prepare_cached(sql!("visitor_key_get"))?;
    Ok(statement.query_row([visitor.to_string()], |row| row.get(0).map(SecretHash::from_bytes)).optional()?)
}

/// Whether a visitor's data was erased within the last days.
pub(super) fn is_erased(db: &Connection, visitor: VisitorId) -> Result<bool> {
    Ok(db.prepare_cached(sql!("erased_get"))?.exists([visitor.hash()])?)
}

/// Notes the visits that a statement gives; returns the last one's id.
fn visits(
    db: &Connection,
    statement: &str,
    key: &[&dyn rusqlite::ToSql],
    known: &mut Known,
) -> Result<Option<uuid::Uuid>> {
    let mut last = None;
    for row in db.prepare_cached(statement)?.query_map(key, rows::visit)? {
        let row = row?;
        last = Some(row.visit.id);
        known.visit(row);
    }
    Ok(last)
}
