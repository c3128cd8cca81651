//! Visits: joining, beginning, filling in, linking to a user, ending.

use uuid::Uuid;

use super::bounds::LINKED_FIRST;
use super::context::{Attached, Context};
use super::kinds::{Fact, Kind};
use super::known::VisitRow;
use super::left::{Left, Link};
use super::world::{Touched, World};
use crate::campaign::Campaign;
use crate::session::record::Record;
use crate::session::visit::{Visit, VisitorId};
use crate::session::{Caller, Millis, uuid_v7};

/// What is known about a visit that begins.
pub(super) struct Beginning<'a, 'c> {
    pub(super) site: &'a str,
    pub(super) visitor: Option<VisitorId>,
    pub(super) user_id: Option<&'a str>,
    pub(super) at: Millis,
    pub(super) url: Option<&'c str>,
    pub(super) referrer: Option<&'c str>,
}

impl<'c> World<'_, 'c> {
    /// Finds the visit for a request that has none: joins the visitor's live one, or begins one.
    /// The session gets it; where there is no session, the candidate token becomes one.
    pub(super) fn attach(
        &mut self,
        context: &Context,
        caller: &Caller,
        beginning: &Beginning<'_, 'c>,
        attached: &mut Attached,
    ) -> Uuid {
        let record = match caller {
            Caller::Live { token, .. } => {
                self.token(token.tag).filter(|record| record.ended_at.is_none()).cloned()
            }
            _ => None,
        };
        let user_id = record.as_ref().and_then(|record| record.user_id.clone());
        let user_id = user_id.as_deref();
        // A request that came a moment earlier may have given the session a visit.
        let current = record.as_ref().and_then(|record| record.visit_id);
        let (at, ttl) = (beginning.at, self.ttl);
        let current = current.filter(|id| self.visit(*id).is_some_and(|row| !row.visit.is_over(at, ttl)));
        let visit_id = if let Some(current) = current {
            current
        } else if let Some(visit) = self.joinable(beginning, user_id, context.now) {
            // Also if the visit is the user's already: an earlier sign-in may have been interrupted.
            if let Some(name) = user_id {
                self.link(&visit, name, context.now);
            }
            attached.joined = true;
            visit.id
        } else {
            self.begin(&Beginning { user_id, ..*beginning }, None)
        };
        if let Some(candidate) = context.key.filter(|candidate| beginning.visitor == Some(candidate.visitor))
        {
            attached.key = self.key(candidate);
        }
        match (record, context.candidate) {
            (Some(mut record), None) if record.visit_id != Some(visit_id) => {
                // Invariant: a visit's last activity is not before that of any of its sessions.
                self.slide_visit(visit_id, record.last_activity);
                record.set_visit(Some(visit_id));
                let tag = record.tag;
                self.put_token(record);
                // The sessions of this user on this site may have been ended while the request waited in a spool.
                let ended =
                    user_id.and_then(|user| self.ended_since(user, Some(beginning.site), context.now));
                if let Some(ended_at) = ended {
                    self.end_overtaken(tag, ended_at);
                }
            }
            // A session that ended before it was stored is not revived.
            (_, Some(candidate)) if !attached.issued && self.token(candidate.tag).is_none() => {
                let mut record = Record::open(candidate, Some(visit_id), None, context.now);
                record.last_activity = beginning.at;
                self.put_token(record);
                attached.issued = true;
            }
            _ => {}
        }
        visit_id
    }

    fn joinable(
        &mut self,
        beginning: &Beginning<'_, '_>,
        user_id: Option<&str>,
        now: Millis,
    ) -> Option<Visit> {
        let visitor = beginning.visitor?;
        let ttl = self.ttl;
        let joins = |visit: &Visit| visit.is_live(now, ttl) && visit.admits(user_id);
        let current = self.current(beginning.site, visitor);
        let current = current.and_then(|id| self.visit(id)).map(|row| row.visit.clone()).filter(joins);
        // A visit that was only started has no fact yet, and its site is a guess: it may turn out to be this
        // site.
        let guessed = |row: &&VisitRow| row.visit.site != beginning.site && row.facts() == 0;
        let latest = || self.latest_open(visitor).filter(guessed).map(|row| row.visit.clone());
        current.or_else(latest).filter(joins)
    }

    /// The site of a request that names none: that of the visitor's live visit.
    pub(super) fn site_of(&mut self, visitor: Option<VisitorId>, now: Millis) -> Option<String> {
        let ttl = self.ttl;
        let latest = self.latest_open(visitor?)?;
        latest.visit.is_live(now, ttl).then(|| latest.visit.site.clone())
    }

    /// Begins a visit; with `ended_at` it is over already, and no hit joins it.
    pub(super) fn begin(&mut self, beginning: &Beginning<'_, 'c>, ended_at: Option<Millis>) -> Uuid {
        self.visits_begun += 1;
        let id = uuid_v7(beginning.at);
        let visit = Visit {
            id,
            site: beginning.site.to_owned(),
            visitor_id: beginning.visitor,
            user_id: beginning.user_id.map(str::to_owned),
            started_at: beginning.at,
            last_activity: beginning.at,
            ended_at,
        };
        self.insert_visit(Touched {
            row: VisitRow { visit, page_views: 0, events: 0 },
            whole: true,
            entry_url: beginning.url,
            referrer: beginning.referrer,
            referrer_host: referrer_host(beginning.referrer, beginning.site, beginning.url),
            campaign: beginning.url.map(Campaign::of_entry).unwrap_or_default(),
        });
        if let (Some(visitor), None) = (beginning.visitor, ended_at) {
            self.set_current(beginning.site, visitor, Some(id));
        }
        id
    }

    /// Takes over from the first fact what the start only guessed.
    pub(super) fn adopt(&mut self, id: Uuid, fact: &'c Fact, site: &str, visitor: Option<VisitorId>) {
        let (url, referrer) = fact.kind.addresses();
        let Some(touched) = self.touch(id) else { return };
        let before = touched.row.visit.clone();
        let visitor = before.visitor_id.or(visitor);
        touched.whole = true;
        touched.row.visit.visitor_id = visitor;
        if before.site != site {
            touched.row.visit.site = site.to_owned();
        }
        touched.entry_url = url.or(touched.entry_url);
        let campaign = url.map(Campaign::of_entry).unwrap_or_default();
        if campaign != Campaign::default() {
            touched.campaign = campaign;
        }
        if referrer.is_some() {
            touched.referrer = referrer;
            touched.referrer_host = referrer_host(referrer, site, url);
        }
        self.index(id);
        let Some(visitor) = visitor else { return };
        if before.site != site && self.current(&before.site, visitor) == Some(id) {
            self.set_current(&before.site, visitor, None);
        }
        if before.ended_at.is_none() && (before.site != site || before.visitor_id.is_none()) {
            self.set_current(site, visitor, Some(id));
        }
    }

    /// Counts a fact. A late fact may lengthen a visit that expired, but never one that was ended on request: the last
    /// activity of such a visit stays before its end, which tells the two apart.
    pub(super) fn count(&mut self, id: Uuid, fact: &Fact) {
        let Some(touched) = self.touch(id) else { return };
        let row = &mut touched.row;
        match fact.kind {
            Kind::PageView(_) => row.page_views += 1,
            _ => row.events += 1,
        }
        let (at, visit) = (fact.occurred_at, &mut row.visit);
        match visit.ended_at {
            Some(ended) if ended == visit.last_activity => {
                visit.ended_at = Some(ended.max(at));
                visit.last_activity = visit.last_activity.max(at);
            }
            Some(ended) => visit.last_activity = visit.last_activity.max(at.min(ended - 1)),
            None => visit.last_activity = visit.last_activity.max(at),
        }
    }

    /// Notes activity of a visit that has not ended.
    pub(super) fn slide_visit(&mut self, id: Uuid, at: Millis) {
        let needed =
            self.visit(id).is_some_and(|row| row.visit.ended_at.is_none() && row.visit.last_activity < at);
        if needed && let Some(touched) = self.touch(id) {
            touched.row.visit.last_activity = at;
        }
    }

    /// Gives the visit, and the visitor's earlier anonymous visits, their user.
    pub(super) fn link(&mut self, visit: &Visit, user_id: &str, now: Millis) {
        self.set_user(visit.id, user_id);
        if let Some(visitor) = visit.visitor_id {
            self.link_earlier(visitor, user_id, now, LINKED_FIRST);
        }
    }

    /// Gives the user to the newest of the visitor's anonymous visits until an instant: so many at most, and as many as
    /// the batch has room for. The rest is left for a later batch.
    pub(super) fn link_earlier(&mut self, visitor: VisitorId, user_id: &str, until: Millis, most: usize) {
        let has_room = self.links_left >= most;
        let mut all = false;
        if has_room {
            self.links_left -= most;
            let (visits, are_all) = self.anonymous(visitor, until, most);
            visits.into_iter().for_each(|id| self.set_user(id, user_id));
            all = are_all;
        }
        if !all {
            self.left = Some(Left::Link(Link { until, visitor, user_id: user_id.to_owned() }));
        }
    }

    /// Sets the user of a visit that has none.
    fn set_user(&mut self, id: Uuid, user_id: &str) {
        if let Some(touched) = self.touch(id).filter(|touched| touched.row.visit.user_id.is_none()) {
            touched.whole = true;
            touched.row.visit.user_id = Some(user_id.to_owned());
            self.index_user(id);
        }
    }

    /// Ends a visit that has no live session any more.
    pub(super) fn end_visit_if_deserted(&mut self, id: Uuid, now: Millis) {
        if !self.has_live_session(id, now)
            && let Some(touched) = self.touch(id)
        {
            let visit = &mut touched.row.visit;
            visit.ended_at = visit.ended_at.or(Some(now.max(visit.last_activity)));
        }
    }

    /// The visitor's visit at an instant.
    pub(super) fn visit_at(&mut self, site: &str, visitor: Option<VisitorId>, at: Millis) -> Option<Visit> {
        let ttl = self.ttl;
        let latest = self.latest_until(visitor?, site, at)?;
        latest.visit.covers(at, ttl).then(|| latest.visit.clone())
    }
}

/// The other site or app from which a visit came; none for a direct visit. The page's own host does not count as
/// another site, even if the fact names its site explicitly.
fn referrer_host(referrer: Option<&str>, site: &str, url: Option<&str>) -> Option<String> {
    let host = crate::address::referrer_host(referrer?)?;
    let is_own = host == site || url.and_then(crate::site::of_url).is_some_and(|own| own == host);
    (!is_own).then_some(host)
}
