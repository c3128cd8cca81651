//! Looks up what a batch wants to know: one statement for each kind of want, and all of them in one
//! round trip.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_postgres::Row;
use uuid::Uuid;

use super::rows;
use super::statements::{Session, Sql, named};
use crate::ledger::known::{Source, StoredOrder};
use crate::ledger::{Known, Wants};
use crate::session::Millis;
use crate::session::record::{Record, Retired};
use crate::session::token::Tag;
use crate::session::visit::VisitorId;
use crate::store::{Result, StoreError};

/// What a query's rows tell.
type Told = Box<dyn FnOnce(&mut Known) -> Result<()> + Send>;

/// A query on its way.
type Asking<'a> = BoxFuture<'a, Result<Told>>;

/// Asks everything at once, and notes the answers.
pub(super) async fn look_up(session: &Session, wants: &Wants, known: &mut Known) -> Result<()> {
    for told in try_join_all(questions(session, wants)).await? {
        told(known)?;
    }
    Ok(())
}

fn questions<'a>(session: &'a Session, wants: &'a Wants) -> Vec<Asking<'a>> {
    let mut asking: Vec<Asking<'a>> = Vec::new();
    if !wants.visits.is_empty() {
        asking.push(visits(
            session,
            named!("visit_get"),
            wants.visits.iter().copied().collect::<Vec<Uuid>>(),
        ));
    }
    if !wants.tokens.is_empty() {
        let tags: Vec<String> = wants.tokens.iter().map(Tag::to_string).collect();
        asking.push(visits(session, named!("visits_of_token"), tags.clone()));
        asking.push(tokens(session, named!("token_get"), tags));
    }
    if !wants.tokens_of.is_empty() {
        let ids: Vec<Uuid> = wants.tokens_of.iter().copied().collect();
        asking.push(tokens(session, named!("tokens_of_visit"), ids));
    }
    if !wants.open.is_empty() {
        let visitors: Vec<String> = wants.open.iter().map(ToString::to_string).collect();
        asking.push(visits(session, named!("visits_of_visitor_open"), visitors.clone()));
        asking.push(current(session, visitors));
    }
    if !wants.erased.is_empty() {
        asking.push(erased(session, wants.erased.iter().map(|visitor| (visitor.hash(), *visitor)).collect()));
    }
    if !wants.visitor_at.is_empty() {
        let pairs = wants.visitor_at.iter().map(|(visitor, at)| (visitor.to_string(), *at)).unzip();
        asking.push(visits_at(session, pairs));
    }
    for (user_id, at) in &wants.user_at {
        asking.push(user_at(session, user_id.clone(), *at));
    }
    if !wants.page_views.is_empty() {
        let ids: Vec<Uuid> = wants.page_views.iter().copied().collect();
        asking.push(sites(session, named!("page_view_sites"), ids, Known::page_view));
    }
    if !wants.events.is_empty() {
        let ids: Vec<Uuid> = wants.events.iter().copied().collect();
        asking.push(sites(session, named!("event_sites"), ids, Known::event));
    }
    if !wants.orders.is_empty() {
        asking.push(orders(session, wants.orders.iter().cloned().unzip()));
    }
    if !wants.refunds.is_empty() {
        asking.push(refunds(session, wants.refunds.iter().cloned().unzip()));
    }
    if !wants.accounts.is_empty() {
        asking.push(accounts(session, wants.accounts.iter().cloned().unzip()));
    }
    asking
}

/// The time within a UUIDv7, in ms: what facts are partitioned by.
pub(super) fn id_time(id: Uuid) -> Millis {
    // The first 48 bits, RFC 9562 §5.7; they fit.
    Millis::try_from(id.as_u128() >> 80).unwrap_or(Millis::MAX)
}

fn visits<'a, K>(session: &'a Session, sql: Sql, keys: Vec<K>) -> Asking<'a>
where
    Vec<K>: tokio_postgres::types::ToSql + Sync + Send + 'a,
{
    async move { Ok(told_visits(session.query(sql, &[&keys]).await?)) }.boxed()
}

fn visits_at(session: &Session, (visitors, instants): (Vec<String>, Vec<Millis>)) -> Asking<'_> {
    async move {
        Ok(told_visits(session.query(named!("visits_of_visitor_at"), &[&visitors, &instants]).await?))
    }
    .boxed()
}

fn told_visits(rows: Vec<Row>) -> Told {
    Box::new(move |known| rows.iter().try_for_each(|row| rows::visit(row).map(|row| known.visit(row))))
}

fn user_at(session: &Session, user_id: String, at: Millis) -> Asking<'_> {
    async move {
        let rows = session.query(named!("visit_of_user_at"), &[&user_id, &at]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let row = rows::visit(row)?;
                known.user_at(user_id.clone(), at, row.visit.id);
                known.visit(row);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn tokens<'a, K>(session: &'a Session, sql: Sql, keys: Vec<K>) -> Asking<'a>
where
    Vec<K>: tokio_postgres::types::ToSql + Sync + Send + 'a,
{
    async move {
        let records = records(session, sql, &keys).await?;
        let told: Told = Box::new(move |known| {
            records.into_iter().for_each(|record| known.token(record));
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

/// The records that a statement gives, with their retired secrets.
pub(super) async fn records(
    session: &Session,
    sql: Sql,
    key: &(dyn tokio_postgres::types::ToSql + Sync),
) -> Result<Vec<Record>> {
    let mut records: Vec<Record> =
        session.query(sql, &[key]).await?.iter().map(rows::record).collect::<Result<_>>()?;
    // A record that was never rotated has retired nothing.
    let rotated = records.iter().filter(|record| record.generation > 1);
    let tags: Vec<String> = rotated.map(|record| record.tag.to_string()).collect();
    if tags.is_empty() {
        return Ok(records);
    }
    let mut retired: HashMap<Tag, Vec<Retired>> = HashMap::new();
    for row in session.query(named!("retired_of_token"), &[&tags]).await? {
        let (tag, secret) = rows::retired(&row)?;
        retired.entry(tag).or_default().push(secret);
    }
    for record in &mut records {
        record.retired = retired.remove(&record.tag).unwrap_or_default();
    }
    Ok(records)
}

fn current(session: &Session, visitors: Vec<String>) -> Asking<'_> {
    async move {
        let rows = session.query(named!("visitor_get"), &[&visitors]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                known.current(row.try_get(1)?, rows::visitor_id(row.try_get(0)?)?, row.try_get(2)?);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn erased(session: &Session, visitors: HashMap<[u8; 32], VisitorId>) -> Asking<'_> {
    async move {
        let hashes: Vec<&[u8]> = visitors.keys().map(<[u8; 32]>::as_slice).collect();
        let rows = session.query(named!("erased_get"), &[&hashes]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let hash: &[u8] = row.try_get(0)?;
                known.erased(*visitors.get(hash).ok_or(StoreError::Malformed("visitor_hash"))?);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn sites(session: &Session, sql: Sql, ids: Vec<Uuid>, note: fn(&mut Known, Uuid, String)) -> Asking<'_> {
    async move {
        let times: Vec<Millis> = ids.iter().copied().map(id_time).collect();
        let rows = session.query(sql, &[&times, &ids]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                note(known, row.try_get(0)?, row.try_get(1)?);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn orders(session: &Session, (sites, ids): (Vec<String>, Vec<String>)) -> Asking<'_> {
    async move {
        let rows = session.query(named!("order_get"), &[&sites, &ids]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let source = match row.try_get(2)? {
                    "api" => Source::Api,
                    "browser" => Source::Browser,
                    _ => return Err(StoreError::Malformed("source of an order")),
                };
                let (amount, currency, items) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
                let order = StoredOrder { source, amount, currency, items };
                known.order(row.try_get(0)?, row.try_get(1)?, order);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn refunds(session: &Session, (sites, ids): (Vec<String>, Vec<String>)) -> Asking<'_> {
    async move {
        let rows = session.query(named!("refund_get"), &[&sites, &ids]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                known.refund(row.try_get(0)?, row.try_get(1)?);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn accounts(session: &Session, (users, hashes): (Vec<String>, Vec<String>)) -> Asking<'_> {
    async move {
        let rows = session.query(named!("user_is_current"), &[&users, &hashes]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                known.account(row.try_get(0)?, row.try_get(1)?);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}
