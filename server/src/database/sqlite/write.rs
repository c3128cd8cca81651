//! Writes what a batch changes.

use rusqlite::{Connection, params};

use super::{facts, sql};
use crate::database::error::Result;
use crate::ledger::Changes;
use crate::session::Millis;
use crate::session::record::Record;

pub(super) fn write(db: &Connection, changes: &Changes<'_>, now: Millis) -> Result<()> {
    for put in &changes.visits {
        let (row, visit) = (&put.row, &put.row.visit);
        db.prepare_cached(sql!("visit_put"))?.execute(params![
            visit.id.to_string(),
            visit.site,
            visit.visitor_id.map(|visitor| visitor.to_string()),
            visit.user_id,
            visit.started_at,
            visit.last_activity,
            visit.ended_at,
            row.page_views,
            row.events,
            put.entry_url,
            put.referrer,
            put.referrer_host,
            put.campaign.source,
            put.campaign.medium,
            put.campaign.campaign,
            put.campaign.term,
            put.campaign.content,
            put.campaign.click_id,
        ])?;
    }
    for row in &changes.counted {
        db.prepare_cached(sql!("visit_count"))?.execute(params![
            row.visit.id.to_string(),
            row.visit.last_activity,
            row.visit.ended_at,
            row.page_views,
            row.events,
        ])?;
    }
    for record in &changes.tokens {
        token(db, record, now)?;
    }
    for (site, visitor, visit_id) in &changes.current {
        let key = params![site, visitor.to_string(), visit_id.to_string()];
        db.prepare_cached(sql!("visitor_put"))?.execute(key)?;
    }
    for (site, visitor) in &changes.forgotten {
        db.prepare_cached(sql!("visitor_forget"))?.execute(params![site, visitor.to_string()])?;
    }
    for (visitor, hash) in &changes.keys {
        let key = params![visitor.to_string(), hash.as_bytes()];
        db.prepare_cached(sql!("visitor_key_put"))?.execute(key)?;
    }
    for (user_id, hash) in &changes.passwords {
        db.prepare_cached(sql!("user_password"))?.execute([user_id, hash])?;
    }
    for (of, at) in &changes.endings {
        db.prepare_cached(sql!("user_ending_put"))?.execute(params![of.user_hash, of.site, at])?;
    }
    facts(db, changes)?;
    for engagement in &changes.engagements {
        db.prepare_cached(sql!("page_view_engage"))?.execute(params![
            engagement.site,
            engagement.page_view_id.to_string(),
            engagement.visit_id.to_string(),
            engagement.engaged_ms,
            engagement.scroll_pct,
        ])?;
    }
    Ok(())
}

fn token(db: &Connection, record: &Record, now: Millis) -> Result<()> {
    let tag = record.tag.to_string();
    db.prepare_cached(sql!("token_put"))?.execute(params![
        tag,
        record.secret_hash.as_bytes(),
        record.generation,
        record.visit_id.map(|id| id.to_string()),
        record.user_id,
        record.signed_in_at,
        record.created_at,
        record.last_activity,
        record.ended_at,
        record.remembered,
        record.device,
        now,
    ])?;
    for retired in &record.retired {
        let visit_id = retired.visit_id.map(|id| id.to_string());
        let row = params![retired.secret_hash.as_bytes(), tag, retired.at, visit_id];
        db.prepare_cached(sql!("retired_put"))?.execute(row)?;
    }
    Ok(())
}

fn facts(db: &Connection, changes: &Changes<'_>) -> Result<()> {
    for row in &changes.page_views {
        facts::write(db, &facts::PAGE_VIEW_INSERT, row)?;
    }
    for row in &changes.events {
        facts::write(db, &facts::EVENT_INSERT, row)?;
    }
    for (site, id) in &changes.disputes {
        db.prepare_cached(sql!("order_dispute"))?.execute(params![site, id])?;
    }
    for row in &changes.orders {
        facts::write(db, &facts::ORDER_PUT, row)?;
    }
    for row in &changes.refunds {
        facts::write(db, &facts::REFUND_INSERT, row)?;
    }
    for (site, order) in changes.refunded() {
        db.prepare_cached(sql!("refund_attribute"))?.execute([site, order])?;
    }
    Ok(())
}
