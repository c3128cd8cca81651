//! Stores facts: which visit each belongs to, and whether it is stored already.
//!
//! Serialised, each fact by its own:
//! - a page view or an event of a live session whose visit is known and has its first fact: by its id;
//! - a visit's first fact, a fact that joins or begins a visit, a late fact: by the visitor;
//! - an order, a refund: by its site and number.
//!
//! Invariant: a duplicate starts nothing. A fact is looked up before it may start a visit; or it is assumed to be
//! new, and the key of its row refuses the whole batch if it is not.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ledger::context::{Attached, Context};
use crate::ledger::kinds::event::EventRow;
use crate::ledger::kinds::page_view::PageViewRow;
use crate::ledger::kinds::{Fact, Kind, Run};
use crate::ledger::known::{Table, Wants};
use crate::ledger::rules::{Answer, Held, Refused, Rules};
use crate::ledger::visits::Beginning;
use crate::ledger::world::World;
use crate::session::record::Record;
use crate::session::token::Proof;
use crate::session::visit::{Visit, VisitorId};
use crate::session::{Caller, Millis, Ttl};

/// Store facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The request; each run has a visitor of its own.
    pub context: Context,
    /// In the order of the request, cut where the visitor changes: a browser sends one run, a server's batch may hold
    /// many. All of them are stored, or none.
    pub runs: Vec<Run>,
}

/// What became of the facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What their request got.
    pub attached: Attached,
    /// Facts that were stored by an earlier request already.
    pub duplicates: u32,
    /// Facts of which nothing was stored.
    pub refused: Refused,
}

impl Rules for Facts {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, ttl: Ttl) {
        let Context { now, caller, candidate, key, .. } = &self.context;
        wants.caller(caller);
        wants.tokens.extend(candidate.map(|candidate| candidate.tag));
        wants.keys.extend(key.map(|key| key.visitor));
        for run in &self.runs {
            let has_none = matches!(caller, Caller::Erased | Caller::Nothing);
            let joining = run.visitor.filter(|_| has_none);
            wants.erased.extend(joining);
            for fact in &run.facts {
                want(wants, fact, joining, fact.is_late(*now, ttl));
            }
        }
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        let context = &self.context;
        let mut outcome = Outcome::default();
        let caller = world.judged(&context.caller, context.now);
        for run in &self.runs {
            // There is one candidate token, so one run may take it.
            world.facts(context, &caller, run, &mut outcome);
        }
        // If it was applied before and the answer was lost: its facts are duplicates, its session exists.
        outcome.attached.issued |=
            context.candidate.is_some_and(|candidate| world.token(candidate.tag).is_some());
        outcome.attached.begun = world.visits_begun;
        outcome
    }

    fn provisional(&self, _: Held<'_>, ttl: Ttl) -> Option<Answer<Outcome>> {
        let Context { now, caller, candidate, .. } = &self.context;
        // After an erasure, a fact without a visitor is refused.
        let is_erased = matches!(caller, Caller::Erased);
        let runs = self.runs.iter().filter(|run| !is_erased || run.visitor.is_some());
        let facts = runs.flat_map(|run| &run.facts);
        let starting = facts.filter(|fact| !fact.anonymous && fact.kind.starts_a_visit());
        let recent = starting.filter(|fact| !fact.is_late(*now, ttl));
        let first = recent.map(|fact| fact.occurred_at).min();
        let record = match (caller, candidate, first) {
            (Caller::Erased | Caller::Nothing, Some(candidate), Some(at)) => {
                let mut record = Record::open(*candidate, None, None, *now);
                record.last_activity = at;
                Some(record)
            }
            _ => None,
        };
        let (issued, begun) = (record.is_some(), self.begins_at_most(ttl));
        let attached = Attached { issued, begun, ..Attached::default() };
        Answer::kept(Outcome { attached, ..Outcome::default() }, record)
    }

    fn now(&self) -> Option<Millis> {
        Some(self.context.now)
    }

    fn weight(&self) -> usize {
        self.runs.iter().map(|run| run.facts.len()).sum()
    }

    fn begins(&self) -> Option<Proof> {
        self.context.candidate
    }

    fn set_aside(&self) -> Option<Outcome> {
        Some(Outcome::default())
    }

    fn has_begun(outcome: Outcome) -> bool {
        outcome.attached.issued
    }

    fn refused(outcome: Outcome) -> Refused {
        outcome.refused
    }
}

/// What a fact needs; with `joining`, the visitor whose visit it is to find.
fn want(wants: &mut Wants, fact: &Fact, joining: Option<VisitorId>, late: bool) {
    let Some(site) = &fact.site else {
        wants.latest_open.extend(joining); // the site must be known first
        return;
    };
    let Some((table, id)) = key(fact) else { return };
    wants.facts.insert((table, id, site.clone()));
    match joining.filter(|_| !fact.anonymous) {
        Some(visitor) if late => _ = wants.visitor_at.insert((visitor, site.clone(), fact.occurred_at)),
        Some(visitor) => {
            wants.latest_open.insert(visitor);
            wants.current.insert((visitor, site.clone()));
        }
        None => {}
    }
}

/// By what a fact is recognized; orders and refunds by their numbers.
fn key(fact: &Fact) -> Option<(Table, Uuid)> {
    match &fact.kind {
        Kind::PageView(view) => Some((Table::PageViews, view.id)),
        Kind::Event(event) => Some((Table::Events, event.id)),
        Kind::Order(_) | Kind::Refund(_) => None,
    }
}

impl Facts {
    /// The most visits that the facts may begin: one for each run of a request without a visit, and those that late
    /// facts make.
    #[must_use]
    pub fn begins_at_most(&self, ttl: Ttl) -> u32 {
        let Context { now, caller, .. } = &self.context;
        let may_begin = match caller {
            Caller::Live { visit_id, .. } => visit_id.is_none(),
            Caller::Grace { .. } => false,
            Caller::Unverified(_) | Caller::Erased | Caller::Nothing => true,
        };
        let most = self.runs.iter().map(|run| {
            let starting = || run.facts.iter().filter(|fact| !fact.anonymous && fact.kind.starts_a_visit());
            let is_late = |fact: &&Fact| fact.is_late(*now, ttl);
            let late = late_visits(run.visitor.is_some(), starting().filter(is_late), ttl);
            late + usize::from(may_begin && starting().any(|fact| !is_late(&fact)))
        });
        u32::try_from(most.sum::<usize>()).unwrap_or(u32::MAX)
    }
}

/// How many visits late facts make if none is stored: facts of one visitor share a visit if it covers them; each fact
/// without a visitor makes one.
fn late_visits<'a>(of_visitor: bool, facts: impl Iterator<Item = &'a Fact>, ttl: Ttl) -> usize {
    // By site: the visits' starts, and their last activity.
    let mut visits: HashMap<Option<&str>, BTreeMap<Millis, Millis>> = HashMap::new();
    let (mut made, mut of_nobody) = (0, 0);
    for Fact { site, occurred_at, .. } in facts {
        if !of_visitor {
            of_nobody += 1;
            continue;
        }
        let visits = visits.entry(site.as_deref()).or_default();
        match visits.range_mut(..=occurred_at).next_back() {
            Some((_, last)) if !ttl.ends_visit(*last, *occurred_at) => *last = *occurred_at.max(last),
            _ => {
                visits.insert(*occurred_at, *occurred_at);
                made += 1;
            }
        }
    }
    made + of_nobody
}

impl<'c> World<'_, 'c> {
    fn facts(&mut self, context: &'c Context, caller: &Caller, run: &'c Run, outcome: &mut Outcome) {
        let mut visit_id = caller.visit_id();
        let is_live = matches!(caller, Caller::Live { .. });
        for fact in &run.facts {
            let own = visit_id.and_then(|id| self.visit(id)).map(|row| (row.visit.clone(), row.facts()));
            let own_visit = own.as_ref().map(|(visit, _)| visit);
            let erased = match run.visitor {
                Some(visitor) => self.is_erased(visitor, own_visit),
                // It names no visitor, and its session was erased, or the session's visit was.
                None => {
                    let visit_is_gone = visit_id.is_some() && own_visit.is_none();
                    !fact.anonymous && (visit_is_gone || matches!(caller, Caller::Erased))
                }
            };
            if erased {
                outcome.refused.erased += 1;
                continue;
            }
            let site: Cow<'c, str> = match (&fact.site, &own) {
                (Some(site), _) => Cow::Borrowed(site),
                (None, Some((visit, _))) => Cow::Owned(visit.site.clone()),
                (None, None) => {
                    let site = self.site_of_order(&fact.kind);
                    let site = site.or_else(|| self.site_of(run.visitor, context.now));
                    let Some(site) = site.or_else(|| context.site.clone()) else {
                        outcome.refused.of_other_sites += 1;
                        continue;
                    };
                    Cow::Owned(site)
                }
            };
            let late = fact.is_late(context.now, self.ttl);
            let stored = match (&fact.kind, own) {
                (Kind::Order(order), own) => {
                    self.order(context, run.visitor, fact, order, &site, own.map(|(visit, _)| visit))
                }
                (Kind::Refund(refund), _) => self.refund(context, run.visitor, fact, refund, &site),
                _ if self.is_duplicate(fact, &site) => false,
                _ if fact.anonymous => self.insert(fact, &site, None, context.now),
                (_, own) if late => self.late(context, run.visitor, fact, &site, own.map(|(visit, _)| visit)),
                (_, Some((visit, before))) if !is_live || !visit.is_over(fact.occurred_at, self.ttl) => {
                    self.store_in_visit(context, run.visitor, fact, &site, visit.id, before == 0)
                }
                (_, None) if matches!(caller, Caller::Grace { .. }) => {
                    self.insert(fact, &site, None, context.now)
                }
                // No later fact could belong to its visit.
                (_, None) if run.visitor.is_none() && self.was_withdrawn(caller) => {
                    self.insert(fact, &site, None, context.now)
                }
                // The session has no visit yet, or the visit is over.
                (_, before) => {
                    let (url, referrer) = fact.kind.addresses();
                    let beginning = Beginning {
                        site: &site,
                        visitor: before.and_then(|(visit, _)| visit.visitor_id).or(run.visitor),
                        user_id: None,
                        at: fact.occurred_at,
                        url,
                        referrer,
                    };
                    let id = self.attach(context, caller, &beginning, &mut outcome.attached);
                    visit_id = Some(id);
                    let first = self.visit(id).is_none_or(|row| row.facts() == 0);
                    self.store_in_visit(context, run.visitor, fact, &site, id, first)
                }
            };
            outcome.duplicates += u32::from(!stored);
        }
    }

    /// Stores a fact of a known visit.
    fn store_in_visit(
        &mut self,
        context: &Context,
        visitor: Option<VisitorId>,
        fact: &'c Fact,
        site: &str,
        visit_id: Uuid,
        first: bool,
    ) -> bool {
        if first {
            self.adopt(visit_id, fact, site, visitor);
        }
        self.count(visit_id, fact);
        self.insert(fact, site, Some(visit_id), context.now)
    }

    /// Stores a fact older than the idle limit. It counts as no activity, starts no live visit, and belongs to the
    /// visit at its time.
    fn late(
        &mut self,
        context: &Context,
        visitor: Option<VisitorId>,
        fact: &'c Fact,
        site: &str,
        own: Option<Visit>,
    ) -> bool {
        let visitor = own.as_ref().and_then(|visit| visit.visitor_id).or(visitor);
        let user_id = own.as_ref().and_then(|visit| visit.user_id.clone());
        let covering = match own.filter(|visit| visit.covers(fact.occurred_at, self.ttl)) {
            Some(visit) => Some(visit),
            None => self.visit_at(site, visitor, fact.occurred_at),
        };
        let visit_id = match covering {
            Some(visit) => visit.id,
            None => {
                let (url, referrer) = fact.kind.addresses();
                let at = fact.occurred_at;
                let user_id = user_id.as_deref();
                self.begin(&Beginning { site, visitor, user_id, at, url, referrer }, Some(at))
            }
        };
        self.count(visit_id, fact);
        self.insert(fact, site, Some(visit_id), context.now)
    }

    fn is_duplicate(&mut self, fact: &Fact, site: &str) -> bool {
        key(fact).is_some_and(|(table, id)| self.is_stored(table, id, site))
    }

    /// Stores a page view or an event that is not a duplicate.
    fn insert(&mut self, fact: &'c Fact, site: &str, visit_id: Option<Uuid>, received_at: Millis) -> bool {
        let Some((table, id)) = key(fact) else { return false };
        self.note_stored(table, id, site);
        let (site, occurred_at) = (site.to_owned(), fact.occurred_at);
        match &fact.kind {
            Kind::PageView(view) => {
                let row = PageViewRow { site, visit_id, occurred_at, received_at, view };
                self.changes.page_views.push(row);
            }
            Kind::Event(event) => {
                let row = EventRow { site, visit_id, occurred_at, received_at, event };
                self.changes.events.push(row);
            }
            Kind::Order(_) | Kind::Refund(_) => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::kinds::Event;

    /// A late view of a site, so many minutes ago.
    fn view(site: &str, minutes: Millis) -> Fact {
        let kind = Kind::Event(Event { name: "seen".into(), ..Event::default() });
        Fact { site: Some(site.into()), occurred_at: -60_000 * minutes, anonymous: false, kind }
    }

    #[test]
    fn late_facts_of_one_visit_count_as_one() {
        let ttl = Ttl::default();
        let context = Context {
            now: 0,
            caller: Caller::Nothing,
            candidate: None,
            visitor: None,
            key: None,
            site: None,
        };
        let most = |visitor, facts| {
            let runs = vec![Run { visitor, facts }];
            Facts { context: context.clone(), runs }.begins_at_most(ttl)
        };
        let ann: Option<VisitorId> = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80".parse().ok();
        let queued = || (0..100).map(|n| view("a.example", 140 - n)).collect::<Vec<_>>();
        assert_eq!(most(ann, queued()), 1, "an hour and a half without a pause");
        assert_eq!(most(ann, vec![view("a.example", 90), view("a.example", 40)]), 2, "with a pause");
        assert_eq!(most(ann, vec![view("a.example", 90), view("b.example", 90)]), 2);
        assert_eq!(
            most(ann, vec![view("a.example", 40), view("a.example", 41)]),
            2,
            "the later one came first"
        );
        assert_eq!(most(None, queued()), 100, "nobody's share none");
        assert_eq!(
            most(ann, vec![view("a.example", 40), view("a.example", 1)]),
            2,
            "and one that is not late"
        );
    }
}
