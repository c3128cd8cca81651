//! Whose visits are: site and visitor, for those who ask about sessions. Remembered in this process.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use uuid::Uuid;

use crate::contract::whose::Whose;
use crate::database::error::Result;
use crate::database::store::Lookup;
use crate::session::Millis;

/// Visits that are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// A visit is looked up again after so many ms, until it is settled.
const UNSETTLED_MS: Millis = 1_000;

/// The visits that were asked about.
#[derive(Debug)]
pub(super) struct Visits {
    lookup: Lookup,
    seen: Mutex<LruCache<Uuid, (Whose, Millis)>>,
}

impl Visits {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup, seen: Mutex::new(LruCache::new(REMEMBERED)) }
    }

    /// Whose a visit is; none where it is not stored (yet). While the store is away, what was known of
    /// it last.
    pub(super) async fn whose(&self, visit_id: Uuid, now: Millis) -> Result<Option<Whose>> {
        let known = self.lock().get(&visit_id).cloned();
        if let Some((whose, at)) = &known
            && (whose.settled || (0..UNSETTLED_MS).contains(&(now - at)))
        {
            return Ok(Some(whose.clone()));
        }
        match self.lookup.whose(visit_id).await {
            Ok(Some(whose)) => {
                self.lock().put(visit_id, (whose.clone(), now));
                Ok(Some(whose))
            }
            Ok(None) => Ok(None),
            Err(error) => known.map(|(whose, _)| Some(whose)).ok_or(error),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Uuid, (Whose, Millis)>> {
        // No code panics while it holds the lock.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
