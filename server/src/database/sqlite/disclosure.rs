//! Reads what is stored about a visitor.

use rusqlite::{Connection, params};

use super::{facts, rows, sql};
use crate::contract::disclosure::{Kind, VISITS_OF_PAGE, VisitPlace};
use crate::database::error::Result;
use crate::database::pages::{Ask, Owner, Row, VisitRow};
use crate::session::visit::VisitorId;

/// Visits of a visitor behind a place, or from it on.
pub(in crate::database) fn visits(
    db: &Connection,
    visitor: VisitorId,
    from: &VisitPlace,
    inclusive: bool,
) -> Result<Vec<VisitRow>> {
    let VisitPlace { site, started_at, id } = from;
    let most = i64::try_from(VISITS_OF_PAGE).unwrap_or(i64::MAX);
    let asked = params![visitor.to_string(), site, started_at, id.to_string(), inclusive, most];
    let mut statement = db.prepare_cached(sql!("disclose_visits"))?;
    let visits = statement.query_map(asked, |row| {
        let place = VisitPlace { site: row.get(0)?, started_at: row.get(1)?, id: rows::uuid(row, 2)? };
        Ok(VisitRow { place, until: row.get(3)?, json: row.get(4)? })
    })?;
    Ok(visits.collect::<rusqlite::Result<_>>()?)
}

/// Rows of one kind.
pub(in crate::database) fn rows(db: &Connection, ask: &Ask) -> Result<Vec<Row>> {
    let (at, key) = &ask.after;
    let of_time = |statement: &str, (id, since, until): (String, i64, i64)| {
        some(db, statement, params![id, at, key, ask.most, since, until])
    };
    let others = |statement: &str, of: String| some(db, statement, params![of, at, key, ask.most]);
    match (&ask.of, ask.kind) {
        (Owner::Visit { id, since, until }, Kind::PageViews) => {
            of_time(&facts::PAGE_VIEWS_DISCLOSE, (id.to_string(), *since, *until))
        }
        (Owner::Visit { id, since, until }, Kind::Events) => {
            of_time(&facts::EVENTS_DISCLOSE, (id.to_string(), *since, *until))
        }
        (Owner::Visit { id, .. }, Kind::Orders) => others(&facts::ORDERS_DISCLOSE, id.to_string()),
        (Owner::Visit { id, .. }, Kind::Refunds) => others(&facts::REFUNDS_DISCLOSE, id.to_string()),
        (Owner::Visit { id, .. }, Kind::Sessions) => others(sql!("disclose_sessions"), id.to_string()),
        (Owner::Visitor(visitor), Kind::Refunds) => {
            others(&facts::REFUNDS_ALONE_DISCLOSE, visitor.to_string())
        }
        (Owner::Visitor(visitor), _) => others(&facts::ORDERS_ALONE_DISCLOSE, visitor.to_string()),
    }
}

fn some(db: &Connection, statement: &str, asked: impl rusqlite::Params) -> Result<Vec<Row>> {
    let mut statement = db.prepare_cached(statement)?;
    let rows =
        statement.query_map(asked, |row| Ok(Row { place: (row.get(0)?, row.get(1)?), json: row.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
