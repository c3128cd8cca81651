//! The commands of the ingest, inside one transaction. One writer runs them one after another, so
//! what a command reads stays true until it has written.
//!
//! | module | holds |
//! |---|---|
//! | this one | start, sign-in, sign-out, end, engagement, sweep |
//! | `facts` | page views, events, orders: which visit each belongs to, twins |
//! | `visits` | joining, beginning, linking and ending visits |
//! | `tokens` | the records of tokens |
//!
//! Invariant: a fact is looked for before it may start a visit. A twin starts nothing.

mod facts;
mod tokens;
mod visits;

use rusqlite::{Connection, params};
use uuid::{NoContext, Timestamp, Uuid};

use self::visits::Beginning;
use super::{accounts, rows, sql};
use crate::session::record::{CROSSING_MS, Record};
use crate::session::token::SessionToken;
use crate::session::visit::Link;
use crate::session::{Millis, Ttl};
use crate::store::Result;
use crate::store::events::command::{Command, Context, Outcome};
use crate::store::sessions::embedded::Slide;

pub use self::tokens::recent_sessions;

/// Ended tokens are kept this long, for whoever asks what became of them.
const ENDED_KEPT_MS: Millis = 24 * 3_600_000;

/// Applies commands to an open transaction and remembers which tokens changed.
#[derive(Debug)]
pub struct Ledger<'c> {
    db: &'c Connection,
    ttl: Ttl,
    changed: Vec<Record>,
}

impl<'c> Ledger<'c> {
    /// Works on `db`, inside the transaction that the caller opened.
    #[must_use]
    pub fn new(db: &'c Connection, ttl: Ttl) -> Self {
        Self { db, ttl, changed: Vec::new() }
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
            Command::Start { context, site, url, referrer } => {
                self.start(context, site.as_deref(), url.as_deref(), referrer.as_deref())
            }
            Command::Facts { context, runs } => self.runs(context, runs),
            Command::SignIn { user_id, verified: Some(hash), .. }
                if !accounts::is_current(self.db, user_id, hash)? =>
            {
                Ok(Outcome { stale: true, ..Outcome::default() })
            }
            Command::SignIn { now, presented, offer, user_id, visit, .. } => {
                self.sign_in(*now, presented.as_ref(), offer, user_id, *visit)
            }

            Command::SignOut { now, presented, offer } => self.sign_out(*now, presented, offer),
            Command::End { now, presented } => self.end(*now, presented),
            Command::Engagement { visit_id, page_view_id, engaged_ms, scroll_pct } => {
                self.engage(*visit_id, *page_view_id, *engaged_ms, *scroll_pct)
            }
            Command::Probe { now } => self.probe(*now),
            Command::Tick { .. } => Ok(Outcome::default()),
            Command::Sweep { now } => self.sweep(*now),
        }
    }

    /// Writes activity that only the fast copy knew.
    ///
    /// # Errors
    /// When the database refuses; the caller rolls back.
    pub fn slide(&mut self, slides: &[Slide]) -> Result<()> {
        for slide in slides {
            self.db.prepare_cached(sql!("token_slide"))?.execute(params![slide.tag.to_string(), slide.at])?;
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
        let site = match site {
            Some(site) => site.to_owned(),
            None => self.site_of(context)?.unwrap_or_else(|| context.host.clone()),
        };
        let site = site.as_str();
        let visit_id = self.attach(
            context,
            &Beginning { site, visitor: context.visitor, user_id: None, at: context.now, url, referrer },
            &mut outcome,
        )?;
        self.db.prepare_cached(sql!("visit_slide"))?.execute(params![visit_id.to_string(), context.now])?;
        Ok(outcome)
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
            return Ok(Outcome { issued: true, ..Outcome::default() });
        };
        let Some(mut record) = self.live(presented, now)? else {
            return Ok(Outcome { lost: true, ..Outcome::default() });
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
        Ok(Outcome { issued: true, ..Outcome::default() })
    }

    fn sign_out(&mut self, now: Millis, presented: &SessionToken, offer: &SessionToken) -> Result<Outcome> {
        let Some(mut record) = self.live(presented, now)? else {
            return Ok(Outcome { lost: true, ..Outcome::default() });
        };
        record.rotate(offer, None, now);
        self.put(record)?;
        Ok(Outcome { issued: true, ..Outcome::default() })
    }

    fn end(&mut self, now: Millis, presented: &SessionToken) -> Result<Outcome> {
        let Some(mut record) = self.live(presented, now)? else {
            return Ok(Outcome { lost: true, ..Outcome::default() });
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
            self.db.prepare_cached(sql!("page_view_engage"))?.execute(params![
                visit.site,
                page_view_id.to_string(),
                visit_id.to_string(),
                engaged_ms,
                scroll_pct
            ])?;
        }
        Ok(Outcome::default())
    }

    /// The schema's version is refinery's table; SQLite's own number is free for this.
    fn probe(&mut self, now: Millis) -> Result<Outcome> {
        self.db.pragma_update(None, "user_version", now / 1_000 % i64::from(i32::MAX))?;
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
            record.end((record.last_activity + self.ttl.idle_ms).min(record.created_at + self.ttl.max_ms));
            self.put(record)?;
        }
        self.db.prepare_cached(sql!("visits_expire"))?.execute([idle_since, opened_before])?;
        self.db.prepare_cached(sql!("tokens_forget"))?.execute([now - ENDED_KEPT_MS])?;
        self.db.prepare_cached(sql!("retired_forget"))?.execute([now - CROSSING_MS])?;
        Ok(Outcome::default())
    }
}

/// A UUIDv7 whose time part is `at`.
#[must_use]
pub fn uuid_v7(at: Millis) -> Uuid {
    let at = u64::try_from(at).unwrap_or(0);
    let nanos = u32::try_from(at % 1_000 * 1_000_000).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, at / 1_000, nanos))
}
