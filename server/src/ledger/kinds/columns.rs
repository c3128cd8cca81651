//! The columns of a kind's table, listed once: databases insert, disclose and copy rows by these lists.

use std::borrow::Cow;

use uuid::Uuid;

use crate::session::Millis;
use crate::session::visit::VisitorId;

/// A column, by how it is stored. It has the same name in every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// A text.
    Text(&'static str),
    /// A text that is JSON.
    Json(&'static str),
    /// A UUID.
    Uuid(&'static str),
    /// 64 bits.
    Bigint(&'static str),
    /// 32 bits.
    Integer(&'static str),
    /// Bytes.
    Bytes(&'static str),
    /// True or false.
    Boolean(&'static str),
    /// A decimal that travels as a text: every digit is kept.
    Decimal(&'static str),
    /// The milliseconds within the UUIDv7 `id`. SQLite has no column for them.
    IdTime(&'static str),
}

impl Column {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(name)
            | Self::Json(name)
            | Self::Uuid(name)
            | Self::Bigint(name)
            | Self::Integer(name)
            | Self::Bytes(name)
            | Self::Boolean(name)
            | Self::Decimal(name)
            | Self::IdTime(name) => name,
        }
    }
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'r> {
    /// A text, JSON or a decimal.
    Text(Option<Cow<'r, str>>),
    /// A UUID.
    Uuid(Option<Uuid>),
    /// 64 bits.
    Bigint(Option<Millis>),
    /// 32 bits.
    Integer(Option<i32>),
    /// True or false.
    Boolean(bool),
}

/// A row of a kind's table.
pub trait Row {
    /// The table.
    const TABLE: &'static str;

    /// The columns that an insert sets.
    const COLUMNS: &'static [Column];

    /// The columns that are set later.
    const LATER: &'static [Column];

    /// The columns that a disclosure tells: all but those that say whose the row is.
    fn told() -> impl Iterator<Item = &'static Column> {
        let columns = Self::COLUMNS.iter().chain(Self::LATER);
        columns.filter(|column| !matches!(column.name(), "id_time" | "visit_id" | "visitor_id"))
    }

    /// Gives each value, in the order of [`Self::COLUMNS`].
    fn values<'r>(&'r self, take: impl FnMut(Value<'r>));
}

/// Implements [`Row`]: each line has a column, its type, and its value in a row. After a semicolon: the columns that are
/// set later.
macro_rules! columns {
    (
        $table:literal, |$row:ident: $type:ident|
        $($column:ident: $kind:ident = $value:expr,)+
        $(; $($later:ident: $later_kind:ident,)+)?
    ) => {
        impl $crate::ledger::kinds::columns::Row for $type<'_> {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [$crate::ledger::kinds::columns::Column] =
                &[$($crate::ledger::kinds::columns::Column::$kind(stringify!($column))),+];
            const LATER: &'static [$crate::ledger::kinds::columns::Column] =
                &[$($($crate::ledger::kinds::columns::Column::$later_kind(stringify!($later))),+)?];

            fn values<'r>(&'r self, mut take: impl FnMut($crate::ledger::kinds::columns::Value<'r>)) {
                let $row = self;
                $(take($value.into());)+
            }
        }
    };
}
pub(super) use columns;

impl<'r> From<&'r String> for Value<'r> {
    fn from(text: &'r String) -> Self {
        Self::Text(Some(Cow::Borrowed(text)))
    }
}

impl<'r> From<&'r Option<String>> for Value<'r> {
    fn from(text: &'r Option<String>) -> Self {
        Self::Text(text.as_deref().map(Cow::Borrowed))
    }
}

impl<'r> From<Option<&'r str>> for Value<'r> {
    fn from(text: Option<&'r str>) -> Self {
        Self::Text(text.map(Cow::Borrowed))
    }
}

impl From<Option<VisitorId>> for Value<'_> {
    fn from(visitor: Option<VisitorId>) -> Self {
        Self::Text(visitor.map(|visitor| Cow::Owned(visitor.to_string())))
    }
}

impl From<Uuid> for Value<'_> {
    fn from(id: Uuid) -> Self {
        Self::Uuid(Some(id))
    }
}

impl From<Option<Uuid>> for Value<'_> {
    fn from(id: Option<Uuid>) -> Self {
        Self::Uuid(id)
    }
}

impl From<Millis> for Value<'_> {
    fn from(number: Millis) -> Self {
        Self::Bigint(Some(number))
    }
}

impl From<Option<i32>> for Value<'_> {
    fn from(number: Option<i32>) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(yes: bool) -> Self {
        Self::Boolean(yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::kinds::event::EventRow;
    use crate::ledger::kinds::order::{OrderRow, Source};
    use crate::ledger::kinds::page_view::PageViewRow;
    use crate::ledger::kinds::refund::RefundRow;
    use crate::ledger::kinds::{Event, Order, PageView, Refund};

    fn fits<R: Row>(row: &R) {
        let mut values = Vec::new();
        row.values(|value| values.push(value));
        assert_eq!(values.len(), R::COLUMNS.len(), "{}", R::TABLE);
        for (column, value) in R::COLUMNS.iter().zip(values) {
            let fits = matches!(
                (column, &value),
                (Column::Text(_) | Column::Json(_) | Column::Decimal(_), Value::Text(_))
                    | (Column::Uuid(_) | Column::IdTime(_), Value::Uuid(_))
                    | (Column::Bigint(_), Value::Bigint(_))
                    | (Column::Integer(_), Value::Integer(_))
                    | (Column::Boolean(_), Value::Boolean(_))
            );
            assert!(fits, "{}: {column:?} does not take {value:?}", R::TABLE);
        }
    }

    #[test]
    fn each_column_takes_the_value_that_a_row_has_for_it() {
        let (site, visit_id, visitor_id, user_id) = (|| "shop.example".to_owned(), None, None, None);
        let (occurred_at, received_at, created_at) = (1, 2, 3);
        let (view, event, refund) = (&PageView::default(), &Event::default(), &Refund::default());
        fits(&PageViewRow { site: site(), visit_id, occurred_at, received_at, view });
        fits(&EventRow { site: site(), visit_id, occurred_at, received_at, event });
        let order = &Order::default();
        let (items, source, disputed) = (None, Source::Browser, false);
        fits(&OrderRow {
            site: site(),
            visit_id,
            visitor_id,
            user_id,
            items,
            source,
            disputed,
            created_at,
            received_at,
            order,
        });
        fits(&RefundRow { site: site(), visitor_id, created_at, received_at, refund });
    }
}
