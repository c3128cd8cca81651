//! `GET /api/sessions`, `DELETE /api/sessions` and `DELETE /api/sessions/{tag}`: the sessions of a user,
//! for the user, and for the site's own backend.

use std::borrow::Cow;

use serde::Serialize;
use visitflow_protocol::limits::TEXT_CHARS;
use visitflow_protocol::path;

use super::introspection::{Known, known};
use super::set_cookie;
use crate::call::Call;
use crate::clock;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::ledger::commands::end_sessions::{EndSessions, Which};
use crate::session::Millis;
use crate::session::token::{Proof, Tag};

#[derive(Serialize)]
struct Listed {
    sessions: Vec<Session>,
}

#[derive(Serialize)]
struct Session {
    /// The tag: names the session and gives no access.
    session: String,
    created_at: String,
    signed_in_at: Option<String>,
    last_activity: String,
    /// Seconds until the session expires if nothing happens.
    expires_in: Millis,
    device: Option<String>,
    /// Whether it is the asking session.
    current: bool,
    remembered: bool,
}

/// The live sessions of a user, the one with the latest activity first.
pub async fn list(call: Call<'_>) -> Result<Reply, Problem> {
    let Query { user_id, others } = Query::of(&call)?;
    if others {
        return Err(Problem::query("`others` works only with DELETE; leave it out to list all sessions."));
    }
    let user = user(&call, user_id).await?;
    let sessions = &call.app.lifecycle.sessions;
    let now = clock::now();
    let live = sessions.of_user(&user.id, user.site.as_deref(), now).await.map_err(|error| {
        let detail = "The database is away, so this server does not know which sessions the user has. They may still be live; ask again after Retry-After.";
        Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
    })?;
    let sessions = live.into_iter().map(|record| Session {
        session: record.tag.to_string(),
        created_at: clock::rfc3339(record.created_at),
        signed_in_at: record.signed_in_at.map(clock::rfc3339),
        last_activity: clock::rfc3339(record.last_activity),
        expires_in: (record.expires_at(sessions.ttl()) - now) / 1_000,
        current: user.own.is_some_and(|own| own.tag == record.tag),
        remembered: record.remembered,
        device: record.device,
    });
    Ok(reply::json(&Listed { sessions: sessions.collect() }))
}

/// Ends the session that the path names.
pub async fn end_one(call: Call<'_>) -> Result<Reply, Problem> {
    let Query { user_id, others } = Query::of(&call)?;
    if others {
        return Err(Problem::query("`others` ends all other sessions; remove the session from the path."));
    }
    let user = user(&call, user_id).await?;
    let named = call.head.uri.path().strip_prefix(path::SESSIONS).and_then(|rest| rest.strip_prefix('/'));
    let tag = named.and_then(Tag::parse).ok_or_else(Problem::no_such_session)?;
    end(&call, user, Which::One(tag)).await
}

/// Ends all sessions of a user, except the asking one if the user asks.
pub async fn end_others(call: Call<'_>) -> Result<Reply, Problem> {
    let Query { user_id, others } = Query::of(&call)?;
    if others == call.key.is_some() {
        return Err(Problem::query(
            "From a browser, send `?others=true` to end all other sessions of its user. With an API key, send only `?user_id=` to end all sessions of that user.",
        ));
    }
    let user = user(&call, user_id).await?;
    let which = Which::AllBut(user.own.map(|own| own.tag));
    end(&call, user, which).await
}

/// Ends the sessions and answers after that is committed.
async fn end(call: &Call<'_>, user: User, which: Which) -> Result<Reply, Problem> {
    let User { id, own, site } = user;
    let ending = EndSessions { now: call.now, user_id: id, asking: own, which, site };
    let cookie = call.app.lifecycle.end_sessions(ending).await?;
    let mut answer = reply::no_content();
    set_cookie(call, &mut answer, &cookie);
    Ok(answer)
}

/// Whose sessions a request is about, and who asks.
struct User {
    id: String,
    /// The asking session, if the user asks.
    own: Option<Proof>,
    /// The one site whose sessions the key sees.
    site: Option<String>,
}

/// The user that the request names, with an API key; otherwise the signed-in user.
async fn user(call: &Call<'_>, named: Option<String>) -> Result<User, Problem> {
    if let Some(key) = &call.key {
        let id = named.ok_or_else(|| {
            Problem::query("`user_id` is missing; with an API key, name the user whose sessions you mean.")
        })?;
        return Ok(User { id, own: None, site: key.site.clone() });
    }
    if named.is_some() {
        return Err(Problem::query(
            "`user_id` works only with an API key; leave it out to use the signed-in user.",
        ));
    }
    let token = call.token()?;
    let own = token.as_ref().map(|token| token.proof());
    let Some(Known { record, .. }) = known(call, token, false).await? else {
        return Err(Problem::no_session());
    };
    let id = record.user_id.ok_or_else(Problem::not_signed_in)?;
    Ok(User { id, own, site: None })
}

/// The parameters of the query.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    user_id: Option<String>,
    others: bool,
}

impl Query {
    fn of(call: &Call<'_>) -> Result<Self, Problem> {
        Self::parse(call.head.uri.query().unwrap_or_default())
    }

    /// Unknown parameters are refused, so that a misspelt query ends no more than was meant.
    fn parse(query: &str) -> Result<Self, Problem> {
        let mut read = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*name, value) {
                ("user_id", value) if read.user_id.is_none() => read.user_id = Some(user_id(value)?),
                ("others", value) if !read.others && value == "true" => read.others = true,
                _ => {
                    return Err(Problem::query("This path takes `user_id`, or `others=true`, each once."));
                }
            }
        }
        Ok(read)
    }
}

fn user_id(text: Cow<'_, str>) -> Result<String, Problem> {
    if (1..=TEXT_CHARS).contains(&text.chars().count()) && !text.contains('\0') {
        Ok(text.into_owned())
    } else {
        Err(Problem::query("`user_id` must be 1 to 128 characters without NUL."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_whose_sessions_or_all_but_one() {
        assert_eq!(Query::parse("").unwrap(), Query::default());
        assert!(Query::parse("others=true").unwrap().others);
        assert_eq!(Query::parse("user_id=Ada+L%C3%B6we").unwrap().user_id.as_deref(), Some("Ada L\u{f6}we"));
    }

    #[test]
    fn a_query_that_is_misspelt_is_refused() {
        let long = format!("user_id={}", "x".repeat(129));
        for wrong in [
            "other=true",
            "others",
            "others=1",
            "others=false",
            "others=true&others=true",
            "user_id=",
            "user_id=a&user_id=b",
            "user_id=a%00b",
            "user=a",
            &long,
        ] {
            assert!(Query::parse(wrong).is_err(), "{wrong}");
        }
    }
}
