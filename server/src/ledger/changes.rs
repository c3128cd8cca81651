//! What a batch changes, in the form in which a store writes it: rows by table, each key once.

use uuid::Uuid;

use super::known::{SessionsOf, Source, VisitRow};
use crate::campaign::Campaign;
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

/// What a store is to write.
#[derive(Debug, Default)]
pub struct Changes<'c> {
    /// Visits that began, or of which more than the counters changed.
    pub visits: Vec<VisitPut<'c>>,
    /// Visits of which only counters, activity and end changed: nearly all that a batch touches.
    pub counted: Vec<VisitRow>,
    /// The records of tokens, each in its last state.
    pub tokens: Vec<Record>,
    /// Which visit a visitor's next hit on a site joins.
    pub current: Vec<(String, VisitorId, Uuid)>,
    /// Sites on which a visitor has no such visit any more.
    pub forgotten: Vec<(String, VisitorId)>,
    /// The keys of visitors that had none.
    pub keys: Vec<(VisitorId, SecretHash)>,
    /// New page views.
    pub page_views: Vec<PageViewRow<'c>>,
    /// New events.
    pub events: Vec<EventRow<'c>>,
    /// Stored orders, by site and number, that another browser has sent with other content. They are written before
    /// `orders`: an order of the shop itself ends the dispute.
    pub disputes: Vec<(String, &'c str)>,
    /// Orders that are new, or that replace one of a browser.
    pub orders: Vec<OrderRow<'c>>,
    /// New refunds.
    pub refunds: Vec<RefundRow<'c>>,
    /// How page views were engaged with; the greatest figures stay.
    pub engagements: Vec<Engagement>,
    /// When sessions of users were ended, all at once; the latest stays.
    pub endings: Vec<(SessionsOf, Millis)>,
    /// Users, and the hashes of their new passwords.
    pub passwords: Vec<(String, String)>,
}

/// A visit to write whole.
#[derive(Debug)]
pub struct VisitPut<'c> {
    /// The row.
    pub row: VisitRow,
    /// Its first page's address, if this batch has it.
    pub entry_url: Option<&'c str>,
    /// Where it came from, if this batch has it; then `referrer_host` counts too.
    pub referrer: Option<&'c str>,
    /// The host of `referrer`; none for a direct visit.
    pub referrer_host: Option<String>,
    /// The campaign in the first address; without one, the stored campaign stays.
    pub campaign: Campaign,
}

/// A page view to write.
#[derive(Debug)]
pub struct PageViewRow<'c> {
    /// UUIDv7.
    pub id: Uuid,
    /// Its site.
    pub site: String,
    /// Its visit; none for an anonymous one.
    pub visit_id: Option<Uuid>,
    /// By the server's clock.
    pub occurred_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
    /// The page's address.
    pub url: &'c str,
    /// Its path.
    pub path: &'c str,
    /// The page before, or another site.
    pub referrer: Option<&'c str>,
    /// The page's title.
    pub title: Option<&'c str>,
    /// JSON.
    pub device: Option<&'c str>,
    /// Its number within the visit, from 1.
    pub sequence: Option<i32>,
}

/// An event to write.
#[derive(Debug)]
pub struct EventRow<'c> {
    /// UUIDv7.
    pub id: Uuid,
    /// Its site.
    pub site: String,
    /// Its visit; none for an anonymous one.
    pub visit_id: Option<Uuid>,
    /// By the server's clock.
    pub occurred_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
    /// What happened.
    pub name: &'c str,
    /// JSON.
    pub props: Option<&'c str>,
    /// The page it happened on.
    pub url: Option<&'c str>,
}

/// An order to write. Fields that it does not set keep their value in the row that it replaces.
#[derive(Debug)]
pub struct OrderRow<'c> {
    /// Its site.
    pub site: String,
    /// The shop's number.
    pub id: &'c str,
    /// Its visit.
    pub visit_id: Option<Uuid>,
    /// Its visitor.
    pub visitor_id: Option<VisitorId>,
    /// Its user.
    pub user_id: Option<String>,
    /// Exact decimal.
    pub amount: &'c str,
    /// ISO 4217.
    pub currency: &'c str,
    /// JSON.
    pub items: Option<&'c str>,
    /// Where it comes from.
    pub source: Source,
    /// Whether another browser has sent it with other content.
    pub disputed: bool,
    /// When it was placed, by the server's clock.
    pub created_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
}

/// A refund to write. After that it gets the visit, visitor and user of its order: see [`Changes::refunded`].
#[derive(Debug)]
pub struct RefundRow<'c> {
    /// Its site.
    pub site: String,
    /// The shop's number.
    pub id: &'c str,
    /// The order's number.
    pub refund_of: &'c str,
    /// Its visitor, if the shop named one.
    pub visitor_id: Option<VisitorId>,
    /// Its user, if the shop named one.
    pub user_id: Option<&'c str>,
    /// Exact decimal, positive.
    pub amount: &'c str,
    /// ISO 4217.
    pub currency: &'c str,
    /// When the money was paid back, by the server's clock.
    pub created_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
}

impl Changes<'_> {
    /// Orders, by site and number, whose refunds are to get their visit, visitor and user: those of this batch, and
    /// those whose refund is in this batch.
    pub fn refunded(&self) -> impl Iterator<Item = (&str, &str)> {
        let orders = self.orders.iter().map(|row| (&*row.site, row.id));
        orders.chain(self.refunds.iter().map(|row| (&*row.site, row.refund_of)))
    }
}

/// How a page view was engaged with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// The page view's site.
    pub site: String,
    /// The page view.
    pub page_view_id: Uuid,
    /// Its visit; a page view of another visit stays as it is.
    pub visit_id: Uuid,
    /// Milliseconds visible and focused.
    pub engaged_ms: i64,
    /// Greatest scroll depth in per cent.
    pub scroll_pct: i64,
}
