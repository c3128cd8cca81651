//! Live sessions, as every hit asks for them: a copy in this process, kept in step with whoever
//! else could change them.
//!
//! | module | holds |
//! |---|---|
//! | [`local`] | the copies in this process |
//!
//! The durable store owns every session. A hit is judged by the first that can tell: the copy here
//! if it is in step, else Redis if it is trusted, else the durable store, else (all away) the copy
//! as it is. A token that nobody can judge is [`Carrier::Unverified`], and the ledger judges it when
//! the durable store is back.
//!
//! A copy is in step for [`FRESH_MS`]; every change of a session within that time reaches it. With
//! SQLite all changes come from this process (and [`crate::ingest`] looks after those of the command
//! line). With Postgres, changes by other servers are read from it every second, and Redis tells of
//! them at once.

pub mod local;

pub use self::local::Slides;
use self::local::{Local, judge};
use crate::session::record::Record;
use crate::session::token::{Proof, Tag};
use crate::session::{Carrier, Millis, Ttl};
use crate::store::events::Lookup;
use crate::store::{Result, StoreError};

/// How long a copy is taken as it is, in ms. Then the session is looked up again, which also tells
/// others of its activity: so another server may take a session for idle this much too early.
pub const FRESH_MS: Millis = 20_000;

/// Live sessions.
#[derive(Debug)]
pub struct Sessions {
    ttl: Ttl,
    /// The copies in this process.
    pub local: Local,
    durable: Lookup,
}

impl Sessions {
    /// Sessions that `durable` owns.
    #[must_use]
    pub fn new(ttl: Ttl, durable: Lookup) -> Self {
        Self { ttl, local: Local::new(ttl), durable }
    }

    /// The limits they are judged by.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Judges a token at `now`; if it is live, notes activity `at`.
    pub async fn touch(&self, token: Option<Proof>, at: Option<Millis>, now: Millis) -> Carrier {
        let Some(token) = token else {
            return Carrier::Nothing;
        };
        if let Some(carrier) = self.local.touch(token, at, now, self.fresh_ms()) {
            return carrier;
        }
        match self.look_up(token, at, now).await {
            Ok(None) => Carrier::Nothing,
            // The copy has just been brought up to date, or is the best there is.
            Ok(Some(record)) => {
                self.local.touch(token, at, now, None).unwrap_or_else(|| judge(&record, token, now, self.ttl))
            }
            Err(_) => self.local.touch(token, at, now, None).unwrap_or(Carrier::Unverified(token)),
        }
    }

    /// The user signed in by a live token.
    ///
    /// # Errors
    /// When nobody can tell.
    pub async fn user(&self, token: Proof, now: Millis) -> Result<Option<String>> {
        match self.touch(Some(token), None, now).await {
            Carrier::Live { tag, .. } => Ok(self.local.get(tag).and_then(|record| record.user_id)),
            Carrier::Unverified(_) => Err(StoreError::Unavailable("no store can tell of the session")),
            _ => Ok(None),
        }
    }

    /// Whether an answer written now may send the token's cookie.
    pub async fn is_current(&self, token: Proof, now: Millis) -> bool {
        matches!(self.touch(Some(token), None, now).await, Carrier::Live { .. })
    }

    /// Takes records that were committed, and tells others of them.
    pub async fn publish(&self, records: &[Record], now: Millis) {
        for record in records {
            self.local.install(record.clone(), now);
        }
    }

    /// Takes records that another process has changed.
    pub fn follow(&self, records: Vec<Record>, now: Millis) {
        for record in records {
            self.local.install(record, now);
        }
    }

    /// Withdraws a session that was promised while the durable store was away, and that it did not
    /// come to be.
    pub async fn withdraw(&self, tag: Tag) {
        self.local.forget(tag);
    }

    /// The copies are complete where the process alone changes sessions.
    fn fresh_ms(&self) -> Option<Millis> {
        (!self.durable.is_complete()).then_some(FRESH_MS)
    }

    async fn look_up(&self, token: Proof, _at: Option<Millis>, now: Millis) -> Result<Option<Record>> {
        let fetch = self.local.fetch(token.tag);
        let found = self.durable.token(token.tag).await;
        self.local.fetched(fetch, found.as_ref().ok().cloned().flatten(), now);
        found
    }
}
