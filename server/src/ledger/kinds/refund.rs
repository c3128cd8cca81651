//! A refund: its fields, and the columns in which they are stored.

use serde::{Deserialize, Serialize};

use super::columns::columns;
use crate::session::Millis;
use crate::session::visit::VisitorId;

/// Money was paid back. It needs an API key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The shop's own number.
    pub id: String,
    /// The order's number.
    pub refund_of: String,
    /// Exact decimal, positive.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The user it was paid to, if the order does not say.
    pub user_id: Option<String>,
}

/// A refund to write. After that it gets the visit, visitor and user of its order: see
/// [`Changes::refunded`](crate::ledger::changes::Changes::refunded).
#[derive(Debug)]
pub struct RefundRow<'c> {
    /// Its site.
    pub site: String,
    /// Its visitor, if the shop named one.
    pub visitor_id: Option<VisitorId>,
    /// When the money was paid back, by the server's clock.
    pub created_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
    /// What was paid back.
    pub refund: &'c Refund,
}

columns! {
    "refunds", |row: RefundRow|
    site: Text = &row.site,
    id: Text = &row.refund.id,
    refund_of: Text = &row.refund.refund_of,
    visitor_id: Text = row.visitor_id,
    user_id: Text = &row.refund.user_id,
    amount: Decimal = &row.refund.amount,
    currency: Text = &row.refund.currency,
    created_at: Bigint = row.created_at,
    received_at: Bigint = row.received_at,
    ; // set by its order
    visit_id: Uuid,
}
