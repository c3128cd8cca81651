//! `POST /api/session/{bind,unbind}`: the site's own backend signs a browser's session in and out.

use serde::Deserialize;
use serde_json::json;

use super::hit;
use super::introspection::in_reach;
use crate::assertion::names_a_stranger;
use crate::authorization::require_key;
use crate::call::Call;
use crate::device;
use crate::http::body::require_json;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::lifecycle::Cookie;
use crate::session::record::SignedIn;
use crate::session::token::SessionToken;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bind {
    /// The value of the browser's cookie; none if it has none.
    token: Option<String>,
    user_id: Option<String>,
    /// The browser's user agent, from which the device is read.
    user_agent: Option<String>,
    /// As at a login: false signs in without a visit.
    visit: Option<bool>,
    /// As at a login.
    remember: Option<bool>,
}

/// Signs a user of the site in: rotates the token and links the visit, as a login does. Without a live
/// session one begins, without a visit. Such a user has no role in visitflow.
pub async fn bind(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_key(&call)?;
    require_json(&call.head.headers)?;
    let body: Bind = call.json().await?;
    let user_id = body.user_id.filter(|user_id| names_a_stranger(user_id)).ok_or_else(|| {
        Problem::field(
            "`user_id` must be your site's own id of the user: 1 to 128 characters without NUL. It must not begin with u_, because the ids of this server's own users do.",
        )
    })?;
    let token = match parsed(body.token) {
        Some(token) => seen(&call, token).await?,
        None => None,
    };
    let hit = hit(&call, token, None);
    let visit = body.visit.unwrap_or(true);
    let lifecycle = &call.app.lifecycle;
    let device = body.user_agent.and_then(|user_agent| device::words(&user_agent));
    let user = SignedIn { user_id: user_id.clone(), device, remember: body.remember.unwrap_or(false) };
    let cookie = lifecycle.sign_in::<Problem>(hit, user, None, visit, call.allowance()).await?;
    Ok(reply::json(&json!({ "user_id": user_id, "set_cookie": written(&call, &cookie) })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Unbind {
    token: Option<String>,
}

/// Signs out: rotates the token and takes the user out of the session, as a logout does.
pub async fn unbind(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_key(&call)?;
    require_json(&call.head.headers)?;
    let body: Unbind = call.json().await?;
    let cookie = match parsed(body.token) {
        Some(token) => {
            let token = seen(&call, token).await?;
            call.app.lifecycle.sign_out::<Problem>(hit(&call, token, None)).await?
        }
        // The backend got no such cookie: a page of another site may have made the browser send the request.
        None => Cookie::Leave,
    };
    Ok(reply::json(&json!({ "set_cookie": written(&call, &cookie) })))
}

/// The token of the browser's cookie, if it has the form of one.
fn parsed(text: Option<String>) -> Option<SessionToken> {
    text.as_deref().and_then(SessionToken::parse)
}

/// The token, if the key may see its session.
async fn seen(call: &Call<'_>, token: SessionToken) -> Result<Option<SessionToken>, Problem> {
    Ok(if in_reach(call, &token).await? { Some(token) } else { None })
}

/// `Set-Cookie` for the backend to pass on; null: the browser's cookie stays as it is.
fn written(call: &Call<'_>, cookie: &Cookie) -> Option<String> {
    let value = match cookie {
        Cookie::Leave => None,
        Cookie::Set(token, length) => call.app.cookies.set_session(token, *length, call.secure),
        Cookie::Clear => call.app.cookies.clear_session(call.secure),
    };
    value?.to_str().ok().map(str::to_owned)
}
