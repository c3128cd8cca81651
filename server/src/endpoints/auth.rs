//! `POST /api/auth/{login,logout}`

use hyper::StatusCode;
use serde_json::json;
use visitflow_protocol::{problem as kind, wire};

use super::keep;
use crate::http::body::require_json;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::ingest::fact::Command;
use crate::service::Call;
use crate::session::Carrier;
use crate::session::token::SessionToken;
use crate::store::events::sqlite::accounts::{self, Account};

/// Longest name and password, in bytes.
const NAME_BYTES: usize = 256;
const PASSWORD_BYTES: usize = 1_024;

/// Verifies a user, rotates the token, links the visit.
pub async fn login(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let body: wire::Login = call.json().await?;
    let name = credential(body.username, NAME_BYTES, "username")?;
    let password = credential(body.password, PASSWORD_BYTES, "password")?;
    let token = call.token()?;
    call.app.throttle.sign_in(call.client)?;
    let account = verify(&call, name, password).await?;
    let presented = match (
        call.app
            .sessions
            .touch(token.as_ref(), Some(call.now), call.now),
        token,
    ) {
        (Carrier::Live { .. }, Some(token)) => Some(token),
        (Carrier::Crossing { .. }, _) => return Err(Problem::session_rotated()),
        _ => None,
    };
    let offer = match &presented {
        Some(token) => SessionToken::rotate(token.tag())?,
        None => SessionToken::issue()?,
    };
    let command = Command::SignIn {
        now: call.now,
        presented,
        offer: offer.clone(),
        user_id: account.id.clone(),
        visit: body.visit.unwrap_or(true),
    };
    if call.app.ingest.commit(command).await?.lost {
        return Err(Problem::session_rotated());
    }
    let mut answer = reply::json(&json!({ "user_id": account.id }));
    keep(&call, &mut answer, Some(&offer));
    Ok(answer)
}

/// Replaces the token and takes the user out of the session.
pub async fn logout(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let _: serde_json::Map<String, serde_json::Value> = call.json().await?;
    let token = call.token()?;
    let mut answer = reply::no_content();
    match (
        call.app
            .sessions
            .touch(token.as_ref(), Some(call.now), call.now),
        token,
    ) {
        (Carrier::Live { .. }, Some(presented)) => {
            let offer = SessionToken::rotate(presented.tag())?;
            call.app
                .ingest
                .commit(Command::SignOut {
                    now: call.now,
                    presented,
                    offer: offer.clone(),
                })
                .await?;
            keep(&call, &mut answer, Some(&offer));
        }
        (Carrier::Crossing { .. }, _) => {} // a newer cookie may be there already
        _ => reply::add_cookie(&mut answer, call.app.cookies.clear_session(call.secure)),
    }
    Ok(answer)
}

/// The account, if the password is right. Whether the user exists shows neither in the answer nor
/// in its time.
async fn verify(call: &Call<'_>, name: String, password: String) -> Result<Account, Problem> {
    let app = call.app;
    tokio::time::sleep(app.throttle.delay(&name, call.now)).await;
    let wanted = name.clone();
    let account = app
        .lookups
        .read(move |db| accounts::account(db, &wanted))
        .await?
        .filter(|account| !account.disabled);
    let hash = account
        .as_ref()
        .map(|account| account.password_hash.clone());
    let right = app.passwords.verify(password, hash).await?;
    app.throttle.signed_in(&name, right, call.now);
    account.filter(|_| right).ok_or_else(|| {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            kind::WRONG_CREDENTIALS,
            "User name or password is wrong.",
        )
    })
}

fn credential(text: Option<String>, max_bytes: usize, field: &str) -> Result<String, Problem> {
    match text {
        Some(text) if (1..=max_bytes).contains(&text.len()) => Ok(text),
        Some(_) => Err(Problem::field(format!(
            "`{field}` is 1 to {max_bytes} bytes long."
        ))),
        None => Err(Problem::field(format!("`{field}` is missing."))),
    }
}
