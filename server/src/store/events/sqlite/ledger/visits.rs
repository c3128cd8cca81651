//! Visits: joined, begun, filled in, linked to a user, ended.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::{Ledger, rows, sql, uuid_v7};
use crate::session::record::Record;
use crate::session::visit::{Link, Visit, VisitorId};
use crate::session::{Carrier, Millis};
use crate::store::Result;
use crate::store::events::command::{Context, Fact, Kind, Outcome};
use crate::store::sessions::embedded::Slide;

/// What a visit that begins knows of itself.
pub(super) struct Beginning<'a> {
    pub(super) site: &'a str,
    pub(super) visitor: Option<VisitorId>,
    pub(super) user_id: Option<&'a str>,
    pub(super) at: Millis,
    pub(super) url: Option<&'a str>,
    pub(super) referrer: Option<&'a str>,
}

impl Ledger<'_> {
    /// Finds the visit for a request that has none: joins the visitor's live one, or begins one.
    /// The session is bound to it; where there is no session, the offered token becomes one.
    pub(super) fn attach(
        &mut self,
        context: &Context,
        beginning: &Beginning<'_>,
        outcome: &mut Outcome,
    ) -> Result<Uuid> {
        let record = match context.carrier {
            Carrier::Live { tag, .. } => self.token(tag)?.filter(|record| record.ended_at.is_none()),
            _ => None,
        };
        if let Some(visit_id) = record.as_ref().and_then(|record| record.visit_id) {
            return Ok(visit_id); // a request that came a moment earlier has bound it
        }
        let user_id = record.as_ref().and_then(|record| record.user_id.clone());
        let user_id = user_id.as_deref();
        let visit_id = match self.joinable(beginning, user_id, context.now)? {
            Some(visit) => {
                if let (Some(user_id), Link::Set) = (user_id, visit.link(user_id)) {
                    self.link(&visit, user_id)?;
                }
                outcome.joined = true;
                visit.id
            }
            None => self.begin(&Beginning { user_id, ..*beginning }, None)?,
        };
        match (record, &context.offer) {
            (Some(mut record), _) => {
                // Invariant: a visit's last activity is not before that of any of its sessions.
                let slide = Slide { tag: record.tag, visit_id: Some(visit_id), at: record.last_activity };
                self.slide(&[slide])?;
                record.bind(Some(visit_id));
                self.put(record)?;
            }
            (None, Some(offer)) if !outcome.issued => {
                let mut record = Record::open(offer, Some(visit_id), None, context.now);
                record.last_activity = beginning.at;
                self.put(record)?;
                outcome.issued = true;
            }
            _ => {}
        }
        Ok(visit_id)
    }

    pub(super) fn joinable(
        &self,
        beginning: &Beginning<'_>,
        user_id: Option<&str>,
        now: Millis,
    ) -> Result<Option<Visit>> {
        let Some(visitor) = beginning.visitor else {
            return Ok(None);
        };
        let known = self
            .db
            .prepare_cached(sql!("visit_of_visitor"))?
            .query_row(params![beginning.site, visitor.to_string()], rows::visit)
            .optional()?;
        let joins = |visit: &Visit| visit.is_live(now, self.ttl) && visit.admits(user_id);
        let known = known.map(|(visit, _)| visit).filter(joins);
        // A visit that was only started yet may turn out to be of this site.
        let Some(visit) = known.or(self.guessed_visit(visitor, beginning.site)?.filter(joins)) else {
            return Ok(None);
        };
        let (sessions, live) = self.sessions_of(visit.id, now)?;
        Ok((sessions == 0 || live > 0).then_some(visit))
    }

    /// The site of a visitor's request that names none: that of the live visit.
    pub(super) fn site_of(&self, context: &Context) -> Result<Option<String>> {
        let Some(visitor) = context.visitor else { return Ok(None) };
        let open = self
            .db
            .prepare_cached(sql!("visit_of_visitor_open"))?
            .query_row([visitor.to_string()], rows::visit)
            .optional()?;
        let live = open.filter(|(visit, _)| visit.is_live(context.now, self.ttl));
        Ok(live.map(|(visit, _)| visit.site))
    }

    fn guessed_visit(&self, visitor: VisitorId, site: &str) -> Result<Option<Visit>> {
        let found = self
            .db
            .prepare_cached(sql!("visit_of_visitor_guessed"))?
            .query_row(params![visitor.to_string(), site], rows::visit)
            .optional()?;
        Ok(found.map(|(visit, _)| visit))
    }

    /// Writes a new visit; one with `ended_at` is over already and no hit joins it.
    pub(super) fn begin(&self, beginning: &Beginning<'_>, ended_at: Option<Millis>) -> Result<Uuid> {
        let id = uuid_v7(beginning.at);
        let visitor = beginning.visitor.map(|visitor| visitor.to_string());
        self.db.prepare_cached(sql!("visit_insert"))?.execute(params![
            id.to_string(),
            beginning.site,
            visitor,
            beginning.user_id,
            beginning.at,
            beginning.at,
            ended_at,
            beginning.url,
            beginning.referrer,
            referrer_host(beginning.referrer, beginning.site),
        ])?;
        if let (Some(visitor), None) = (visitor, ended_at) {
            self.db.prepare_cached(sql!("visitor_put"))?.execute(params![
                beginning.site,
                visitor,
                id.to_string()
            ])?;
        }
        Ok(id)
    }

    /// Lets the first fact say what the start only guessed.
    pub(super) fn adopt(
        &self,
        visit: &Visit,
        fact: &Fact,
        site: &str,
        visitor: Option<VisitorId>,
    ) -> Result<()> {
        let (url, referrer) = fact.kind.addresses();
        let visitor = visit.visitor_id.clone().or_else(|| visitor.map(|visitor| visitor.to_string()));
        let id = visit.id.to_string();
        self.db.prepare_cached(sql!("visit_adopt"))?.execute(params![
            id,
            site,
            visitor,
            url,
            referrer,
            referrer_host(referrer, site)
        ])?;
        let Some(visitor) = visitor else {
            return Ok(());
        };
        if visit.site != site {
            self.db.prepare_cached(sql!("visitor_forget"))?.execute(params![visit.site, visitor, id])?;
        }
        if visit.ended_at.is_none() && (visit.site != site || visit.visitor_id.is_none()) {
            self.db.prepare_cached(sql!("visitor_put"))?.execute(params![site, visitor, id])?;
        }
        Ok(())
    }

    pub(super) fn count(&self, visit_id: Uuid, fact: &Fact) -> Result<()> {
        let page_view = matches!(fact.kind, Kind::PageView { .. });
        self.db.prepare_cached(sql!("visit_count"))?.execute(params![
            visit_id.to_string(),
            fact.occurred_at,
            page_view,
            !page_view
        ])?;
        Ok(())
    }

    /// Gives the visit, and the visitor's other anonymous visits, their user.
    pub(super) fn link(&self, visit: &Visit, user_id: &str) -> Result<()> {
        match &visit.visitor_id {
            Some(visitor) => {
                self.db.prepare_cached(sql!("visitor_link_user"))?.execute(params![visitor, user_id])?
            }
            None => self
                .db
                .prepare_cached(sql!("visit_link_user"))?
                .execute(params![visit.id.to_string(), user_id])?,
        };
        Ok(())
    }

    /// Ends a visit whose last live session has gone.
    pub(super) fn end_visit_if_deserted(&self, visit_id: Uuid, now: Millis) -> Result<()> {
        let (_, live) = self.sessions_of(visit_id, now)?;
        if live == 0 {
            self.db.prepare_cached(sql!("visit_end"))?.execute(params![visit_id.to_string(), now])?;
        }
        Ok(())
    }

    /// How many sessions point at the visit, and how many of these are live.
    pub(super) fn sessions_of(&self, visit_id: Uuid, now: Millis) -> Result<(u64, u64)> {
        let params = params![visit_id.to_string(), now - self.ttl.idle_ms, now - self.ttl.max_ms];
        Ok(self
            .db
            .prepare_cached(sql!("visit_sessions"))?
            .query_row(params, |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    pub(super) fn visit(&self, id: Option<Uuid>) -> Result<Option<(Visit, u64)>> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.db.prepare_cached(sql!("visit_get"))?.query_row([id.to_string()], rows::visit).optional()?)
    }

    /// The visitor's visit that covers an instant.
    pub(super) fn visit_at(
        &self,
        site: &str,
        visitor: Option<VisitorId>,
        at: Millis,
    ) -> Result<Option<Visit>> {
        let Some(visitor) = visitor else {
            return Ok(None);
        };
        let found = self
            .db
            .prepare_cached(sql!("visit_of_visitor_at"))?
            .query_row(params![site, visitor.to_string(), at], rows::visit)
            .optional()?;
        Ok(found.map(|(visit, _)| visit).filter(|visit| visit.covers(at, self.ttl)))
    }
}

/// The other site that a visit came from; none for a direct visit.
fn referrer_host(referrer: Option<&str>, site: &str) -> Option<String> {
    crate::site::of_url(referrer?).filter(|host| host != site)
}
