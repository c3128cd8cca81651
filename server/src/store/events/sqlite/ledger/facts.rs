//! Facts: which visit each belongs to, and whether it is there already.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::visits::Beginning;
use super::{Ledger, rows, sql};
use crate::session::visit::Visit;
use crate::session::{Carrier, Millis};
use crate::store::Result;
use crate::store::events::command::{Context, Fact, Kind, Order, Outcome, Run};

impl Ledger<'_> {
    /// Stores the facts of one request.
    pub(super) fn runs(&mut self, context: &Context, runs: &[Run]) -> Result<Outcome> {
        let mut whole = Outcome::default();
        for run in runs {
            // One token is offered, so one run may take it.
            let offer = context.offer.clone().filter(|_| !whole.issued);
            let context = Context { visitor: run.visitor, offer, ..context.clone() };
            let outcome = self.facts(&context, &run.facts)?;
            whole.issued |= outcome.issued;
            whole.joined |= outcome.joined;
            whole.twins += outcome.twins;
        }
        Ok(whole)
    }

    fn facts(&mut self, context: &Context, facts: &[Fact]) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut visit_id = context.carrier.visit_id();
        for fact in facts {
            let own = self.visit(visit_id)?;
            let site = match (&fact.site, &own) {
                (Some(site), _) => site.clone(),
                (None, Some((visit, _))) => visit.site.clone(),
                (None, None) => self.site_of(context)?.unwrap_or_else(|| context.host.clone()),
            };
            let late = context.now - fact.occurred_at >= self.ttl.idle_ms;
            let stored = match (&fact.kind, own) {
                (Kind::Order(order), own) => {
                    self.order(context, fact, order, &site, own.map(|(visit, _)| visit))?
                }
                _ if fact.anonymous => self.insert(fact, &site, None, context.now)?,
                (_, own) if late => self.late(context, fact, &site, own.map(|(visit, _)| visit))?,
                (_, Some((visit, facts_before))) => {
                    self.store_in_visit(context, fact, &site, &visit, facts_before == 0)?
                }
                (_, None) if matches!(context.carrier, Carrier::Crossing { .. }) => {
                    self.insert(fact, &site, None, context.now)?
                }
                (_, None) if self.exists(fact, &site)? => false,
                (_, None) => {
                    let (url, referrer) = fact.kind.addresses();
                    let beginning = Beginning {
                        site: &site,
                        visitor: context.visitor,
                        user_id: None,
                        at: fact.occurred_at,
                        url,
                        referrer,
                    };
                    visit_id = Some(self.attach(context, &beginning, &mut outcome)?);
                    match self.visit(visit_id)? {
                        Some((visit, facts_before)) => {
                            self.store_in_visit(context, fact, &site, &visit, facts_before == 0)?
                        }
                        None => false,
                    }
                }
            };
            outcome.twins += u32::from(!stored);
        }
        Ok(outcome)
    }

    /// Stores a fact of a visit that is known.
    fn store_in_visit(
        &mut self,
        context: &Context,
        fact: &Fact,
        site: &str,
        visit: &Visit,
        first: bool,
    ) -> Result<bool> {
        let stored = self.insert(fact, site, Some(visit.id), context.now)?;
        if stored {
            if first {
                self.adopt(visit, fact, site, context.visitor)?;
            }
            self.count(visit.id, fact)?;
        }
        Ok(stored)
    }

    /// Stores a fact older than the idle limit: it slides nothing, starts nothing that lives, and
    /// belongs to the visit that covers its time.
    fn late(&mut self, context: &Context, fact: &Fact, site: &str, own: Option<Visit>) -> Result<bool> {
        if self.exists(fact, site)? {
            return Ok(false);
        }
        let visitor =
            own.as_ref().and_then(|visit| visit.visitor_id.as_deref()?.parse().ok()).or(context.visitor);
        let user_id = own.as_ref().and_then(|visit| visit.user_id.clone());
        let covering = match own.filter(|visit| visit.covers(fact.occurred_at, self.ttl)) {
            Some(visit) => Some(visit),
            None => self.visit_at(site, visitor, fact.occurred_at)?,
        };
        let visit_id = match covering {
            Some(visit) => visit.id,
            None => {
                let (url, referrer) = fact.kind.addresses();
                self.begin(
                    &Beginning {
                        site,
                        visitor,
                        user_id: user_id.as_deref(),
                        at: fact.occurred_at,
                        url,
                        referrer,
                    },
                    Some(fact.occurred_at),
                )?
            }
        };
        self.count(visit_id, fact)?;
        self.insert(fact, site, Some(visit_id), context.now)
    }

    /// Stores an order. It starts no visit, and slides none.
    fn order(
        &mut self,
        context: &Context,
        fact: &Fact,
        order: &Order,
        site: &str,
        own: Option<Visit>,
    ) -> Result<bool> {
        let visit = if fact.anonymous { None } else { self.visit_of_order(context, fact, order, site, own)? };
        let visitor = visit
            .as_ref()
            .and_then(|visit| visit.visitor_id.clone())
            .or_else(|| context.visitor.filter(|_| !fact.anonymous).map(|visitor| visitor.to_string()));
        let user_id =
            order.user_id.clone().or_else(|| visit.as_ref().and_then(|visit| visit.user_id.clone()));
        let changed = self.db.prepare_cached(sql!("order_insert"))?.execute(params![
            site,
            order.id,
            visit.map(|visit| visit.id.to_string()),
            visitor,
            user_id,
            order.amount,
            order.currency,
            order.items,
            if order.from_api { "api" } else { "browser" },
            fact.occurred_at,
            context.now,
        ])?;
        Ok(changed == 1)
    }

    fn visit_of_order(
        &self,
        context: &Context,
        fact: &Fact,
        order: &Order,
        site: &str,
        own: Option<Visit>,
    ) -> Result<Option<Visit>> {
        if own.is_some() {
            return Ok(own);
        }
        if let Some(tag) = order.session
            && let Some(record) = self.token(tag)?
            && let Some((visit, _)) = self.visit(record.visit_id)?
        {
            return Ok(Some(visit));
        }
        if let Some(visit) = self.visit_at(site, context.visitor, fact.occurred_at)? {
            return Ok(Some(visit));
        }
        let Some(user_id) = &order.user_id else {
            return Ok(None);
        };
        let found = self
            .db
            .prepare_cached(sql!("visit_of_user_at"))?
            .query_row(params![user_id, fact.occurred_at], rows::visit)
            .optional()?;
        Ok(found.map(|(visit, _)| visit).filter(|visit| visit.covers(fact.occurred_at, self.ttl)))
    }

    fn exists(&self, fact: &Fact, site: &str) -> Result<bool> {
        let (statement, id) = match &fact.kind {
            Kind::PageView { id, .. } => (sql!("page_view_exists"), id),
            Kind::Event { id, .. } => (sql!("event_exists"), id),
            Kind::Order(_) => return Ok(false), // an order starts nothing, its insert tells
        };
        Ok(self.db.prepare_cached(statement)?.exists(params![site, id.to_string()])?)
    }

    /// Stores a page view or an event; `false` for a twin.
    fn insert(&self, fact: &Fact, site: &str, visit_id: Option<Uuid>, now: Millis) -> Result<bool> {
        let visit_id = visit_id.map(|id| id.to_string());
        let rows = match &fact.kind {
            Kind::PageView { id, url, path, referrer, title, device } => {
                self.db.prepare_cached(sql!("page_view_insert"))?.execute(params![
                    site,
                    id.to_string(),
                    visit_id,
                    fact.occurred_at,
                    now,
                    url,
                    path,
                    referrer,
                    title,
                    device
                ])?
            }
            Kind::Event { id, name, props, url } => self
                .db
                .prepare_cached(sql!("event_insert"))?
                .execute(params![site, id.to_string(), visit_id, fact.occurred_at, now, name, props, url])?,
            Kind::Order(_) => 0,
        };
        Ok(rows == 1)
    }
}
