//! `GET /api/privacy/visitor` returns everything that is stored about a visitor; `DELETE` erases it.
//!
//! A browser may do both for its own visitor, if it has the visitor's key. Knowing the id is not enough.

use super::{NO_VISITOR_ID, hit, set_cookie, wire};
use crate::call::Call;
use crate::contract::accounts::Role;
use crate::contract::disclosure::Cursor;
use crate::database::error::StoreError;
use crate::http::body::require_json;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::ingest::Load;
use crate::lifecycle::{Hit, Refusal, Right};
use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;
use crate::session::visitor_key::VisitorKey;

/// Returns a page of everything that is stored about a visitor: to a browser about its own visitor, to an admin or a key
/// with the scope `erase` about any visitor.
pub async fn disclose(call: Call<'_>) -> Result<Reply, Problem> {
    let (named, after) = asked(call.head.uri.query().unwrap_or_default())?;
    let own = || call.app.cookies.visitor(&call.head.headers).filter(|_| call.key.is_none());
    let visitor = named
        .or_else(own)
        .ok_or_else(|| Problem::query("`visitor_id` is missing; name the visitor: ?visitor_id=v_…."))?;
    let sessions = &call.app.lifecycle.sessions;
    if sessions.database_is_away() {
        return Err(unreachable("the database is away"));
    }
    if right(&call).await? == Right::Own && key_of(&call, visitor).await.map_err(refused_page)?.is_none() {
        return Err(Problem::forbidden(
            "This browser does not have the key of this visitor (cookie visitor_key), so it may not read the data. Ask the site's owner: an admin, or an API key with the scope `erase`, may read it.",
        ));
    }
    call.app.lifecycle.ingest.admit(Load::Report)?;
    let page = call.app.disclosures.page(visitor, after, sessions.ttl()).await.map_err(refused_page)?;
    Ok(reply::json(&page))
}

/// The requested visitor, and where the page begins.
fn asked(query: &str) -> Result<(Option<VisitorId>, Option<Cursor>), Problem> {
    let (mut visitor, mut after) = (None, None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "visitor_id" if visitor.is_none() => {
                let named = value.parse().map_err(|()| Problem::query(NO_VISITOR_ID))?;
                visitor = Some(named);
            }
            "after" if after.is_none() => {
                let cursor = Cursor::parse(&value).ok_or_else(|| {
                    Problem::query(
                        "`after` must be the value of `next` on the previous page; leave it out for the first page.",
                    )
                })?;
                after = Some(cursor);
            }
            _ => return Err(Problem::query("This path takes `visitor_id` and `after`, each once.")),
        }
    }
    Ok((visitor, after))
}

/// The visitor's key, if the browser has it.
async fn key_of(call: &Call<'_>, visitor: VisitorId) -> Result<Option<VisitorKey>, StoreError> {
    let stored = call.app.disclosures.key(visitor).await?;
    let mut held = call.app.cookies.visitor_keys(&call.head.headers);
    Ok(held.find(|key| stored == Some(key.hash())))
}

fn refused_page(error: StoreError) -> Problem {
    if error.is_refusal() { error.into() } else { unreachable(&error.to_string()) }
}

/// 503: some data is not in the database yet, or the database cannot be asked.
fn unreachable(why: &str) -> Problem {
    let detail = "The database is away or busy, or some data is still in the spool, so the answer would be incomplete. Ask again after Retry-After.";
    Problem { detail: detail.into(), ..Problem::unavailable(why.to_owned()) }
}

/// Erases a visitor: for a browser its own visitor, for an admin or a key with the scope `erase` any visitor.
pub async fn erase(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let body: wire::Erase = call.json().await?;
    let visitor =
        super::visitor_id(&body.visitor_id.ok_or_else(|| {
            Problem::field("`visitor_id` is missing; send the id of the visitor to erase.")
        })?)?;
    let right = right(&call).await?;
    let token = if call.key.is_none() { token(&call) } else { None };
    let key = match right {
        Right::Own => key_of(&call, visitor).await.map_err(|error| refused(error.into()))?,
        Right::Admin | Right::Key => None,
    };
    let is_theirs = key.is_some();
    let hit = Hit { key, ..hit(&call, token, Some(visitor)) };
    let erased = call.app.lifecycle.erase(hit, visitor, right).await;
    let session = erased.map_err(refused)?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &session);
    let names_it = call.key.is_none() && call.app.cookies.visitor(&call.head.headers) == Some(visitor);
    if names_it || is_theirs {
        for cleared in call.app.cookies.clear_visitor(&call.head.headers, call.secure) {
            reply::add_cookie(&mut answer, cleared);
        }
    }
    Ok(answer)
}

/// The session's token; none if there are two different ones, because an erasure needs no session.
fn token(call: &Call<'_>) -> Option<SessionToken> {
    call.token().unwrap_or(None)
}

/// The right by which the caller asks.
async fn right(call: &Call<'_>) -> Result<Right, Problem> {
    if call.key.is_some() {
        return Ok(Right::Key);
    }
    let user_id = match token(call) {
        Some(token) => call.app.lifecycle.sessions.user(token.proof(), call.now).await?,
        None => None,
    };
    let role = match user_id {
        Some(user_id) => call.app.lookups.role(&user_id).await?,
        None => None,
    };
    Ok(if role == Some(Role::Admin) { Right::Admin } else { Right::Own })
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Store(error) if !error.is_refusal() => {
            let detail = "The database is away, or some data is still in the spool, so nothing or only a part was erased. Send the request again after Retry-After.";
            Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
        }
        other => other.into(),
    }
}
