//! Inserts facts, and discloses them, by the lists of their columns.

use std::sync::LazyLock;

use rusqlite::types::{Null, ToSql, ToSqlOutput};
use rusqlite::{Connection, params_from_iter};

use crate::database::error::Result;
use crate::ledger::kinds::columns::{Column, Row, Value};
use crate::ledger::kinds::event::EventRow;
use crate::ledger::kinds::order::OrderRow;
use crate::ledger::kinds::page_view::PageViewRow;
use crate::ledger::kinds::refund::RefundRow;

/// Inserts a page view.
pub(super) static PAGE_VIEW_INSERT: LazyLock<String> = LazyLock::new(insert::<PageViewRow<'_>>);

/// Inserts an event.
pub(super) static EVENT_INSERT: LazyLock<String> = LazyLock::new(insert::<EventRow<'_>>);

/// Inserts an order that is new, or replaces one of a browser, as the ledger has decided.
pub(super) static ORDER_PUT: LazyLock<String> =
    LazyLock::new(|| format!("{} {}", insert::<OrderRow<'_>>(), super::sql!("order_replace")));

/// Inserts a refund.
pub(super) static REFUND_INSERT: LazyLock<String> = LazyLock::new(insert::<RefundRow<'_>>);

/// The page views of a visit.
pub(super) static PAGE_VIEWS_DISCLOSE: LazyLock<String> = LazyLock::new(disclose::<PageViewRow<'_>>);

/// The events of a visit.
pub(super) static EVENTS_DISCLOSE: LazyLock<String> = LazyLock::new(disclose::<EventRow<'_>>);

/// The orders of a visit.
pub(super) static ORDERS_DISCLOSE: LazyLock<String> =
    LazyLock::new(|| disclose_by_number::<OrderRow<'_>>(OF_VISIT));

/// The refunds of a visit.
pub(super) static REFUNDS_DISCLOSE: LazyLock<String> =
    LazyLock::new(|| disclose_by_number::<RefundRow<'_>>(OF_VISIT));

/// The orders of a visitor that belong to none of the visitor's visits.
pub(super) static ORDERS_ALONE_DISCLOSE: LazyLock<String> =
    LazyLock::new(|| disclose_by_number::<OrderRow<'_>>(ALONE));

/// The refunds of a visitor that belong to none of the visitor's visits.
pub(super) static REFUNDS_ALONE_DISCLOSE: LazyLock<String> =
    LazyLock::new(|| disclose_by_number::<RefundRow<'_>>(ALONE));

const OF_VISIT: &str = "visit_id = ?1";

const ALONE: &str = "visitor_id = ?1 \
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = r.visit_id AND visitor_id = ?1)";

/// Writes a row by the statement for its kind.
pub(super) fn write<R: Row>(db: &Connection, statement: &str, row: &R) -> Result<()> {
    let mut values = Vec::with_capacity(R::COLUMNS.len());
    row.values(|value| values.push(Bound(value)));
    let stored = R::COLUMNS.iter().zip(values).filter(|(column, _)| is_stored(column));
    db.prepare_cached(statement)?.execute(params_from_iter(stored.map(|(_, value)| value)))?;
    Ok(())
}

/// `id_time` is in the id.
fn is_stored(column: &Column) -> bool {
    !matches!(column, Column::IdTime(_))
}

fn insert<R: Row>() -> String {
    let names: Vec<_> = R::COLUMNS.iter().filter(|column| is_stored(column)).map(Column::name).collect();
    let places: Vec<_> = (1..=names.len()).map(|place| format!("?{place}")).collect();
    format!("INSERT INTO {} ({}) VALUES ({})", R::TABLE, names.join(", "), places.join(", "))
}

fn disclose<R: Row>() -> String {
    format!(
        "SELECT occurred_at, id, {} FROM {} \
         WHERE occurred_at BETWEEN ?5 AND ?6 AND visit_id = ?1 AND (occurred_at, id) > (?2, ?3) \
         ORDER BY occurred_at, id LIMIT ?4",
        object::<R>(),
        R::TABLE
    )
}

/// Discloses rows that the shop has numbered, for each site by itself.
fn disclose_by_number<R: Row>(whose: &str) -> String {
    format!(
        "SELECT created_at, site || ' ' || id, {} FROM {} AS r \
         WHERE {whose} AND (created_at, site || ' ' || id) > (?2, ?3) \
         ORDER BY 1, 2 LIMIT ?4",
        object::<R>(),
        R::TABLE
    )
}

/// A row as JSON.
fn object<R: Row>() -> String {
    let told = R::told().map(|column| match column {
        Column::Json(name) => format!("'{name}', json({name})"),
        Column::Boolean(name) => format!("'{name}', json(IIF({name}, 'true', 'false'))"),
        other => format!("'{0}', {0}", other.name()),
    });
    format!("json_object({})", told.collect::<Vec<_>>().join(", "))
}

/// A value as SQLite stores it.
struct Bound<'r>(Value<'r>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match &self.0 {
            Value::Text(text) => text.to_sql(),
            Value::Uuid(Some(id)) => Ok(ToSqlOutput::from(id.to_string())),
            Value::Uuid(None) => Null.to_sql(),
            Value::Bigint(number) => number.to_sql(),
            Value::Integer(number) => number.to_sql(),
            Value::Boolean(yes) => yes.to_sql(),
        }
    }
}
