//! Disclosure: a page of what is stored about a visitor, and where the next one begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::session::Millis;

/// Most rows of a page, all tables together.
pub const ROWS_OF_PAGE: usize = 2_000;

/// Most visits of a page.
pub const VISITS_OF_PAGE: usize = 100;

/// What belongs to a visit, in the order of the disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Page views.
    PageViews,
    /// Events.
    Events,
    /// Orders.
    Orders,
    /// Refunds.
    Refunds,
    /// The sessions of the visit.
    Sessions,
}

impl Kind {
    pub(crate) const OF_VISIT: [Self; 5] =
        [Self::PageViews, Self::Events, Self::Orders, Self::Refunds, Self::Sessions];

    /// What a visitor may have without a visit.
    pub(crate) const OF_VISITOR: [Self; 2] = [Self::Orders, Self::Refunds];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PageViews => "page_views",
            Self::Events => "events",
            Self::Orders => "orders",
            Self::Refunds => "refunds",
            Self::Sessions => "sessions",
        }
    }
}

/// The place of a row among others of its kind: when it happened, and its key.
pub(crate) type Place = (Millis, String);

/// A place before all others. A UUID, because the keys of facts are.
pub(crate) fn first_place() -> Place {
    (Millis::MIN, Uuid::nil().to_string())
}

/// A visit's place among others of its visitor: in the order of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VisitPlace {
    pub(crate) site: String,
    pub(crate) started_at: Millis,
    pub(crate) id: Uuid,
}

impl VisitPlace {
    pub(crate) fn first() -> Self {
        Self { site: String::new(), started_at: Millis::MIN, id: Uuid::nil() }
    }
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Visits up to this one are done; none: all are.
    pub(crate) visit: Option<VisitPlace>,
    /// Except its rows from this place on.
    pub(crate) rest: Option<(Kind, Place)>,
}

impl Cursor {
    /// Reads what [`Cursor::text`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (visit, rest) = serde_json::from_slice(&BASE64URL.decode(text).ok()?).ok()?;
        Some(Self { visit, rest })
    }

    /// As a query's parameter.
    #[must_use]
    pub fn text(&self) -> String {
        BASE64URL.encode(serde_json::to_vec(&(&self.visit, &self.rest)).unwrap_or_default())
    }
}

/// Rows, each an object by the names of the columns.
pub(crate) type Objects = Vec<Map<String, Value>>;

/// A part of what is stored about a visitor.
#[derive(Debug, Serialize)]
pub struct Page {
    /// The visitor.
    pub visitor_id: String,
    /// Visits, each with what belongs to it.
    pub visits: Objects,
    /// Orders without a stored visit.
    pub orders: Objects,
    /// Refunds without a stored visit.
    pub refunds: Objects,
    /// Where the next page begins; none: this was the last.
    #[serde(serialize_with = "as_text")]
    pub next: Option<Cursor>,
}

fn as_text<S: Serializer>(next: &Option<Cursor>, serializer: S) -> Result<S::Ok, S::Error> {
    next.as_ref().map(Cursor::text).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_trip_through_a_query_and_nothing_else_is_one() {
        let place = VisitPlace { site: "shop.example".into(), started_at: 7, id: Uuid::from_u128(1) };
        let rest = Some((Kind::Orders, (9, "shop.example A 1".to_owned())));
        for cursor in [Cursor { visit: Some(place), rest: None }, Cursor { visit: None, rest }] {
            let text = cursor.text();
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{text}");
            assert_eq!(Cursor::parse(&text), Some(cursor));
        }
        for wrong in ["", "x", "e30", &BASE64URL.encode("[]"), "%7B"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
