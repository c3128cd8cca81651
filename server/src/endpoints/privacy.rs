//! `DELETE /api/privacy/visitor`: a visitor's data goes.

use visitflow_protocol::wire;

use super::{hit, set_cookie};
use crate::endpoints::call::Call;
use crate::http::body::require_json;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::lifecycle::{Cookie, Refusal, Right};
use crate::store::events::accounts::Role;

/// Erases a visitor: a browser its own, an admin and a key with the scope `erase` anybody.
pub async fn erase(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let body: wire::Erase = call.json().await?;
    let visitor = super::visitor_id(&body.visitor_id.ok_or_else(|| {
        Problem::field("`visitor_id` is missing; send that of the visitor who is to be erased.")
    })?)?;
    let right = right(&call).await?;
    let token = if call.key.is_none() { call.token()? } else { None };
    let erased = call.app.lifecycle.erase(hit(&call, token, Some(visitor)), visitor, right).await;
    let session = erased.map_err(refused)?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &session);
    let names_it = call.key.is_none() && call.app.cookies.visitor(&call.head.headers) == Some(visitor);
    if names_it || matches!(session, Cookie::Clear) {
        for cleared in call.app.cookies.clear_visitor(&call.head.headers, call.secure) {
            reply::add_cookie(&mut answer, cleared);
        }
    }
    Ok(answer)
}

/// By what right the caller asks.
async fn right(call: &Call<'_>) -> Result<Right, Problem> {
    if call.key.is_some() {
        return Ok(Right::Key);
    }
    let user_id = match call.token()? {
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
            let detail = "The database is away, or what came meanwhile is not stored yet: the visitor is not erased, or not wholly. Send it again after Retry-After.";
            Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
        }
        other => other.into(),
    }
}
