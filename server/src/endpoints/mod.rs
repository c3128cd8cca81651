//! The endpoints, one file for each family: parse, act, reply.

pub mod auth;
pub mod binding;
pub mod health;
pub mod introspection;
pub mod metrics;
pub mod openapi;
pub mod privacy;
pub mod session;
pub mod sessions;
pub mod telemetry;
pub mod wire;

use hyper::header;

use crate::address::Page;
use crate::call::Call;
use crate::http::cookie_names::Ours;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::lifecycle::{Cookie, Cookies, Hit, Refusal};
use crate::observe::Drop;
use crate::passwords::HashError;
use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;
use crate::throttle::TooMany;

/// The visitor that a request names: in its body, or in its cookie.
fn visitor(call: &Call<'_>, named: Option<&str>) -> Result<Option<VisitorId>, Problem> {
    match named {
        Some(text) => visitor_id(text).map(Some),
        None if call.key.is_some() => Ok(None),
        None => Ok(call.app.cookies.visitor(&call.head.headers)),
    }
}

/// A `visitor_id` of a body.
fn visitor_id(text: &str) -> Result<VisitorId, Problem> {
    text.parse().map_err(|()| Problem::field(NO_VISITOR_ID))
}

const NO_VISITOR_ID: &str =
    "`visitor_id` must be v_ followed by a UUID, such as v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80.";

/// The site that a request names: in its body, by its page's address, or by its origin.
fn site(call: &Call<'_>, named: Option<&str>, page: Option<&Page>) -> Result<Option<String>, Problem> {
    if let Some(name) = named {
        return crate::site::normalize(name)
            .map(Some)
            .ok_or_else(|| Problem::field("`site` must be a host name, such as shop.example."));
    }
    let origin = || call.header("origin").and_then(|origin| crate::site::of_url(&origin));
    Ok(page.map(|page| page.site.clone()).or_else(origin))
}

/// Whether the request is not counted: then the answer is 204, and nothing is stored.
fn not_a_person(call: &Call<'_>, webdriver: bool) -> Option<Drop> {
    let purpose = call.header("sec-purpose").or_else(|| call.header("purpose"));
    let purpose = purpose.map(|purpose| purpose.to_ascii_lowercase());
    if webdriver {
        Some(Drop::Webdriver)
    } else if purpose.is_some_and(|purpose| purpose.contains("prefetch") || purpose.contains("prerender")) {
        Some(Drop::Prerender)
    } else if call.key.is_none() && is_bot(call) {
        Some(Drop::Bot)
    } else {
        None
    }
}

/// Whether the user agent is a robot's. Requests with an API key always count.
fn is_bot(call: &Call<'_>) -> bool {
    let agent = call.head.headers.get(header::USER_AGENT);
    agent.is_some_and(|agent| call.app.bots.is_bot(agent.as_bytes()))
}

/// 204 for a request that is not counted.
fn dropped(call: &Call<'_>, reason: Drop) -> Reply {
    call.app.metrics.dropped(reason);
    reply::no_content()
}

/// Who sends the request, and when, for the steps of [`crate::lifecycle`].
fn hit(call: &Call<'_>, token: Option<SessionToken>, visitor: Option<VisitorId>) -> Hit {
    let site = Some(crate::site::of_host(call.host)).filter(|site| call.app.config.takes(site));
    Hit { now: call.now, token, visitor, key_of: None, key: None, site }
}

/// A new token for a request without a session; none if the browser would not keep the cookie, or if it would overwrite
/// the cookie of another application.
fn candidate(call: &Call<'_>) -> Result<Option<SessionToken>, Problem> {
    if call.key.is_some() || call.cross_site() || call.session_is_taken() {
        return Ok(None);
    }
    Ok(Some(SessionToken::issue()?))
}

/// The visitor whose key the browser may get, of those named in the body; none if the browser would not keep the cookie,
/// or if another application uses its name.
fn key_of(call: &Call<'_>, named: Option<VisitorId>) -> Option<VisitorId> {
    let is_taken = || call.app.cookies.is_taken(&call.head.headers, Ours::VisitorKey);
    named.filter(|_| call.key.is_none() && !call.cross_site() && !is_taken())
}

/// Adds the cookies to the answer.
fn set_cookies(call: &Call<'_>, answer: &mut Reply, cookies: &Cookies) {
    set_cookie(call, answer, &cookies.session);
    if let Some(key) = &cookies.key {
        reply::add_cookie(answer, call.app.cookies.set_visitor_key(key, call.secure));
    }
}

/// Adds the session cookie to the answer.
fn set_cookie(call: &Call<'_>, answer: &mut Reply, cookie: &Cookie) {
    match cookie {
        Cookie::Leave => {}
        Cookie::Set(..) | Cookie::Clear if call.session_is_taken() => {}
        Cookie::Set(token, length) => {
            reply::add_cookie(answer, call.app.cookies.set_session(token, *length, call.secure));
        }
        Cookie::Clear => reply::add_cookie(answer, call.app.cookies.clear_session(call.secure)),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => Self::session_expired(),
            Refusal::Rotated => Self::session_rotated(),
            Refusal::Stale => Self::wrong_credentials(),
            Refusal::Missing => Self::no_such_session(),
            Refusal::NotTheirs => Self::forbidden(
                "This browser does not have the key of this visitor (cookie visitor_key), so it may not erase the visitor. Ask the site's owner: an admin, or an API key with the scope `erase`, may erase any visitor.",
            ),
            Refusal::TooMany(too_many) => too_many.into(),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<TooMany> for Problem {
    fn from(TooMany { retry_after_s }: TooMany) -> Self {
        Self::too_many_requests(retry_after_s)
    }
}
