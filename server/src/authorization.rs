//! `Authorization: Bearer <api key>`: what the key may do. And who may read reports.

use std::borrow::Cow;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::http::request::Parts;
use visitflow_protocol::problem as kind;

use crate::app::App;
use crate::call::Call;
use crate::contract::accounts::{ApiKey, Role, Scope};
use crate::http::problem::Problem;
use crate::keys::PREFIX;
use crate::session::Millis;

/// The API key of a request; none without one.
///
/// # Errors
/// 401 when there is a key and it is wrong, was revoked, or has expired.
pub async fn holder(app: &App, head: &Parts, now: Millis) -> Result<Option<Arc<ApiKey>>, Problem> {
    let Some(text) = head.headers.get(AUTHORIZATION).and_then(bearer) else { return Ok(None) };
    let away = app.lifecycle.sessions.database_is_away();
    let key = app.keys.holder(&text, now, away).await.map_err(|error| {
        let detail = "The database is away, and this server has not seen this API key before, so it cannot check the key. Nothing was done; send the request again after Retry-After.";
        Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
    })?;
    key.map(Some).ok_or_else(|| {
        not_authorized(
            "The API key is wrong, was revoked, or has expired; make one with `visitflow key add NAME` and send it as Authorization: Bearer <key>.",
        )
    })
}

/// Requires that a key has a scope.
///
/// # Errors
/// 403 that names the scope.
pub fn require_scope(key: &ApiKey, scope: Scope) -> Result<(), Problem> {
    if key.may(scope) {
        return Ok(());
    }
    Err(Problem::forbidden(match scope {
        Scope::Read => {
            "This API key does not have the scope `read`; make one that has it: `visitflow key add NAME --scope read`."
        }
        Scope::Write => {
            "This API key does not have the scope `write`; make one that has it: `visitflow key add NAME --scope write`."
        }
        Scope::Erase => {
            "This API key does not have the scope `erase`; make one that has it: `visitflow key add NAME --scope erase`."
        }
        Scope::Session => {
            "This API key does not have the scope `session`; make one that has it: `visitflow key add NAME --scope session`."
        }
    }))
}

/// The key of a call that needs a key; its scope was checked before.
///
/// # Errors
/// 401 without a key.
pub fn require_key<'c>(call: &'c Call<'_>) -> Result<&'c ApiKey, Problem> {
    call.key.as_deref().ok_or_else(|| {
        not_authorized(
            "This request needs an API key; make one with `visitflow key add NAME --scope session` and send it as Authorization: Bearer <key>.",
        )
    })
}

/// Requires a key (whose scope was checked before) or the session of an admin, for reports.
///
/// # Errors
/// 401 without a session, 403 for a user who is not an admin.
pub async fn require_reader(call: &Call<'_>) -> Result<(), Problem> {
    if call.key.is_some() {
        return Ok(());
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
        _ => Err(Problem::forbidden(
            "Reports are for admins; sign in as one (`visitflow user add NAME --admin`).",
        )),
    }
}

/// The API key of the header. Other schemes and other tokens count as absent: a proxy with a password uses the same
/// header.
fn bearer(header: &HeaderValue) -> Option<Cow<'_, str>> {
    let at = header.as_bytes().iter().position(|byte| *byte == b' ')?;
    let (scheme, token) = header.as_bytes().split_at(at);
    let token = token.trim_ascii();
    let ours = scheme.eq_ignore_ascii_case(b"bearer") && token.starts_with(PREFIX.as_bytes());
    ours.then(|| String::from_utf8_lossy(token))
}

fn not_authorized(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, kind::NOT_AUTHORIZED, detail)
}
