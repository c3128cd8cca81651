//! What a store has looked up for a batch, and what is still to be looked up.

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::kinds::order::Source;
use crate::session::record::Record;
use crate::session::token::{SecretHash, Tag};
use crate::session::visit::{Span, Visit, VisitorId};
use crate::session::{Caller, Millis, Ttl};

/// Most tokens of one visit that are looked up. A batch ends fewer (one by each of 1,024 commands, and
/// [`ENDED_OF_BATCH`](super::bounds::ENDED_OF_BATCH)), so if this many are found, at least one remains that has not
/// ended.
pub const TOKENS_OF_MAX: i64 = 2_049;

/// A row of `sessions`, as far as the ledger changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitRow {
    /// What the rules use.
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

/// Tokens of a user: the user, the one site of their visits (none: all), how many at most.
pub type UserTokens = (String, Option<String>, usize);

/// The sessions of a user: those of one site's visits, or all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionsOf {
    /// SHA-256 of the user's id.
    pub user_hash: [u8; 32],
    /// The site; empty: all.
    pub site: String,
}

impl SessionsOf {
    /// Those of a user.
    #[must_use]
    pub fn user(user_id: &str, site: Option<&str>) -> Self {
        Self { user_hash: Sha256::digest(user_id).into(), site: site.unwrap_or_default().to_owned() }
    }
}

/// What is to be looked up. Each set has its answer in [`Known`] under the same name.
///
/// Invariant: each entry asks for a bounded number of rows, whatever the visitor, site or user has
/// stored already, so that the cost of a batch depends on its content alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Records of tokens, with their retired secrets.
    pub tokens: HashSet<Tag>,
    /// Visits.
    pub visits: HashSet<Uuid>,
    /// Tokens that point at a visit and have not ended: at most [`TOKENS_OF_MAX`].
    pub tokens_of: HashSet<Uuid>,
    /// The tokens of a user that have not ended, of one site's visits or all, so many at most.
    pub tokens_of_user: HashSet<UserTokens>,
    /// When sessions of a user were ended last, all at once.
    pub endings: HashSet<SessionsOf>,
    /// The visit that a visitor's next hit on a site joins, if it is live then.
    pub current: HashSet<(VisitorId, String)>,
    /// A visitor's latest visit that has not ended.
    pub latest_open: HashSet<VisitorId>,
    /// Whether a visitor's data was erased a while ago.
    pub erased: HashSet<VisitorId>,
    /// Visitors' keys.
    pub keys: HashSet<VisitorId>,
    /// The visitor's latest visit on a site that began at or before an instant.
    pub visitor_at: HashSet<(VisitorId, String, Millis)>,
    /// The user's latest visit that began at or before an instant.
    pub user_at: HashSet<(String, Millis)>,
    /// The newest visits without a user that a visitor began at or before an instant, so many at most.
    pub anonymous: HashSet<(VisitorId, Millis, usize)>,
    /// Whether a page view or an event of this id is stored on this site.
    pub facts: HashSet<(Table, Uuid, String)>,
    /// Whether an order of this site and number is stored, and its content.
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

    /// What has to be known about the caller's session.
    pub(super) fn caller(&mut self, caller: &Caller) {
        match caller {
            Caller::Live { token, visit_id: None }
            | Caller::Grace { token, visit_id: None, .. }
            | Caller::Unverified(token) => _ = self.tokens.insert(token.tag),
            _ => {}
        }
        self.visits.extend(caller.visit_id());
    }

    /// What is wanted and not yet known.
    pub(super) fn without(mut self, known: &Known) -> Self {
        self.tokens.retain(|tag| !known.asked.tokens.contains(tag));
        self.visits.retain(|id| !known.asked.visits.contains(id));
        self.tokens_of.retain(|id| !known.asked.tokens_of.contains(id));
        self.tokens_of_user.retain(|key| !known.asked.tokens_of_user.contains(key));
        self.endings.retain(|key| !known.asked.endings.contains(key));
        self.current.retain(|key| !known.asked.current.contains(key));
        self.latest_open.retain(|visitor| !known.asked.latest_open.contains(visitor));
        self.erased.retain(|visitor| !known.asked.erased.contains(visitor));
        self.keys.retain(|visitor| !known.asked.keys.contains(visitor));
        self.visitor_at.retain(|at| !known.asked.visitor_at.contains(at));
        self.user_at.retain(|at| !known.asked.user_at.contains(at));
        self.anonymous.retain(|key| !known.asked.anonymous.contains(key));
        self.facts.retain(|fact| !known.asked.facts.contains(fact));
        self.orders.retain(|order| !known.asked.orders.contains(order));
        self.refunds.retain(|refund| !known.asked.refunds.contains(refund));
        self.accounts.retain(|account| !known.asked.accounts.contains(account));
        self
    }
}

/// Which table a fact lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// Page views.
    PageViews,
    /// Events.
    Events,
}

/// An order, as far as two versions of it are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    /// Where it comes from.
    pub source: Source,
    /// Exact decimal; a database may append zeros.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// JSON.
    pub items: Option<String>,
}

/// What has been looked up: for everything asked, either the rows or the fact that there are none.
#[derive(Debug, Default)]
pub struct Known {
    /// What has been asked so far.
    asked: Wants,
    /// No session of a user has ended since the user signed in.
    pub(super) sign_ins_are_new: bool,
    pub(super) tokens: HashMap<Tag, Record>,
    pub(super) visits: HashMap<Uuid, VisitRow>,
    pub(super) tokens_of: HashMap<Uuid, Vec<Tag>>,
    pub(super) tokens_of_user: HashMap<UserTokens, Vec<Tag>>,
    pub(super) endings: HashMap<SessionsOf, Millis>,
    pub(super) latest_open: HashMap<VisitorId, Uuid>,
    pub(super) current: HashMap<(VisitorId, String), Uuid>,
    pub(super) erased: HashSet<VisitorId>,
    pub(super) keys: HashMap<VisitorId, Option<SecretHash>>,
    pub(super) user_at: HashMap<(String, Millis), Uuid>,
    pub(super) anonymous: HashMap<(VisitorId, Millis, usize), Vec<Uuid>>,
    pub(super) facts: HashSet<(Table, Uuid, String)>,
    pub(super) orders: HashMap<(String, String), StoredOrder>,
    pub(super) refunds: HashSet<(String, String)>,
    pub(super) accounts: HashSet<(String, String)>,
}

impl Known {
    /// Notes that `wants` have been looked up: what has no row now does not exist.
    pub fn asked(&mut self, wants: Wants) {
        let asked = &mut self.asked;
        asked.tokens.extend(wants.tokens);
        asked.visits.extend(wants.visits);
        asked.tokens_of.extend(wants.tokens_of);
        asked.tokens_of_user.extend(wants.tokens_of_user);
        asked.endings.extend(wants.endings);
        asked.current.extend(wants.current);
        asked.latest_open.extend(wants.latest_open);
        asked.erased.extend(wants.erased);
        asked.keys.extend(wants.keys);
        asked.visitor_at.extend(wants.visitor_at);
        asked.user_at.extend(wants.user_at);
        asked.anonymous.extend(wants.anonymous);
        asked.facts.extend(wants.facts);
        asked.orders.extend(wants.orders);
        asked.refunds.extend(wants.refunds);
        asked.accounts.extend(wants.accounts);
    }

    /// Adds activity that is not stored yet: of visits by their ids, of sessions by their tags.
    pub fn freshen(
        &mut self,
        visit_activity: impl Fn(Uuid) -> Option<Span>,
        session_activity: impl Fn(Tag) -> Option<Millis>,
        ttl: Ttl,
    ) {
        for (id, row) in &mut self.visits {
            if let Some(span) = visit_activity(*id) {
                row.visit.slide(span, ttl);
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

    /// One of the answers to `tokens_of_user`.
    pub fn token_of_user(&mut self, key: &UserTokens, record: Record) {
        self.tokens_of_user.entry(key.clone()).or_default().push(record.tag);
        self.token(record);
    }

    /// A visit.
    pub fn visit(&mut self, row: VisitRow) {
        let id = row.visit.id;
        self.asked.visits.insert(id);
        self.visits.insert(id, row);
    }

    /// When the sessions were ended last, all at once.
    pub fn ending(&mut self, of: SessionsOf, at: Millis) {
        self.endings.insert(of, at);
    }

    /// The visit that the visitor's next hit on a site joins if it is still live.
    pub fn current(&mut self, site: String, visitor: VisitorId, visit_id: Uuid) {
        self.current.insert((visitor, site), visit_id);
    }

    /// The visitor's latest visit that has not ended.
    pub fn latest_open(&mut self, visitor: VisitorId, visit_id: Uuid) {
        self.latest_open.insert(visitor, visit_id);
    }

    /// The visitor's data was erased; late facts are refused.
    pub fn erased(&mut self, visitor: VisitorId) {
        self.erased.insert(visitor);
    }

    /// The key of a visitor that is not new; none where it has data and no key.
    pub fn key(&mut self, visitor: VisitorId, hash: Option<SecretHash>) {
        self.keys.insert(visitor, hash);
    }

    /// The answer to `user_at`.
    pub fn user_at(&mut self, user_id: String, at: Millis, visit_id: Uuid) {
        self.user_at.insert((user_id, at), visit_id);
    }

    /// One of the answers to `anonymous`.
    pub fn anonymous(&mut self, key: (VisitorId, Millis, usize), visit_id: Uuid) {
        self.anonymous.entry(key).or_default().push(visit_id);
    }

    /// A page view or an event of this id is stored on this site.
    pub fn fact(&mut self, table: Table, id: Uuid, site: String) {
        self.facts.insert((table, id, site));
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

/// Visits by their visitor, site and start.
#[derive(Debug, Default)]
pub(super) struct VisitIndex(BTreeSet<(VisitorId, String, Millis, Uuid)>);

impl VisitIndex {
    /// Notes a visit that has a visitor.
    pub(super) fn insert(&mut self, visit: &Visit) {
        if let Some(visitor) = visit.visitor_id {
            self.0.insert((visitor, visit.site.clone(), visit.started_at, visit.id));
        }
    }

    /// The visitor's visits on a site that began at or before an instant, the latest first.
    pub(super) fn until(
        &self,
        visitor: VisitorId,
        site: &str,
        at: Millis,
    ) -> impl Iterator<Item = Uuid> + use<'_> {
        let first = (visitor, site.to_owned(), Millis::MIN, Uuid::nil());
        let last = (visitor, site.to_owned(), at, Uuid::max());
        self.0.range(first..=last).rev().map(|(.., id)| *id)
    }

    /// All visits of the visitor.
    pub(super) fn of(&self, visitor: VisitorId) -> impl Iterator<Item = Uuid> + use<'_> {
        let first = (visitor, String::new(), Millis::MIN, Uuid::nil());
        self.0.range(first..).take_while(move |(of, ..)| *of == visitor).map(|(.., id)| *id)
    }
}

impl<'a> FromIterator<&'a Visit> for VisitIndex {
    fn from_iter<I: IntoIterator<Item = &'a Visit>>(visits: I) -> Self {
        let mut index = Self::default();
        visits.into_iter().for_each(|visit| index.insert(visit));
        index
    }
}
