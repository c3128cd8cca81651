//! The state that a plan works on: what is known of the database, and what the batch has changed so far. A question
//! that cannot be answered yet is noted, and its answer is "none"; the plan is then thrown away and made anew.

use std::cell::OnceCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::bounds::{ENDED_OF_BATCH, LINKED_OF_BATCH};
use super::changes::{Changes, Engagement, VisitPut};
use super::command::{Command, Outcome};
use super::known::{Known, SessionsOf, StoredOrder, Table, VisitIndex, VisitRow, Wants};
use crate::campaign::Campaign;
use crate::session::record::{After, Record, Standing};
use crate::session::token::{Proof, SecretHash, Tag};
use crate::session::visit::{Visit, VisitorId};
use crate::session::visitor_key::CandidateKey;
use crate::session::{Caller, Millis, Ttl};

/// A visit that the batch has changed.
#[derive(Debug)]
pub(super) struct Touched<'c> {
    pub(super) row: VisitRow,
    /// More than counters and activity.
    pub(super) whole: bool,
    pub(super) entry_url: Option<&'c str>,
    pub(super) referrer: Option<&'c str>,
    pub(super) referrer_host: Option<String>,
    pub(super) campaign: Campaign,
}

/// The state of a plan.
pub(super) struct World<'k, 'c> {
    pub(super) ttl: Ttl,
    pub(super) known: &'k Known,
    pub(super) wants: Wants,
    pub(super) changes: Changes<'c>,
    /// By the commands that were applied so far.
    pub(super) visits_begun: u32,
    /// How many more visits may be given their user.
    pub(super) links_left: usize,
    /// How many more sessions commands that end several may end.
    pub(super) ends_left: usize,
    /// The rest of the present command, for a later batch.
    pub(super) left: Option<Command>,
    tokens: HashMap<Tag, Record>,
    visits: HashMap<Uuid, Touched<'c>>,
    /// The visits above that the batch has begun or given a visitor or a site.
    index: VisitIndex,
    /// Those of them that had not ended then, by their start.
    open: HashMap<VisitorId, BTreeSet<(Millis, Uuid)>>,
    /// The visits that the batch has begun with a user or given one, by their start.
    of_user: HashMap<String, BTreeSet<(Millis, Uuid)>>,
    /// Those that are known; made when it is first needed, because most batches do not need it.
    known_index: OnceCell<VisitIndex>,
    tokens_of: HashMap<Uuid, Vec<Tag>>,
    current: HashMap<(VisitorId, String), Option<Uuid>>,
    keys: HashMap<VisitorId, SecretHash>,
    facts: HashSet<(Table, Uuid, String)>,
    orders: HashMap<(String, &'c str), usize>,
    refunds: HashSet<(String, &'c str)>,
    engagements: HashMap<(Uuid, Uuid), Engagement>,
    passwords: HashMap<String, String>,
    endings: HashMap<SessionsOf, Millis>,
}

impl<'k, 'c> World<'k, 'c> {
    pub(super) fn new(known: &'k Known, ttl: Ttl) -> Self {
        Self {
            ttl,
            known,
            wants: Wants::default(),
            changes: Changes::default(),
            visits_begun: 0,
            links_left: LINKED_OF_BATCH,
            ends_left: ENDED_OF_BATCH,
            left: None,
            tokens: HashMap::new(),
            visits: HashMap::new(),
            index: VisitIndex::default(),
            open: HashMap::new(),
            of_user: HashMap::new(),
            known_index: OnceCell::new(),
            tokens_of: HashMap::new(),
            current: HashMap::new(),
            keys: HashMap::new(),
            facts: HashSet::new(),
            orders: HashMap::new(),
            refunds: HashSet::new(),
            engagements: HashMap::new(),
            passwords: HashMap::new(),
            endings: HashMap::new(),
        }
    }

    /// What is to be written, or what must be known first.
    pub(super) fn finish(mut self) -> Result<Changes<'c>, Box<Wants>> {
        let wants = self.wants.without(self.known);
        if !wants.is_empty() {
            return Err(Box::new(wants));
        }
        for (_, Touched { row, whole, entry_url, referrer, referrer_host, campaign }) in self.visits {
            if whole {
                self.changes.visits.push(VisitPut { row, entry_url, referrer, referrer_host, campaign });
            } else {
                self.changes.counted.push(row);
            }
        }
        self.changes.tokens.extend(self.tokens.into_values());
        self.changes.keys.extend(self.keys);
        self.changes.engagements.extend(self.engagements.into_values());
        self.changes.passwords.extend(self.passwords);
        self.changes.endings.extend(self.endings);
        for ((visitor, site), visit_id) in self.current {
            match visit_id {
                Some(visit_id) => self.changes.current.push((site, visitor, visit_id)),
                None => self.changes.forgotten.push((site, visitor)),
            }
        }
        Ok(self.changes)
    }

    // ---- tokens

    pub(super) fn token(&mut self, tag: Tag) -> Option<&Record> {
        if let Some(record) = self.tokens.get(&tag) {
            return Some(record);
        }
        self.wants.tokens.insert(tag);
        self.known.tokens.get(&tag)
    }

    /// The record of a token that is live at `now`.
    pub(super) fn live(&mut self, presented: Proof, now: Millis) -> Option<Record> {
        let ttl = self.ttl;
        let record = self.token(presented.tag)?;
        (record.standing(&presented.hash, now, ttl) == Standing::Live).then(|| record.clone())
    }

    pub(super) fn put_token(&mut self, record: Record) {
        if let Some(visit_id) = record.visit_id {
            let tags = self.tokens_of.entry(visit_id).or_default();
            if !tags.contains(&record.tag) {
                tags.push(record.tag);
            }
        }
        self.tokens.insert(record.tag, record);
    }

    /// Whether a live session points at the visit.
    pub(super) fn has_live_session(&mut self, visit_id: Uuid, now: Millis) -> bool {
        let known = self.known;
        // No stored session has a visit that this batch begins. Such a visit has a new id in every attempt, so
        // looking it up would never end.
        if known.visits.contains_key(&visit_id) || !self.visits.contains_key(&visit_id) {
            self.wants.tokens_of.insert(visit_id);
        }
        let stored = known.tokens_of.get(&visit_id).into_iter().flatten();
        let stored =
            stored.filter(|tag| !self.tokens.contains_key(*tag)).filter_map(|tag| known.tokens.get(tag));
        let changed = self.tokens_of.get(&visit_id).into_iter().flatten();
        let changed = changed.filter_map(|tag| self.tokens.get(tag));
        let of_visit = |record: &&Record| record.visit_id == Some(visit_id);
        let live = |record: &Record| record.ended_at.is_none() && !record.expired(now, self.ttl);
        stored.chain(changed).filter(of_visit).any(live)
    }

    /// The tokens of a user that have not ended, so many of the stored ones at most, and whether these are
    /// all; with a site, those whose visit was of it when they were stored, and those of the batch.
    pub(super) fn tokens_of_user(
        &mut self,
        user_id: &str,
        site: Option<&str>,
        most: usize,
    ) -> (Vec<Tag>, bool) {
        let key = (user_id.to_owned(), site.map(str::to_owned), most);
        let stored = self.known.tokens_of_user.get(&key).map_or(&[][..], Vec::as_slice);
        self.wants.tokens_of_user.insert(key);
        let stays = |tag: &&Tag| !self.tokens.contains_key(*tag);
        let is_theirs =
            |record: &&Record| record.user_id.as_deref() == Some(user_id) && record.ended_at.is_none();
        let changed = self.tokens.values().filter(is_theirs).map(|record| record.tag);
        let tags = stored.iter().filter(stays).copied().chain(changed).collect();
        (tags, stored.len() < most)
    }

    /// What an unverified caller turns out to be; others are as they were judged. A session that
    /// had no visit then may have one by now: one that began while the database was away, or that
    /// a request a moment earlier has given it. One whose visit has ended may have been taken out of it
    /// by such a request; then this one is in the grace period.
    pub(super) fn judged(&mut self, caller: &Caller, now: Millis) -> Caller {
        let ttl = self.ttl;
        match *caller {
            Caller::Unverified(token) => {
                let Some(record) = self.token(token.tag) else { return Caller::Nothing };
                let visit_id = record.visit_of(&token.hash);
                match record.standing(&token.hash, now, ttl) {
                    Standing::Live => Caller::Live { token, visit_id },
                    Standing::Grace(after) => Caller::Grace { token, visit_id, after },
                    Standing::Erased => Caller::Erased,
                    Standing::Dead => Caller::Nothing,
                }
            }
            Caller::Live { token, visit_id } if visit_id.is_none_or(|id| self.has_ended(id)) => {
                let Some(record) = self.token(token.tag) else { return caller.clone() };
                let visit_id = record.visit_of(&token.hash);
                let grace = |after| Caller::Grace { token, visit_id, after };
                match record.ended_at {
                    Some(at) => grace(After::End { at }),
                    None if record.secret_hash != token.hash => grace(After::Rotation),
                    None => Caller::Live { token, visit_id },
                }
            }
            Caller::Grace { token, visit_id: None, after } => {
                let visit_id = self.token(token.tag).and_then(|record| record.visit_of(&token.hash));
                Caller::Grace { token, visit_id, after }
            }
            Caller::Live { .. } | Caller::Grace { .. } | Caller::Erased | Caller::Nothing => caller.clone(),
        }
    }

    /// Whether a caller's session was withdrawn: it was provisional, and did not come to be, or is still in another
    /// server's spool.
    pub(super) fn was_withdrawn(&mut self, caller: &Caller) -> bool {
        matches!(*caller, Caller::Live { token, visit_id: None } if self.token(token.tag).is_none())
    }

    // ---- visits

    pub(super) fn visit(&mut self, id: Uuid) -> Option<&VisitRow> {
        if let Some(touched) = self.visits.get(&id) {
            return Some(&touched.row);
        }
        let found = self.known.visits.get(&id);
        if found.is_none() {
            self.wants.visits.insert(id);
        }
        found
    }

    fn has_ended(&mut self, id: Uuid) -> bool {
        self.visit(id).is_some_and(|row| row.visit.ended_at.is_some())
    }

    /// A visit, to be changed.
    pub(super) fn touch(&mut self, id: Uuid) -> Option<&mut Touched<'c>> {
        match self.visits.entry(id) {
            Entry::Occupied(entry) => Some(entry.into_mut()),
            Entry::Vacant(entry) => {
                let Some(row) = self.known.visits.get(&id) else {
                    self.wants.visits.insert(id);
                    return None;
                };
                let touched = Touched {
                    row: row.clone(),
                    whole: false,
                    entry_url: None,
                    referrer: None,
                    referrer_host: None,
                    campaign: Campaign::default(),
                };
                Some(entry.insert(touched))
            }
        }
    }

    /// A visit that begins.
    pub(super) fn insert_visit(&mut self, touched: Touched<'c>) {
        let id = touched.row.visit.id;
        self.visits.insert(id, touched);
        self.index(id);
        self.index_user(id);
    }

    /// Notes whose a changed visit is, and on which site.
    pub(super) fn index(&mut self, id: Uuid) {
        let Some(Touched { row, .. }) = self.visits.get(&id) else { return };
        self.index.insert(&row.visit);
        if let (Some(visitor), None) = (row.visit.visitor_id, row.visit.ended_at) {
            self.open.entry(visitor).or_default().insert((row.visit.started_at, id));
        }
    }

    /// Notes that a changed visit has got its user.
    pub(super) fn index_user(&mut self, id: Uuid) {
        let visit = self.visits.get(&id).map(|touched| &touched.row.visit);
        if let Some((user_id, visit)) = visit.and_then(|visit| Some((visit.user_id.clone()?, visit))) {
            self.of_user.entry(user_id).or_default().insert((visit.started_at, id));
        }
    }

    /// A visit in its present state, if it has been looked up or changed.
    fn present(&self, id: Uuid) -> Option<&VisitRow> {
        self.visits.get(&id).map(|touched| &touched.row).or_else(|| self.known.visits.get(&id))
    }

    fn known_index(&self) -> &VisitIndex {
        self.known_index.get_or_init(|| self.known.visits.values().map(|row| &row.visit).collect())
    }

    /// The visitor's latest visit on a site that began at or before an instant.
    pub(super) fn latest_until(&mut self, visitor: VisitorId, site: &str, at: Millis) -> Option<&VisitRow> {
        self.wants.visitor_at.insert((visitor, site.to_owned(), at));
        // A visit may have got its visitor or its site since it was indexed.
        let latest = |index: &VisitIndex| {
            let rows = index.until(visitor, site, at).filter_map(|id| self.present(id));
            rows.map(|row| &row.visit)
                .find(|visit| visit.visitor_id == Some(visitor) && visit.site == site)
                .map(|visit| (visit.started_at, visit.id))
        };
        let (_, id) = latest(&self.index).max(latest(self.known_index()))?;
        self.present(id)
    }

    /// The visitor's latest visit that has not ended.
    pub(super) fn latest_open(&mut self, visitor: VisitorId) -> Option<&VisitRow> {
        self.wants.latest_open.insert(visitor);
        let begun = self.open.get(&visitor).into_iter().flatten().rev().map(|(_, id)| *id);
        let open = |id: Uuid| self.present(id).filter(|row| row.visit.ended_at.is_none());
        let begun = begun.filter_map(open).next();
        let stored = self.known.latest_open.get(&visitor).copied().and_then(open);
        begun.into_iter().chain(stored).max_by_key(|row| row.visit.started_at)
    }

    /// The newest visits without a user that the visitor began at or before an instant, so many of the
    /// stored ones at most; and whether these are all.
    pub(super) fn anonymous(&mut self, visitor: VisitorId, until: Millis, most: usize) -> (Vec<Uuid>, bool) {
        let key = (visitor, until, most);
        self.wants.anonymous.insert(key);
        let stored = self.known.anonymous.get(&key).map_or(&[][..], Vec::as_slice);
        let is_anonymous = |id: &Uuid| {
            self.present(*id).is_some_and(|VisitRow { visit, .. }| {
                visit.visitor_id == Some(visitor) && visit.user_id.is_none() && visit.started_at <= until
            })
        };
        let visits = stored.iter().copied().chain(self.index.of(visitor)).filter(is_anonymous).collect();
        (visits, stored.len() < most)
    }

    /// The latest visit of a user that began at or before an instant.
    pub(super) fn visit_of_user_at(&mut self, user_id: &str, at: Millis) -> Option<Visit> {
        let key = (user_id.to_owned(), at);
        let stored = self.known.user_at.get(&key).copied();
        self.wants.user_at.insert(key);
        // Of the stored ones that the batch has changed, too: a visit's start and its user stay.
        let stored = stored.and_then(|id| self.visit(id)).map(|row| (row.visit.started_at, row.visit.id));
        let own = self.of_user.get(user_id).and_then(|visits| visits.range(..=(at, Uuid::max())).next_back());
        let (_, id) = own.copied().max(stored)?;
        self.present(id).map(|row| row.visit.clone())
    }

    /// The visit that the visitor's next hit on the site joins if it is live.
    pub(super) fn current(&mut self, site: &str, visitor: VisitorId) -> Option<Uuid> {
        let key = (visitor, site.to_owned());
        if let Some(changed) = self.current.get(&key) {
            return *changed;
        }
        let stored = self.known.current.get(&key).copied();
        self.wants.current.insert(key);
        stored
    }

    pub(super) fn set_current(&mut self, site: &str, visitor: VisitorId, visit_id: Option<Uuid>) {
        self.current.insert((visitor, site.to_owned()), visit_id);
    }

    /// Whether a request that names this visitor is refused because the visitor's data was erased; `own` is the visit
    /// that the request belongs to.
    ///
    /// Invariant: no visit of an erased visitor is stored, and none begins. So if `own` is this visitor's, nothing has
    /// to be looked up.
    pub(super) fn is_erased(&mut self, visitor: VisitorId, own: Option<&Visit>) -> bool {
        if own.is_some_and(|visit| visit.visitor_id == Some(visitor)) {
            return false;
        }
        self.wants.erased.insert(visitor);
        self.known.erased.contains(&visitor)
    }

    /// The key of the visitor: the candidate, if the visitor is new.
    ///
    /// Invariant: a visitor that has anything stored gets no key: the first to ask may only know the id.
    pub(super) fn key(&mut self, candidate: CandidateKey) -> Option<SecretHash> {
        self.wants.keys.insert(candidate.visitor);
        match self.known.keys.get(&candidate.visitor) {
            Some(stored) => *stored,
            None => Some(*self.keys.entry(candidate.visitor).or_insert(candidate.hash)),
        }
    }

    // ---- facts

    /// Whether a page view or an event is stored already.
    pub(super) fn is_stored(&mut self, table: Table, id: Uuid, site: &str) -> bool {
        let key = (table, id, site.to_owned());
        if self.facts.contains(&key) || self.known.facts.contains(&key) {
            return true;
        }
        if !self.known.has(|asked| asked.facts.contains(&key)) {
            self.wants.facts.insert(key);
        }
        false
    }

    /// Notes that the batch stores this fact.
    pub(super) fn note_stored(&mut self, table: Table, id: Uuid, site: &str) {
        self.facts.insert((table, id, site.to_owned()));
    }

    /// Where the batch writes an order of this key, if it does.
    pub(super) fn order_of_batch(&self, site: &str, id: &'c str) -> Option<usize> {
        self.orders.get(&(site.to_owned(), id)).copied()
    }

    pub(super) fn note_order(&mut self, site: &str, id: &'c str, index: usize) {
        self.orders.insert((site.to_owned(), id), index);
    }

    /// What is stored of an order, if it is.
    pub(super) fn stored_order(&mut self, site: &str, id: &str) -> Option<&'k StoredOrder> {
        let key = (site.to_owned(), id.to_owned());
        let stored = self.known.orders.get(&key);
        self.wants.orders.insert(key);
        stored
    }

    /// Whether a refund is stored, or is written by the batch.
    pub(super) fn is_refund_stored(&mut self, site: &str, id: &'c str) -> bool {
        let key = (site.to_owned(), id.to_owned());
        let stored = self.known.refunds.contains(&key);
        self.wants.refunds.insert(key);
        stored || self.refunds.contains(&(site.to_owned(), id))
    }

    pub(super) fn note_refund(&mut self, site: &str, id: &'c str) {
        self.refunds.insert((site.to_owned(), id));
    }

    pub(super) fn engage(
        &mut self,
        visit_id: Uuid,
        page_view_id: Uuid,
        engaged_ms: i64,
        scroll_pct: i64,
    ) -> Outcome {
        if let Some(row) = self.visit(visit_id) {
            let site = row.visit.site.clone();
            let entry = self.engagements.entry((page_view_id, visit_id));
            let engagement =
                entry.or_insert(Engagement { site, page_view_id, visit_id, engaged_ms: 0, scroll_pct: 0 });
            engagement.engaged_ms = engagement.engaged_ms.max(engaged_ms);
            engagement.scroll_pct = engagement.scroll_pct.max(scroll_pct);
        }
        Outcome::default()
    }

    // ---- users

    /// When all sessions of a user were ended at once, if that was at or after an instant. A command that comes for the
    /// first time is never that old.
    pub(super) fn ended_since(&mut self, user_id: &str, site: Option<&str>, at: Millis) -> Option<Millis> {
        if self.known.sign_ins_are_new {
            return None;
        }
        let of = SessionsOf::user(user_id, site);
        let ended_at = self.known.endings.get(&of).copied();
        self.wants.endings.insert(of);
        ended_at.filter(|ended_at| *ended_at >= at)
    }

    /// Notes that the sessions end, all at once.
    pub(super) fn note_ending(&mut self, of: SessionsOf, at: Millis) {
        let noted = self.endings.entry(of).or_insert(at);
        *noted = at.max(*noted);
    }

    /// Whether this is still the user's password hash, and the user is not disabled.
    pub(super) fn is_current(&mut self, user_id: &str, password_hash: &str) -> bool {
        let key = (user_id.to_owned(), password_hash.to_owned());
        let stored = self.known.accounts.contains(&key);
        self.wants.accounts.insert(key);
        self.passwords.get(user_id).map_or(stored, |changed| changed == password_hash)
    }

    /// Gives a user another password.
    pub(super) fn set_password(&mut self, user_id: &str, password_hash: &str) {
        self.passwords.insert(user_id.to_owned(), password_hash.to_owned());
    }
}
