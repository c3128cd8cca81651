//! Reads what is stored about a visitor.

use tokio_postgres::types::ToSql;

use super::pool::Pool;
use super::statements::{Sql, named};
use super::{facts, rows};
use crate::contract::disclosure::{Kind, VISITS_OF_PAGE, VisitPlace};
use crate::database::error::Result;
use crate::database::pages::{Ask, Owner, Row, VisitRow};
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

/// The stored key of a visitor.
pub(in crate::database) async fn key(pool: &Pool, visitor: VisitorId) -> Result<Option<SecretHash>> {
    let found = query(pool, named!("visitor_key_get"), &[&[visitor.to_string()].as_slice()]).await?;
    found.first().map(|row| rows::secret_hash(row, 1)).transpose()
}

/// Visits of a visitor behind a place, or from it on.
pub(in crate::database) async fn visits(
    pool: &Pool,
    visitor: VisitorId,
    from: &VisitPlace,
    inclusive: bool,
) -> Result<Vec<VisitRow>> {
    let VisitPlace { site, started_at, id } = from;
    let most = i64::try_from(VISITS_OF_PAGE).unwrap_or(i64::MAX);
    let visitor = visitor.to_string();
    let asked: [&(dyn ToSql + Sync); 6] = [&visitor, site, started_at, id, &inclusive, &most];
    let visits = query(pool, named!("disclose_visits"), &asked).await?;
    let visit = |row: &tokio_postgres::Row| {
        let place = VisitPlace { site: row.try_get(0)?, started_at: row.try_get(1)?, id: row.try_get(2)? };
        Ok(VisitRow { place, until: row.try_get(3)?, json: row.try_get(4)? })
    };
    visits.iter().map(visit).collect()
}

/// Rows of one kind.
pub(in crate::database) async fn rows(pool: &Pool, ask: &Ask) -> Result<Vec<Row>> {
    let (at, key) = &ask.after;
    let (of, between) = match &ask.of {
        Owner::Visit { id, since, until } => (id.to_string(), Some((since, until))),
        Owner::Visitor(visitor) => (visitor.to_string(), None),
    };
    let statement = match (ask.kind, between) {
        (Kind::PageViews, _) => facts::page_views_disclose(),
        (Kind::Events, _) => facts::events_disclose(),
        (Kind::Orders, Some(_)) => facts::orders_disclose(),
        (Kind::Orders, None) => facts::orders_alone_disclose(),
        (Kind::Refunds, Some(_)) => facts::refunds_disclose(),
        (Kind::Refunds, None) => facts::refunds_alone_disclose(),
        (Kind::Sessions, _) => named!("disclose_sessions"),
    };
    let mut asked: Vec<&(dyn ToSql + Sync)> = vec![&of, at, key, &ask.most];
    if let (Kind::PageViews | Kind::Events, Some((since, until))) = (ask.kind, between) {
        asked.extend([since as &(dyn ToSql + Sync), until]);
    }
    let row = |row: &tokio_postgres::Row| {
        Ok(Row { place: (row.try_get(0)?, row.try_get(1)?), json: row.try_get(2)? })
    };
    query(pool, statement, &asked).await?.iter().map(row).collect()
}

/// Asks on a connection that is closed if nobody waits for the answer any more.
async fn query(
    pool: &Pool,
    statement: Sql,
    asked: &[&(dyn ToSql + Sync)],
) -> Result<Vec<tokio_postgres::Row>> {
    let mut lent = pool.lend().await?;
    let rows = lent.session()?.query(statement, asked).await?;
    lent.done();
    Ok(rows)
}
