//! A writer's cache: visits and facts of recent batches, which it need not look up again.
//!
//! The cache holds as long as nobody else has written; each database tells its writer.

use std::num::NonZeroUsize;

use lru::LruCache;
use uuid::Uuid;

use super::changes::Changes;
use super::known::{Known, VisitRow, Wants};
use crate::session::Ttl;
use crate::session::visit::Span;

/// Visits that are cached: those that were touched last. A visit takes some 200 bytes.
const VISITS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// Facts whose ids are cached: a resend comes within seconds.
const FACTS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// Visits as they are in the database, and the ids of facts that were stored lately.
#[derive(Debug)]
pub struct Recent {
    visits: LruCache<Uuid, VisitRow>,
    facts: LruCache<Uuid, ()>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { visits: LruCache::new(VISITS_MAX), facts: LruCache::new(FACTS_MAX) }
    }
}

impl Recent {
    /// Answers what it can, and returns what is left to look up. Visits are answered for good. A
    /// fact that was not stored lately is *assumed* to be new: its key refuses the batch if
    /// it is not, and then the batch is planned anew from look-ups alone.
    pub fn answer(&mut self, mut wants: Wants, known: &mut Known) -> Wants {
        wants.visits.retain(|id| match self.visits.get(id) {
            Some(row) => {
                known.visit(row.clone());
                false
            }
            None => true,
        });
        let facts;
        (wants.facts, facts) = wants.facts.into_iter().partition(|(_, id, _)| self.facts.contains(id));
        known.asked(Wants { facts, ..Wants::default() });
        wants
    }

    /// Takes what a batch has looked up, and what it has written.
    pub fn learn(&mut self, known: Known, changes: &Changes<'_>) {
        // A duplicate is recognized when it comes again.
        for (_, id, _) in &known.facts {
            self.facts.put(*id, ());
        }
        for (id, row) in known.visits {
            self.visits.put(id, row);
        }
        for row in changes.visits.iter().map(|put| &put.row).chain(&changes.counted) {
            self.visits.put(row.visit.id, row.clone());
        }
        let page_views = changes.page_views.iter().map(|row| row.view.id);
        for id in page_views.chain(changes.events.iter().map(|row| row.event.id)) {
            self.facts.put(id, ());
        }
    }

    /// Notes activity that was written by itself.
    pub fn slid(&mut self, visits: &[(Uuid, Span)], ttl: Ttl) {
        for (id, span) in visits {
            if let Some(row) = self.visits.peek_mut(id) {
                row.visit.slide(*span, ttl);
            }
        }
    }

    /// Drops all visits: somebody else has written.
    pub fn forget(&mut self) {
        self.visits.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::known::Table;
    use crate::session::visit::{Visit, VisitorId};

    fn visit(id: u128, visitor: Option<VisitorId>) -> VisitRow {
        let visit = Visit {
            id: Uuid::from_u128(id),
            site: "shop.example".to_owned(),
            visitor_id: visitor,
            user_id: None,
            started_at: 1,
            last_activity: 1,
            ended_at: None,
        };
        VisitRow { visit, page_views: 1, events: 0 }
    }

    fn ann() -> VisitorId {
        "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80".parse().unwrap()
    }

    /// What is known of a visit, if it is cached.
    fn cached(recent: &mut Recent, id: u128) -> Option<VisitRow> {
        let id = Uuid::from_u128(id);
        let mut known = Known::default();
        let left = recent.answer(Wants { visits: [id].into(), ..Wants::default() }, &mut known);
        assert_eq!(left.visits.contains(&id), !known.visits.contains_key(&id));
        known.visits.remove(&id)
    }

    fn learnt(changes: &Changes<'_>) -> Recent {
        let (mut recent, mut known) = (Recent::default(), Known::default());
        known.visit(visit(1, Some(ann())));
        known.visit(visit(2, None));
        recent.learn(known, changes);
        recent
    }

    #[test]
    fn a_visit_is_cached_as_it_was_written_last() {
        let mut recent = learnt(&Changes::default());
        let counted = VisitRow { page_views: 2, ..visit(2, None) };
        recent.learn(Known::default(), &Changes { counted: vec![counted.clone()], ..Changes::default() });
        assert_eq!(cached(&mut recent, 2), Some(counted));
        assert_eq!(cached(&mut recent, 1), Some(visit(1, Some(ann()))));
        assert_eq!(cached(&mut recent, 3), None);
        recent.slid(&[(Uuid::from_u128(1), Span { first: 9, last: 9 })], Ttl::default());
        assert_eq!(cached(&mut recent, 1).map(|row| row.visit.last_activity), Some(9));
        recent.forget();
        assert_eq!(cached(&mut recent, 1), None);
    }

    #[test]
    fn a_fact_is_taken_for_new_unless_it_was_stored_lately() {
        let mut recent = Recent::default();
        let id = Uuid::from_u128(7);
        let site = || "shop.example".to_owned();
        let wants = || Wants { facts: [(Table::Events, id, site())].into(), ..Wants::default() };
        assert!(recent.answer(wants(), &mut Known::default()).is_empty());
        let mut known = Known::default();
        known.fact(Table::Events, id, site());
        recent.learn(known, &Changes::default());
        assert_eq!(recent.answer(wants(), &mut Known::default()), wants());
    }
}
