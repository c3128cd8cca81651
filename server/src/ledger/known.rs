//! What a store has looked up for a batch, and what is still to be looked up.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::session::record::Record;
use crate::session::token::Tag;
use crate::session::visit::{Visit, VisitorId};
use crate::session::{Carrier, Millis};

/// A row of `sessions`, as far as the ledger changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitRow {
    /// What the rules look at.
    pub visit: Visit,
    /// Its page views.
    pub page_views: i32,
    /// Its events.
    pub events: i32,
}

impl VisitRow {
    /// How many facts it holds.
    #[must_use]
    pub fn facts(&self) -> i32 {
        self.page_views + self.events
    }
}

/// What is to be looked up. Each set has its answer in [`Known`] under the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Records of tokens, with their retired secrets.
    pub tokens: HashSet<Tag>,
    /// Visits.
    pub visits: HashSet<Uuid>,
    /// All tokens that point at a visit.
    pub tokens_of: HashSet<Uuid>,
    /// A visitor's visits that have not ended, and which of them is the current one of its site.
    pub open: HashSet<VisitorId>,
    /// Whether a visitor's data was erased a while ago.
    pub erased: HashSet<VisitorId>,
    /// The visitor's latest visit on each site that began at or before an instant.
    pub visitor_at: HashSet<(VisitorId, Millis)>,
    /// The user's latest visit that began at or before an instant.
    pub user_at: HashSet<(String, Millis)>,
    /// On which sites a page view of this id is stored.
    pub page_views: HashSet<Uuid>,
    /// On which sites an event of this id is stored.
    pub events: HashSet<Uuid>,
    /// Whether an order of this site and number is stored, and what it says.
    pub orders: HashSet<(String, String)>,
    /// Whether a refund of this site and number is stored.
    pub refunds: HashSet<(String, String)>,
    /// Whether a user's password hash is this one, and the user is not disabled.
    pub accounts: HashSet<(String, String)>,
}

impl Wants {
    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a carrier's session needs.
    pub(super) fn carrier(&mut self, carrier: &Carrier) {
        match carrier {
            Carrier::Live { tag, visit_id: None } | Carrier::Crossing { tag, visit_id: None, .. } => {
                self.tokens.insert(*tag);
            }
            Carrier::Unverified(proof) => _ = self.tokens.insert(proof.tag),
            _ => {}
        }
        self.visits.extend(carrier.visit_id());
    }

    /// What is wanted and not yet known.
    pub(super) fn without(mut self, known: &Known) -> Self {
        self.tokens.retain(|tag| !known.asked.tokens.contains(tag));
        self.visits.retain(|id| !known.asked.visits.contains(id));
        self.tokens_of.retain(|id| !known.asked.tokens_of.contains(id));
        self.open.retain(|visitor| !known.asked.open.contains(visitor));
        self.erased.retain(|visitor| !known.asked.erased.contains(visitor));
        self.visitor_at.retain(|at| !known.asked.visitor_at.contains(at));
        self.user_at.retain(|at| !known.asked.user_at.contains(at));
        self.page_views.retain(|id| !known.asked.page_views.contains(id));
        self.events.retain(|id| !known.asked.events.contains(id));
        self.orders.retain(|order| !known.asked.orders.contains(order));
        self.refunds.retain(|refund| !known.asked.refunds.contains(refund));
        self.accounts.retain(|account| !known.asked.accounts.contains(account));
        self
    }
}

/// Whose word an order is stored on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The browser's.
    Browser,
    /// The shop's own server's.
    Api,
}

/// An order, as far as two words on it are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    /// On whose word.
    pub source: Source,
    /// Exact decimal; a database may add zeros behind.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// JSON.
    pub items: Option<String>,
}

/// What has been looked up: for everything asked, either the rows or the knowledge that there are
/// none.
#[derive(Debug, Default)]
pub struct Known {
    /// What has been asked so far.
    asked: Wants,
    pub(super) tokens: HashMap<Tag, Record>,
    pub(super) visits: HashMap<Uuid, VisitRow>,
    pub(super) tokens_of: HashMap<Uuid, Vec<Tag>>,
    pub(super) visits_of: HashMap<VisitorId, Vec<Uuid>>,
    pub(super) current: HashMap<(VisitorId, String), Uuid>,
    pub(super) erased: HashSet<VisitorId>,
    pub(super) user_at: HashMap<(String, Millis), Uuid>,
    pub(super) page_views: HashMap<Uuid, Vec<String>>,
    pub(super) events: HashMap<Uuid, Vec<String>>,
    pub(super) orders: HashMap<(String, String), StoredOrder>,
    pub(super) refunds: HashSet<(String, String)>,
    pub(super) accounts: HashSet<(String, String)>,
}

impl Known {
    /// Notes that `wants` have been asked: what has no row by now does not exist.
    pub fn asked(&mut self, wants: Wants) {
        let asked = &mut self.asked;
        asked.tokens.extend(wants.tokens);
        asked.visits.extend(wants.visits);
        asked.tokens_of.extend(wants.tokens_of);
        asked.open.extend(wants.open);
        asked.erased.extend(wants.erased);
        asked.visitor_at.extend(wants.visitor_at);
        asked.user_at.extend(wants.user_at);
        asked.page_views.extend(wants.page_views);
        asked.events.extend(wants.events);
        asked.orders.extend(wants.orders);
        asked.refunds.extend(wants.refunds);
        asked.accounts.extend(wants.accounts);
    }

    /// Brings activity up to date that the store does not know yet: of visits by their ids, of
    /// sessions by their tags.
    pub fn freshen(
        &mut self,
        visit_activity: impl Fn(Uuid) -> Option<Millis>,
        session_activity: impl Fn(Tag) -> Option<Millis>,
    ) {
        for (id, row) in &mut self.visits {
            if let (Some(at), None) = (visit_activity(*id), row.visit.ended_at) {
                row.visit.last_activity = row.visit.last_activity.max(at);
            }
        }
        for (tag, record) in &mut self.tokens {
            if let Some(at) = session_activity(*tag) {
                record.slide(at);
            }
        }
    }

    /// Whether this has been asked.
    pub(super) fn has(&self, is_in: impl FnOnce(&Wants) -> bool) -> bool {
        is_in(&self.asked)
    }

    /// A token's record.
    pub fn token(&mut self, record: Record) {
        if let Some(visit_id) = record.visit_id {
            let tags = self.tokens_of.entry(visit_id).or_default();
            if !tags.contains(&record.tag) {
                tags.push(record.tag);
            }
        }
        self.asked.tokens.insert(record.tag);
        self.tokens.insert(record.tag, record);
    }

    /// A visit.
    pub fn visit(&mut self, row: VisitRow) {
        let id = row.visit.id;
        if let Some(visitor) = row.visit.visitor_id {
            let visits = self.visits_of.entry(visitor).or_default();
            if !visits.contains(&id) {
                visits.push(id);
            }
        }
        self.asked.visits.insert(id);
        self.visits.insert(id, row);
    }

    /// The visit that the visitor's next hit on a site joins if it is still live.
    pub fn current(&mut self, site: String, visitor: VisitorId, visit_id: Uuid) {
        self.current.insert((visitor, site), visit_id);
    }

    /// The visitor's data was erased; what comes late is refused.
    pub fn erased(&mut self, visitor: VisitorId) {
        self.erased.insert(visitor);
    }

    /// The answer to `user_at`.
    pub fn user_at(&mut self, user_id: String, at: Millis, visit_id: Uuid) {
        self.user_at.insert((user_id, at), visit_id);
    }

    /// A page view of this id is stored on this site.
    pub fn page_view(&mut self, id: Uuid, site: String) {
        self.page_views.entry(id).or_default().push(site);
    }

    /// An event of this id is stored on this site.
    pub fn event(&mut self, id: Uuid, site: String) {
        self.events.entry(id).or_default().push(site);
    }

    /// An order is stored.
    pub fn order(&mut self, site: String, id: String, order: StoredOrder) {
        self.orders.insert((site, id), order);
    }

    /// A refund is stored.
    pub fn refund(&mut self, site: String, id: String) {
        self.refunds.insert((site, id));
    }

    /// The user has this password hash, and is not disabled.
    pub fn account(&mut self, user_id: String, password_hash: String) {
        self.accounts.insert((user_id, password_hash));
    }
}
