//! `POST /api/auth/{login,logout,password}`

use serde_json::json;

use super::introspection::{Known, known};
use super::{hit, set_cookie, wire};
use crate::assertion::LOCAL_PREFIX;
use crate::call::Call;
use crate::clock::OnceAMinute;
use crate::contract::accounts::Account;
use crate::device;
use crate::http::body::require_json;
use crate::http::cookie_names::Ours;
use crate::http::origin::is_loopback;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::passwords::{self, NAME_BYTES, PASSWORD_BYTES};
use crate::session::record::SignedIn;
use crate::throttle::guesses::Guessed;

/// Verifies a user, by password or by assertion, rotates the token, links the visit.
pub async fn login(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let body: wire::Login = call.json().await?;
    let token = call.token()?;
    if call.session_is_taken() {
        return Err(Problem::cookie_taken(call.app.cookies.names.get(Ours::Session)));
    }
    let (visit, remember) = (body.visit.unwrap_or(true), body.remember.unwrap_or(false));
    let (user_id, verified) = match body.assertion {
        Some(_) if body.username.is_some() || body.password.is_some() => {
            return Err(Problem::field("Send `assertion`, or `username` and `password`; not both."));
        }
        Some(assertion) => (stranger(&call, &assertion)?, None),
        None => {
            let name = credential(body.username, NAME_BYTES, "username")?;
            let password = credential(body.password, PASSWORD_BYTES, "password")?;
            let account = verify(&call, &passwords::name(&name), password).await?;
            (account.id, Some(account.password_hash))
        }
    };
    let hit = hit(&call, token, None);
    let user = SignedIn { user_id: user_id.clone(), device: device(&call), remember };
    let lifecycle = &call.app.lifecycle;
    let cookie = lifecycle.sign_in::<Problem>(hit, user, verified, visit, call.allowance()).await?;
    warn_of_lost_cookie(&call);
    let mut answer = reply::json(&json!({ "user_id": user_id }));
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// The device of the browser that signs in, as text.
fn device(call: &Call<'_>) -> Option<String> {
    if call.key.is_some() {
        return None; // the request is from a server
    }
    device::words(&call.header("user-agent")?)
}

/// Replaces the token and takes the user out of the session.
pub async fn logout(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let _: serde_json::Map<String, serde_json::Value> = call.json().await?;
    let cookie = call.app.lifecycle.sign_out::<Problem>(hit(&call, call.token()?, None)).await?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// Changes the password of the signed-in user, replaces the token, and ends the user's other sessions.
pub async fn password(mut call: Call<'_>) -> Result<Reply, Problem> {
    require_json(&call.head.headers)?;
    let body: wire::Password = call.json().await?;
    let old = credential(body.old_password, PASSWORD_BYTES, "old_password")?;
    let new = credential(body.new_password, PASSWORD_BYTES, "new_password")?;
    passwords::check_new(&new).map_err(|wrong| Problem::field(format!("`new_password`: {wrong}.")))?;
    let Some(token) = call.token()? else { return Err(Problem::session_expired()) };
    let presented = token.proof();
    let Some(Known { record, .. }) = known(&call, Some(token), false).await? else {
        return Err(Problem::session_expired());
    };
    let user_id = record.user_id.ok_or_else(Problem::not_signed_in)?;
    if !user_id.starts_with(LOCAL_PREFIX) {
        return Err(Problem::forbidden(
            "This server does not have this user's password. Change it where the user signs in: on the site itself, or at its identity provider.",
        ));
    }
    let app = call.app;
    app.throttle.sign_in(call.client.counted(), call.now)?;
    let account = app.lookups.account_of(&user_id).await?.filter(|account| !account.disabled);
    let account = account.ok_or_else(Problem::wrong_credentials)?;
    let turn = app.throttle.turns.take(&account.name, call.client.key).await?;
    let replaced = passwords::replace(turn, old, account.password_hash.clone(), new).await?;
    let hash = replaced.ok_or_else(Problem::wrong_credentials)?;
    let cookie = app
        .lifecycle
        .change_password::<Problem>(call.now, presented, user_id, account.password_hash, hash)
        .await?;
    let mut answer = reply::no_content();
    set_cookie(&call, &mut answer, &cookie);
    Ok(answer)
}

/// Logs that a browser will drop the cookie of this sign-in, because it is marked `Secure` and came over plain HTTP.
/// (On `localhost` browsers keep it anyway.)
fn warn_of_lost_cookie(call: &Call<'_>) {
    static SAID: OnceAMinute = OnceAMinute::new();
    if call.secure && !call.https && !is_loopback(call.host) && SAID.is_due(call.now) {
        tracing::warn!(
            host = call.host,
            "a sign-in came over plain HTTP. The session cookie is marked Secure, so browsers drop it and the user stays signed out. Use HTTPS. Behind a proxy that terminates TLS, make the proxy send X-Forwarded-Proto: https, and name it with --trusted-proxy. To try visitflow on this machine, use http://localhost and --cookie-secure auto"
        );
    }
}

/// The user that an assertion names, who is not a local user.
fn stranger(call: &Call<'_>, assertion: &str) -> Result<String, Problem> {
    let assertions = call.app.assertions.as_ref().ok_or_else(|| {
        Problem::field(
            "This server does not accept assertions; start it with --jwt-key, or send `username` and `password`.",
        )
    })?;
    call.app.throttle.sign_in(call.client.counted(), call.now)?;
    assertions.subject(assertion, call.now).map_err(|flaw| Problem::wrong_assertion(flaw.to_string()))
}

/// The account, if the password is right. Neither the answer nor its time reveals whether the user exists.
async fn verify(call: &Call<'_>, name: &str, password: String) -> Result<Account, Problem> {
    let app = call.app;
    app.throttle.sign_in(call.client.counted(), call.now)?;
    let turn = app.throttle.turns.take(name, call.client.key).await?;
    let account = match app.lookups.account(name).await {
        Ok(account) => account.filter(|account| !account.disabled),
        Err(error) => {
            turn.over(Guessed::Open);
            return Err(error.into());
        }
    };
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let right = app.passwords.verify(turn, password, hash).await;
    account.filter(|_| right).ok_or_else(Problem::wrong_credentials)
}

fn credential(text: Option<String>, max_bytes: usize, field: &str) -> Result<String, Problem> {
    match text {
        Some(text) if text.contains('\0') => {
            Err(Problem::field(format!("`{field}` must not contain a NUL character.")))
        }
        Some(text) if (1..=max_bytes).contains(&text.len()) => Ok(text),
        Some(_) => Err(Problem::field(format!("`{field}` must be 1 to {max_bytes} bytes long."))),
        None => Err(Problem::field(format!("`{field}` is missing."))),
    }
}
