//! Sign-in by assertion: a JWT (RFC 7519) that the site's own identity provider has signed. Key,
//! token and time are arguments; nothing here uses the database, so it works while the database is away.
//!
//! Invariant: the key alone decides the algorithm. The token's header must agree with it.
//!
//! Invariant: an assertion never names a local user, and so never an admin: rights are looked up by
//! the ids of local users, which begin with [`LOCAL_PREFIX`], and no subject does.

mod key;
mod names;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Validation, decode};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use visitflow_protocol::limits::TEXT_CHARS;

use crate::config::Serve;
use crate::session::Millis;
use key::Key;
use names::Names;

/// How far the provider's clock may differ from this server's, in seconds.
const LEEWAY_S: f64 = 30.0;

/// What the ids of local users begin with.
pub const LOCAL_PREFIX: &str = "u_";

/// Checks assertions, with one key for one audience.
pub struct Assertions {
    key: Key,
    audience: String,
    max_age_s: f64,
    validation: Validation,
}

/// The error of an assertion, for the log. It repeats nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not three parts of base64url, or a header or claims that do not follow RFC 7519, or that have a name twice.
    #[error("the assertion is no JWT that this server can read")]
    Malformed,
    /// The header names another algorithm than the key's.
    #[error("the assertion's `alg` is not the one of --jwt-key")]
    Algorithm,
    /// The header demands an extension.
    #[error("the assertion's header has `crit` or `b64`, which this server does not understand")]
    Critical,
    /// Another key signed it, or it was changed.
    #[error("the assertion's signature does not match --jwt-key")]
    Signature,
    /// `exp`.
    #[error("the assertion's `exp` is missing, no number, or over")]
    Expired,
    /// `exp`, or `iat`.
    #[error(
        "the assertion is good for longer than --jwt-max-age, by its `exp` or `iat`; let the provider make it anew for each sign-in, or raise the limit"
    )]
    Lasting,
    /// `iat`.
    #[error("the assertion's `iat` is no number, or to come")]
    Issued,
    /// `nbf`.
    #[error("the assertion's `nbf` is no number, or to come")]
    Early,
    /// `aud`.
    #[error(
        "the assertion's `aud` is missing, neither a text nor a list of texts, or does not name the audience of --jwt-audience"
    )]
    Audience,
    /// `sub`.
    #[error("the assertion's `sub` is no text of 1 to 128 characters without NUL, or begins with u_")]
    Subject,
}

/// The claims that count. Each takes any form at first, so that the log can name the wrong one.
#[derive(Deserialize)]
struct Claims {
    exp: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<Value>,
    aud: Option<Value>,
    sub: Option<Value>,
}

/// A claim that is present, though it may be null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Assertions {
    /// As `--jwt-key`, `--jwt-audience` and `--jwt-max-age` say; none without a key.
    ///
    /// # Errors
    /// A sentence that names the file and says what to do.
    pub fn of(config: &Serve) -> Result<Option<Self>, String> {
        config
            .jwt_key
            .as_deref()
            .map(|path| Self::open(path, config.audience(), config.jwt_max_age))
            .transpose()
    }

    fn open(path: &Path, audience: &str, max_age: Duration) -> Result<Self, String> {
        let file = path.display();
        let bytes = std::fs::read(path).map_err(|error| {
            format!("--jwt-key {file}: {error}; name a file with the key, which this user may read")
        })?;
        Self::new(&bytes, audience, max_age).map_err(|error| format!("--jwt-key {file}: {error}"))
    }

    /// Checks assertions for `audience` with the key in a file. None may be valid for longer than `max_age`.
    ///
    /// # Errors
    /// A sentence that says what to do; it repeats nothing of the file.
    pub fn new(file: &[u8], audience: &str, max_age: Duration) -> Result<Self, String> {
        let key = Key::read(file)?;
        // The library reads the system's clock; here `now` is an argument, so the claims are judged
        // below.
        let mut validation = Validation::new(key.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Ok(Self { key, audience: audience.to_owned(), max_age_s: max_age.as_secs_f64(), validation })
    }

    /// The subject of an assertion: a user id as the identity provider wrote it.
    ///
    /// # Errors
    /// The first error. Claims are checked only after the signature.
    pub fn subject(&self, assertion: &str, now: Millis) -> Result<String, Flaw> {
        let token = decode::<Claims>(assertion, &self.key.key, &self.validation).map_err(flaw)?;
        let mut parts = assertion.split('.').map(names);
        let (Some(Some(header)), Some(Some(_))) = (parts.next(), parts.next()) else {
            return Err(Flaw::Malformed);
        };
        // RFC 7515 §4.1.11, RFC 7797; the library ignores them. They are refused whatever their value.
        if header.has("crit") || header.has("b64") {
            return Err(Flaw::Critical);
        }
        let Claims { exp, nbf, iat, aud, sub } = token.claims;
        let now_s = now as f64 / 1_000.0;
        let exp = exp.as_ref().and_then(Value::as_f64).ok_or(Flaw::Expired)?;
        if now_s >= exp + LEEWAY_S {
            return Err(Flaw::Expired);
        }
        if exp > now_s + self.max_age_s + LEEWAY_S {
            return Err(Flaw::Lasting);
        }
        if let Some(iat) = iat {
            let iat = iat.as_f64().filter(|iat| *iat <= now_s + LEEWAY_S).ok_or(Flaw::Issued)?;
            if iat < now_s - self.max_age_s - LEEWAY_S {
                return Err(Flaw::Lasting);
            }
        }
        if nbf.is_some_and(|nbf| nbf.as_f64().is_none_or(|nbf| now_s < nbf - LEEWAY_S)) {
            return Err(Flaw::Early);
        }
        if !aud.is_some_and(|aud| self.is_meant(&aud)) {
            return Err(Flaw::Audience);
        }
        match sub {
            Some(Value::String(sub)) if names_a_stranger(&sub) => Ok(sub),
            _ => Err(Flaw::Subject),
        }
    }

    /// Whether `aud`, a text or a list of texts (RFC 7519 §4.1.3), names this server's audience.
    fn is_meant(&self, aud: &Value) -> bool {
        match aud {
            Value::String(one) => *one == self.audience,
            Value::Array(several) => {
                several.iter().all(Value::is_string) && several.iter().any(|one| *one == *self.audience)
            }
            _ => false,
        }
    }
}

/// The names in a part of a token; none if it is not a JSON object in base64url, or if an object in it has a name twice.
fn names(part: &str) -> Option<Names> {
    serde_json::from_slice(&BASE64URL.decode(part).ok()?).ok()
}

/// The error of the library. Its own text is not used, because it may repeat parts of the token.
fn flaw(error: Error) -> Flaw {
    match error.kind() {
        ErrorKind::InvalidAlgorithm => Flaw::Algorithm,
        ErrorKind::InvalidSignature => Flaw::Signature,
        _ => Flaw::Malformed,
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertions").field("algorithm", &self.key.algorithm).finish_non_exhaustive()
    }
}

/// Whether this may be the id of a user of the site, who is not a local user: 1 to 128 characters without NUL that do not
/// begin with [`LOCAL_PREFIX`].
#[must_use]
pub fn names_a_stranger(sub: &str) -> bool {
    (1..=TEXT_CHARS).contains(&sub.chars().count()) && !sub.contains('\0') && !sub.starts_with(LOCAL_PREFIX)
}
