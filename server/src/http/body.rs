//! Reading a body within its limits, as JSON.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use visitflow_protocol::{limits, problem as kind};

use super::fields;
use super::problem::Problem;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body over the limit is read for this many bytes more and thrown away: otherwise a client that is still sending
/// would not see the answer.
const DISCARD_BYTES: usize = 1024 * 1024;

/// Reads the whole body, and decodes it if it is compressed.
///
/// # Errors
/// 413 over 64 KiB, as it comes or decoded; 408 when it takes too long; 415 for a coding other than
/// gzip; 400 when the connection breaks, or the body is not gzip.
pub async fn read(body: Incoming, headers: &HeaderMap) -> Result<Bytes, Problem> {
    match tokio::time::timeout(PATIENCE, collect(body)).await {
        Ok(read) => decode(read?, headers),
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
        let frame = frame.map_err(|error| Problem {
            log: Some(error.to_string()),
            ..malformed("The body is incomplete.")
        })?;
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
    if total > limits::BODY_BYTES { Err(too_large()) } else { Ok(read.into()) }
}

/// Decodes `Content-Encoding`, up to the limit of a body.
fn decode(body: Bytes, headers: &HeaderMap) -> Result<Bytes, Problem> {
    let is = |coding: &[u8], name: &[u8]| coding.eq_ignore_ascii_case(name);
    let mut codings =
        fields::elements(headers, CONTENT_ENCODING.as_str()).filter(|coding| !is(coding, b"identity"));
    let Some(coding) = codings.next() else { return Ok(body) };
    if codings.next().is_some() || !(is(coding, b"gzip") || is(coding, b"x-gzip")) {
        let detail = "This server accepts bodies without Content-Encoding, or with Content-Encoding: gzip.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, kind::UNSUPPORTED_ENCODING, detail));
    }
    let mut decoded = Vec::new();
    MultiGzDecoder::new(&body[..]).take(limits::BODY_BYTES as u64 + 1).read_to_end(&mut decoded).map_err(
        |error| Problem {
            log: Some(error.to_string()),
            ..malformed("The body does not match Content-Encoding; send it as gzip, or without that header.")
        },
    )?;
    if decoded.len() > limits::BODY_BYTES { Err(too_large()) } else { Ok(decoded.into()) }
}

fn too_large() -> Problem {
    let detail =
        format!("The body is larger than {} bytes; send fewer items in one request.", limits::BODY_BYTES);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, kind::BODY_TOO_LARGE, detail)
}

/// Reads a JSON object.
///
/// # Errors
/// 400 with the parser's message.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("The body must be a JSON object; send {} if it has no fields."));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| malformed(format!("The body does not fit this endpoint: {error}.")))
}

/// Refuses a body without the content type of JSON: a form of another site cannot send that type.
///
/// # Errors
/// 415.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    if media_type(headers).is_some_and(|said| said == b"application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        kind::UNSUPPORTED_MEDIA_TYPE,
        "This endpoint accepts only JSON; send Content-Type: application/json.",
    ))
}

/// The media type in `Content-Type`, in lower case and without parameters.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<Vec<u8>> {
    let said = fields::single(headers, CONTENT_TYPE).ok().flatten()?;
    let essence = said.as_bytes().split(|byte| *byte == b';').next()?;
    Some(essence.trim_ascii().to_ascii_lowercase())
}

/// 400: the body cannot be read.
pub fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, kind::MALFORMED_BODY, detail)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use hyper::header::HeaderValue;

    use super::*;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(body: &[u8], codings: &[&'static str]) -> Result<Bytes, (u16, &'static str)> {
        let headers =
            codings.iter().map(|coding| (CONTENT_ENCODING, HeaderValue::from_static(coding))).collect();
        decode(Bytes::copy_from_slice(body), &headers)
            .map_err(|problem| (problem.status.as_u16(), problem.kind))
    }

    #[test]
    fn gzip_is_undone_and_other_codings_are_refused() {
        let body = &b"{\"a\":1}"[..];
        for codings in [&["gzip"][..], &["GZip"], &["x-gzip"], &[" gzip , identity"], &["identity", "gzip"]] {
            assert_eq!(decoded(&gzip(body), codings).unwrap(), body, "{codings:?}");
        }
        assert_eq!(decoded(&[gzip(b"{\"a\""), gzip(b":1}")].concat(), &["gzip"]).unwrap(), body);
        for codings in [&[][..], &["identity"], &[""], &[","]] {
            assert_eq!(decoded(body, codings).unwrap(), body, "{codings:?}");
        }
        for codings in [&["br"][..], &["deflate"], &["zstd"], &["gzip, gzip"], &["gzip", "br"], &["nonsense"]]
        {
            assert_eq!(decoded(body, codings), Err((415, "unsupported-encoding")), "{codings:?}");
        }
    }

    #[test]
    fn what_is_not_gzip_is_malformed() {
        let whole = gzip(b"{\"a\":1}");
        let mut wrong = whole.clone();
        let check = wrong.len() - 8;
        wrong[check] ^= 1;
        let cut = &whole[..whole.len() - 1];
        let followed = [&whole[..], b"tail"].concat();
        for broken in [&b"{}"[..], b"", cut, &whole[..5], &wrong, &followed] {
            assert_eq!(decoded(broken, &["gzip"]), Err((400, "malformed-body")), "{broken:?}");
        }
    }

    #[test]
    fn what_comes_out_of_gzip_has_the_limit_of_every_body() {
        let most = vec![b' '; limits::BODY_BYTES];
        assert_eq!(decoded(&gzip(&most), &["gzip"]).unwrap(), most);
        let over = vec![b' '; limits::BODY_BYTES + 1];
        assert_eq!(decoded(&gzip(&over), &["gzip"]), Err((413, "body-too-large")));
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() <= limits::BODY_BYTES + 1_024, "{}", bomb.len());
        assert_eq!(decoded(&bomb, &["gzip"]), Err((413, "body-too-large")));
    }
}
