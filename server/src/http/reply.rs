//! Answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body as _;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use visitflow_protocol::problem as kind;

use super::problem::Problem;

/// An answer.
pub type Reply = Response<Full<Bytes>>;

/// 204.
#[must_use]
pub fn no_content() -> Reply {
    with_status(StatusCode::NO_CONTENT, Bytes::new())
}

/// 200 with JSON that no cache keeps.
#[must_use]
pub fn json(value: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut reply = with_status(StatusCode::OK, body.into());
    set(&mut reply, header::CONTENT_TYPE, "application/json");
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    reply
}

/// 302 to another path of this server.
#[must_use]
pub fn see(path: &'static str) -> Reply {
    let mut reply = with_status(StatusCode::FOUND, Bytes::new());
    set(&mut reply, header::LOCATION, path);
    reply
}

/// 200 with text of a type.
#[must_use]
pub fn text(body: impl Into<Bytes>, content_type: &'static str) -> Reply {
    let mut reply = with_status(StatusCode::OK, body.into());
    set(&mut reply, header::CONTENT_TYPE, content_type);
    reply
}

/// The answer for a problem.
#[must_use]
pub fn problem(problem: &Problem) -> Reply {
    let mut reply = with_status(problem.status, problem.json().into());
    set(&mut reply, header::CONTENT_TYPE, "application/problem+json");
    set(&mut reply, header::CACHE_CONTROL, "no-store");
    if let Some(allow) = problem.allow {
        set(&mut reply, header::ALLOW, allow);
    }
    if problem.kind == kind::UNSUPPORTED_ENCODING {
        set(&mut reply, header::ACCEPT_ENCODING, "gzip");
    }
    if let Some(seconds) = problem.retry_after_s {
        reply.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    reply
}

/// An answer of a status.
#[must_use]
pub fn with_status(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply
}

/// Sets a header whose value is known when the program is compiled.
pub fn set(reply: &mut Reply, name: HeaderName, value: &'static str) {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// Adds a cookie, and forbids shared caches to store the answer.
pub fn add_cookie(reply: &mut Reply, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        reply.headers_mut().append(header::SET_COOKIE, cookie);
        set(reply, header::CACHE_CONTROL, "no-store");
    }
}

/// Removes the body of an answer and keeps its head, for HEAD (RFC 9110 §9.3.2).
pub fn without_body(reply: &mut Reply) {
    let length = reply.body().size_hint().exact().unwrap_or(0);
    if reply.status() != StatusCode::NO_CONTENT && reply.status() != StatusCode::NOT_MODIFIED {
        reply.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    *reply.body_mut() = Full::default();
}
