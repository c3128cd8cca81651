//! Visits as the batch has them, whose they are, and visitors with their keys.

use std::collections::hash_map::Entry;

use uuid::Uuid;

use super::{Touched, World};
use crate::campaign::Campaign;
use crate::ledger::known::{VisitIndex, VisitRow};
use crate::session::Millis;
use crate::session::token::SecretHash;
use crate::session::visit::{Visit, VisitorId};
use crate::session::visitor_key::CandidateKey;

impl<'c> World<'_, 'c> {
    pub(in crate::ledger) fn visit(&mut self, id: Uuid) -> Option<&VisitRow> {
        if let Some(touched) = self.visits.get(&id) {
            return Some(&touched.row);
        }
        let found = self.known.visits.get(&id);
        if found.is_none() {
            self.wants.visits.insert(id);
        }
        found
    }

    pub(super) fn has_ended(&mut self, id: Uuid) -> bool {
        self.visit(id).is_some_and(|row| row.visit.ended_at.is_some())
    }

    /// A visit, to be changed.
    pub(in crate::ledger) fn touch(&mut self, id: Uuid) -> Option<&mut Touched<'c>> {
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
    pub(in crate::ledger) fn insert_visit(&mut self, touched: Touched<'c>) {
        let id = touched.row.visit.id;
        self.visits.insert(id, touched);
        self.index(id);
        self.index_user(id);
    }

    /// Notes whose a changed visit is, and on which site.
    pub(in crate::ledger) fn index(&mut self, id: Uuid) {
        let Some(Touched { row, .. }) = self.visits.get(&id) else { return };
        self.index.insert(&row.visit);
        if let (Some(visitor), None) = (row.visit.visitor_id, row.visit.ended_at) {
            self.open.entry(visitor).or_default().insert((row.visit.started_at, id));
        }
    }

    /// Notes that a changed visit has got its user.
    pub(in crate::ledger) fn index_user(&mut self, id: Uuid) {
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
    pub(in crate::ledger) fn latest_until(
        &mut self,
        visitor: VisitorId,
        site: &str,
        at: Millis,
    ) -> Option<&VisitRow> {
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
    pub(in crate::ledger) fn latest_open(&mut self, visitor: VisitorId) -> Option<&VisitRow> {
        self.wants.latest_open.insert(visitor);
        let begun = self.open.get(&visitor).into_iter().flatten().rev().map(|(_, id)| *id);
        let open = |id: Uuid| self.present(id).filter(|row| row.visit.ended_at.is_none());
        let begun = begun.filter_map(open).next();
        let stored = self.known.latest_open.get(&visitor).copied().and_then(open);
        begun.into_iter().chain(stored).max_by_key(|row| row.visit.started_at)
    }

    /// The newest visits without a user that the visitor began at or before an instant, so many of the
    /// stored ones at most; and whether these are all.
    pub(in crate::ledger) fn anonymous(
        &mut self,
        visitor: VisitorId,
        until: Millis,
        most: usize,
    ) -> (Vec<Uuid>, bool) {
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
    pub(in crate::ledger) fn visit_of_user_at(&mut self, user_id: &str, at: Millis) -> Option<Visit> {
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
    pub(in crate::ledger) fn current(&mut self, site: &str, visitor: VisitorId) -> Option<Uuid> {
        let key = (visitor, site.to_owned());
        if let Some(changed) = self.current.get(&key) {
            return *changed;
        }
        let stored = self.known.current.get(&key).copied();
        self.wants.current.insert(key);
        stored
    }

    pub(in crate::ledger) fn set_current(&mut self, site: &str, visitor: VisitorId, visit_id: Option<Uuid>) {
        self.current.insert((visitor, site.to_owned()), visit_id);
    }

    /// Whether a request that names this visitor is refused because the visitor's data was erased; `own` is the visit
    /// that the request belongs to.
    ///
    /// Invariant: no visit of an erased visitor is stored, and none begins. So if `own` is this visitor's, nothing has
    /// to be looked up.
    pub(in crate::ledger) fn is_erased(&mut self, visitor: VisitorId, own: Option<&Visit>) -> bool {
        if own.is_some_and(|visit| visit.visitor_id == Some(visitor)) {
            return false;
        }
        self.wants.erased.insert(visitor);
        self.known.erased.contains(&visitor)
    }

    /// The key of the visitor: the candidate, if the visitor is new.
    ///
    /// Invariant: a visitor that has anything stored gets no key: the first to ask may only know the id.
    pub(in crate::ledger) fn key(&mut self, candidate: CandidateKey) -> Option<SecretHash> {
        self.wants.keys.insert(candidate.visitor);
        match self.known.keys.get(&candidate.visitor) {
            Some(stored) => *stored,
            None => Some(*self.keys.entry(candidate.visitor).or_insert(candidate.hash)),
        }
    }
}
