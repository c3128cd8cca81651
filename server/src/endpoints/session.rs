//! `POST /api/session/{start,ping,end}`

use serde::Serialize;
use visitflow_protocol::wire;

use super::{dropped, keep, not_a_person, offer, own_site, site, visitor};
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::ingest::fact::{Command, Context};
use crate::observe::Drop;
use crate::service::Call;
use crate::session::{Carrier, Millis};

#[derive(Serialize)]
struct Started {
    session: &'static str,
    /// Seconds until the session expires if nothing happens.
    expires_in: Millis,
    /// The server's clock in ms, from which the client learns how wrong its own is.
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
    let named = visitor(&call, body.visitor_id.as_deref())?;
    let url = super::telemetry::page_address(body.url)?;
    let referrer = super::telemetry::referrer(body.referrer)?;
    let site = site(&call, body.site.as_deref(), url.as_deref())?;
    let token = call.token()?;
    let carrier = match call
        .app
        .sessions
        .touch(token.as_ref(), Some(call.now), call.now)
    {
        Carrier::Crossing { rotated: true, .. } => return Err(Problem::session_expired()),
        Carrier::Crossing { rotated: false, .. } => Carrier::Nothing,
        carrier => carrier,
    };
    let (live, has_visit) = (
        matches!(carrier, Carrier::Live { .. }),
        carrier.visit_id().is_some(),
    );
    let offered = offer(&call, &carrier)?;
    let mut resumed = live;
    if !has_visit {
        let context = Context {
            now: call.now,
            carrier,
            offer: offered.clone(),
            visitor: named,
            host: own_site(&call),
        };
        let outcome = call
            .app
            .ingest
            .commit(Command::Start {
                context,
                site,
                url,
                referrer,
            })
            .await?;
        resumed |= outcome.joined && !outcome.issued;
    }
    let session = if resumed { "resumed" } else { "started" };
    let mut answer = reply::json(&Started {
        session,
        expires_in: call.app.sessions.ttl().idle_ms / 1_000,
        now: call.now,
    });
    keep(
        &call,
        &mut answer,
        if live {
            token.as_ref()
        } else {
            offered.as_ref()
        },
    );
    if let (Some(visitor), Some(_), false) = (named, body.visitor_id, call.cross_site()) {
        reply::add_cookie(
            &mut answer,
            call.app.cookies.renew_visitor(visitor, call.secure),
        );
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
    let token = call.token()?;
    let Carrier::Live { visit_id, .. } =
        call.app
            .sessions
            .touch(token.as_ref(), Some(call.now), call.now)
    else {
        return Err(Problem::session_expired());
    };
    if let (Some(visit_id), Some((page_view_id, engaged_ms, scroll_pct))) = (visit_id, engagement) {
        call.app
            .ingest
            .commit(Command::Engagement {
                visit_id,
                page_view_id,
                engaged_ms,
                scroll_pct,
            })
            .await?;
    }
    let mut answer = reply::no_content();
    keep(&call, &mut answer, token.as_ref());
    Ok(answer)
}

/// Ends the session.
pub async fn end(mut call: Call<'_>) -> Result<Reply, Problem> {
    let _: serde_json::Map<String, serde_json::Value> = call.json().await?;
    let token = call.token()?;
    let carrier = call.app.sessions.touch(token.as_ref(), None, call.now);
    let mut answer = reply::no_content();
    let clear = match (carrier, token) {
        (Carrier::Live { .. }, Some(presented)) => {
            !call
                .app
                .ingest
                .commit(Command::End {
                    now: call.now,
                    presented,
                })
                .await?
                .lost
        }
        (Carrier::Crossing { .. }, _) => false, // a newer cookie may be there already
        _ => true,
    };
    if clear {
        reply::add_cookie(&mut answer, call.app.cookies.clear_session(call.secure));
    }
    Ok(answer)
}

/// What a ping says of a page view: its id, milliseconds engaged, greatest scroll depth.
fn engagement(body: &wire::Ping) -> Result<Option<(uuid::Uuid, i64, i64)>, Problem> {
    let Some(id) = &body.page_view_id else {
        return Ok(None);
    };
    let id = super::telemetry::fact_id(Some(id), 0)?;
    let engaged_ms = i64::try_from(body.engaged_ms.unwrap_or(0))
        .ok()
        .filter(|ms| *ms <= 24 * 3_600_000);
    let engaged_ms =
        engaged_ms.ok_or_else(|| Problem::field("`engaged_ms` is at most a day, 86400000."))?;
    let scroll_pct = i64::try_from(body.scroll_pct.unwrap_or(0))
        .ok()
        .filter(|pct| *pct <= 100);
    let scroll_pct = scroll_pct
        .ok_or_else(|| Problem::field("`scroll_pct` is a whole number from 0 to 100."))?;
    Ok(Some((id, engaged_ms, scroll_pct)))
}
