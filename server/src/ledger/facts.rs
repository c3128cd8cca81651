//! Page views and events: which visit each belongs to, and whether it is stored already.
//!
//! Invariant: a duplicate starts nothing. A fact is looked up before it may start a visit; or it is assumed to be
//! new, and the key of its row refuses the whole batch if it is not.

use std::borrow::Cow;

use uuid::Uuid;

use super::changes::{EventRow, PageViewRow};
use super::command::{Context, Fact, Kind, Outcome, Run};
use super::known::Table;
use super::visits::Beginning;
use super::world::World;
use crate::session::visit::{Visit, VisitorId};
use crate::session::{Caller, Millis};

impl<'c> World<'_, 'c> {
    /// Stores the facts of one request.
    pub(super) fn runs(&mut self, context: &'c Context, runs: &'c [Run]) -> Outcome {
        let mut outcome = Outcome::default();
        let caller = self.judged(&context.caller, context.now);
        for run in runs {
            // There is one candidate token, so one run may take it.
            self.facts(context, &caller, run, &mut outcome);
        }
        // If it was applied before and the answer was lost: its facts are duplicates, its session exists.
        outcome.issued |= context.candidate.is_some_and(|candidate| self.token(candidate.tag).is_some());
        outcome
    }

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
                outcome.erased += 1;
                continue;
            }
            let site: Cow<'c, str> = match (&fact.site, &own) {
                (Some(site), _) => Cow::Borrowed(site),
                (None, Some((visit, _))) => Cow::Owned(visit.site.clone()),
                (None, None) => {
                    let site = self.site_of_order(&fact.kind);
                    let site = site.or_else(|| self.site_of(run.visitor, context.now));
                    let Some(site) = site.or_else(|| context.site.clone()) else {
                        outcome.of_other_sites += 1;
                        continue;
                    };
                    Cow::Owned(site)
                }
            };
            let late = context.now - fact.occurred_at >= self.ttl.idle_ms;
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
                    let id = self.attach(context, caller, &beginning, outcome);
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
        match &fact.kind {
            Kind::PageView { id, .. } => self.is_stored(Table::PageViews, *id, site),
            Kind::Event { id, .. } => self.is_stored(Table::Events, *id, site),
            Kind::Order(_) | Kind::Refund(_) => false,
        }
    }

    /// Stores a page view or an event that is not a duplicate.
    fn insert(&mut self, fact: &'c Fact, site: &str, visit_id: Option<Uuid>, received_at: Millis) -> bool {
        let (site, occurred_at) = (site.to_owned(), fact.occurred_at);
        match &fact.kind {
            Kind::PageView { id, url, path, referrer, title, device, sequence } => {
                self.note_stored(Table::PageViews, *id, &site);
                self.changes.page_views.push(PageViewRow {
                    id: *id,
                    site,
                    visit_id,
                    occurred_at,
                    received_at,
                    url,
                    path,
                    referrer: referrer.as_deref(),
                    title: title.as_deref(),
                    device: device.as_deref(),
                    sequence: *sequence,
                });
            }
            Kind::Event { id, name, props, url } => {
                self.note_stored(Table::Events, *id, &site);
                self.changes.events.push(EventRow {
                    id: *id,
                    site,
                    visit_id,
                    occurred_at,
                    received_at,
                    name,
                    props: props.as_deref(),
                    url: url.as_deref(),
                });
            }
            Kind::Order(_) | Kind::Refund(_) => return false,
        }
        true
    }
}
