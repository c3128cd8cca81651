//! The admin listener: `GET /healthz`, `/readyz`, `/metrics`

use hyper::header;

use crate::app::App;
use crate::clock;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::store::events::command::Command;

/// The process runs.
#[must_use]
pub fn alive() -> Reply {
    reply::text("ok\n", "text/plain; charset=utf-8")
}

/// The server can store: it has just written to its database.
///
/// # Errors
/// 503 when it does not.
pub async fn ready(app: &App) -> Result<Reply, Problem> {
    app.lifecycle.ingest.commit(Command::Probe { now: clock::now() }).await?;
    Ok(alive())
}

/// The metrics, in the Prometheus text format.
#[must_use]
pub fn metrics(app: &App) -> Reply {
    let text = app.metrics.text(app.lifecycle.sessions.len(), app.lifecycle.ingest.depth());
    let mut answer = reply::text(text, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    reply::set(&mut answer, header::CACHE_CONTROL, "no-store");
    answer
}
