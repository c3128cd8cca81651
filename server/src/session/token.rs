//! The session token `s_<tag>.<secret>`.
//!
//! The tag names the record and is not a credential. The secret is: only its hash is stored, and only
//! the cookie has it. Invariant: no type here prints a secret, neither by `Debug` nor by `Display`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "s_";

/// Names a session's record: 128 random bits, shown as base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 16]);

impl Tag {
    /// Reads the 22 characters of base64url that [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        decode(text).map(Self)
    }

    /// Eight of its random bits, to spread something evenly over sessions.
    #[must_use]
    pub fn sample(self) -> u8 {
        self.0[0]
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL.encode(self.0))
    }
}

/// SHA-256 of a secret: the only form of it that is stored.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// What an erasure puts in place of the hash: no secret has this hash.
    pub const ERASED: Self = Self([0; 32]);

    /// The stored bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes stored bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// What commands hold of a token: enough to find the record and to judge or replace its secret, but nothing
/// that could be presented as a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Names the record.
    pub tag: Tag,
    /// Hash of the secret.
    pub hash: SecretHash,
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a tag"))
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Self).ok_or_else(|| de::Error::custom("not a hash"))
    }
}

/// A token as the browser holds it.
#[derive(Clone)]
pub struct SessionToken {
    tag: Tag,
    secret: [u8; 32],
}

impl SessionToken {
    /// A fresh token under a fresh tag, both from the operating system's randomness.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn issue() -> Result<Self, getrandom::Error> {
        let mut tag = [0; 16];
        getrandom::fill(&mut tag)?;
        Self::rotate(Tag(tag))
    }

    /// A fresh secret under a tag that exists.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn rotate(tag: Tag) -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self { tag, secret })
    }

    /// Reads a cookie's value; `None` for anything that this server cannot have issued.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (tag, secret) = value.strip_prefix(PREFIX)?.split_once('.')?;
        Some(Self { tag: Tag::parse(tag)?, secret: decode(secret)? })
    }

    /// The value for the cookie. Nothing else may receive it.
    #[must_use]
    pub fn cookie_value(&self) -> String {
        let mut value = String::with_capacity(PREFIX.len() + 22 + 1 + 43);
        value.push_str(PREFIX);
        BASE64URL.encode_string(self.tag.0, &mut value);
        value.push('.');
        BASE64URL.encode_string(self.secret, &mut value);
        value
    }

    /// The name of the record.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// What the record keeps of the secret.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.secret).into())
    }

    /// The form in which commands hold it.
    #[must_use]
    pub fn proof(&self) -> Proof {
        Proof { tag: self.tag, hash: self.hash() }
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionToken({PREFIX}{}.…)", self.tag)
    }
}

pub(super) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The length is checked first: a cookie of 5 KB costs nothing.
    (text.len() == (N * 4).div_ceil(3)).then(|| BASE64URL.decode(text).ok()?.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_token_survives_its_trip_through_a_cookie() {
        let token = SessionToken::issue().unwrap();
        let value = token.cookie_value();
        assert_eq!(value.len(), 2 + 22 + 1 + 43);
        let back = SessionToken::parse(&value).unwrap();
        assert_eq!((back.tag(), back.hash()), (token.tag(), token.hash()));
    }

    #[test]
    fn what_the_server_cannot_have_issued_is_no_token() {
        let good = SessionToken::issue().unwrap().cookie_value();
        let long = format!("s_{}", "A".repeat(5_000));
        for bad in [
            "",
            "s_",
            "s_.",
            "x",
            &good[1..],
            &good[..good.len() - 1],
            &good.replace('.', ""),
            &good.replace('.', "é"),
            &long,
        ] {
            assert!(SessionToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let token = SessionToken::issue().unwrap();
        let secret = token.cookie_value().split_once('.').unwrap().1.to_owned();
        assert!(!format!("{token:?} {:?}", token.hash()).contains(&secret));
    }

    #[test]
    fn a_million_tokens_show_no_duplicate_and_no_biased_bit() {
        const TOKENS: usize = 1_000_000;
        let mut ones = [0_usize; 256];
        let mut seen = HashSet::with_capacity(TOKENS);
        for _ in 0..TOKENS {
            let token = SessionToken::issue().unwrap();
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += usize::from(token.secret[bit / 8] >> (bit % 8) & 1);
            }
            assert!(seen.insert(token.secret));
        }
        // Standard deviation of a fair bit over a million draws: 500. Six of them, for 256 bits.
        for count in ones {
            assert!(count.abs_diff(TOKENS / 2) < 3_000, "{count}");
        }
    }
}
