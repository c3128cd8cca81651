//! Writes what a batch changes: one multi-row statement a table, all of them and the commit in one
//! round trip. Columns travel as arrays (UNNEST) in the binary form.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::{self, BoxFuture, try_join_all};
use futures_util::{FutureExt as _, TryFutureExt as _};
use tokio_postgres::types::ToSql;

use super::facts;
use super::load::id_time;
use super::statements::{Session, Sql, named};
use crate::database::error::{Result, StoreError};
use crate::ledger::Changes;
use crate::ledger::changes::VisitPut;
use crate::ledger::known::VisitRow;
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::visit::VisitorId;

type Writing<'a> = BoxFuture<'a, Result<u64>>;

/// Writes the changes and commits the transaction; with `begin`, begins it first as the batch of
/// that number.
///
/// Invariant: every statement was prepared when the connection was made. So all are sent in the order in which they are
/// here, and COMMIT after them. If the database refuses one, the commit is a rollback, and the error is returned. If one
/// cannot be sent, COMMIT is not sent either.
pub(super) async fn write_and_commit(
    session: &Session,
    begin: Option<i64>,
    changes: &Changes<'_>,
    now: Millis,
) -> Result<()> {
    let begin = begin.map(|number| session.begin(Some(number)).map_ok(|_| 0).boxed());
    let steps = begin.into_iter().chain(writings(session, changes, now));
    let mut written = pin!(future::maybe_done(try_join_all(steps)));
    // The first poll sends; what it could not send has failed by then.
    poll_fn(|context| Poll::Ready(_ = written.as_mut().poll(context))).await;
    if written.as_mut().output_mut().is_none_or(|sent| sent.is_ok()) {
        let commit = session.client.batch_execute("COMMIT").map_err(StoreError::from);
        let ((), committed) = future::join(written.as_mut(), commit).await;
        committed?;
    }
    written.take_output().map_or(Ok(()), |written| written.map(drop))
}

fn writings<'a>(session: &'a Session, changes: &'a Changes<'_>, now: Millis) -> Vec<Writing<'a>> {
    let mut writing: Vec<Writing<'a>> = Vec::new();
    if !changes.visits.is_empty() {
        writing.push(visits(session, &changes.visits));
    }
    if !changes.counted.is_empty() {
        writing.push(counted(session, &changes.counted));
    }
    if !changes.tokens.is_empty() {
        writing.push(tokens(session, &changes.tokens, now));
        writing.extend(retired(session, &changes.tokens));
    }
    if !changes.current.is_empty() {
        let sites = column(&changes.current, |(site, ..)| &**site);
        let visitors = column(&changes.current, |(_, visitor, _)| visitor.to_string());
        let visit_ids = column(&changes.current, |(.., visit_id)| *visit_id);
        writing.push(execute(session, named!("visitor_put"), (sites, visitors, visit_ids)));
    }
    if !changes.forgotten.is_empty() {
        let sites = column(&changes.forgotten, |(site, _)| &**site);
        let visitors = column(&changes.forgotten, |(_, visitor)| visitor.to_string());
        writing.push(execute(session, named!("visitor_forget"), (sites, visitors)));
    }
    if !changes.keys.is_empty() {
        let visitors = column(&changes.keys, |(visitor, _)| visitor.to_string());
        let hashes = column(&changes.keys, |(_, hash)| &hash.as_bytes()[..]);
        writing.push(execute(session, named!("visitor_key_put"), (visitors, hashes)));
    }
    if !changes.passwords.is_empty() {
        let (users, hashes): (Vec<_>, Vec<_>) =
            changes.passwords.iter().map(|(user, hash)| (&**user, &**hash)).unzip();
        writing.push(execute(session, named!("user_password"), (users, hashes)));
    }
    if !changes.endings.is_empty() {
        let users = column(&changes.endings, |(of, _)| &of.user_hash[..]);
        let sites = column(&changes.endings, |(of, _)| &*of.site);
        let ended_at = column(&changes.endings, |(_, at)| *at);
        writing.push(execute(session, named!("user_ending_put"), (users, sites, ended_at)));
    }
    if !changes.page_views.is_empty() {
        writing.push(facts::write(session, facts::page_view_insert(), &changes.page_views));
    }
    if !changes.events.is_empty() {
        writing.push(facts::write(session, facts::event_insert(), &changes.events));
    }
    if !changes.disputes.is_empty() {
        let sites = column(&changes.disputes, |(site, _)| &**site);
        let ids = column(&changes.disputes, |(_, id)| *id);
        writing.push(execute(session, named!("order_dispute"), (sites, ids)));
    }
    if !changes.orders.is_empty() {
        writing.push(facts::write(session, facts::order_put(), &changes.orders));
    }
    if !changes.refunds.is_empty() {
        writing.push(facts::write(session, facts::refund_insert(), &changes.refunds));
    }
    let refunded: (Vec<_>, Vec<_>) = changes.refunded().unzip();
    if !refunded.0.is_empty() {
        writing.push(execute(session, named!("refund_attribute"), refunded));
    }
    if !changes.engagements.is_empty() {
        let rows = &changes.engagements;
        let columns = (
            column(rows, |row| id_time(row.page_view_id)),
            column(rows, |row| row.page_view_id),
            column(rows, |row| &*row.site),
            column(rows, |row| row.visit_id),
            column(rows, |row| row.engaged_ms),
            column(rows, |row| row.scroll_pct),
        );
        writing.push(execute(session, named!("page_view_engage"), columns));
    }
    writing
}

/// The columns of some rows, each an array.
trait Columns: Send {
    fn params(&self) -> Vec<&(dyn ToSql + Sync)>;
}

macro_rules! columns {
    ($($column:ident)+) => {
        impl<$($column: ToSql + Sync + Send),+> Columns for ($($column,)+) {
            #[expect(non_snake_case, reason = "a type's name and its value's are one here")]
            fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
                let ($($column,)+) = self;
                vec![$($column as &(dyn ToSql + Sync)),+]
            }
        }
    };
}
columns!(A B);
columns!(A B C);
columns!(A B C D);
columns!(A B C D E);
columns!(A B C D E F);
columns!(A B C D E F G H I);
columns!(A B C D E F G H I J);
columns!(A B C D E F G H I J K L);
columns!(A B C D E F G H I J K L M N O P Q R);

fn column<'a, R, T>(rows: &'a [R], field: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(field).collect()
}

fn text(visitor: VisitorId) -> String {
    visitor.to_string()
}

fn execute<'a>(session: &'a Session, sql: Sql, columns: impl Columns + 'a) -> Writing<'a> {
    async move { session.execute(sql, &columns.params()).await }.boxed()
}

fn visits<'a>(session: &'a Session, rows: &'a [VisitPut<'_>]) -> Writing<'a> {
    let columns = (
        column(rows, |put| put.row.visit.id),
        column(rows, |put| &*put.row.visit.site),
        column(rows, |put| put.row.visit.visitor_id.map(text)),
        column(rows, |put| put.row.visit.user_id.as_deref()),
        column(rows, |put| put.row.visit.started_at),
        column(rows, |put| put.row.visit.last_activity),
        column(rows, |put| put.row.visit.ended_at),
        column(rows, |put| put.row.page_views),
        column(rows, |put| put.row.events),
        column(rows, |put| put.entry_url),
        column(rows, |put| put.referrer),
        column(rows, |put| put.referrer_host.as_deref()),
        column(rows, |put| put.campaign.source.as_deref()),
        column(rows, |put| put.campaign.medium.as_deref()),
        column(rows, |put| put.campaign.campaign.as_deref()),
        column(rows, |put| put.campaign.term.as_deref()),
        column(rows, |put| put.campaign.content.as_deref()),
        column(rows, |put| put.campaign.click_id),
    );
    execute(session, named!("visit_put"), columns)
}

fn counted<'a>(session: &'a Session, rows: &'a [VisitRow]) -> Writing<'a> {
    let columns = (
        column(rows, |row| row.visit.id),
        column(rows, |row| row.visit.last_activity),
        column(rows, |row| row.visit.ended_at),
        column(rows, |row| row.page_views),
        column(rows, |row| row.events),
    );
    execute(session, named!("visit_count"), columns)
}

fn tokens<'a>(session: &'a Session, rows: &'a [Record], now: Millis) -> Writing<'a> {
    let columns = (
        column(rows, |record| record.tag.to_string()),
        column(rows, |record| &record.secret_hash.as_bytes()[..]),
        column(rows, |record| i64::try_from(record.generation).unwrap_or(i64::MAX)),
        column(rows, |record| record.visit_id),
        column(rows, |record| record.user_id.as_deref()),
        column(rows, |record| record.signed_in_at),
        column(rows, |record| record.created_at),
        column(rows, |record| record.last_activity),
        column(rows, |record| record.ended_at),
        column(rows, |record| record.remembered),
        column(rows, |record| record.device.as_deref()),
        now,
    );
    execute(session, named!("token_put"), columns)
}

fn retired<'a>(session: &'a Session, records: &'a [Record]) -> Option<Writing<'a>> {
    let retired = records.iter().flat_map(|record| record.retired.iter().map(move |old| (record.tag, old)));
    let rows: Vec<_> = retired.collect();
    let columns = (
        rows.iter().map(|(_, old)| &old.secret_hash.as_bytes()[..]).collect::<Vec<_>>(),
        rows.iter().map(|(tag, _)| tag.to_string()).collect::<Vec<_>>(),
        rows.iter().map(|(_, old)| old.at).collect::<Vec<_>>(),
        rows.iter().map(|(_, old)| old.visit_id).collect::<Vec<_>>(),
    );
    (!rows.is_empty()).then(|| execute(session, named!("retired_put"), columns))
}
