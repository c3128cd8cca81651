//! The endpoints, one file a family: parse, act, reply.

pub mod assets;
pub mod auth;
pub mod health;
pub mod keys;
pub mod metrics;
pub mod openapi;
pub mod session;
pub mod telemetry;

use hyper::StatusCode;

use crate::http::cookie;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::observe::Drop;
use crate::service::Call;
use crate::session::Carrier;
use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;

/// The visitor that a request names: in its body, else by its cookie.
fn visitor(call: &Call<'_>, named: Option<&str>) -> Result<Option<VisitorId>, Problem> {
    match named {
        Some(text) => text.parse().map(Some).map_err(|()| Problem::field("`visitor_id` is v_ followed by a UUID, such as v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80.")),
        None if call.key.is_some() => Ok(None),
        None => Ok(cookie::visitor(&call.head.headers)),
    }
}

/// The site that a request names: in its body, by its page's address, or by its origin.
fn site(
    call: &Call<'_>,
    named: Option<&str>,
    url: Option<&str>,
) -> Result<Option<String>, Problem> {
    if let Some(name) = named {
        return crate::site::normalize(name)
            .map(Some)
            .ok_or_else(|| Problem::field("`site` is a host name, such as shop.example."));
    }
    let origin = || call.header("origin").filter(|origin| *origin != "null");
    Ok(url
        .and_then(crate::site::of_url)
        .or_else(|| origin().and_then(crate::site::of_url)))
}

/// The site of last resort: the host that the request was sent to.
fn own_site(call: &Call<'_>) -> String {
    crate::site::normalize(call.host).unwrap_or_else(|| "localhost".into())
}

/// Whether nobody is there to be counted: the answer is 204 then, and nothing is stored.
fn not_a_person(call: &Call<'_>, webdriver: bool) -> Option<Drop> {
    let purpose = call
        .header("sec-purpose")
        .or_else(|| call.header("purpose"));
    if webdriver {
        Some(Drop::Webdriver)
    } else if purpose.is_some_and(|purpose| purpose.contains("prerender")) {
        Some(Drop::Prerender)
    } else if call
        .header("user-agent")
        .is_some_and(|agent| call.app.bots.is_bot(agent))
    {
        Some(Drop::Bot)
    } else {
        None
    }
}

/// 204 for what is not counted.
fn dropped(call: &Call<'_>, reason: Drop) -> Reply {
    call.app.metrics.dropped(reason);
    reply::no_content()
}

/// The token that a request without a session may be given; none where no cookie would stick.
fn offer(call: &Call<'_>, carrier: &Carrier) -> Result<Option<SessionToken>, Problem> {
    if !matches!(carrier, Carrier::Nothing) || call.key.is_some() || call.cross_site() {
        return Ok(None);
    }
    call.app.throttle.session(call.client)?;
    Ok(Some(SessionToken::issue()?))
}

/// Sends the session's cookie, decided now: a token that was rotated or ended while the request was
/// on its way is not sent again.
fn keep(call: &Call<'_>, answer: &mut Reply, token: Option<&SessionToken>) {
    if let Some(token) = token.filter(|token| call.app.sessions.is_current(token, call.now)) {
        reply::add_cookie(answer, call.app.cookies.set_session(token, call.secure));
    }
}

/// 403.
fn forbidden(detail: &'static str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        visitflow_protocol::problem::FORBIDDEN,
        detail,
    )
}
