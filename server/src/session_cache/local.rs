//! The copies of live sessions in this process. Every hit asks them, which takes one lock.
//!
//! A copy is *in sync* while every change of the session elsewhere would have been reported here (see
//! [`Sessions`](crate::resolve::Sessions)). A copy that is out of sync is kept: it is the last resort while every
//! store is away, and it may hold activity that nothing else has yet.
//!
//! Invariant: a record is taken only after its commit in the database or in the spool, so a crash at any point loses
//! nothing but activity.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::contract::activity::{CachedActivity, Slides};
use crate::ledger::Known;
use crate::session::record::{GRACE_MS, Record, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::visit::Span;
use crate::session::{Activity, Caller, Millis, Ttl};

/// How long a copy is used without a look-up at most, in ms. Each session has its own time between half of this and all
/// of it, so that copies made together are not looked up again together. Then the session is looked up again, before
/// the answer or after it, which also tells Redis of its activity.
pub const FRESH_MS: Millis = 20_000;

/// The sessions and visits that had unwritten activity at some instant. Their [`Slides`] are taken piece by piece.
#[derive(Debug, Default)]
pub struct Slid {
    sessions: Vec<Tag>,
    visits: Vec<Uuid>,
}

impl Slid {
    /// How many sessions are to be taken, or visits if those are more.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len().max(self.visits.len())
    }

    /// Whether all of it has been taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.visits.is_empty()
    }
}

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

    /// Redis was not told: it will report nothing.
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

    /// The sessions and visits with activity that is not in the database yet.
    #[must_use]
    pub fn slid(&self) -> Slid {
        let inner = self.lock();
        Slid {
            sessions: inner.slid.iter().copied().collect(),
            visits: inner.slid_visits.keys().copied().collect(),
        }
    }

    /// Takes the activity of at most so many sessions, and at most so many visits besides theirs.
    pub fn take_slides(&self, slid: &mut Slid, most: usize) -> Slides {
        let mut inner = self.lock();
        let Inner { copies, slid: slid_sessions, slid_visits, slid_without_visit, .. } = &mut *inner;
        let mut sessions = Vec::with_capacity(most);
        let mut visits = Vec::with_capacity(most);
        for tag in last(&mut slid.sessions, most).filter(|tag| slid_sessions.remove(tag)) {
            let without_visit = slid_without_visit.remove(&tag);
            let Some(Copied { record, .. }) = copies.get(&tag) else { continue };
            sessions.push((tag, record.last_activity));
            let Some(visit_id) = record.visit_id else { continue };
            if let Some(span) = without_visit {
                merge(slid_visits, visit_id, span, self.ttl);
            }
            visits.extend(slid_visits.remove_entry(&visit_id));
        }
        let others = last(&mut slid.visits, most);
        visits.extend(others.filter_map(|visit_id| slid_visits.remove_entry(&visit_id)));
        Slides { sessions, visits }
    }

    /// Notes activity that Redis has and the database does not have yet.
    pub fn slid_elsewhere(&self, tag: Tag, activity: Activity) {
        self.lock().slide(tag, activity, self.ttl);
    }

    /// Takes back activity that could not be written.
    pub fn return_slides(&self, slides: &Slides) {
        let mut inner = self.lock();
        inner.slid.extend(slides.sessions.iter().map(|(tag, _)| *tag));
        for (visit_id, span) in &slides.visits {
            merge(&mut inner.slid_visits, *visit_id, *span, self.ttl);
        }
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

impl CachedActivity for Local {
    fn freshen(&self, known: &mut Known) {
        let inner = self.lock();
        known.freshen(
            |visit_id| inner.slid_visits.get(&visit_id).copied(),
            |tag| inner.copies.get(&tag).map(|copied| copied.record.last_activity),
            self.ttl,
        );
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
    /// Notes activity that is not in the database yet.
    fn slide(&mut self, tag: Tag, activity: Activity, ttl: Ttl) {
        let Some(Copied { record, .. }) = self.copies.get_mut(&tag) else { return };
        record.slide(activity.at());
        self.slid.insert(tag);
        let Activity::Visitor(at) = activity else { return };
        let begun = Span { first: at, last: at };
        let span = match record.visit_id {
            Some(visit_id) => self.slid_visits.entry(visit_id).or_insert(begun),
            None => self.slid_without_visit.entry(tag).or_insert(begun),
        };
        span.add(at, ttl);
    }

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

/// Adds activity from before what is known of the visit. If a pause lies between, it was another visit's.
fn merge(slid: &mut HashMap<Uuid, Span>, visit_id: Uuid, earlier: Span, ttl: Ttl) {
    let known = slid.entry(visit_id).or_insert(earlier);
    let mut whole = earlier;
    whole.add(known.first, ttl);
    whole.add(known.last, ttl);
    if whole.last >= known.last {
        *known = whole;
    }
}

fn last<T>(items: &mut Vec<T>, most: usize) -> std::vec::Drain<'_, T> {
    items.drain(items.len().saturating_sub(most)..)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::SignedIn;
    use crate::session::token::SessionToken;

    #[test]
    fn a_session_that_began_here_stays_in_sync_when_redis_tells_of_its_beginning_alone() {
        let local = Local::new(Ttl::default());
        let ann = SessionToken::issue().unwrap().proof();
        let in_sync = || local.touch(ann, None, 1, Reliance::For(1_000)).is_some();
        let begin = || local.begin(Record::open(ann, None, None, 1), 1);
        begin();
        local.changed(ann.tag);
        assert!(in_sync());
        local.changed(ann.tag);
        assert!(!in_sync(), "another server has changed it");
        begin();
        local.expect_no_own_notice(ann.tag);
        local.changed(ann.tag);
        assert!(!in_sync());
        begin();
        local.lost_touch();
        begin();
        local.lost_touch();
        local.fetched(local.fetch(ann.tag), Some(Record::open(ann, None, None, 1)), 1);
        local.changed(ann.tag);
        assert!(!in_sync(), "what an older connection was to tell never comes");
    }

    #[tokio::test]
    async fn a_copy_that_is_not_fresh_is_due_once_however_often_it_answers() {
        let local = Local::new(Ttl::default());
        let ann = SessionToken::issue().unwrap().proof();
        local.install(Record::open(ann, None, None, 1), 1);
        let ask = |now| local.touch(ann, Some(Activity::Backend(now)), now, Reliance::For(60_000)).is_some();
        let stale = 1 + fresh_ms(ann.tag);
        assert!(ask(stale - 1));
        assert_eq!(local.take_due(), []);
        assert!(ask(stale) && ask(stale + 1));
        local.dues().notified().await;
        assert_eq!(local.take_due(), [(ann, stale + 1)]);
        let fetch = local.fetch(ann.tag);
        assert!(ask(stale + 2));
        assert_eq!(local.take_due(), [], "it is being looked up");
        drop(fetch);
        assert!(ask(stale + 2));
        assert_eq!(local.take_due(), [(ann, stale + 2)], "nobody waited for the answer");
        local.fetched(local.fetch(ann.tag), local.get(ann.tag), stale + 2);
        assert!(ask(stale + 3));
        assert_eq!(local.take_due(), []);
        assert!(!ask(stale + 2 + 60_000), "the answer waits for a look-up");
        local.changed(ann.tag);
        assert!(!ask(stale + 3));
    }

    #[test]
    fn what_has_slid_is_taken_once_in_pieces_and_what_slides_meanwhile_waits_for_the_next_time() {
        let local = Local::new(Ttl::default());
        let slide = |visit_id| {
            let token = SessionToken::issue().unwrap().proof();
            local.install(Record::open(token, Some(visit_id), None, 1), 1);
            local.touch(token, Some(Activity::Visitor(5)), 5, Reliance::Always).unwrap();
            token
        };
        let (twice, at_5) = (Uuid::from_u128(7), Span { first: 5, last: 5 });
        let tokens = [slide(twice), slide(twice), slide(Uuid::from_u128(8)), slide(Uuid::from_u128(9))];
        let mut slid = local.slid();
        let late = slide(Uuid::from_u128(10));
        let (mut sessions, mut visits) = (Vec::new(), Vec::new());
        while !slid.is_empty() {
            let piece = local.take_slides(&mut slid, 3);
            assert!(piece.sessions.len() <= 3 && piece.visits.len() <= 6, "{piece:?}");
            let ids: HashSet<_> = piece.visits.iter().map(|(visit_id, _)| visit_id).collect();
            assert_eq!(ids.len(), piece.visits.len(), "a visit is once in a piece");
            sessions.extend(piece.sessions);
            visits.extend(piece.visits);
        }
        sessions.sort_unstable();
        let mut expected: Vec<_> = tokens.iter().map(|token| (token.tag, 5)).collect();
        expected.sort_unstable();
        assert_eq!(sessions, expected);
        assert!((7..10).all(|id| visits.contains(&(Uuid::from_u128(id), at_5))), "{visits:?}");
        let next = local.take_slides(&mut local.slid(), 3);
        assert_eq!(next, Slides { sessions: vec![(late.tag, 5)], visits: vec![(Uuid::from_u128(10), at_5)] });
        local.return_slides(&next);
        assert_eq!(local.take_slides(&mut local.slid(), 3), next);
    }

    #[test]
    fn activity_before_a_pause_hides_none_after_it() {
        let ttl = Ttl::default();
        let local = Local::new(ttl);
        let token = SessionToken::issue().unwrap().proof();
        let slide = |at| local.touch(token, Some(Activity::Visitor(at)), at, Reliance::Always).unwrap();
        let remembered = SignedIn { remember: true, ..SignedIn::from("ann") };
        let mut record = Record::open(token, None, Some(remembered), 1);
        local.install(record.clone(), 1);
        slide(5);
        // The visit of that activity is over when the session gets another one.
        let (visit, later) = (Uuid::from_u128(7), 5 + ttl.idle_ms);
        record.set_visit(Some(visit));
        local.install(record, later);
        slide(later);
        let taken = local.take_slides(&mut local.slid(), 3);
        assert_eq!(taken.visits, [(visit, Span { first: later, last: later })]);
    }
}
