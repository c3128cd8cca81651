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
    let columns = R::COLUMNS.iter().chain(R::LATER).filter(|column| is_stored(column));
    let told = columns.filter(|column| column.name() != "visit_id").map(|column| match column {
        Column::Json(name) => format!("'{name}', json({name})"),
        other => format!("'{0}', {0}", other.name()),
    });
    format!(
        "SELECT occurred_at, id, json_object({}) FROM {} \
         WHERE occurred_at BETWEEN ?5 AND ?6 AND visit_id = ?1 AND (occurred_at, id) > (?2, ?3) \
         ORDER BY occurred_at, id LIMIT ?4",
        told.collect::<Vec<_>>().join(", "),
        R::TABLE
    )
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
