//! Live sessions, as every hit asks for them. The database owns every session.
//!
//! A hit is judged by the first that can: the copy in this process if it is in sync; Redis if it is trusted; the
//! database; and if all of these are away, the copy as it is. A token that none of them can judge is
//! [`Caller::Unverified`], and the ledger judges it when the database is back.
//!
//! A copy is used without a look-up for at most [`FRESH_MS`], or with Redis `BEHIND_MS`. Within that time every change
//! of the session reaches it. With SQLite changes come from this process, or from the command line; the latter are
//! read from the file twice a second. With Postgres the changes of other servers are read twice a second, and Redis
//! reports them at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::runtime::Handle;
use uuid::Uuid;

use super::visit_owners::VisitOwners;
use crate::contract::visit_owner::VisitOwner;
use crate::database::error::{Result, StoreError};
use crate::database::store::Lookup;
use crate::session::record::{GRACE_MS, Record, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::{Activity, Caller, Millis, Ttl};
use crate::session_cache::local::{self, FRESH_MS, Local, Reliance, judge};
use crate::session_cache::redis::Redis;

/// Until a copy is this old, in ms, it may answer first and be looked up afterwards, if this server is caught up
/// with all changes. An older copy may have missed too much activity on other servers.
const BEHIND_MS: Millis = 60_000;

/// Activity is written to Redis if it is this much later than what Redis has, in ms. So it gets activity after at most
/// this and [`FRESH_MS`], as late as the database (30 s, `serve`), and within the minute (`SWEEP_DELAY_MS`) in which no
/// session is ended.
pub(super) const TELL_AFTER_MS: Millis = FRESH_MS / 2;

/// The answer to the question whose session a token is was right everywhere at most so many ms ago.
pub const TRUE_MS: Millis = 1_000;

/// Most sessions of a user in a list.
pub const LISTED_MAX: usize = 1_000;

/// An instant before any other.
pub(super) const NEVER: Millis = Millis::MIN;

/// Live sessions.
#[derive(Debug)]
pub struct Sessions {
    pub(super) ttl: Ttl,
    /// The copies in this process.
    pub local: Local,
    pub(super) database: Lookup,
    visits: VisitOwners,
    /// Every change that the database had until this instant, by the clock here, has reached the copies.
    caught_up_until: AtomicI64,
    /// The database is away, or does not have yet what is in the spool: it is not asked meanwhile.
    database_is_away: AtomicBool,
    shared: Option<Shared>,
}

/// The copies in Redis, and the runtime of its connections: the writer has a runtime of its own, which blocks while it
/// writes to a file.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) redis: Arc<Redis>,
    pub(super) runtime: Handle,
    /// As `caught_up_until` of the database.
    pub(super) caught_up_until: AtomicI64,
}

impl Sessions {
    /// Sessions that `database` owns.
    #[must_use]
    pub fn new(ttl: Ttl, database: Lookup) -> Self {
        Self {
            ttl,
            local: Local::new(ttl),
            visits: VisitOwners::new(database.clone()),
            database,
            caught_up_until: AtomicI64::new(NEVER),
            database_is_away: AtomicBool::default(),
            shared: None,
        }
    }

    /// The same, with a copy in Redis.
    pub(super) fn sharing(self, shared: Shared) -> Self {
        Self { shared: Some(shared), ..self }
    }

    /// The limits by which they are judged.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Judges a token at `now`; if it is live, notes activity `at`.
    pub async fn touch(&self, token: Option<Proof>, activity: Option<Activity>, now: Millis) -> Caller {
        let Some(token) = token else {
            return Caller::Nothing;
        };
        if let Some(caller) = self.local.touch(token, activity, now, self.reliance(token.tag, now)) {
            return caller;
        }
        if self.is_complete() {
            return Caller::Nothing;
        }
        // Boxed: it is rare and large, and every request's future would have room for it.
        match Box::pin(self.look_up(token, activity, now)).await {
            Ok(None) => Caller::Nothing,
            // The copy has just been updated, or there is nothing better.
            Ok(Some(record)) => self
                .local
                .touch(token, activity, now, Reliance::Always)
                .unwrap_or_else(|| judge(&record, token, now, self.ttl)),
            Err(_) => self.last_resort(token, activity, now),
        }
    }

    /// Judges a token when neither Redis nor the database answers: by the copy, in sync or not, if it knows the secret.
    fn last_resort(&self, token: Proof, activity: Option<Activity>, now: Millis) -> Caller {
        let held = self.local.get(token.tag).filter(|held| held.knows(&token.hash));
        let judged = held.and_then(|_| self.local.touch(token, activity, now, Reliance::Always));
        judged.unwrap_or(Caller::Unverified(token))
    }

    /// The signed-in user of a live token.
    ///
    /// # Errors
    /// When no store that has the session can be reached.
    pub async fn user(&self, token: Proof, now: Millis) -> Result<Option<String>> {
        match self.touch(Some(token), None, now).await {
            Caller::Live { token, .. } => Ok(self.local.get(token.tag).and_then(|record| record.user_id)),
            Caller::Unverified(_) => Err(StoreError::Unavailable(
                "the session cannot be checked: no store that has it can be reached",
            )),
            _ => Ok(None),
        }
    }

    /// Whose session a token is, as it was everywhere at most [`TRUE_MS`] before `now`; none without a
    /// live one. If `slides`, that counts as activity of a signed-in session; the record is from before it.
    ///
    /// # Errors
    /// When no store that has the session can be reached.
    pub async fn introspect(&self, token: Proof, slides: bool, now: Millis) -> Result<Option<Record>> {
        let is_caught_up = self.is_caught_up(now);
        let since = (!is_caught_up).then_some(now - TRUE_MS);
        let copy = self.local.confirmed(token, since, now, self.reliance(token.tag, now));
        let found = match copy {
            Some(record) => Some((record, None)),
            // Every live session has a copy here.
            None if self.is_complete() && self.local.get(token.tag).is_none() => None,
            None => Box::pin(self.confirm(token, slides, is_caught_up, now)).await?,
        };
        let live = |(record, _): &(Record, _)| record.standing(&token.hash, now, self.ttl) == Standing::Live;
        let Some((mut record, before)) = found.filter(live) else { return Ok(None) };
        if slides && record.user_id.is_some() {
            self.touch(Some(token), Some(Activity::Backend(now)), now).await;
        }
        record.last_activity = before.unwrap_or(record.last_activity);
        Ok(Some(record))
    }

    /// The live sessions of a user, the one with the latest activity first: at most the [`LISTED_MAX`] that
    /// began last; with a site, those whose visit is of it.
    ///
    /// # Errors
    /// When the database is away, or does not have yet what is in the spool.
    pub async fn of_user(&self, user_id: &str, site: Option<&str>, now: Millis) -> Result<Vec<Record>> {
        if self.database_is_away() {
            return Err(StoreError::Unavailable("the database is away"));
        }
        let of = (user_id.to_owned(), site.map(str::to_owned), LISTED_MAX);
        let mut records = self.database.tokens_of_user(of).await?;
        for record in &mut records {
            // The copy may have a later change, or activity that is not written yet.
            if let Some(held) = self.local.get(record.tag).filter(|held| held.generation >= record.generation)
            {
                let last_activity = record.last_activity;
                *record = held;
                record.slide(last_activity);
            }
        }
        records.retain(|record| {
            let is_live = record.ended_at.is_none() && !record.expired(now, self.ttl);
            is_live && record.user_id.as_deref() == Some(user_id)
        });
        records.sort_by_key(|record| std::cmp::Reverse(record.last_activity));
        Ok(records)
    }

    /// The site and the visitor of a visit; none where it is not stored (yet).
    ///
    /// # Errors
    /// When the database is away and the visit is not known here.
    pub async fn visit_owner(&self, visit_id: Uuid, now: Millis) -> Result<Option<VisitOwner>> {
        self.visits.visit_owner(visit_id, now).await
    }

    /// Whether every change until [`TRUE_MS`] before `now` has reached the copies: from the database, or, while
    /// that is away, from Redis, which is then the first to be told of everything. A clock that was set back confirms
    /// nothing.
    fn is_caught_up(&self, now: Millis) -> bool {
        let database = Some(&self.caught_up_until).filter(|_| !self.database_is_away());
        let shared = || self.shared.as_ref().map(|shared| &shared.caught_up_until);
        let until = database.or_else(shared).map_or(NEVER, |at| at.load(Ordering::Relaxed));
        (now - TRUE_MS..=now + TRUE_MS).contains(&until)
    }

    /// Notes that every change that the database had at `at` has reached the copies.
    pub fn caught_up_with_database(&self, at: Millis) {
        self.caught_up_until.store(at, Ordering::Relaxed);
    }

    /// Notes that every change that Redis has reported until `at` has reached the copies.
    pub(super) fn caught_up_with_redis(&self, at: Millis) {
        if let Some(shared) = &self.shared {
            shared.caught_up_until.store(at, Ordering::Relaxed);
        }
    }

    /// Whether an answer written now may send the token's cookie.
    pub async fn is_current(&self, token: Proof, now: Millis) -> bool {
        self.cookie_ms(token, now).await.is_some()
    }

    /// How long the browser is to keep the token's cookie, if an answer written now may send it: the idle limit of the
    /// session.
    pub async fn cookie_ms(&self, token: Proof, now: Millis) -> Option<Millis> {
        match self.touch(Some(token), None, now).await {
            Caller::Live { .. } => Some(self.ttl.limits(self.local.is_remembered(token.tag)).0),
            _ => None,
        }
    }

    /// Drops copies that are not needed any more.
    pub fn forget_dead(&self, now: Millis) {
        self.local.forget_dead(now, self.is_complete());
    }

    /// Takes records that were committed, and puts them into Redis before it returns.
    pub async fn publish(&self, records: &[Record], now: Millis) {
        for record in records {
            self.local.install(record.clone(), now);
        }
        self.tell(records, now).await;
    }

    /// As [`Self::publish`], for changes by commands of live requests: a session of the first generation has begun with
    /// such a command.
    pub async fn publish_live(&self, records: &[Record], now: Millis) {
        for record in records {
            if record.generation == 1 && self.shared.is_some() {
                self.local.begin(record.clone(), now);
            } else {
                self.local.install(record.clone(), now);
            }
        }
        self.tell(records, now).await;
    }

    /// Takes records of a replay of which more is to come. Copies with later provisional changes stay as they are,
    /// here and in Redis, until those are replayed too, or withdrawn.
    pub async fn publish_part(&self, mut records: Vec<Record>, now: Millis) {
        records.retain(|record| !self.local.is_provisionally_ahead(record));
        self.publish(&records, now).await;
    }

    /// Puts records that were committed or are provisional into Redis, before it returns.
    pub async fn tell(&self, records: &[Record], now: Millis) {
        if records.is_empty() {
            return;
        }
        if let Some(Shared { redis, runtime, .. }) = &self.shared {
            let (redis, told) = (Arc::clone(redis), records.to_vec());
            let told = runtime.spawn(async move { redis.put(&told, now).await }).await;
            if let Ok(Err(error)) = told {
                // Redis is not trusted from now on, and gets these records before it is trusted again; those
                // that only a spool has, when that is replayed.
                tracing::debug!(%error, "a change could not be written to Redis");
                records.iter().for_each(|record| self.local.expect_no_own_notice(record.tag));
            }
        }
    }

    /// Takes records that another process may have changed.
    pub async fn follow(&self, records: Vec<Record>, now: Millis) {
        let news: Vec<Record> = records
            .into_iter()
            .filter(|record| {
                self.local.get(record.tag).is_none_or(|held| held.generation < record.generation)
            })
            .collect();
        self.publish(&news, now).await;
    }

    /// Fills the copies in this process at the start, if they are to be complete.
    pub fn fill(&self, records: Vec<Record>, now: Millis) {
        for record in records {
            self.local.install(record, now);
        }
    }

    /// Withdraws a provisional session that did not come to be. Whether this process has it in that state: the secret
    /// tells.
    pub async fn withdraw(&self, provisional: Proof, now: Millis) -> bool {
        let held = self.local.get(provisional.tag);
        let Some(mut record) = held.filter(|record| record.secret_hash == provisional.hash) else {
            return false;
        };
        record.end(now - GRACE_MS);
        self.publish(&[record], now).await;
        self.local.forget(provisional.tag);
        true
    }

    /// Notes whether the database is away, or does not have yet what is provisional on this server.
    pub fn set_database_away(&self, away: bool) {
        self.database_is_away.store(away, Ordering::Relaxed);
    }

    /// Whether the database is away, or does not have yet what is in the spool.
    #[must_use]
    pub fn database_is_away(&self) -> bool {
        self.database_is_away.load(Ordering::Relaxed)
    }

    /// Redis, if it is configured.
    #[must_use]
    pub fn redis(&self) -> Option<&Redis> {
        self.shared.as_ref().map(|shared| &*shared.redis)
    }

    /// How far a copy in this process may be relied on.
    fn reliance(&self, tag: Tag, now: Millis) -> Reliance {
        match self.shared {
            None if self.database.is_complete() => Reliance::Always,
            Some(_) if self.is_caught_up(now) => Reliance::For(BEHIND_MS),
            _ => Reliance::For(local::fresh_ms(tag)),
        }
    }

    /// Whether this process has a copy of every live session.
    fn is_complete(&self) -> bool {
        self.shared.is_none() && self.database.is_complete()
    }
}
