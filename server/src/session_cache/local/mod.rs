//! The copies of live sessions in this process. Every hit asks them, which takes one lock.
//!
//! A copy is *in sync* while every change of the session elsewhere would have been reported here (see
//! [`Sessions`](crate::resolve::Sessions)). A copy that is out of sync is kept: it is the last resort while every
//! store is away, and it may hold activity that nothing else has yet.
//!
//! The activity that they hold, and that the database does not have yet, is in [`activity`].
//!
//! Invariant: a record is taken only after its commit in the database or in the spool, so a crash at any point loses
//! nothing but activity.

pub mod activity;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::session::record::{GRACE_MS, Record, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::visit::Span;
use crate::session::{Activity, Caller, Millis, Ttl};

/// How long a copy is used without a look-up at most, in ms. Each session has its own time between half of this and all
/// of it, so that copies made together are not looked up again together. Then the session is looked up again, before
/// the answer or after it, which also writes its activity to Redis.
pub const FRESH_MS: Millis = 20_000;

/// How far a copy is relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliance {
    /// For any token, even if the copy is out of sync: where nobody else changes sessions, or no store answers.
    Always,
    /// While it is in sync and was looked up less than so many ms ago, if it [may judge](Record::can_judge)
    /// the token. From [`fresh_ms`] on it is due to be looked up again.
    For(Millis),
}

/// How long the copy of a session is fresh, in ms.
pub fn fresh_ms(tag: Tag) -> Millis {
    FRESH_MS - Millis::from(tag.sample()) * FRESH_MS / 512
}

/// The sessions that this process has a copy of.
#[derive(Debug)]
pub struct Local {
    ttl: Ttl,
    inner: Mutex<Inner>,
    /// Notified when sessions are due to be looked up, and when this is dropped.
    dues: Arc<Notify>,
}

#[derive(Debug)]
struct Copied {
    record: Record,
    /// When it was last known to be in sync; none when it is not.
    in_sync_at: Option<Millis>,
    /// The activity that Redis has.
    told: Millis,
    /// Its command is in the spool, and not in the database yet.
    provisional: bool,
    /// It is written to Redis for the first time, and Redis has not reported that yet.
    awaits_own_notice: bool,
}

#[derive(Debug, Default)]
struct Inner {
    copies: HashMap<Tag, Copied>,
    slid: HashSet<Tag>,
    /// The same activity by visit, for batches that need a visit before it is written.
    slid_visits: HashMap<Uuid, Span>,
    /// The same of sessions whose visit is not known yet: those that are provisional.
    slid_without_visit: HashMap<Tag, Span>,
    /// Sessions that are being looked up.
    fetching: HashMap<Tag, Fetching>,
    /// Sessions that are to be looked up, because their copies are not fresh any more.
    due: HashSet<Tag>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Fetching {
    lookups: u32,
    changed: bool,
}

/// A look-up that has begun. Until this is dropped, changes of the record are noted. Dropping ends it, even if no
/// answer came.
#[derive(Debug)]
pub struct Fetch<'l> {
    local: &'l Local,
    tag: Tag,
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        let mut inner = self.local.lock();
        if let Entry::Occupied(mut fetching) = inner.fetching.entry(self.tag) {
            fetching.get_mut().lookups -= 1;
            if fetching.get().lookups == 0 {
                fetching.remove();
            }
        }
    }
}

impl Local {
    /// No session.
    #[must_use]
    pub fn new(ttl: Ttl) -> Self {
        Self { ttl, inner: Mutex::default(), dues: Arc::default() }
    }

    /// Judges a token at `now` by a copy that can be relied on; if it is live, notes activity `at` in the same
    /// step. None without such a copy.
    pub fn touch(
        &self,
        token: Proof,
        activity: Option<Activity>,
        now: Millis,
        reliance: Reliance,
    ) -> Option<Caller> {
        let mut inner = self.lock();
        let copied = self.relied_on(&mut inner, token, now, reliance)?;
        let caller = judge(&copied.record, token, now, self.ttl);
        let news = activity.filter(|activity| activity.at() >= copied.record.last_activity);
        if let (Caller::Live { .. }, Some(activity)) = (&caller, news) {
            inner.slide(token.tag, activity, self.ttl);
        }
        Some(caller)
    }

    /// The copy of a token's record, as [`Self::touch`] would use it. With `since` only if it was looked up
    /// since then.
    #[must_use]
    pub fn confirmed(
        &self,
        token: Proof,
        since: Option<Millis>,
        now: Millis,
        reliance: Reliance,
    ) -> Option<Record> {
        let mut inner = self.lock();
        let copied = self.relied_on(&mut inner, token, now, reliance)?;
        let is_new = since.is_none_or(|since| copied.in_sync_at.is_some_and(|at| at >= since));
        is_new.then(|| copied.record.clone())
    }

    /// The copy that a token may be judged by. One that is not fresh any more is noted as due.
    fn relied_on<'i>(
        &self,
        inner: &'i mut Inner,
        token: Proof,
        now: Millis,
        reliance: Reliance,
    ) -> Option<&'i Copied> {
        let Inner { copies, fetching, due, .. } = inner;
        let copied = copies.get(&token.tag)?;
        let Reliance::For(limit) = reliance else { return Some(copied) };
        let age = now - copied.in_sync_at?;
        if age >= limit || !copied.record.can_judge(&token.hash, now, self.ttl) {
            return None;
        }
        if age >= fresh_ms(token.tag) && !fetching.contains_key(&token.tag) && due.insert(token.tag) {
            self.dues.notify_one();
        }
        Some(copied)
    }

    /// Notified when sessions are due to be looked up; see [`Self::take_due`].
    #[must_use]
    pub fn dues(&self) -> Arc<Notify> {
        Arc::clone(&self.dues)
    }

    /// Takes the sessions that are due to be looked up: the token of each, and its latest activity.
    pub fn take_due(&self) -> Vec<(Proof, Millis)> {
        let mut inner = self.lock();
        let Inner { copies, due, .. } = &mut *inner;
        let held = due.drain().filter_map(|tag| copies.get(&tag));
        held.map(|Copied { record, .. }| {
            (Proof { tag: record.tag, hash: record.secret_hash }, record.last_activity)
        })
        .collect()
    }

    /// The copy of a record, in sync or not.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<Record> {
        self.lock().copies.get(&tag).map(|copied| copied.record.clone())
    }

    /// The activity of a session that Redis has, as far as is known here.
    #[must_use]
    pub fn told(&self, tag: Tag) -> Option<Millis> {
        self.lock().copies.get(&tag).map(|copied| copied.told)
    }

    /// Begins a look-up elsewhere.
    #[must_use]
    pub fn fetch(&self, tag: Tag) -> Fetch<'_> {
        self.lock().fetching.entry(tag).or_default().lookups += 1;
        Fetch { local: self, tag }
    }

    /// Ends a look-up; takes what it found, as in sync unless it was changed meanwhile.
    pub fn fetched(&self, fetch: Fetch<'_>, found: Option<Record>, now: Millis) {
        if let Some(record) = found {
            let mut inner = self.lock();
            let changed = inner.fetching.get(&fetch.tag).is_some_and(|fetching| fetching.changed);
            // A provisional record comes back from Redis as what it is.
            let held = inner.copies.get(&record.tag);
            let provisional = held.is_some_and(|held| held.provisional && !held.says_more_than(&record));
            inner.take(record, (!changed).then_some(now), provisional);
        }
        drop(fetch);
    }

    /// Takes a committed record, unless a later generation of it is here already.
    pub fn install(&self, record: Record, now: Millis) {
        self.lock().take(record, Some(now), false);
    }

    /// Takes the record of a session that this process has just begun, and that it writes to Redis next. Redis will
    /// report that change once, to this process too. That notice is of its own write: until the answer has gone out
    /// nobody else knows the tag.
    pub fn begin(&self, record: Record, now: Millis) {
        let mut inner = self.lock();
        let tag = record.tag;
        inner.take(record, Some(now), false);
        if let Some(copied) = inner.copies.get_mut(&tag) {
            copied.awaits_own_notice = true;
        }
    }

    /// Redis does not have the change, so it will report nothing.
    pub fn expect_no_own_notice(&self, tag: Tag) {
        if let Some(copied) = self.lock().copies.get_mut(&tag) {
            copied.awaits_own_notice = false;
        }
    }

    /// Takes a provisional record: its command is in the spool.
    pub fn install_provisional(&self, record: Record, now: Millis) {
        self.lock().take(record, Some(now), true);
    }

    /// Whether the copy has a provisional change that this record does not have: another secret, or the end. The
    /// command is still in the spool, behind the one that made the record. Generations do not tell: giving a session
    /// its visit counts one, and is never provisional.
    #[must_use]
    pub fn is_provisionally_ahead(&self, record: &Record) -> bool {
        self.lock()
            .copies
            .get(&record.tag)
            .is_some_and(|held| held.provisional && held.says_more_than(record))
    }

    /// Redis reports that this session was changed: unless it was by this process, the copy is out of sync.
    pub fn changed(&self, tag: Tag) {
        let mut inner = self.lock();
        if let Some(copied) = inner.copies.get_mut(&tag) {
            if std::mem::take(&mut copied.awaits_own_notice) {
                return;
            }
            copied.in_sync_at = None;
        }
        if let Some(fetching) = inner.fetching.get_mut(&tag) {
            fetching.changed = true;
        }
    }

    /// Changes are no longer reported: all copies are out of sync.
    pub fn lost_touch(&self) {
        let mut inner = self.lock();
        for copied in inner.copies.values_mut() {
            copied.in_sync_at = None;
            copied.awaits_own_notice = false;
        }
        for fetching in inner.fetching.values_mut() {
            fetching.changed = true;
        }
    }

    /// Drops a session that turned out not to exist.
    pub fn forget(&self, tag: Tag) {
        let mut inner = self.lock();
        inner.copies.remove(&tag);
        inner.slid.remove(&tag);
        inner.slid_without_visit.remove(&tag);
    }

    /// Whether it is a session with the long limits.
    #[must_use]
    pub fn is_remembered(&self, tag: Tag) -> bool {
        self.lock().copies.get(&tag).is_some_and(|copied| copied.record.remembered)
    }

    /// Drops sessions that no request can present any more. Unless the copies are to be complete, also those that were not
    /// used for the short idle limit. An erased session is kept for that long.
    pub fn forget_dead(&self, now: Millis, complete: bool) {
        let ttl = self.ttl;
        let mut inner = self.lock();
        inner.copies.retain(|_, Copied { record, .. }| match record.ended_at {
            Some(at) if record.is_erased() => now - at < ttl.idle_ms,
            Some(at) => now - at < GRACE_MS && !record.expired(at, ttl),
            None if record.expired(now, ttl) => false,
            None => complete || now - record.last_activity < ttl.idle_ms,
        });
        inner.copies.shrink_to(1_024);
    }

    /// How many sessions are held.
    pub fn len(&self) -> usize {
        self.lock().copies.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock; even then each record would be whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copied {
    /// Whether it has another secret than the record, or an end that the record does not have.
    fn says_more_than(&self, record: &Record) -> bool {
        self.record.secret_hash != record.secret_hash
            || (self.record.ended_at.is_some() && record.ended_at.is_none())
    }
}

impl Inner {
    fn take(&mut self, mut record: Record, in_sync_at: Option<Millis>, provisional: bool) {
        let told = record.last_activity;
        if let Some(held) = self.copies.get(&record.tag) {
            if held.record.generation > record.generation {
                return;
            }
            record.slide(held.record.last_activity);
        }
        self.copies
            .insert(record.tag, Copied { record, in_sync_at, told, provisional, awaits_own_notice: false });
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.dues.notify_one();
    }
}

/// What a token is worth by a record.
pub fn judge(record: &Record, token: Proof, now: Millis, ttl: Ttl) -> Caller {
    match record.standing(&token.hash, now, ttl) {
        Standing::Live => Caller::Live { token, visit_id: record.visit_id },
        Standing::Grace(after) => Caller::Grace { token, visit_id: record.visit_of(&token.hash), after },
        Standing::Erased => Caller::Erased,
        Standing::Dead => Caller::Nothing,
    }
}
