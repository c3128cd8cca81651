//! Looks up what a batch wants to know: one statement for each kind of want, and all of them in one
//! round trip.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::rows;
use super::statements::{Params, Session, Sql, named};
use crate::database::error::{Result, StoreError};
use crate::ledger::kinds::order::Source;
use crate::ledger::known::{SessionsOf, StoredOrder, TOKENS_OF_MAX, Table, UserTokens};
use crate::ledger::{Known, Wants};
use crate::session::Millis;
use crate::session::record::{RETIRED_MAX, Record, Retired};
use crate::session::token::Tag;
use crate::session::visit::VisitorId;

/// Notes the rows of a query.
type Told = Box<dyn FnOnce(&mut Known) -> Result<()> + Send>;

/// A query that is under way.
type Asking<'a> = BoxFuture<'a, Result<Told>>;

/// Sends all queries at once, and notes the answers.
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
        asking.push(tokens(session, named!("token_get"), Box::new([Box::new(tags)])));
    }
    if !wants.tokens_of.is_empty() {
        let ids: Vec<Uuid> = wants.tokens_of.iter().copied().collect();
        let keys: Keys = Box::new([Box::new(ids), Box::new(TOKENS_OF_MAX)]);
        asking.push(tokens(session, named!("tokens_of_visit"), keys));
    }
    for key in &wants.tokens_of_user {
        asking.push(tokens_of_user(session, key));
    }
    if !wants.endings.is_empty() {
        asking.push(endings(session, wants.endings.iter().collect()));
    }
    if !wants.current.is_empty() {
        let keys = wants.current.iter().map(|(visitor, site)| (visitor.to_string(), &**site)).unzip();
        asking.push(current(session, keys));
    }
    if !wants.latest_open.is_empty() {
        let visitors = wants.latest_open.iter().map(ToString::to_string).collect();
        asking.push(latest_open(session, visitors));
    }
    if !wants.erased.is_empty() {
        asking.push(erased(session, wants.erased.iter().map(|visitor| (visitor.hash(), *visitor)).collect()));
    }
    if !wants.keys.is_empty() {
        asking.push(keys(session, wants.keys.iter().map(ToString::to_string).collect()));
    }
    if !wants.visitor_at.is_empty() {
        asking.push(visits_at(session, wants.visitor_at.iter().collect()));
    }
    if !wants.anonymous.is_empty() {
        asking.push(anonymous(session, wants.anonymous.iter().copied().collect()));
    }
    for (user_id, at) in &wants.user_at {
        asking.push(user_at(session, user_id.clone(), *at));
    }
    for (table, sql) in
        [(Table::PageViews, named!("page_views_stored")), (Table::Events, named!("events_stored"))]
    {
        let facts = wants.facts.iter().filter(|(of, ..)| *of == table);
        let (ids, sites): (Vec<Uuid>, Vec<&str>) = facts.map(|(_, id, site)| (*id, &**site)).unzip();
        if !ids.is_empty() {
            asking.push(stored(session, table, sql, ids, sites));
        }
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
    Vec<K>: ToSql + Sync + Send + 'a,
{
    async move { Ok(told_visits(session.query(sql, &[&keys]).await?)) }.boxed()
}

fn visits_at<'a>(session: &'a Session, wanted: Vec<&'a (VisitorId, String, Millis)>) -> Asking<'a> {
    async move {
        let visitors: Vec<String> = wanted.iter().map(|(visitor, ..)| visitor.to_string()).collect();
        let sites: Vec<&str> = wanted.iter().map(|(_, site, _)| &**site).collect();
        let instants: Vec<Millis> = wanted.iter().map(|(.., at)| *at).collect();
        let rows = session.query(named!("visit_of_visitor_at"), &[&visitors, &sites, &instants]).await?;
        Ok(told_visits(rows))
    }
    .boxed()
}

fn anonymous(session: &Session, wanted: Vec<(VisitorId, Millis, usize)>) -> Asking<'_> {
    async move {
        let visitors: Vec<String> = wanted.iter().map(|(visitor, ..)| visitor.to_string()).collect();
        let instants: Vec<Millis> = wanted.iter().map(|(_, until, _)| *until).collect();
        let most: Vec<i64> =
            wanted.iter().map(|(.., most)| i64::try_from(*most).unwrap_or(i64::MAX)).collect();
        let rows = session.query(named!("visits_anonymous"), &[&visitors, &instants, &most]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let visit = rows::visit(row)?;
                let place = usize::try_from(row.try_get::<_, i64>(9)? - 1).ok();
                let key = place.and_then(|place| wanted.get(place));
                known.anonymous(*key.ok_or(StoreError::Malformed("place"))?, visit.visit.id);
                known.visit(visit);
            }
            Ok(())
        });
        Ok(told)
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

/// The keys by which tokens are looked up.
type Keys = Box<[Box<dyn ToSql + Sync + Send>]>;

fn tokens(session: &Session, sql: Sql, keys: Keys) -> Asking<'_> {
    async move {
        let keys: Vec<&(dyn ToSql + Sync)> = keys.iter().map(|key| &**key as &(dyn ToSql + Sync)).collect();
        let records = records(session, sql, &keys).await?;
        let told: Told = Box::new(move |known| {
            records.into_iter().for_each(|record| known.token(record));
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn tokens_of_user<'a>(session: &'a Session, key: &'a UserTokens) -> Asking<'a> {
    async move {
        let (user_id, site, most) = key;
        let most = i64::try_from(*most).unwrap_or(i64::MAX);
        let records = records(session, named!("tokens_of_user"), &[user_id, site, &most]).await?;
        let key = key.clone();
        let told: Told = Box::new(move |known| {
            records.into_iter().for_each(|record| known.token_of_user(&key, record));
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

/// The records that a statement gives, with their retired secrets.
pub(super) async fn records(session: &Session, sql: Sql, keys: Params<'_>) -> Result<Vec<Record>> {
    let mut records: Vec<Record> =
        session.query(sql, keys).await?.iter().map(rows::record).collect::<Result<_>>()?;
    // A record that was never rotated has no retired secrets.
    let rotated = records.iter().filter(|record| record.generation > 1);
    let tags: Vec<String> = rotated.map(|record| record.tag.to_string()).collect();
    if tags.is_empty() {
        return Ok(records);
    }
    let mut retired: HashMap<Tag, Vec<Retired>> = HashMap::new();
    for row in session.query(named!("retired_of_token"), &[&tags, &(RETIRED_MAX as i64)]).await? {
        let (tag, secret) = rows::retired(&row)?;
        retired.entry(tag).or_default().push(secret);
    }
    for record in &mut records {
        record.retired = retired.remove(&record.tag).unwrap_or_default();
    }
    Ok(records)
}

fn current<'a>(session: &'a Session, (visitors, sites): (Vec<String>, Vec<&'a str>)) -> Asking<'a> {
    async move {
        let rows = session.query(named!("visit_current"), &[&visitors, &sites]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let visit = rows::visit(row)?;
                known.current(row.try_get(10)?, rows::visitor_id(row.try_get(9)?)?, visit.visit.id);
                known.visit(visit);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn latest_open(session: &Session, visitors: Vec<String>) -> Asking<'_> {
    async move {
        let rows = session.query(named!("visit_latest_open"), &[&visitors]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let visit = rows::visit(row)?;
                known.latest_open(rows::visitor_id(row.try_get(2)?)?, visit.visit.id);
                known.visit(visit);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn endings<'a>(session: &'a Session, wanted: Vec<&'a SessionsOf>) -> Asking<'a> {
    async move {
        let (users, sites): (Vec<&[u8]>, Vec<&str>) =
            wanted.iter().map(|of| (&of.user_hash[..], &*of.site)).unzip();
        let rows = session.query(named!("user_ending_get"), &[&users, &sites]).await?;
        let mut found = Vec::new();
        for row in &rows {
            let place =
                usize::try_from(row.try_get::<_, i64>(0)?).ok().and_then(|place| place.checked_sub(1));
            let of = place.and_then(|place| wanted.get(place)).ok_or(StoreError::Malformed("place"))?;
            found.push(((*of).clone(), row.try_get(1)?));
        }
        let told: Told = Box::new(move |known| {
            found.into_iter().for_each(|(of, at)| known.ending(of, at));
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

fn keys(session: &Session, visitors: Vec<String>) -> Asking<'_> {
    async move {
        let rows = session.query(named!("visitor_known"), &[&visitors]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                let has_key = row.try_get::<_, Option<&[u8]>>(1)?.is_some();
                let hash = has_key.then(|| rows::secret_hash(row, 1)).transpose()?;
                known.key(rows::visitor_id(row.try_get(0)?)?, hash);
            }
            Ok(())
        });
        Ok(told)
    }
    .boxed()
}

fn stored<'a>(
    session: &'a Session,
    table: Table,
    sql: Sql,
    ids: Vec<Uuid>,
    sites: Vec<&'a str>,
) -> Asking<'a> {
    async move {
        let times: Vec<Millis> = ids.iter().copied().map(id_time).collect();
        let rows = session.query(sql, &[&times, &ids, &sites]).await?;
        let told: Told = Box::new(move |known| {
            for row in &rows {
                known.fact(table, row.try_get(0)?, row.try_get(1)?);
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
