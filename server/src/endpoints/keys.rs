//! `Authorization: Bearer <api key>`, and who may read reports.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::http::request::Parts;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use visitflow_protocol::problem as kind;

use super::forbidden;
use crate::app::App;
use crate::endpoints::call::Call;
use crate::http::problem::Problem;
use crate::session::Millis;
use crate::store::events::accounts::Role;

const PREFIX: &str = "vf_";

/// What a valid API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// Read reports.
    pub read: bool,
    /// Send facts.
    pub write: bool,
    /// Erase visitors.
    pub erase: bool,
}

/// A new key: its id, and the text that is shown once.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn issue() -> Result<(String, String, [u8; 32]), getrandom::Error> {
    let (mut id, mut secret) = ([0; 12], [0; 32]);
    getrandom::fill(&mut id)?;
    getrandom::fill(&mut secret)?;
    let id = BASE64URL.encode(id);
    let text = format!("{PREFIX}{id}.{}", BASE64URL.encode(secret));
    let hash = Sha256::digest(text.as_bytes()).into();
    Ok((id, text, hash))
}

/// The holder of the key that a request carries; none without a key.
///
/// # Errors
/// 401 when there is a key and it is wrong or has expired.
pub async fn holder(app: &App, head: &Parts, now: Millis) -> Result<Option<KeyHolder>, Problem> {
    let Some(text) = head.headers.get(AUTHORIZATION).and_then(bearer) else { return Ok(None) };
    let text = &*text;
    let refused = || {
        not_authorized(
            "The API key is wrong or has expired; make one with `visitflow key add NAME` and send it as Authorization: Bearer <key>.",
        )
    };
    let id = text[PREFIX.len()..].split_once('.').ok_or_else(refused)?.0;
    let key = Box::pin(app.lookups.key(id)).await?.ok_or_else(refused)?;
    let right: bool = key.secret_hash.ct_eq(&Sha256::digest(text.as_bytes())).into();
    if !right || key.expires_at.is_some_and(|at| at <= now) {
        return Err(refused());
    }
    Ok(Some(KeyHolder { read: key.read, write: key.write, erase: key.erase }))
}

/// Lets pass who may read reports: a key with the scope `read`, or the session of an admin.
///
/// # Errors
/// 401 for nobody, 403 for somebody else.
pub async fn require_reader(call: &Call<'_>) -> Result<(), Problem> {
    if let Some(key) = call.key {
        return if key.read {
            Ok(())
        } else {
            Err(forbidden(
                "This API key has no scope `read`; make one with `visitflow key add NAME --scope read`.",
            ))
        };
    }
    let user_id = match call.token()? {
        Some(token) => call.app.lifecycle.sessions.user(token.proof(), call.now).await?,
        None => None,
    };
    let Some(user_id) = user_id else {
        return Err(not_authorized(
            "Reports need the session of an admin, or an API key; sign in, or send Authorization: Bearer <key>.",
        ));
    };
    match call.app.lookups.role(&user_id).await? {
        Some(Role::Admin) => Ok(()),
        _ => Err(forbidden("Reports are for admins; sign in as one (`visitflow user add NAME --admin`).")),
    }
}

/// The API key of the header. Other schemes, and tokens of another make, are somebody else's (a
/// proxy's with a password, say) and count as absent.
fn bearer(header: &HeaderValue) -> Option<Cow<'_, str>> {
    let at = header.as_bytes().iter().position(|byte| *byte == b' ')?;
    let (scheme, token) = header.as_bytes().split_at(at);
    let token = token.trim_ascii();
    let ours = scheme.eq_ignore_ascii_case(b"bearer") && token.starts_with(PREFIX.as_bytes());
    ours.then(|| String::from_utf8_lossy(token))
}

/// 403: the key may only read.
pub fn lacks_write() -> Problem {
    forbidden("This API key has no scope `write`; make one with `visitflow key add NAME --scope write`.")
}

fn not_authorized(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, kind::NOT_AUTHORIZED, detail)
}
