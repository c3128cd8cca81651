//! One request, from its head to the answer: finds out who sends it and whether the origin may, calls the
//! endpoint, turns errors into answers, sets the headers that every answer has, and writes the log. Nothing else
//! in the server turns an error into a response.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, StatusCode};
use visitflow_protocol::problem as kind;

use crate::app::App;
use crate::authorization;
use crate::call::Call;
use crate::clock;
use crate::config::CookieSecure;
use crate::http::client_ip::{self, Client};
use crate::http::fields;
use crate::http::foreign::ForeignOrigin;
use crate::http::origin::{self, Origin, Sender};
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::http::target::{self, Target};
use crate::router;
use crate::session::Millis;

/// Longest request target in bytes.
const TARGET_BYTES: usize = 8 * 1024;

/// Longest list of allowed headers in the answer to a preflight.
const ALLOWED_HEADERS_BYTES: usize = 4 * 1024;

/// Answers a request on the public listener.
pub async fn answer(app: Arc<App>, request: Request<Incoming>, peer: IpAddr, tls: bool) -> Reply {
    let begun = Instant::now();
    let (mut head, body) = request.into_parts();
    if let Some(prefix) = &app.config.path_prefix {
        head.uri = prefix.strip(head.uri);
    }
    let client = client_ip::client(peer, &head.headers, &app.config.trusted_proxies);
    let (mut answer, sender, https) = match target::target(&head, client.proxied, tls) {
        Ok(target) => {
            let sender = app.origins.judge(&head.headers, &target.own);
            let outcome = handle(&app, &head, body, client, &sender, &target).await;
            (outcome.unwrap_or_else(|problem| refuse(&head, &problem)), sender, target.https)
        }
        Err(problem) => (refuse(&head, &problem), Sender::Own, tls),
    };
    finish(&mut answer, &sender, https);
    if head.method == Method::HEAD {
        reply::without_body(&mut answer);
    }
    app.metrics.answered(answer.status().as_u16(), begun.elapsed());
    tracing::debug!(method = %head.method, path = router::logged(head.uri.path()), status = answer.status().as_u16(), micros = begun.elapsed().as_micros(), "answered");
    answer
}

async fn handle(
    app: &App,
    head: &Parts,
    body: Incoming,
    client: Client,
    sender: &Sender,
    target: &Target,
) -> Result<Reply, Problem> {
    if head.uri.path_and_query().is_some_and(|target| target.as_str().len() > TARGET_BYTES) {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            kind::INVALID_QUERY,
            "The address is longer than 8 KiB; send the data in the body.",
        ));
    }
    let now = clock::now();
    if head.method == Method::OPTIONS {
        if *sender == Sender::Foreign && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            note_foreign(app, head, now);
        }
        return Ok(preflight(&head.headers, sender));
    }
    let key = if head.uri.path().starts_with("/api/") {
        authorization::holder(app, head, now).await?
    } else {
        None
    };
    if *sender == Sender::Foreign && key.is_none() && !head.method.is_safe() {
        note_foreign(app, head, now);
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            kind::FOREIGN_ORIGIN,
            "This origin may not call visitflow; to allow it, start the server with --allowed-origin.",
        ));
    }
    if let (Some(key), Some(scope)) = (&key, router::scope(head.uri.path())) {
        authorization::require_scope(key, scope)?;
    }
    let host = target.host();
    let secure = match app.config.cookie_secure {
        CookieSecure::Always => true,
        CookieSecure::Never => false,
        // A backend may use another address than browsers do; the cookie is for the browser.
        CookieSecure::Auto if key.is_some() => {
            !app.config.public_url.as_ref().is_some_and(Origin::is_plain_loopback)
        }
        CookieSecure::Auto => target.https || !origin::is_loopback(host),
    };
    router::route(Call { app, head, now, client, key, host, https: target.https, secure, body: Some(body) })
        .await
}

/// Counts and logs a request or a preflight that is refused because of its origin.
fn note_foreign(app: &App, head: &Parts, now: Millis) {
    app.metrics.refused_foreign_origin();
    if let Some(origin) = ForeignOrigin::of(&head.headers)
        && app.foreign.refused(&origin, now)
    {
        tracing::info!("refused requests with Origin: {}; {}", origin.as_str(), origin.advice());
    }
}

/// The answer for a problem, and its line in the log.
fn refuse(head: &Parts, problem: &Problem) -> Reply {
    let (method, path, status, kind) =
        (&head.method, router::logged(head.uri.path()), problem.status.as_u16(), problem.kind);
    match &problem.log {
        Some(cause) if problem.status.is_server_error() => {
            tracing::error!(%method, path, status, kind, cause, "request failed")
        }
        Some(cause) => tracing::debug!(%method, path, status, kind, cause, "request refused"),
        None => tracing::debug!(%method, path, status, kind, "request refused"),
    }
    reply::problem(problem)
}

/// The answer to a CORS preflight: 204, with permission for listed origins alone. Their pages may
/// send any header: tracing adds some to every request.
fn preflight(asked: &HeaderMap, sender: &Sender) -> Reply {
    let mut answer = reply::no_content();
    if matches!(sender, Sender::Listed(_)) {
        reply::set(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE");
        answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(asked));
        reply::set(&mut answer, header::ACCESS_CONTROL_MAX_AGE, "7200");
        reply::set(&mut answer, header::VARY, "Access-Control-Request-Headers");
    }
    answer
}

/// The headers that the API reads, and those that the preflight asks for and that are valid names.
fn allowed_headers(asked: &HeaderMap) -> HeaderValue {
    let mut names = "authorization, content-type".to_owned();
    for name in fields::elements(asked, header::ACCESS_CONTROL_REQUEST_HEADERS.as_str())
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .filter(|name| *name != header::AUTHORIZATION && *name != header::CONTENT_TYPE)
    {
        if names.len() + name.as_str().len() > ALLOWED_HEADERS_BYTES {
            break;
        }
        names.push_str(", ");
        names.push_str(name.as_str());
    }
    HeaderValue::try_from(names).unwrap_or(HeaderValue::from_static("authorization, content-type"))
}

/// Sets the headers that every answer has.
fn finish(answer: &mut Reply, sender: &Sender, https: bool) {
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Sender::Listed(origin) = sender {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Answers a request on the admin listener.
pub async fn answer_admin(app: Arc<App>, request: Request<Incoming>) -> Reply {
    let (head, _) = request.into_parts();
    let outcome = match target::target(&head, false, false) {
        Ok(_) => router::route_admin(&app, &head).await,
        Err(problem) => Err(problem),
    };
    outcome.unwrap_or_else(|problem| refuse(&head, &problem))
}

/// Answers a request that came without TLS to a port with TLS.
pub async fn answer_without_tls(request: Request<Incoming>) -> Reply {
    let (head, _) = request.into_parts();
    let mut answer = refuse(
        &head,
        &Problem::new(
            StatusCode::BAD_REQUEST,
            kind::HTTPS_REQUIRED,
            "This port speaks HTTPS, and the request came as plain HTTP; write https:// in the address.",
        ),
    );
    reply::set(&mut answer, header::CONNECTION, "close");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(asked: &[&[u8]]) -> String {
        let name = || header::ACCESS_CONTROL_REQUEST_HEADERS;
        let asked = asked.iter().map(|value| (name(), HeaderValue::from_bytes(value).unwrap())).collect();
        allowed_headers(&asked).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_preflight_allows_each_header_whose_name_is_a_token() {
        let own = "authorization, content-type";
        assert_eq!(allowed(&[]), own);
        assert_eq!(allowed(&[b"Content-Type, AUTHORIZATION"]), own);
        assert_eq!(
            allowed(&[b"baggage,sentry-trace , Traceparent", b"x-b3-traceid,*"]),
            format!("{own}, baggage, sentry-trace, traceparent, x-b3-traceid, *")
        );
        assert_eq!(allowed(&[b"a b, caf\xe9, x:y, ok, \"q\"\t, ,"]), format!("{own}, ok, q"));
    }

    #[test]
    fn what_a_preflight_allows_is_bounded() {
        let many: Vec<_> = (0..10_000).map(|n| format!("x-{n}")).collect();
        let allowed = allowed(&[many.join(",").as_bytes()]);
        assert!(allowed.len() <= ALLOWED_HEADERS_BYTES + 2, "{}", allowed.len());
        assert!(allowed.contains(", x-0, x-1, "), "{allowed}");
    }
}
