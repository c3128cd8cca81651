//! Inserts facts, and discloses them, by the lists of their columns.

use std::borrow::Cow;
use std::sync::LazyLock;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::load::id_time;
use super::statements::{Session, Sql};
use crate::database::error::{Result, StoreError};
use crate::ledger::kinds::columns::{Column, Row, Value};
use crate::ledger::kinds::event::EventRow;
use crate::ledger::kinds::order::OrderRow;
use crate::ledger::kinds::page_view::PageViewRow;
use crate::ledger::kinds::refund::RefundRow;
use crate::session::Millis;

static PAGE_VIEW_INSERT: LazyLock<String> = LazyLock::new(insert::<PageViewRow<'_>>);
static EVENT_INSERT: LazyLock<String> = LazyLock::new(insert::<EventRow<'_>>);
static ORDER_PUT: LazyLock<String> =
    LazyLock::new(|| format!("{} {}", insert::<OrderRow<'_>>(), super::sql!("order_replace")));
static REFUND_INSERT: LazyLock<String> = LazyLock::new(insert::<RefundRow<'_>>);
static PAGE_VIEWS_DISCLOSE: LazyLock<String> = LazyLock::new(disclose::<PageViewRow<'_>>);
static EVENTS_DISCLOSE: LazyLock<String> = LazyLock::new(disclose::<EventRow<'_>>);
static ORDERS_DISCLOSE: LazyLock<String> = LazyLock::new(|| disclose_by_number::<OrderRow<'_>>(OF_VISIT));
static REFUNDS_DISCLOSE: LazyLock<String> = LazyLock::new(|| disclose_by_number::<RefundRow<'_>>(OF_VISIT));
static ORDERS_ALONE_DISCLOSE: LazyLock<String> = LazyLock::new(|| disclose_by_number::<OrderRow<'_>>(ALONE));
static REFUNDS_ALONE_DISCLOSE: LazyLock<String> =
    LazyLock::new(|| disclose_by_number::<RefundRow<'_>>(ALONE));

const OF_VISIT: &str = "visit_id = $1::text::uuid";

const ALONE: &str = "visitor_id = $1::text \
    AND NOT EXISTS (SELECT FROM sessions WHERE id = r.visit_id AND visitor_id = $1::text)";

/// What a writer's connection prepares.
pub(super) fn every() -> [Sql; 4] {
    [page_view_insert(), event_insert(), order_put(), refund_insert()]
}

/// Inserts page views.
pub(super) fn page_view_insert() -> Sql {
    ("page_view_insert", &PAGE_VIEW_INSERT)
}

/// Inserts events.
pub(super) fn event_insert() -> Sql {
    ("event_insert", &EVENT_INSERT)
}

/// Inserts orders that are new, or replace one of a browser, as the ledger has decided.
pub(super) fn order_put() -> Sql {
    ("order_put", &ORDER_PUT)
}

/// Inserts refunds.
pub(super) fn refund_insert() -> Sql {
    ("refund_insert", &REFUND_INSERT)
}

/// The page views of a visit.
pub(super) fn page_views_disclose() -> Sql {
    ("disclose_page_views", &PAGE_VIEWS_DISCLOSE)
}

/// The events of a visit.
pub(super) fn events_disclose() -> Sql {
    ("disclose_events", &EVENTS_DISCLOSE)
}

/// The orders of a visit.
pub(super) fn orders_disclose() -> Sql {
    ("disclose_orders", &ORDERS_DISCLOSE)
}

/// The refunds of a visit.
pub(super) fn refunds_disclose() -> Sql {
    ("disclose_refunds", &REFUNDS_DISCLOSE)
}

/// The orders of a visitor that belong to none of the visitor's visits.
pub(super) fn orders_alone_disclose() -> Sql {
    ("disclose_orders_alone", &ORDERS_ALONE_DISCLOSE)
}

/// The refunds of a visitor that belong to none of the visitor's visits.
pub(super) fn refunds_alone_disclose() -> Sql {
    ("disclose_refunds_alone", &REFUNDS_ALONE_DISCLOSE)
}

/// Writes rows by the statement for their kind.
pub(super) fn write<'a, R: Row>(session: &'a Session, sql: Sql, rows: &'a [R]) -> BoxFuture<'a, Result<u64>> {
    let arrays = arrays(rows);
    async move {
        let arrays = arrays?;
        let params: Vec<_> = arrays.iter().map(Array::param).collect();
        session.execute(sql, &params).await
    }
    .boxed()
}

fn insert<R: Row>() -> String {
    let names: Vec<_> = R::COLUMNS.iter().map(Column::name).collect();
    let arrived: Vec<_> = R::COLUMNS.iter().map(arrived).collect();
    let places = R::COLUMNS.iter().enumerate();
    let places: Vec<_> =
        places.map(|(place, column)| format!("${}::{}[]", place + 1, travels_as(column).name())).collect();
    let (names, places) = (names.join(", "), places.join(", "));
    format!(
        "INSERT INTO {} ({names}) SELECT {} FROM unnest({places}) AS w ({names})",
        R::TABLE,
        arrived.join(", ")
    )
}

fn disclose<R: Row>() -> String {
    format!(
        "SELECT occurred_at, id::text, {} FROM {} \
         WHERE occurred_at BETWEEN $5 AND $6 AND visit_id = $1::text::uuid AND (occurred_at, id) > ($2, $3::text::uuid) \
         ORDER BY occurred_at, id LIMIT $4",
        object::<R>(),
        R::TABLE
    )
}

/// Discloses rows that the shop has numbered, for each site by itself.
fn disclose_by_number<R: Row>(whose: &str) -> String {
    format!(
        "SELECT created_at, site || ' ' || id, {} FROM {} AS r \
         WHERE {whose} AND (created_at, site || ' ' || id) > ($2, $3::text COLLATE \"C\") \
         ORDER BY 1, 2 LIMIT $4",
        object::<R>(),
        R::TABLE
    )
}

/// A row as JSON.
fn object<R: Row>() -> String {
    let told = R::told().map(|column| match column {
        Column::Json(name) => format!("'{name}', {name}::json"),
        Column::Decimal(name) => format!("'{name}', {name}::text"),
        other => format!("'{0}', {0}", other.name()),
    });
    format!("json_build_object({})::text", told.collect::<Vec<_>>().join(", "))
}

/// The type in which a column travels.
pub(in crate::database) fn travels_as(column: &Column) -> Type {
    match column {
        Column::Text(_) | Column::Json(_) | Column::Decimal(_) => Type::TEXT,
        Column::Uuid(_) => Type::UUID,
        Column::Bigint(_) | Column::IdTime(_) => Type::INT8,
        Column::Integer(_) => Type::INT4,
        Column::Bytes(_) => Type::BYTEA,
        Column::Boolean(_) => Type::BOOL,
    }
}

/// The expression that makes the column's value of what has travelled.
pub(in crate::database) fn arrived(column: &Column) -> String {
    match column {
        Column::Decimal(name) => format!("{name}::numeric"),
        other => other.name().to_owned(),
    }
}

/// One column of some rows.
enum Array<'r> {
    Text(Vec<Option<Cow<'r, str>>>),
    Uuid(Vec<Option<Uuid>>),
    Bigint(Vec<Option<Millis>>),
    Integer(Vec<Option<i32>>),
    Boolean(Vec<bool>),
}

impl<'r> Array<'r> {
    fn new(column: &Column, rows: usize) -> Result<Self> {
        match column {
            Column::Text(_) | Column::Json(_) | Column::Decimal(_) => {
                Ok(Self::Text(Vec::with_capacity(rows)))
            }
            Column::Uuid(_) => Ok(Self::Uuid(Vec::with_capacity(rows))),
            Column::Bigint(_) | Column::IdTime(_) => Ok(Self::Bigint(Vec::with_capacity(rows))),
            Column::Integer(_) => Ok(Self::Integer(Vec::with_capacity(rows))),
            Column::Boolean(_) => Ok(Self::Boolean(Vec::with_capacity(rows))),
            Column::Bytes(name) => Err(StoreError::Malformed(name)), // no fact has bytes
        }
    }

    fn push(&mut self, value: Value<'r>) {
        match (self, value) {
            (Self::Text(array), Value::Text(text)) => array.push(text),
            (Self::Uuid(array), Value::Uuid(id)) => array.push(id),
            (Self::Bigint(array), Value::Bigint(number)) => array.push(number),
            (Self::Bigint(array), Value::Uuid(id)) => array.push(id.map(id_time)),
            (Self::Integer(array), Value::Integer(number)) => array.push(number),
            (Self::Boolean(array), Value::Boolean(yes)) => array.push(yes),
            // Another type than the column's: the arrays differ in length then, and nothing is sent.
            _ => {}
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(array) => array.len(),
            Self::Uuid(array) => array.len(),
            Self::Bigint(array) => array.len(),
            Self::Integer(array) => array.len(),
            Self::Boolean(array) => array.len(),
        }
    }

    fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(array) => array,
            Self::Uuid(array) => array,
            Self::Bigint(array) => array,
            Self::Integer(array) => array,
            Self::Boolean(array) => array,
        }
    }
}

fn arrays<R: Row>(rows: &[R]) -> Result<Vec<Array<'_>>> {
    let arrays = R::COLUMNS.iter().map(|column| Array::new(column, rows.len()));
    let mut arrays: Vec<Array<'_>> = arrays.collect::<Result<_>>()?;
    for row in rows {
        let mut next = arrays.iter_mut();
        row.values(|value| {
            if let Some(array) = next.next() {
                array.push(value);
            }
        });
    }
    if arrays.iter().any(|array| array.len() != rows.len()) {
        return Err(StoreError::Malformed("value of a column"));
    }
    Ok(arrays)
}
