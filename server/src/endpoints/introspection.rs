//! `GET /api/session`, `POST /api/session/introspect`, `GET /api/session/verify`: whose session it is.
//!
//! The answer of all three was right on every server within the last second. If that cannot be found out it is 503,
//! never 401.

use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use visitflow_protocol::problem as kind;

use super::set_cookie;
use crate::authorization::require_key;
use crate::call::Call;
use crate::clock;
use crate::contract::visit_owner::VisitOwner;
use crate::database::error::StoreError;
use crate::http::body;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::lifecycle::{Cookie, Refusal};
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::SessionToken;

const USER: HeaderName = HeaderName::from_static("x-visitflow-user");
const SESSION: HeaderName = HeaderName::from_static("x-visitflow-session");
const VISITOR: HeaderName = HeaderName::from_static("x-visitflow-visitor");

/// What is percent-encoded in a header: everything but visible ASCII, and the percent sign itself.
const NOT_IN_HEADERS: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// The session of the asking page.
#[derive(Serialize)]
struct Own {
    user_id: Option<String>,
    /// The tag: names the session and gives no access.
    session: String,
    signed_in_at: Option<String>,
    created_at: String,
    last_activity: String,
    /// Seconds until the session expires if nothing happens.
    expires_in: Millis,
    visitor_id: Option<String>,
    site: Option<String>,
}

/// The session of the asking browser, by its cookie. Changes nothing.
pub async fn own(call: Call<'_>) -> Result<Reply, Problem> {
    let Some(Known { record, .. }) = known(&call, call.token()?, false).await? else {
        return Err(Problem::no_session());
    };
    let owner = visit_owner(&call, &record).await.ok().flatten();
    let expires_at = record.expires_at(call.app.lifecycle.sessions.ttl());
    Ok(reply::json(&Own {
        session: record.tag.to_string(),
        signed_in_at: record.signed_in_at.map(clock::rfc3339),
        created_at: clock::rfc3339(record.created_at),
        last_activity: clock::rfc3339(record.last_activity),
        expires_in: (expires_at - call.now) / 1_000,
        visitor_id: visitor_id(owner.as_ref()),
        site: owner.map(|owner| owner.site),
        user_id: record.user_id,
    }))
}

/// The body of an introspection: JSON, or the form of RFC 7662 §2.1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    token: Option<String>,
    touch: Option<bool>,
}

/// The answer of RFC 7662 §2.2. What is not known is left out.
#[derive(Serialize)]
struct Introspected {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    sid: String,
    /// Seconds since the Unix epoch, as in a JWT.
    iat: Millis,
    exp: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    generation: u64,
}

#[derive(Serialize)]
struct Inactive {
    active: bool,
}

/// Whose session a token is, for a backend with an API key. A key for one site sees only sessions of that site.
pub async fn introspect(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_key(&call)?;
    let asked = asked(&mut call).await?;
    let text = asked
        .token
        .ok_or_else(|| Problem::field("`token` is missing; send the value of the cookie session_id."))?;
    let inactive = || Ok(reply::json(&Inactive { active: false }));
    let token = SessionToken::parse(&text);
    // Checked first, so that a key does not keep a session alive that it does not see.
    if let Some(token) = &token
        && !in_reach(&call, token).await?
    {
        return inactive();
    }
    let Some(Known { record, cookie }) = known(&call, token, asked.touch.unwrap_or(true)).await? else {
        return inactive();
    };
    let owner = visit_owner(&call, &record).await.ok().flatten();
    let mut answer = reply::json(&Introspected {
        active: true,
        sid: record.tag.to_string(),
        iat: record.created_at / 1_000,
        exp: record.expires_at(call.app.lifecycle.sessions.ttl()) / 1_000,
        visitor_id: visitor_id(owner.as_ref()),
        site: owner.map(|owner| owner.site),
        generation: record.generation,
        sub: record.user_id,
    });
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// Whether the browser has a live session, for a proxy that asks before it passes a request on.
pub async fn verify(call: Call<'_>) -> Result<Reply, Problem> {
    let users_only = users_only(call.head.uri.query().unwrap_or_default())?;
    let known = known(&call, call.token()?, true).await?;
    let Some(Known { record, cookie }) = known else { return Err(Problem::no_session()) };
    if users_only && record.user_id.is_none() {
        return Err(Problem::not_signed_in());
    }
    let owner = visit_owner(&call, &record).await.ok().flatten();
    let mut answer = reply::no_content();
    let said = [
        (USER, record.user_id.unwrap_or_default()),
        (SESSION, record.tag.to_string()),
        (VISITOR, visitor_id(owner.as_ref()).unwrap_or_default()),
    ];
    for (name, text) in said {
        answer.headers_mut().insert(name, header_value(&text)?);
    }
    reply::set(&mut answer, header::CACHE_CONTROL, "no-store");
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// A live session, and what its browser is to do with the cookie.
pub(super) struct Known {
    pub(super) record: Record,
    cookie: Cookie,
}

pub(super) async fn known(
    call: &Call<'_>,
    token: Option<SessionToken>,
    slides: bool,
) -> Result<Option<Known>, Problem> {
    let Some(token) = token else { return Ok(None) };
    // The request may have waited for long: the session is judged now.
    let known = Box::pin(call.app.lifecycle.identify(token, slides, clock::now())).await;
    let known = known.map_err(|refusal| match refusal {
        Refusal::Store(error) => unreachable(&error),
        other => other.into(),
    })?;
    Ok(known.map(|(record, cookie)| Known { record, cookie }))
}

async fn visit_owner(call: &Call<'_>, record: &Record) -> Result<Option<VisitOwner>, StoreError> {
    match record.visit_id {
        Some(visit_id) => call.app.lifecycle.sessions.visit_owner(visit_id, call.now).await,
        None => Ok(None),
    }
}

/// Whether a key for one site sees the session: its visit is of that site.
async fn sees(call: &Call<'_>, record: &Record) -> Result<bool, Problem> {
    let Some(site) = call.key.as_ref().and_then(|key| key.site.as_ref()) else { return Ok(true) };
    match visit_owner(call, record).await {
        Ok(Some(owner)) => Ok(owner.site == *site),
        Ok(None) if record.visit_id.is_none() => Ok(false),
        Ok(None) => Err(unreachable(&StoreError::Unavailable("the visit is not stored yet"))),
        Err(error) => Err(unreachable(&error)),
    }
}

/// Whether a token is of a session that the key of this call sees.
pub(super) async fn in_reach(call: &Call<'_>, token: &SessionToken) -> Result<bool, Problem> {
    if call.key.as_ref().is_none_or(|key| key.site.is_none()) {
        return Ok(true);
    }
    match known(call, Some(token.clone()), false).await? {
        Some(Known { record, .. }) => sees(call, &record).await,
        None => Ok(false),
    }
}

fn visitor_id(owner: Option<&VisitOwner>) -> Option<String> {
    owner.and_then(|owner| owner.visitor_id).map(|visitor_id| visitor_id.to_string())
}

async fn asked(call: &mut Call<'_>) -> Result<Asked, Problem> {
    match body::media_type(&call.head.headers).as_deref() {
        Some(b"application/json") => call.json().await,
        Some(b"application/x-www-form-urlencoded") => form(&call.body().await?),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            kind::UNSUPPORTED_MEDIA_TYPE,
            "Send Content-Type: application/json, or the form of RFC 7662 as application/x-www-form-urlencoded.",
        )),
    }
}

fn form(body: &[u8]) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "token" if asked.token.is_some() => {
                return Err(Problem::field("`token` is given twice; send one token per request."));
            }
            "token" => asked.token = Some(value.into_owned()),
            "touch" => {
                let touch = value.parse().map_err(|_| Problem::field("`touch` must be true or false."))?;
                asked.touch = Some(touch);
            }
            _ => {} // such as token_type_hint
        }
    }
    Ok(asked)
}

/// The parameters of the query. Unknown ones are refused, so that a proxy with a misspelt query lets nobody pass.
fn users_only(query: &str) -> Result<bool, Problem> {
    let mut users_only = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if (&*name, &*value) != ("require", "user") {
            return Err(Problem::query("The query must be empty or `require=user`."));
        }
        users_only = true;
    }
    Ok(users_only)
}

fn header_value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(utf8_percent_encode(text, NOT_IN_HEADERS).to_string())
        .map_err(|error| Problem::internal(error.to_string()))
}

/// 503: it is not known whether anybody is signed in.
fn unreachable(error: &StoreError) -> Problem {
    let detail = "No reachable store knows whose session this is. Treat it as unknown, not as signed out, and ask again after Retry-After.";
    Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_any_user_as_visible_ascii() {
        let written = |text: &str| header_value(text).unwrap().to_str().unwrap().to_owned();
        assert_eq!(written(""), "");
        assert_eq!(written("u_018f3a5e"), "u_018f3a5e");
        assert_eq!(written("ada@example.org"), "ada@example.org");
        assert_eq!(written("Ada L\u{f6}we, 100%"), "Ada%20L%C3%B6we,%20100%25");
        assert_eq!(written("a\r\nX-Visitflow-User: root\0"), "a%0D%0AX-Visitflow-User:%20root%00");
    }

    #[test]
    fn a_query_that_is_misspelt_is_refused() {
        assert!(!users_only("").unwrap());
        assert!(users_only("require=user").unwrap());
        for wrong in ["require=users", "require", "require=", "Require=user", "require=user&x=1", "user"] {
            assert_eq!(users_only(wrong).unwrap_err().status, StatusCode::BAD_REQUEST, "{wrong}");
        }
    }

    #[test]
    fn a_form_of_rfc_7662_is_read() {
        let read = form(b"token=s_a.b&token_type_hint=access_token&touch=false").unwrap();
        assert_eq!((read.token.as_deref(), read.touch), (Some("s_a.b"), Some(false)));
        assert!(form(b"").unwrap().token.is_none());
        assert!(form(b"token=a&token=b").is_err());
        assert!(form(b"token=a&touch=maybe").is_err());
    }
}
