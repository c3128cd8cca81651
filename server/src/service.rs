//! One request, from head to answer: whose it is, whether its origin may, which endpoint, errors
//! into answers, headers that every answer carries, the log. Nothing else in the server turns an
//! error into a response.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use visitflow_protocol::{path, problem as kind};

use crate::app::App;
use crate::clock;
use crate::config::CookieSecure;
use crate::endpoints::call::Call;
use crate::endpoints::keys;
use crate::http::client_ip::{self, Client};
use crate::http::origin;
use crate::http::origin::Verdict;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::router;

/// Longest request target in bytes.
const TARGET_BYTES: usize = 8 * 1024;

/// Answers a request on the public listener.
pub async fn answer(app: Arc<App>, request: Request<Incoming>, peer: IpAddr, tls: bool) -> Reply {
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let client = client_ip::client(peer, &head.headers, &app.config.trusted_proxies);
    let (https, host) = target(&head, client, tls);
    let own = format!("{}://{host}", if https { "https" } else { "http" });
    let verdict = app.origins.judge(&head.headers, &own);
    let outcome = handle(&app, &head, body, client, &verdict, https, &host).await;
    let mut answer = outcome.unwrap_or_else(|problem| refuse(&head, &problem));
    finish(&mut answer, &verdict, https);
    if head.method == Method::HEAD {
        reply::behead(&mut answer);
    }
    app.metrics.answered(answer.status().as_u16(), begun.elapsed());
    tracing::debug!(method = %head.method, path = head.uri.path(), status = answer.status().as_u16(), micros = begun.elapsed().as_micros(), "answered");
    answer
}

async fn handle(
    app: &App,
    head: &Parts,
    body: Incoming,
    client: Client,
    verdict: &Verdict,
    https: bool,
    host: &str,
) -> Result<Reply, Problem> {
    if head.uri.path_and_query().is_some_and(|target| target.as_str().len() > TARGET_BYTES) {
        return Err(Problem::new(
            StatusCode::URI_TOO_LONG,
            kind::INVALID_QUERY,
            "The address is longer than 8 KiB; send what it says in the body.",
        ));
    }
    if head.method == Method::OPTIONS {
        return Ok(preflight(verdict));
    }
    let now = clock::now();
    let key = if head.uri.path().starts_with("/api/") { keys::holder(app, head, now).await? } else { None };
    if *verdict == Verdict::Foreign && key.is_none() && !head.method.is_safe() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            kind::FOREIGN_ORIGIN,
            "This origin may not call visitflow; start the server with --allowed-origin for it.",
        ));
    }
    // Erasing has a scope of its own, which the endpoint looks at.
    let writes = !head.method.is_safe() && head.uri.path() != path::ERASE;
    if writes && key.is_some_and(|key| !key.write) {
        return Err(keys::lacks_write());
    }
    let secure = match app.config.cookie_secure {
        CookieSecure::Always => true,
        CookieSecure::Never => false,
        CookieSecure::Auto => https || !origin::is_loopback(host),
    };
    router::route(Call { app, head, now, client, key, host, https, secure, body: Some(body) }).await
}

/// The answer for a problem, and its line in the log.
fn refuse(head: &Parts, problem: &Problem) -> Reply {
    let (method, path, status, kind) = (&head.method, head.uri.path(), problem.status.as_u16(), problem.kind);
    match &problem.log {
        Some(cause) if problem.status.is_server_error() => {
            tracing::error!(%method, path, status, kind, cause, "request failed")
        }
        Some(cause) => tracing::debug!(%method, path, status, kind, cause, "request refused"),
        None => tracing::debug!(%method, path, status, kind, "request refused"),
    }
    reply::problem(problem)
}

/// How the browser reached us: over TLS or not, and by which host.
fn target(head: &Parts, client: Client, tls: bool) -> (bool, String) {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = |name: &str| {
        text(name).filter(|_| client.proxied).map(|value| value.rsplit(',').next().unwrap_or(value).trim())
    };
    let https =
        tls || forwarded("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    let host = forwarded("x-forwarded-host")
        .or_else(|| head.uri.authority().map(|authority| authority.as_str()))
        .or_else(|| text("host"));
    (https, host.unwrap_or("localhost").to_lowercase())
}

/// The answer to a CORS preflight: 204, with permission for listed origins alone.
fn preflight(verdict: &Verdict) -> Reply {
    let mut answer = reply::no_content();
    if matches!(verdict, Verdict::Listed(_)) {
        reply::set(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE");
        reply::set(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type");
        reply::set(&mut answer, header::ACCESS_CONTROL_MAX_AGE, "7200");
    }
    answer
}

/// Headers that every answer carries.
fn finish(answer: &mut Reply, verdict: &Verdict, https: bool) {
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Verdict::Listed(origin) = verdict
        && let Ok(origin) = HeaderValue::from_str(origin)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
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
    router::route_admin(&app, &head).await.unwrap_or_else(|problem| refuse(&head, &problem))
}
