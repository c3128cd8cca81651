//! Facts, one file a kind: its fields, and the columns in which they are stored. Facts are valid: the endpoints check
//! every field before they make one.

pub mod columns;
pub mod event;
pub mod order;
pub mod page_view;
pub mod refund;

use serde::{Deserialize, Serialize};

pub use self::event::Event;
pub use self::order::Order;
pub use self::page_view::PageView;
pub use self::refund::Refund;
use crate::session::visit::VisitorId;
use crate::session::{Millis, Ttl};

/// A page view, an event, an order or a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The site that the request names. If none: that of the visit, or [`Context::site`](super::context::Context::site).
    pub site: Option<String>,
    /// When it happened, by the server's clock: receipt minus age.
    pub occurred_at: Millis,
    /// Store it without a visit and without an identifier.
    pub anonymous: bool,
    /// What happened.
    pub kind: Kind,
}

impl Fact {
    /// Whether a visit at its time would be over at `now`. A late fact is no activity, and begins no visit that goes on.
    #[must_use]
    pub fn is_late(&self, now: Millis, ttl: Ttl) -> bool {
        ttl.ends_visit(self.occurred_at, now)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A page was seen.
    PageView(PageView),
    /// Something else that the site counts.
    Event(Event),
    /// Something was bought.
    Order(Order),
    /// Money was paid back.
    Refund(Refund),
}

/// Facts of one visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whose they are.
    pub visitor: Option<VisitorId>,
    /// In their order.
    pub facts: Vec<Fact>,
}

impl Kind {
    /// Whether a fact of this kind may start a visit. Orders and refunds never do.
    #[must_use]
    pub fn starts_a_visit(&self) -> bool {
        matches!(self, Self::PageView(_) | Self::Event(_))
    }

    /// The page's address and the referrer, for the visit that the fact may begin.
    #[must_use]
    pub fn addresses(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::PageView(view) => (Some(&view.url), view.referrer.as_deref()),
            Self::Event(event) => (event.url.as_deref(), None),
            Self::Order(_) | Self::Refund(_) => (None, None),
        }
    }
}
