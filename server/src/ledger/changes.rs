//! What a batch changes, in the form in which a store writes it: rows by table, each key once.

use uuid::Uuid;

use super::kinds::event::EventRow;
use super::kinds::order::OrderRow;
use super::kinds::page_view::PageViewRow;
use super::kinds::refund::RefundRow;
use super::known::{SessionsOf, VisitRow};
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

impl Changes<'_> {
    /// Orders, by site and number, whose refunds are to get their visit, visitor and user: those of this batch, and
    /// those whose refund is in this batch.
    pub fn refunded(&self) -> impl Iterator<Item = (&str, &str)> {
        let orders = self.orders.iter().map(|row| (&*row.site, &*row.order.id));
        orders.chain(self.refunds.iter().map(|row| (&*row.site, &*row.refund.refund_of)))
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
