//! The key that proves that a browser is the visitor: 256 random bits in a cookie that no script reads.
//!
//! Knowing a `visitor_id` gives no rights: scripts can read it, and reports contain it. Invariant: only the
//! hash of a key is stored, and no type here prints a key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use sha2::{Digest as _, Sha256};

use super::token::{SecretHash, decode};
use super::visit::VisitorId;

/// A key as the browser holds it.
#[derive(Clone)]
pub struct VisitorKey([u8; 32]);

/// The hash of a fresh key, which becomes the visitor's if the visitor has none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateKey {
    /// Whose key it may become.
    pub visitor: VisitorId,
    /// What is stored of it.
    pub hash: SecretHash,
}

impl VisitorKey {
    /// A fresh key.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn issue() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// Reads a cookie's value; `None` for anything that this server cannot have issued.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        decode(value).map(Self)
    }

    /// The value for the cookie. Nothing else may receive it.
    #[must_use]
    pub fn cookie_value(&self) -> String {
        BASE64URL.encode(self.0)
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::from_bytes(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for VisitorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_trip_through_a_cookie_and_is_never_printed() {
        let key = VisitorKey::issue().unwrap();
        let value = key.cookie_value();
        assert_eq!(value.len(), 43, "256 bits in base64url");
        assert_eq!(VisitorKey::parse(&value).unwrap().hash(), key.hash());
        assert_ne!(VisitorKey::issue().unwrap().hash(), key.hash());
        assert_eq!(format!("{key:?} {:?}", key.hash()), "VisitorKey(…) SecretHash(…)");
    }

    #[test]
    fn a_value_that_the_server_cannot_have_issued_is_none() {
        let value = VisitorKey::issue().unwrap().cookie_value();
        let long = "a".repeat(5_000);
        for wrong in
            ["", "a", &value[1..], &format!("{value}a"), &format!("{value}="), &"+".repeat(43), &long]
        {
            assert!(VisitorKey::parse(wrong).is_none(), "{wrong}");
        }
    }
}
