//! An order: its fields, and the columns in which they are stored.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::columns;
use crate::session::Millis;
use crate::session::token::Tag;
use crate::session::visit::VisitorId;

/// Something was bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's own number.
    pub id: String,
    /// Exact decimal.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// JSON text.
    pub items: Option<String>,
    /// Whether it came with an API key; then the session or the user below may attribute it.
    pub from_api: bool,
    /// Tag of the session to attribute it to.
    pub session: Option<Tag>,
    /// User to attribute it to.
    pub user_id: Option<String>,
}

/// Where a stored order comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The browser.
    Browser,
    /// The shop's own server, with an API key.
    Api,
}

impl Source {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
        }
    }
}

/// An order to write. Fields that it does not set keep their value in the row that it replaces.
#[derive(Debug)]
pub struct OrderRow<'c> {
    /// Its site.
    pub site: String,
    /// Its visit.
    pub visit_id: Option<Uuid>,
    /// Its visitor.
    pub visitor_id: Option<VisitorId>,
    /// Its user.
    pub user_id: Option<String>,
    /// JSON: its own, or those of the version that it replaces.
    pub items: Option<&'c str>,
    /// Where it comes from.
    pub source: Source,
    /// Whether another browser has sent it with other content.
    pub disputed: bool,
    /// When it was placed, by the server's clock.
    pub created_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
    /// What was bought.
    pub order: &'c Order,
}

columns! {
    "orders", |row: OrderRow|
    site: Text = &row.site,
    id: Text = &row.order.id,
    visit_id: Uuid = row.visit_id,
    visitor_id: Text = row.visitor_id,
    user_id: Text = &row.user_id,
    amount: Decimal = &row.order.amount,
    currency: Text = &row.order.currency,
    items: Json = row.items,
    source: Text = Some(row.source.as_str()),
    disputed: Boolean = row.disputed,
    created_at: Bigint = row.created_at,
    received_at: Bigint = row.received_at,
}
