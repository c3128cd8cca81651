//! The sites and visitors of visits, for questions about sessions. Cached in this process.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use uuid::Uuid;

use crate::contract::visit_owner::VisitOwner;
use crate::database::error::Result;
use crate::database::store::Lookup;
use crate::session::Millis;

/// Visits that are cached.
const CACHED: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// A visit is looked up again after so many ms, until it is settled.
const UNSETTLED_MS: Millis = 1_000;

/// The visits that were asked about.
#[derive(Debug)]
pub(super) struct VisitOwners {
    lookup: Lookup,
    seen: Mutex<LruCache<Uuid, (VisitOwner, Millis)>>,
}

impl VisitOwners {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup, seen: Mutex::new(LruCache::new(CACHED)) }
    }

    /// The site and the visitor of a visit; none if it is not stored (yet). While the database is away, as they were
    /// known last.
    pub(super) async fn visit_owner(&self, visit_id: Uuid, now: Millis) -> Result<Option<VisitOwner>> {
        let known = self.lock().get(&visit_id).cloned();
        if let Some((owner, at)) = &known
            && (owner.settled || (0..UNSETTLED_MS).contains(&(now - at)))
        {
            return Ok(Some(owner.clone()));
        }
        match self.lookup.visit_owner(visit_id).await {
            Ok(Some(owner)) => {
                self.lock().put(visit_id, (owner.clone(), now));
                Ok(Some(owner))
            }
            Ok(None) => Ok(None),
            Err(error) => known.map(|(owner, _)| Some(owner)).ok_or(error),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Uuid, (VisitOwner, Millis)>> {
        // No code panics while it holds the lock.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
