//! API keys `vf_<id>.<secret>`: making and checking them.
//!
//! Keys are cached as the database has them, with the hash of the secret. So a request needs no query for its key, and
//! keys work while the database is away. A revoked key stops working within [`TRUE_MS`].

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::clock;
use crate::contract::accounts::ApiKey;
use crate::database::accounts::Accounts;
use crate::database::error::Result;
use crate::resolve::TRUE_MS;
use crate::session::Millis;

/// How every key begins.
pub const PREFIX: &str = "vf_";

/// How many keys are cached.
const CACHED: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// A key is looked up again after so many ms, by one of the requests with this key.
const ASK_AFTER_MS: Millis = TRUE_MS / 2;

/// A new key: its id, and the text that is shown once.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn issue() -> std::result::Result<(String, String, [u8; 32]), getrandom::Error> {
    let (mut id, mut secret) = ([0; 12], [0; 32]);
    getrandom::fill(&mut id)?;
    getrandom::fill(&mut secret)?;
    let id = BASE64URL.encode(id);
    let text = format!("{PREFIX}{id}.{}", BASE64URL.encode(secret));
    let hash = hash(&text);
    Ok((id, text, hash))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The API keys.
#[derive(Debug)]
pub struct Keys {
    accounts: Accounts,
    seen: Mutex<LruCache<String, Seen>>,
}

#[derive(Clone, Debug)]
struct Seen {
    key: Arc<ApiKey>,
    at: Millis,
    /// Whether a request is looking it up again.
    asked: bool,
}

impl Keys {
    /// Those of the database.
    #[must_use]
    pub fn new(accounts: Accounts) -> Self {
        Self { accounts, seen: Mutex::new(LruCache::new(CACHED)) }
    }

    /// The key with this text; none if it is wrong, revoked, or has expired. While the database is `away` a key that was
    /// seen before stays as it was.
    ///
    /// # Errors
    /// When the database is away, and the key has not been seen before.
    pub async fn holder(&self, text: &str, now: Millis, away: bool) -> Result<Option<Arc<ApiKey>>> {
        let Some((id, _)) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')) else {
            return Ok(None);
        };
        let key = match self.remembered(id, now, away) {
            Some(key) => Some(key),
            None => Box::pin(self.look_up(id)).await?,
        };
        Ok(key.filter(|key| {
            let right: bool = key.secret_hash.ct_eq(&hash(text)).into();
            right && key.expires_at.is_none_or(|at| now < at)
        }))
    }

    /// The key as it was within [`TRUE_MS`], unless this caller is to look it up again.
    fn remembered(&self, id: &str, now: Millis, away: bool) -> Option<Arc<ApiKey>> {
        let mut keys = self.lock();
        let seen = keys.get_mut(id)?;
        if away {
            return Some(Arc::clone(&seen.key));
        }
        let age = now.saturating_sub(seen.at);
        let is_due = age >= ASK_AFTER_MS && !std::mem::replace(&mut seen.asked, age >= ASK_AFTER_MS);
        ((0..TRUE_MS).contains(&age) && !is_due).then(|| Arc::clone(&seen.key))
    }

    async fn look_up(&self, id: &str) -> Result<Option<Arc<ApiKey>>> {
        let asked_at = clock::now();
        let found = self.accounts.key(id).await;
        // After a failure the key is looked up again a while later.
        let at = if found.is_ok() { asked_at } else { clock::now() };
        let mut keys = self.lock();
        let key = match found {
            Ok(found) => found.map(Arc::new),
            // The cached key counts until the database answers.
            Err(error) => Some(Arc::clone(&keys.get(id).ok_or(error)?.key)),
        };
        match &key {
            Some(key) => keys.put(id.to_owned(), Seen { key: Arc::clone(key), at, asked: false }),
            None => keys.pop(id),
        };
        Ok(key)
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<String, Seen>> {
        // No code panics while it holds the lock; even then each key would be whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
