//! The admin listener: `GET /healthz`, `/readyz`, `/metrics`

use hyper::header;
use hyper::http::request::Parts;

use crate::app::App;
use crate::clock;
use crate::http::fields;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::log;
use crate::observe::{Breaker, Format, Now};
use crate::session_cache::redis::BreakerState;

/// The process runs.
#[must_use]
pub fn alive() -> Reply {
    reply::text("ok\n", "text/plain; charset=utf-8")
}

/// Whether the server can store: Postgres accepts writes, or a write to SQLite (or to the spool, while Postgres is
/// away) has just succeeded; and no commit has failed in the last seconds.
///
/// # Errors
/// 503 when it does not.
pub async fn ready(app: &App) -> Result<Reply, Problem> {
    app.lifecycle.ingest.probe(clock::now()).await?;
    Ok(alive())
}

/// The metrics, in the Prometheus text format, or as OpenMetrics if the request accepts it.
#[must_use]
pub fn metrics(app: &App, head: &Parts) -> Reply {
    let accepted = fields::text(&head.headers, header::ACCEPT).unwrap_or_default();
    let (format, content_type) = if accepted.contains("application/openmetrics-text") {
        (Format::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    } else {
        (Format::Prometheus, "text/plain; version=0.0.4; charset=utf-8")
    };
    let sessions = &app.lifecycle.sessions;
    let redis = sessions.redis().map(|redis| {
        let breaker = match redis.breaker_state() {
            BreakerState::Closed => Breaker::Closed,
            BreakerState::Open => Breaker::Open,
            BreakerState::HalfOpen => Breaker::HalfOpen,
        };
        (breaker, redis.is_trusted())
    });
    let now = Now {
        sessions: sessions.local.len(),
        queue: app.lifecycle.ingest.depth(),
        redis,
        log_lines_dropped: log::lines_dropped(),
    };
    let text = app.metrics.text(now, format);
    let mut answer = reply::text(text, content_type);
    reply::set(&mut answer, header::CACHE_CONTROL, "no-store");
    answer
}
