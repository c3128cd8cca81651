//! Sessions in the process.
//!
//! Invariant: a record enters only after its commit in the durable store ([`Embedded::install`]),
//! so that a crash at any point leaves what the durable store says. What slides here is written
//! there with the next commit, a second later at most.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::session::record::{CROSSING_MS, Record, Standing};
use crate::session::token::{SessionToken, Tag};
use crate::session::{Carrier, Millis, Ttl};

/// A session's activity that the durable store does not know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// The session.
    pub tag: Tag,
    /// Its visit.
    pub visit_id: Option<Uuid>,
    /// The activity.
    pub at: Millis,
}

/// The live sessions of this process.
#[derive(Debug)]
pub struct Embedded {
    ttl: Ttl,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    records: HashMap<Tag, Record>,
    slid: HashSet<Tag>,
}

impl Embedded {
    /// An empty store.
    #[must_use]
    pub fn new(ttl: Ttl) -> Self {
        Self { ttl, inner: Mutex::default() }
    }

    /// The limits it judges by.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Judges a token at `now`; if it is live, notes activity `at` in the same step.
    pub fn touch(&self, token: Option<&SessionToken>, at: Option<Millis>, now: Millis) -> Carrier {
        let Some(token) = token else {
            return Carrier::Nothing;
        };
        let hash = token.hash();
        let mut inner = self.lock();
        let Inner { records, slid } = &mut *inner;
        let Some(record) = records.get_mut(&token.tag()) else {
            return Carrier::Nothing;
        };
        let visit_id = record.visit_id;
        match record.standing(&hash, now, self.ttl) {
            Standing::Live => {
                if let Some(at) = at.filter(|at| *at > record.last_activity) {
                    record.slide(at);
                    slid.insert(record.tag);
                }
                Carrier::Live { tag: record.tag, visit_id }
            }
            Standing::Crossing(crossed) => Carrier::Crossing { visit_id, crossed },
            Standing::Dead => Carrier::Nothing,
        }
    }

    /// The user signed in by a live token.
    pub fn user(&self, token: &SessionToken, now: Millis) -> Option<String> {
        let inner = self.lock();
        let record = inner.records.get(&token.tag())?;
        (record.standing(&token.hash(), now, self.ttl) == Standing::Live).then(|| record.user_id.clone())?
    }

    /// Whether an answer written now may send the token's cookie.
    pub fn is_current(&self, token: &SessionToken, now: Millis) -> bool {
        let inner = self.lock();
        inner
            .records
            .get(&token.tag())
            .is_some_and(|record| record.standing(&token.hash(), now, self.ttl) == Standing::Live)
    }

    /// Takes a committed record, unless a later generation of it is here already.
    pub fn install(&self, mut record: Record) {
        let mut inner = self.lock();
        if let Some(held) = inner.records.get(&record.tag) {
            if held.generation > record.generation {
                return;
            }
            record.slide(held.last_activity);
        }
        inner.records.insert(record.tag, record);
    }

    /// Takes the activity that the durable store does not know yet.
    pub fn take_slides(&self) -> Vec<Slide> {
        let mut inner = self.lock();
        let Inner { records, slid } = &mut *inner;
        slid.drain()
            .filter_map(|tag| records.get(&tag))
            .map(|record| Slide { tag: record.tag, visit_id: record.visit_id, at: record.last_activity })
            .collect()
    }

    /// Gives back what a failed commit did not write.
    pub fn return_slides(&self, slides: &[Slide]) {
        self.lock().slid.extend(slides.iter().map(|slide| slide.tag));
    }

    /// Forgets sessions that nothing can refer to any more.
    pub fn forget_dead(&self, now: Millis) {
        let ttl = self.ttl;
        self.lock().records.retain(|_, record| match record.ended_at {
            Some(at) => now - at < CROSSING_MS && !record.expired(at, ttl),
            None => !record.expired(now, ttl),
        });
    }

    /// How many sessions are held.
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock; if one ever did, each record is whole still.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
