//! `POST /api/session/{start,ping,end,forget}`

use serde::Serialize;

use super::telemetry::fields;
use super::{candidate, dropped, hit, key_of, not_a_person, set_cookie, set_cookies, site, visitor, wire};
use crate::address;
use crate::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::lifecycle::{Cookie, Hit, Page, Started};
use crate::observe::Drop;
use crate::session::Millis;

/// Longest time engaged with a page that is kept.
const DAY_MS: Millis = 24 * 3_600_000;

#[derive(Serialize)]
struct Answer {
    session: &'static str,
    /// Seconds until the session expires if nothing happens.
    expires_in: Millis,
    /// The server's clock in ms, by which the client corrects its own.
    now: Millis,
}

/// Starts a session, or resumes the live one.
pub async fn start(mut call: Call<'_>) -> Result<Reply, Problem> {
    let body: wire::Start = call.json().await?;
    if let Some(reason) = not_a_person(&call, body.webdriver) {
        return Ok(dropped(&call, reason));
    }
    if call.gpc() {
        return Ok(dropped(&call, Drop::Gpc));
    }
    if body.cookies == Some(0) {
        call.app.metrics.started_without_cookies();
    }
    let named = visitor(&call, body.visitor_id.as_deref())?;
    let keep = call.app.config.keep_query;
    let address = fields::page_beside(body.url.as_deref(), keep);
    let referrer = body.referrer.and_then(|referrer| address::referrer(&referrer, keep));
    let site = site(&call, body.site.as_deref(), address.as_ref())?;
    if site.as_ref().is_some_and(|site| !call.app.config.takes(site)) {
        return Ok(dropped(&call, Drop::OtherSite));
    }
    let page = Page { site, url: address.map(|address| address.url), referrer };
    // A browser without cookies would lose the key, and the visitor could never get another.
    let keeps_cookies = body.cookies != Some(0);
    let hit = Hit {
        key_of: key_of(&call, named.filter(|_| keeps_cookies && body.visitor_id.is_some())),
        key: call.app.cookies.visitor_keys(&call.head.headers).next(),
        ..hit(&call, call.token()?, named)
    };
    let (started, cookies) =
        call.app.lifecycle.start(hit, page, call.allowance(), || candidate(&call)).await?;
    let session = match started {
        Started::Resumed => "resumed",
        Started::Begun => "started",
        // The client then sends nothing more, as for a robot.
        Started::Refused => return Ok(reply::no_content()),
    };
    let lasts_ms = match cookies.session {
        Cookie::Set(_, ms) => ms, // a remembered session lasts longer than others
        Cookie::Leave | Cookie::Clear => call.app.lifecycle.sessions.ttl().idle_ms,
    };
    let mut answer = reply::json(&Answer { session, expires_in: lasts_ms / 1_000, now: call.now });
    set_cookies(&call, &mut answer, &cookies);
    if let (Some(visitor), Some(_), false) = (named, body.visitor_id, call.cross_site()) {
        let renewed = call.app.cookies.renew_visitor(&call.head.headers, visitor, call.secure);
        reply::add_cookie(&mut answer, renewed);
    }
    Ok(answer)
}

/// Keeps a live session alive; starts nothing.
pub async fn ping(mut call: Call<'_>) -> Result<Reply, Problem> {
    let body: wire::Ping = call.json().await?;
    if let Some(reason) = not_a_person(&call, body.webdriver) {
        return Ok(dropped(&call, reason));
    }
    let engagement = engagement(&body)?;
    let cookie = call.app.lifecycle.ping(hit(&call, call.token()?, None), engagement).await?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// Ends the session.
pub async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    let _: serde_json::Map<String, serde_json::Value> = call.json().await?;
    let cookie = call.app.lifecycle.end(hit(&call, call.token()?, None)).await?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// Stops measuring, because consent was withdrawn. A signed-in user stays signed in.
pub async fn forget(mut call: Call<'_>) -> Result<Reply, Problem> {
    let _: serde_json::Map<String, serde_json::Value> = call.json().await?;
    let cookie = call.app.lifecycle.forget::<Problem>(hit(&call, call.token()?, None)).await?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &cookie);
    for cookie in call.app.cookies.clear_carried(&call.head.headers, call.secure) {
        reply::add_cookie(&mut answer, cookie);
    }
    Ok(answer)
}

/// The engagement in a ping: the page view's id, milliseconds engaged, greatest scroll depth.
fn engagement(body: &wire::Ping) -> Result<Option<(uuid::Uuid, i64, i64)>, Problem> {
    let Some(id) = &body.page_view_id else {
        return Ok(None);
    };
    let id = fields::fact_id(Some(id), 0)?;
    let at_most = |number: Option<u64>, most: i64| {
        number.map_or(0, |number| i64::try_from(number).unwrap_or(most).min(most))
    };
    let engaged_ms = at_most(body.engaged_ms, DAY_MS);
    let scroll_pct = at_most(body.scroll_pct, 100);
    Ok(Some((id, engaged_ms, scroll_pct)))
}
