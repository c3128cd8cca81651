//! Passwords: Argon2id on a bounded pool, so that sign-ins cannot starve page views.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use tokio::sync::Semaphore;

use crate::store::{Result, StoreError};

/// Longest name of a user, in bytes.
pub const NAME_BYTES: usize = 256;

/// Longest password, in bytes.
pub const PASSWORD_BYTES: usize = 1_024;

/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks passwords, a few at a time.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash that an unknown user's password is checked against: it costs the same time.
    decoy: String,
}

impl Passwords {
    /// A pool for this machine: half of its cores, at least one.
    ///
    /// # Errors
    /// When the decoy cannot be hashed.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { turns: Arc::new(Semaphore::new((cores / 2).max(1))), decoy: hash("decoy")? })
    }

    /// Whether the password is that of `hash`; with no hash, `false` in the same time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when too many sign-ins wait.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| StoreError::Unavailable("too many sign-ins wait"))?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        let matches = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await.unwrap_or(false) && known)
    }
}

/// Hashes a password with Argon2id and a fresh salt (19 MiB, 2 passes: the crate's defaults, which
/// follow the OWASP password storage cheat sheet). Blocks.
///
/// # Errors
/// When the hash cannot be made.
pub fn hash(password: &str) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| StoreError::Unavailable("the password cannot be hashed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let passwords = Passwords::new().unwrap();
        let hash = hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("wrong".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("decoy".into(), None).await.unwrap());
    }
}
