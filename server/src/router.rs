//! The one match on method and path.
//!
//! | path | endpoint |
//! |---|---|
//! | `POST /api/session/{start,ping,end,forget}` | [`endpoints::session`] |
//! | `GET /api/session`, `POST /api/session/introspect`, `GET /api/session/verify` | [`endpoints::introspection`] |
//! | `POST /api/session/{bind,unbind}` | [`endpoints::binding`] |
//! | `GET`, `DELETE /api/sessions`, `DELETE /api/sessions/{tag}` | [`endpoints::sessions`] |
//! | `POST /api/telemetry/{page_view,event,order}` | [`endpoints::telemetry`] |
//! | `POST /api/auth/{login,logout,password}` | [`endpoints::auth`] |
//! | `GET /api/metrics/{overview,timeseries,pages,referrers,sites,live,refused}` | [`endpoints::metrics`] |
//! | `GET`, `DELETE /api/privacy/visitor` | [`endpoints::privacy`] |
//! | `GET /api/openapi.json` | [`endpoints::openapi`] |
//! | `GET /` | to the dashboard |
//! | `GET` anything else | [`assets`] |
//! | admin listener: `GET /healthz`, `/readyz`, `/metrics` | [`endpoints::health`] |

use std::future::ready;

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use visitflow_protocol::{path, problem as kind};

use crate::app::App;
use crate::assets;
use crate::call::Call;
use crate::contract::accounts::Scope;
use crate::endpoints::{
    auth, binding, health, introspection, metrics, openapi, privacy, session, sessions, telemetry,
};
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};

#[cfg(doc)]
use crate::endpoints;

// The paths that only the server names. The others are in `visitflow_protocol::path`.
const INTROSPECT: &str = "/api/session/introspect";
const BIND: &str = "/api/session/bind";
const UNBIND: &str = "/api/session/unbind";
const VERIFY: &str = "/api/session/verify";
const PASSWORD: &str = "/api/auth/password";
const OVERVIEW: &str = "/api/metrics/overview";
const TIMESERIES: &str = "/api/metrics/timeseries";
const PAGES: &str = "/api/metrics/pages";
const REFERRERS: &str = "/api/metrics/referrers";
const SITES: &str = "/api/metrics/sites";
const LIVE: &str = "/api/metrics/live";
const REFUSED: &str = "/api/metrics/refused";
const OPENAPI: &str = "/api/openapi.json";

/// Where `/` leads.
const DASHBOARD: &str = "/dashboard";

/// The page on which visitors see their own data.
const YOUR_DATA: &str = "/your-data";

/// The methods of an endpoint, as `Allow` lists them.
macro_rules! allow {
    (@ get) => { "GET, HEAD, " };
    (@ post) => { "POST, " };
    (@ delete) => { "DELETE, " };
    ($($method:ident)+) => { concat!($(allow!(@ $method),)+ "OPTIONS") };
}

/// Makes the list of the endpoints and the match from one table. A line: path, scope, answer to each method.
macro_rules! endpoints {
    ($call:ident: $($path:path, $scope:expr, $($method:ident => $answer:expr),+;)+) => {
        /// Every path of the API: its `Allow` header, and the scope that an API key needs for it. Where there is no
        /// scope, a key makes no difference.
        pub const ENDPOINTS: &[(&str, &str, Option<Scope>)] = &[$(($path, allow!($($method)+), $scope)),+];

        /// Finds the endpoint and calls it.
        ///
        /// # Errors
        /// 404 and 405; otherwise the endpoint's.
        pub async fn route($call: Call<'_>) -> Result<Reply, Problem> {
            let method = &$call.head.method;
            match named($call.head.uri.path()) {
                $($($path if $method(method) => $answer.await,)+)+
                other if let Some(allow) = allowed(other) => Err(method_not_allowed(allow)),
                other => route_page($call, other),
            }
        }
    };
}

// Large futures of rarely used endpoints are boxed, so that the future of every request stays small.
endpoints! { call:
    path::SESSION, None, get => introspection::own(call);
    path::SESSION_START, Some(Scope::Write), post => session::start(call);
    path::SESSION_PING, Some(Scope::Write), post => session::ping(call);
    path::SESSION_END, Some(Scope::Write), post => session::end(call);
    path::SESSION_FORGET, Some(Scope::Write), post => Box::pin(session::forget(call));
    INTROSPECT, Some(Scope::Session), post => introspection::introspect(call);
    BIND, Some(Scope::Session), post => Box::pin(binding::bind(call));
    UNBIND, Some(Scope::Session), post => Box::pin(binding::unbind(call));
    path::SESSIONS, Some(Scope::Session),
        get => Box::pin(sessions::list(call)),
        delete => Box::pin(sessions::end_others(call));
    path::SESSION_OF_USER, Some(Scope::Session), delete => Box::pin(sessions::end_one(call));
    VERIFY, None, get => introspection::verify(call);
    path::PAGE_VIEW, Some(Scope::Write), post => telemetry::page_view(call);
    path::EVENT, Some(Scope::Write), post => telemetry::event(call);
    path::ORDER, Some(Scope::Write), post => telemetry::order(call);
    path::LOGIN, Some(Scope::Write), post => Box::pin(auth::login(call));
    path::LOGOUT, Some(Scope::Write), post => Box::pin(auth::logout(call));
    PASSWORD, Some(Scope::Write), post => Box::pin(auth::password(call));
    OVERVIEW, Some(Scope::Read), get => Box::pin(metrics::overview(call));
    TIMESERIES, Some(Scope::Read), get => Box::pin(metrics::timeseries(call));
    PAGES, Some(Scope::Read), get => Box::pin(metrics::pages(call));
    REFERRERS, Some(Scope::Read), get => Box::pin(metrics::referrers(call));
    SITES, Some(Scope::Read), get => Box::pin(metrics::sites(call));
    LIVE, Some(Scope::Read), get => Box::pin(metrics::live(call));
    REFUSED, Some(Scope::Read), get => Box::pin(metrics::refused(call));
    path::ERASE, Some(Scope::Erase),
        get => Box::pin(privacy::disclose(call)),
        delete => Box::pin(privacy::erase(call));
    OPENAPI, None, get => ready(Ok(openapi::describe()));
}

fn get(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn post(method: &Method) -> bool {
    method == Method::POST
}

fn delete(method: &Method) -> bool {
    method == Method::DELETE
}

/// The path of [`ENDPOINTS`] that matches this one: if a part of it is a value, the path with the name of that
/// part.
fn named(path: &str) -> &str {
    match path.strip_prefix(path::SESSIONS).and_then(|rest| rest.strip_prefix('/')) {
        Some(tag) if !tag.is_empty() && !tag.contains('/') => path::SESSION_OF_USER,
        _ => path,
    }
}

/// The scope that an API key needs for a path.
#[must_use]
pub fn scope(path: &str) -> Option<Scope> {
    let path = named(path);
    ENDPOINTS.iter().find(|(listed, ..)| *listed == path)?.2
}

/// A path as the log may show it. Other paths are left out: they may contain private data.
#[must_use]
pub fn logged(path: &str) -> &str {
    let path = named(path);
    let is_ours = ["/", DASHBOARD, YOUR_DATA, "/healthz", "/readyz", "/metrics"].contains(&path)
        || allowed(path).is_some();
    if is_ours { path } else { "(other)" }
}

/// The `Allow` header for a path of [`ENDPOINTS`].
fn allowed(path: &str) -> Option<&'static str> {
    ENDPOINTS.iter().find(|(listed, ..)| *listed == path).map(|(_, allow, _)| *allow)
}

/// Finds the page or file.
fn route_page(call: Call<'_>, path: &str) -> Result<Reply, Problem> {
    let get = get(&call.head.method);
    let assets = &call.app.assets;
    match assets.find(path) {
        _ if path == "/" && get && assets.find(DASHBOARD).is_some() => Ok(reply::see(DASHBOARD)),
        Some(asset) if get => Ok(assets::serve(asset, &call.head.headers)),
        Some(_) => Err(method_not_allowed(allow!(get))),
        None => Err(not_found()),
    }
}

/// Finds the endpoint of the admin listener and calls it.
///
/// # Errors
/// 404 and 405.
pub async fn route_admin(app: &App, head: &Parts) -> Result<Reply, Problem> {
    let get = get(&head.method);
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
        "There is nothing at this path; /api/openapi.json lists the paths.",
    )
}

fn method_not_allowed(allow: &'static str) -> Problem {
    let detail = "This path does not accept this method; the header Allow lists the methods that it accepts.";
    Problem {
        allow: Some(allow),
        ..Problem::new(StatusCode::METHOD_NOT_ALLOWED, kind::METHOD_NOT_ALLOWED, detail)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A file of the repository.
    macro_rules! file {
        ($path:literal) => {
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $path))
        };
    }

    /// The words that stand between two marks.
    fn between<'a>(text: &'a str, before: &str, after: &str) -> BTreeSet<&'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
    }

    /// The table of paths that a proxy has to pass on.
    fn proxied() -> Vec<&'static str> {
        let section = file!("docs/deployment.md")
            .split("\n## ")
            .find(|part| part.starts_with("Behind a reverse proxy"));
        let rows = section.unwrap().lines().filter(|line| line.starts_with("| `/"));
        rows.flat_map(|row| between(row.split('|').nth(1).unwrap(), "`/", "`")).collect()
    }

    #[test]
    fn the_description_for_machines_has_every_endpoint() {
        let api: serde_json::Value =
            serde_json::from_str(file!("server/src/endpoints/openapi.json")).unwrap();
        for (path, allow, _) in ENDPOINTS.iter().filter(|(path, ..)| *path != OPENAPI) {
            for method in allow.split(", ").filter(|method| !["HEAD", "OPTIONS"].contains(method)) {
                let method = method.to_lowercase();
                assert!(api["paths"][path][&method].is_object(), "{method} {path}");
            }
        }
    }

    #[test]
    fn a_path_with_a_value_is_routed_and_logged_by_the_name_of_the_value() {
        for path in ["/api/sessions/Fh2k", "/api/sessions/{tag}", "/api/sessions/a%2Fb"] {
            assert_eq!((named(path), logged(path)), (path::SESSION_OF_USER, path::SESSION_OF_USER));
            assert_eq!(scope(path), Some(Scope::Session));
        }
        for other in
            ["/api/sessions", "/api/sessions/", "/api/sessions/a/b", "/api/sessionsa", "/api/session"]
        {
            assert_eq!(named(other), other);
        }
    }

    #[test]
    fn the_paths_for_a_proxy_are_those_that_are_served() {
        let (proxied, assets) = (proxied(), assets::names());
        let served: Vec<&str> = ENDPOINTS.iter().map(|(path, ..)| *path).chain(assets).collect();
        for path in &served {
            assert!(proxied.iter().any(|start| path[1..].starts_with(start)), "{path}: {proxied:?}");
        }
        for start in proxied.iter().filter(|start| start.starts_with("api/")) {
            assert!(served.iter().any(|path| path[1..].starts_with(start)), "nothing is served at /{start}");
        }
    }

    #[test]
    fn the_example_of_a_proxy_passes_on_what_browsers_of_visitors_need() {
        let example = file!("examples/reverse-proxy/nginx.conf");
        let families = between(example, "(api/(", ")");
        assert!(!families.is_empty());
        for families in families {
            let names = families.split('|').flat_map(|name| match name.strip_suffix("s?") {
                Some(one) => vec![one.to_owned(), format!("{one}s")],
                None => vec![name.to_owned()],
            });
            let families: BTreeSet<String> = names.map(|name| format!("/api/{name}/")).collect();
            let needed =
                [path::SESSION_START, path::SESSION_OF_USER, path::PAGE_VIEW, path::LOGIN, path::ERASE];
            let needed = needed.iter().map(|path| format!("{}/", path.rsplit_once('/').unwrap().0)).collect();
            assert_eq!(families, needed);
        }
    }
}
