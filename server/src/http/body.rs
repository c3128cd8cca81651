//! Reading a body within its limits, as JSON.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use visitflow_protocol::{limits, problem as kind};

use super::problem::Problem;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body over the limit is read on for this many bytes and thrown away: whoever still sends would
/// not see the answer otherwise.
const DISCARD_BYTES: usize = 1024 * 1024;

/// Reads the whole body.
///
/// # Errors
/// 413 over 64 KiB, 408 when it takes too long, 400 when the connection breaks.
pub async fn read(body: Incoming) -> Result<Bytes, Problem> {
    match tokio::time::timeout(PATIENCE, collect(body)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            kind::BODY_TIMEOUT,
            "The body did not arrive in time; send it again.",
        )),
    }
}

async fn collect(mut body: Incoming) -> Result<Bytes, Problem> {
    let mut read =
        Vec::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(limits::BODY_BYTES));
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Problem { log: Some(error.to_string()), ..malformed("The body broke off.") })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        total += data.len();
        if total > DISCARD_BYTES {
            break;
        }
        if total <= limits::BODY_BYTES {
            read.extend_from_slice(&data);
        }
    }
    if total > limits::BODY_BYTES {
        let detail =
            format!("The body is larger than {} bytes; send fewer items in one request.", limits::BODY_BYTES);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, kind::BODY_TOO_LARGE, detail));
    }
    Ok(read.into())
}

/// Reads a JSON object.
///
/// # Errors
/// 400 with what the parser says.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("The body is no JSON object; send one, at least {}."));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| malformed(format!("The body is not what this endpoint takes: {error}.")))
}

/// Refuses a body that does not say it is JSON: no form of another site can send one that does.
///
/// # Errors
/// 415.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    if essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        kind::UNSUPPORTED_MEDIA_TYPE,
        "This endpoint takes JSON only; say Content-Type: application/json.",
    ))
}

/// 400: the body cannot be read.
pub fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, kind::MALFORMED_BODY, detail)
}
