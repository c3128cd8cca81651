//! Erases a visitor, in one transaction that no batch of any server overlaps.

use tokio_postgres::Row;
use uuid::Uuid;

use super::rows;
use super::statements::{Session, named};
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::visit::VisitorId;
use crate::store::Result;
use crate::store::events::erasure::{AskedBy, Erased, Erasure, Gone, Stretch, marks, may_ask, stretches};

/// Erases; the caller has begun the transaction, and commits it if something was done.
pub(super) async fn erase(session: &Session, asked: &Erasure) -> Result<Erased> {
    let Erasure { visitor, by, now } = *asked;
    if let AskedBy::Visitor(visit_id) = by {
        let visit = session.query(named!("visit_get"), &[&[visit_id].as_slice()]).await?;
        let of_visit = match visit.first() {
            Some(row) => Some(row.try_get(2)?),
            None => None,
        };
        if !may_ask(visitor, of_visit, is_erased(session, visitor).await?) {
            return Ok(Erased::NotTheirs);
        }
    }
    let name = visitor.to_string();
    let deleted = session.query(named!("erase_visits"), &[&name]).await?;
    let visits: Vec<Gone> = deleted.iter().map(gone).collect::<Result<_>>()?;
    let ids: Vec<Uuid> = visits.iter().map(|visit| visit.id).collect();
    let emptied = session.query(named!("erase_tokens"), &[&ids, &now]).await?;
    let ended: Vec<Record> = emptied.iter().map(rows::record).collect::<Result<_>>()?;
    let tags: Vec<String> = ended.iter().map(|record| record.tag.to_string()).collect();
    let mut count = (visits.len() + ended.len()) as u64;
    count += session.execute(named!("erase_retired"), &[&tags]).await?;
    count += session.execute(named!("erase_visitor"), &[&name]).await?;
    count += facts(session, &visits, &ids).await?;
    count += session.execute(named!("erase_refunds"), &[&name, &ids]).await?;
    count += session.execute(named!("erase_orders"), &[&name, &ids]).await?;
    count += session.execute(named!("erase_dead_letters"), &[&marks(visitor, &visits, &ended)]).await?;
    session.execute(named!("erased_put"), &[&visitor.hash().as_slice(), &now]).await?;
    let rows = Millis::try_from(count).unwrap_or(Millis::MAX);
    session.execute(named!("erasure_put"), &[&now, &by.kind(), &rows]).await?;
    Ok(Erased::Done { rows: count, ended })
}

async fn is_erased(session: &Session, visitor: VisitorId) -> Result<bool> {
    let hashes = [visitor.hash()];
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    Ok(!session.query(named!("erased_get"), &[&hashes]).await?.is_empty())
}

fn gone(row: &Row) -> Result<Gone> {
    Ok(Gone::new(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
}

async fn facts(session: &Session, visits: &[Gone], ids: &[Uuid]) -> Result<u64> {
    let (mut page_views, mut events) = (0, 0);
    for Stretch { since, until, visits } in stretches(visits) {
        page_views += session.execute(named!("erase_page_views"), &[&visits, &since, &until]).await?;
        events += session.execute(named!("erase_events"), &[&visits, &since, &until]).await?;
    }
    let counted = |count: fn(&Gone) -> i64| visits.iter().map(count).sum::<i64>().unsigned_abs();
    if page_views < counted(|visit| visit.page_views) {
        page_views += session.execute(named!("erase_page_views_anywhere"), &[&ids]).await?;
    }
    if events < counted(|visit| visit.events) {
        events += session.execute(named!("erase_events_anywhere"), &[&ids]).await?;
    }
    Ok(page_views + events)
}
