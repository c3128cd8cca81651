//! The commands of the ingest, inside one transaction. One writer runs them one after another, so
//! what a command reads stays true until it has written.
//!
//! Invariant: a fact is looked for before it may start a visit. A twin starts nothing.

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::{NoContext, Timestamp, Uuid};

use super::{rows, sql};
use crate::ingest::fact::{Command, Context, Fact, Kind, Order, Outcome};
use crate::session::record::{CROSSING_MS, Record, Standing};
use crate::session::token::{SessionToken, Tag};
use crate::session::visit::{Link, Visit, VisitorId};
use crate::session::{Carrier, Millis, Ttl};
use crate::store::Result;
use crate::store::sessions::embedded::Slide;

/// Ended tokens are kept this long, for whoever asks what became of them.
const ENDED_KEPT_MS: Millis = 24 * 3_600_000;

/// Applies commands to an open transaction and remembers which tokens changed.
#[derive(Debug)]
pub struct Ledger<'c> {
    db: &'c Connection,
    ttl: Ttl,
    changed: Vec<Record>,
}

/// What a visit that begins knows of itself.
struct Beginning<'a> {
    site: &'a str,
    visitor: Option<VisitorId>,
    user_id: Option<&'a str>,
    at: Millis,
    url: Option<&'a str>,
    referrer: Option<&'a str>,
}

impl<'c> Ledger<'c> {
    /// Works on `db`, inside the transaction that the caller opened.
    #[must_use]
    pub fn new(db: &'c Connection, ttl: Ttl) -> Self {
        Self {
            db,
            ttl,
            changed: Vec::new(),
        }
    }

    /// The records that changed, in order; to be installed after the commit.
    #[must_use]
    pub fn into_changed(self) -> Vec<Record> {
        self.changed
    }

    /// How many records have changed so far.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.changed.len()
    }

    /// Forgets the changes since [`Self::mark`], whose savepoint was rolled back.
    pub fn rewind(&mut self, mark: usize) {
        self.changed.truncate(mark);
    }

    /// Applies one command.
    ///
    /// # Errors
    /// When the database refuses; the caller rolls back.
    pub fn apply(&mut self, command: &Command) -> Result<Outcome> {
        match command {
            Command::Start {
                context,
                site,
                url,
                referrer,
            } => self.start(
                context,
                site.as_deref(),
                url.as_deref(),
                referrer.as_deref(),
            ),
            Command::Facts { context, facts } => self.facts(context, facts),
            Command::SignIn {
                now,
                presented,
                offer,
                user_id,
                visit,
            } => self.sign_in(*now, presented.as_ref(), offer, user_id, *visit),
            Command::SignOut {
                now,
                presented,
                offer,
            } => self.sign_out(*now, presented, offer),
            Command::End { now, presented } => self.end(*now, presented),
            Command::Engagement {
                visit_id,
                page_view_id,
                engaged_ms,
                scroll_pct,
            } => self.engage(*visit_id, *page_view_id, *engaged_ms, *scroll_pct),
            Command::Sweep { now } => self.sweep(*now),
        }
    }

    /// Writes activity that only the fast copy knew.
    ///
    /// # Errors
    /// When the database refuses; the caller rolls back.
    pub fn slide(&mut self, slides: &[Slide]) -> Result<()> {
        for slide in slides {
            self.db
                .prepare_cached(sql!("token_slide"))?
                .execute(params![slide.tag.to_string(), slide.at])?;
            if let Some(visit_id) = slide.visit_id {
                self.db
                    .prepare_cached(sql!("visit_slide"))?
                    .execute(params![visit_id.to_string(), slide.at])?;
            }
        }
        Ok(())
    }

    fn start(
        &mut self,
        context: &Context,
        site: Option<&str>,
        url: Option<&str>,
        referrer: Option<&str>,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        if self.visit(context.carrier.visit_id())?.is_some() {
            return Ok(outcome);
        }
        let site = site.unwrap_or(&context.host);
        let visit_id = self.attach(
            context,
            &Beginning {
                site,
                visitor: context.visitor,
                user_id: None,
                at: context.now,
                url,
                referrer,
            },
            &mut outcome,
        )?;
        self.db
            .prepare_cached(sql!("visit_slide"))?
            .execute(params![visit_id.to_string(), context.now])?;
        Ok(outcome)
    }

    fn facts(&mut self, context: &Context, facts: &[Fact]) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut visit_id = context.carrier.visit_id();
        for fact in facts {
            let own = self.visit(visit_id)?;
            let site = fact
                .site
                .as_deref()
                .or(own.as_ref().map(|(visit, _)| visit.site.as_str()))
                .unwrap_or(&context.host)
                .to_owned();
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
                    let begun = self.attach(context, &beginning, &mut outcome)?;
                    visit_id = Some(begun);
                    self.count(begun, fact)?;
                    self.insert(fact, &site, visit_id, context.now)?
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
    fn late(
        &mut self,
        context: &Context,
        fact: &Fact,
        site: &str,
        own: Option<Visit>,
    ) -> Result<bool> {
        if self.exists(fact, site)? {
            return Ok(false);
        }
        let visitor = own
            .as_ref()
            .and_then(|visit| visit.visitor_id.as_deref()?.parse().ok())
            .or(context.visitor);
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
                        user_id: None,
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
        let visit = if fact.anonymous {
            None
        } else {
            self.visit_of_order(context, fact, order, site, own)?
        };
        let visitor = visit
            .as_ref()
            .and_then(|visit| visit.visitor_id.clone())
            .or_else(|| {
                context
                    .visitor
                    .filter(|_| !fact.anonymous)
                    .map(|visitor| visitor.to_string())
            });
        let user_id = order
            .user_id
            .clone()
            .or_else(|| visit.as_ref().and_then(|visit| visit.user_id.clone()));
        let changed = self
            .db
            .prepare_cached(sql!("order_insert"))?
            .execute(params![
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
        Ok(found
            .map(|(visit, _)| visit)
            .filter(|visit| visit.covers(fact.occurred_at, self.ttl)))
    }

    fn sign_in(
        &mut self,
        now: Millis,
        presented: Option<&SessionToken>,
        offer: &SessionToken,
        user_id: &str,
        visit: bool,
    ) -> Result<Outcome> {
        let Some(presented) = presented else {
            self.put(Record::open(offer, None, Some(user_id.to_owned()), now))?;
            return Ok(Outcome {
                issued: true,
                ..Outcome::default()
            });
        };
        let Some(mut record) = self.live(presented, now)? else {
            return Ok(Outcome {
                lost: true,
                ..Outcome::default()
            });
        };
        let before = record.visit_id;
        record.rotate(offer, Some(user_id.to_owned()), now);
        match self.visit(before)? {
            Some(_) if !visit => record.bind(None),
            Some((own, _)) => match own.link(Some(user_id)) {
                Link::Keep => {}
                Link::Set => self.link(&own, user_id)?,
                Link::NewVisit => {
                    let visitor = own.visitor_id.as_deref().and_then(|text| text.parse().ok());
                    let next = self.begin(
                        &Beginning {
                            site: &own.site,
                            visitor,
                            user_id: Some(user_id),
                            at: now,
                            url: None,
                            referrer: None,
                        },
                        None,
                    )?;
                    record.bind(Some(next));
                }
            },
            None => {}
        }
        let left = before.filter(|_| visit && record.visit_id != before);
        self.put(record)?;
        if let Some(left) = left {
            self.end_visit_if_deserted(left, now)?;
        }
        Ok(Outcome {
            issued: true,
            ..Outcome::default()
        })
    }

    fn sign_out(
        &mut self,
        now: Millis,
        presented: &SessionToken,
        offer: &SessionToken,
    ) -> Result<Outcome> {
        let Some(mut record) = self.live(presented, now)? else {
            return Ok(Outcome {
                lost: true,
                ..Outcome::default()
            });
        };
        record.rotate(offer, None, now);
        self.put(record)?;
        Ok(Outcome {
            issued: true,
            ..Outcome::default()
        })
    }

    fn end(&mut self, now: Millis, presented: &SessionToken) -> Result<Outcome> {
        let Some(mut record) = self.live(presented, now)? else {
            return Ok(Outcome {
                lost: true,
                ..Outcome::default()
            });
        };
        record.end(now);
        let visit_id = record.visit_id;
        self.put(record)?;
        if let Some(visit_id) = visit_id {
            self.end_visit_if_deserted(visit_id, now)?;
        }
        Ok(Outcome::default())
    }

    fn engage(
        &mut self,
        visit_id: Uuid,
        page_view_id: Uuid,
        engaged_ms: i64,
        scroll_pct: i64,
    ) -> Result<Outcome> {
        if let Some((visit, _)) = self.visit(Some(visit_id))? {
            self.db
                .prepare_cached(sql!("page_view_engage"))?
                .execute(params![
                    visit.site,
                    page_view_id.to_string(),
                    visit_id.to_string(),
                    engaged_ms,
                    scroll_pct
                ])?;
        }
        Ok(Outcome::default())
    }

    fn sweep(&mut self, now: Millis) -> Result<Outcome> {
        let (idle_since, opened_before) = (now - self.ttl.idle_ms, now - self.ttl.max_ms);
        let expired: Vec<Record> = self
            .db
            .prepare_cached(sql!("tokens_expired"))?
            .query_map([idle_since, opened_before], rows::record)?
            .collect::<rusqlite::Result<_>>()?;
        for mut record in expired {
            record.end(
                (record.last_activity + self.ttl.idle_ms).min(record.created_at + self.ttl.max_ms),
            );
            self.put(record)?;
        }
        self.db
            .prepare_cached(sql!("visits_expire"))?
            .execute([idle_since, opened_before])?;
        self.db
            .prepare_cached(sql!("tokens_forget"))?
            .execute([now - ENDED_KEPT_MS])?;
        self.db
            .prepare_cached(sql!("retired_forget"))?
            .execute([now - CROSSING_MS])?;
        Ok(Outcome::default())
    }

    /// Finds the visit for a request that has none: joins the visitor's live one, or begins one.
    /// The session is bound to it; where there is no session, the offered token becomes one.
    fn attach(
        &mut self,
        context: &Context,
        beginning: &Beginning<'_>,
        outcome: &mut Outcome,
    ) -> Result<Uuid> {
        let record = match context.carrier {
            Carrier::Live { tag, .. } => {
                self.token(tag)?.filter(|record| record.ended_at.is_none())
            }
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
            None => self.begin(
                &Beginning {
                    user_id,
                    ..*beginning
                },
                None,
            )?,
        };
        match (record, &context.offer) {
            (Some(mut record), _) => {
                // Invariant: a visit's last activity is not before that of any of its sessions.
                let slide = Slide {
                    tag: record.tag,
                    visit_id: Some(visit_id),
                    at: record.last_activity,
                };
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

    fn joinable(
        &self,
        beginning: &Beginning<'_>,
        user_id: Option<&str>,
        now: Millis,
    ) -> Result<Option<Visit>> {
        let Some(visitor) = beginning.visitor else {
            return Ok(None);
        };
        let found = self
            .db
            .prepare_cached(sql!("visit_of_visitor"))?
            .query_row(params![beginning.site, visitor.to_string()], rows::visit)
            .optional()?;
        let Some((visit, _)) =
            found.filter(|(visit, _)| visit.is_live(now, self.ttl) && visit.admits(user_id))
        else {
            return Ok(None);
        };
        let (sessions, live) = self.sessions_of(visit.id, now)?;
        Ok((sessions == 0 || live > 0).then_some(visit))
    }

    /// Writes a new visit; one with `ended_at` is over already and no hit joins it.
    fn begin(&self, beginning: &Beginning<'_>, ended_at: Option<Millis>) -> Result<Uuid> {
        let id = uuid_v7(beginning.at);
        let visitor = beginning.visitor.map(|visitor| visitor.to_string());
        self.db
            .prepare_cached(sql!("visit_insert"))?
            .execute(params![
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
            self.db
                .prepare_cached(sql!("visitor_put"))?
                .execute(params![beginning.site, visitor, id.to_string()])?;
        }
        Ok(id)
    }

    /// Lets the first fact say what the start only guessed.
    fn adopt(
        &self,
        visit: &Visit,
        fact: &Fact,
        site: &str,
        visitor: Option<VisitorId>,
    ) -> Result<()> {
        let (url, referrer) = fact.kind.addresses();
        let visitor = visit
            .visitor_id
            .clone()
            .or_else(|| visitor.map(|visitor| visitor.to_string()));
        let id = visit.id.to_string();
        self.db
            .prepare_cached(sql!("visit_adopt"))?
            .execute(params![
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
            self.db
                .prepare_cached(sql!("visitor_forget"))?
                .execute(params![visit.site, visitor, id])?;
        }
        if visit.ended_at.is_none() && (visit.site != site || visit.visitor_id.is_none()) {
            self.db
                .prepare_cached(sql!("visitor_put"))?
                .execute(params![site, visitor, id])?;
        }
        Ok(())
    }

    fn count(&self, visit_id: Uuid, fact: &Fact) -> Result<()> {
        let page_view = matches!(fact.kind, Kind::PageView { .. });
        self.db
            .prepare_cached(sql!("visit_count"))?
            .execute(params![
                visit_id.to_string(),
                fact.occurred_at,
                page_view,
                !page_view
            ])?;
        Ok(())
    }

    /// Gives the visit, and the visitor's other anonymous visits, their user.
    fn link(&self, visit: &Visit, user_id: &str) -> Result<()> {
        match &visit.visitor_id {
            Some(visitor) => self
                .db
                .prepare_cached(sql!("visitor_link_user"))?
                .execute(params![visitor, user_id])?,
            None => self
                .db
                .prepare_cached(sql!("visit_link_user"))?
                .execute(params![visit.id.to_string(), user_id])?,
        };
        Ok(())
    }

    /// Ends a visit whose last live session has gone.
    fn end_visit_if_deserted(&self, visit_id: Uuid, now: Millis) -> Result<()> {
        let (_, live) = self.sessions_of(visit_id, now)?;
        if live == 0 {
            self.db
                .prepare_cached(sql!("visit_end"))?
                .execute(params![visit_id.to_string(), now])?;
        }
        Ok(())
    }

    /// How many sessions point at the visit, and how many of these are live.
    fn sessions_of(&self, visit_id: Uuid, now: Millis) -> Result<(u64, u64)> {
        let params = params![
            visit_id.to_string(),
            now - self.ttl.idle_ms,
            now - self.ttl.max_ms
        ];
        Ok(self
            .db
            .prepare_cached(sql!("visit_sessions"))?
            .query_row(params, |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    fn visit(&self, id: Option<Uuid>) -> Result<Option<(Visit, u64)>> {
        let Some(id) = id else { return Ok(None) };
        Ok(self
            .db
            .prepare_cached(sql!("visit_get"))?
            .query_row([id.to_string()], rows::visit)
            .optional()?)
    }

    /// The visitor's visit that covers an instant.
    fn visit_at(
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
        Ok(found
            .map(|(visit, _)| visit)
            .filter(|visit| visit.covers(at, self.ttl)))
    }

    fn token(&self, tag: Tag) -> Result<Option<Record>> {
        let tag = tag.to_string();
        let Some(mut record) = self
            .db
            .prepare_cached(sql!("token_get"))?
            .query_row([&tag], rows::record)
            .optional()?
        else {
            return Ok(None);
        };
        record.retired = self
            .db
            .prepare_cached(sql!("retired_of_token"))?
            .query_map([&tag], rows::retired)?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Some(record))
    }

    fn live(&self, presented: &SessionToken, now: Millis) -> Result<Option<Record>> {
        let record = self.token(presented.tag())?;
        Ok(record
            .filter(|record| record.standing(&presented.hash(), now, self.ttl) == Standing::Live))
    }

    fn put(&mut self, record: Record) -> Result<()> {
        let tag = record.tag.to_string();
        self.db.prepare_cached(sql!("token_put"))?.execute(params![
            tag,
            record.secret_hash.as_bytes(),
            record.generation,
            record.visit_id.map(|id| id.to_string()),
            record.user_id,
            record.created_at,
            record.last_activity,
            record.ended_at,
        ])?;
        for retired in &record.retired {
            self.db
                .prepare_cached(sql!("retired_put"))?
                .execute(params![retired.secret_hash.as_bytes(), tag, retired.at])?;
        }
        self.changed.push(record);
        Ok(())
    }

    fn exists(&self, fact: &Fact, site: &str) -> Result<bool> {
        let (statement, id) = match &fact.kind {
            Kind::PageView { id, .. } => (sql!("page_view_exists"), id),
            Kind::Event { id, .. } => (sql!("event_exists"), id),
            Kind::Order(_) => return Ok(false), // an order starts nothing, its insert tells
        };
        Ok(self
            .db
            .prepare_cached(statement)?
            .exists(params![site, id.to_string()])?)
    }

    /// Stores a page view or an event; `false` for a twin.
    fn insert(&self, fact: &Fact, site: &str, visit_id: Option<Uuid>, now: Millis) -> Result<bool> {
        let visit_id = visit_id.map(|id| id.to_string());
        let rows = match &fact.kind {
            Kind::PageView {
                id,
                url,
                path,
                referrer,
                title,
                device,
            } => self
                .db
                .prepare_cached(sql!("page_view_insert"))?
                .execute(params![
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
                ])?,
            Kind::Event {
                id,
                name,
                props,
                url,
            } => self
                .db
                .prepare_cached(sql!("event_insert"))?
                .execute(params![
                    site,
                    id.to_string(),
                    visit_id,
                    fact.occurred_at,
                    now,
                    name,
                    props,
                    url
                ])?,
            Kind::Order(_) => 0,
        };
        Ok(rows == 1)
    }
}

/// Every session that is live, or ended so recently that facts of it may be in flight: what the
/// fast copy begins with. `since` bounds how long ago an end still matters.
///
/// # Errors
/// When the database refuses, or a row is malformed.
pub fn recent_sessions(db: &Connection, since: Millis) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = db
        .prepare_cached(sql!("tokens_recent"))?
        .query_map([since], rows::record)?
        .collect::<rusqlite::Result<_>>()?;
    let mut retired = db.prepare_cached(sql!("retired_of_token"))?;
    for record in &mut records {
        record.retired = retired
            .query_map([record.tag.to_string()], rows::retired)?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok(records)
}

/// A UUIDv7 whose time part is `at`.
#[must_use]
pub fn uuid_v7(at: Millis) -> Uuid {
    let at = u64::try_from(at).unwrap_or(0);
    let nanos = u32::try_from(at % 1_000 * 1_000_000).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, at / 1_000, nanos))
}

/// The other site that a visit came from; none for a direct visit.
fn referrer_host(referrer: Option<&str>, site: &str) -> Option<String> {
    crate::site::of_url(referrer?).filter(|host| host != site)
}
