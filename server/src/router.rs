//! The one match on method and path.
//!
//! | path | endpoint |
//! |---|---|
//! | `POST /api/session/{start,ping,end}` | [`endpoints::session`] |
//! | `POST /api/telemetry/{page_view,event,order}` | [`endpoints::telemetry`] |
//! | `POST /api/auth/{login,logout}` | [`endpoints::auth`] |
//! | `GET /api/metrics/{overview,timeseries,pages,referrers,sites,live,refused}` | [`endpoints::metrics`] |
//! | `DELETE /api/privacy/visitor` | [`endpoints::privacy`] |
//! | `GET /api/openapi.json` | [`endpoints::openapi`] |
//! | `GET /` | to the dashboard |
//! | `GET` anything else | [`endpoints::assets`] |
//! | admin listener: `GET /healthz`, `/readyz`, `/metrics` | [`endpoints::health`] |

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use visitflow_protocol::{path, problem as kind};

use crate::app::App;
use crate::endpoints::call::Call;
use crate::endpoints::{assets, auth, health, metrics, openapi, privacy, session, telemetry};
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};

#[cfg(doc)]
use crate::endpoints;

/// Where the API's description for machines is.
const OPENAPI: &str = "/api/openapi.json";

/// Where somebody who asks for nothing in particular is sent.
const DASHBOARD: &str = "/dashboard";

/// Finds the endpoint and calls it. What is large and seldom asked for is boxed, so that it does not
/// make the future of every request large.
///
/// # Errors
/// 404 and 405; else what the endpoint says.
pub async fn route(call: Call<'_>) -> Result<Reply, Problem> {
    let get = matches!(call.head.method, Method::GET | Method::HEAD);
    let post = call.head.method == Method::POST;
    match call.head.uri.path() {
        path::SESSION_START if post => session::start(call).await,
        path::SESSION_PING if post => session::ping(call).await,
        path::SESSION_END if post => session::end(call).await,
        path::PAGE_VIEW if post => telemetry::page_view(call).await,
        path::EVENT if post => telemetry::event(call).await,
        path::ORDER if post => telemetry::order(call).await,
        path::LOGIN if post => Box::pin(auth::login(call)).await,
        path::LOGOUT if post => Box::pin(auth::logout(call)).await,
        path::OVERVIEW if get => Box::pin(metrics::overview(call)).await,
        path::TIMESERIES if get => Box::pin(metrics::timeseries(call)).await,
        path::PAGES if get => Box::pin(metrics::pages(call)).await,
        path::SITES if get => Box::pin(metrics::sites(call)).await,
        path::REFERRERS if get => Box::pin(metrics::referrers(call)).await,
        path::LIVE if get => Box::pin(metrics::live(call)).await,
        path::REFUSED if get => Box::pin(metrics::refused(call)).await,
        path::ERASE if call.head.method == Method::DELETE => Box::pin(privacy::erase(call)).await,
        OPENAPI if get => Ok(openapi::describe()),
        "/" if get && call.app.assets.find(DASHBOARD).is_some() => Ok(reply::see(DASHBOARD)),
        path::SESSION_START
        | path::SESSION_PING
        | path::SESSION_END
        | path::PAGE_VIEW
        | path::EVENT
        | path::ORDER
        | path::LOGIN
        | path::LOGOUT => Err(method_not_allowed("POST, OPTIONS")),
        path::ERASE => Err(method_not_allowed("DELETE, OPTIONS")),
        path::OVERVIEW
        | path::TIMESERIES
        | path::PAGES
        | path::REFERRERS
        | path::SITES
        | path::LIVE
        | path::REFUSED
        | OPENAPI => Err(method_not_allowed("GET, HEAD, OPTIONS")),
        other => match call.app.assets.find(other) {
            Some(asset) if get => Ok(assets::serve(&call, asset)),
            Some(_) => Err(method_not_allowed("GET, HEAD, OPTIONS")),
            None => Err(not_found()),
        },
    }
}

/// Finds the endpoint of the admin listener and calls it.
///
/// # Errors
/// 404 and 405.
pub async fn route_admin(app: &App, head: &Parts) -> Result<Reply, Problem> {
    let get = matches!(head.method, Method::GET | Method::HEAD);
    match head.uri.path() {
        "/healthz" if get => Ok(health::alive()),
        "/readyz" if get => health::ready(app).await,
        "/metrics" if get => Ok(health::metrics(app, head)),
        "/healthz" | "/readyz" | "/metrics" => Err(method_not_allowed("GET, HEAD")),
        _ => Err(not_found()),
    }
}

fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        kind::NOT_FOUND,
        "Nothing is served at this path; /api/openapi.json lists what is.",
    )
}

fn method_not_allowed(allow: &'static str) -> Problem {
    let detail = "This path does not take this method; Allow lists those it takes.";
    Problem {
        allow: Some(allow),
        ..Problem::new(StatusCode::METHOD_NOT_ALLOWED, kind::METHOD_NOT_ALLOWED, detail)
    }
}
