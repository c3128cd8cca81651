//! Errors. A [`Problem`] is the answer to the client (RFC 9457), with an optional sentence for the log. Endpoints make
//! one if they can say how to correct the request. An error of the database becomes a 503 without details, and the
//! details are logged.

use std::borrow::Cow;

use hyper::StatusCode;
use serde::Serialize;
use visitflow_protocol::problem as kind;

use crate::database::error::StoreError;

/// An error answer.
#[derive(Debug)]
pub struct Problem {
    /// The status line.
    pub status: StatusCode,
    /// The stable `type`.
    pub kind: &'static str,
    /// How to correct the request.
    pub detail: Cow<'static, str>,
    /// The items of an array that were refused.
    pub rejected: Vec<Rejected>,
    /// Seconds for `Retry-After`.
    pub retry_after_s: Option<u32>,
    /// Methods for `Allow`.
    pub allow: Option<&'static str>,
    /// The cause, for the log only.
    pub log: Option<String>,
}

/// An item of an array that was refused.
#[derive(Debug, Serialize)]
pub struct Rejected {
    /// Its place in the array.
    pub index: usize,
    /// The stable `type` of its problem.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How to correct it.
    pub detail: Cow<'static, str>,
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rejected: &'a [Rejected],
}

impl Problem {
    /// A problem of the given status and type.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            rejected: Vec::new(),
            retry_after_s: None,
            allow: None,
            log: None,
        }
    }

    /// 400: a field breaks a rule.
    #[must_use]
    pub fn field(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind::INVALID_FIELD, detail)
    }

    /// 400: a query parameter breaks a rule.
    #[must_use]
    pub fn query(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind::INVALID_QUERY, detail)
    }

    /// 401: there is no live session.
    #[must_use]
    pub fn session_expired() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            kind::SESSION_EXPIRED,
            "There is no live session; call /api/session/start, then try again.",
        )
    }

    /// 401: no live session, in answer to the question whose session it is.
    #[must_use]
    pub fn no_session() -> Self {
        let detail = "There is no live session, so nobody is signed in; sign in with /api/auth/login.";
        Self::new(StatusCode::UNAUTHORIZED, kind::SESSION_EXPIRED, detail)
    }

    /// 401: nobody is signed in.
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            kind::NOT_SIGNED_IN,
            "Nobody is signed in; sign in with /api/auth/login, then try again.",
        )
    }

    /// 403: the user or key is known, and may not do this.
    #[must_use]
    pub fn forbidden(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, kind::FORBIDDEN, detail)
    }

    /// 404: the user has no such session. The answer does not reveal whether another user has it.
    #[must_use]
    pub fn no_such_session() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            kind::NOT_FOUND,
            "This user has no such live session; GET /api/sessions lists the live ones.",
        )
    }

    /// 401: user name or password is wrong. The answer does not reveal which.
    #[must_use]
    pub fn wrong_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, kind::WRONG_CREDENTIALS, "User name or password is wrong.")
    }

    /// 401: the assertion is wrong. Only the log says why.
    #[must_use]
    pub fn wrong_assertion(log: impl Into<String>) -> Self {
        let detail = "The assertion is wrong or expired; get a new one from the site's own sign-in.";
        Self { log: Some(log.into()), ..Self::new(StatusCode::UNAUTHORIZED, kind::WRONG_CREDENTIALS, detail) }
    }

    /// 409: another request rotated or ended the session first.
    #[must_use]
    pub fn session_rotated() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            kind::SESSION_ROTATED,
            "Another request replaced or ended this session a moment ago; use the cookie that its answer set.",
        )
    }

    /// 409: nobody can sign in, because the cookie would overwrite another application's.
    #[must_use]
    pub fn cookie_taken(name: &str) -> Self {
        let detail = format!(
            "Another application of this host uses a cookie named {name}, so nobody can sign in. Start the server with another name for its cookie, such as --cookie-name session_id=shop_sid."
        );
        Self::new(StatusCode::CONFLICT, kind::COOKIE_TAKEN, detail)
    }

    /// 503: try again later.
    #[must_use]
    pub fn unavailable(log: impl Into<String>) -> Self {
        let detail = "The server cannot do this right now, and nothing of this request was stored. Send it again after Retry-After.";
        Self {
            retry_after_s: Some(2),
            log: Some(log.into()),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, kind::UNAVAILABLE, detail)
        }
    }

    /// 429: come back later.
    #[must_use]
    pub fn too_many_requests(retry_after_s: u32) -> Self {
        let detail = "There are too many requests of this kind, and nothing of this one was done. Send it again after Retry-After.";
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, kind::TOO_MANY_REQUESTS, detail)
        }
    }

    /// 500: a defect.
    #[must_use]
    pub fn internal(log: impl Into<String>) -> Self {
        let detail = "The server failed; its log says why.";
        Self { log: Some(log.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, kind::INTERNAL, detail) }
    }

    /// The body of the answer.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let wire = Wire {
            kind: self.kind,
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            rejected: &self.rejected,
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// The problem of one item of an array.
    #[must_use]
    pub fn rejected_at(self, index: usize) -> Rejected {
        Rejected { index, kind: self.kind, detail: self.detail }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_refusal() => Self::internal(error.to_string()),
            error => Self::unavailable(error.to_string()),
        }
    }
}

impl From<getrandom::Error> for Problem {
    fn from(error: getrandom::Error) -> Self {
        Self::unavailable(format!("the operating system provides no random numbers: {error}"))
    }
}
