//! Who may call what.

use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use visitflow_testkit::setup::password_of;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Answer, Server};

/// Browsers: without a session, with one, with a signed-in user, with an admin, and with an admin on a page of another
/// origin, which may send a GET but cannot read the answer. And API keys by their scopes.
const CALLERS: [&str; 9] =
    ["nobody", "visitor", "user", "admin", "elsewhere", "read", "write", "erase", "session"];

/// Method, path, a body, and for each caller: `+` may, `1` is refused by 401, `3` by 403.
fn routes(visitor: &str) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let order = json!({"id": "9", "amount": "1", "currency": "EUR", "site": SITE});
    let whose = json!({"visitor_id": visitor});
    vec![
        ("GET", "/api/metrics/overview", json!({}), "113+3 +333"),
        ("GET", "/api/metrics/timeseries", json!({}), "113+3 +333"),
        ("GET", "/api/metrics/pages", json!({}), "113+3 +333"),
        ("GET", "/api/metrics/referrers", json!({}), "113+3 +333"),
        ("GET", "/api/metrics/sites", json!({}), "113+3 +333"),
        ("GET", "/api/metrics/live", json!({}), "113+3 +333"),
        ("GET", "/api/metrics/refused", json!({}), "113+3 +333"),
        ("POST", "/api/session/start", json!({}), "++++3 3+33"),
        ("POST", "/api/session/ping", json!({}), "1+++3 3133"),
        ("POST", "/api/session/end", json!({}), "++++3 3+33"),
        ("POST", "/api/session/forget", json!({}), "++++3 3+33"),
        ("POST", "/api/telemetry/page_view", json!({"url": "https://shop.test/"}), "++++3 3+33"),
        ("POST", "/api/telemetry/event", json!({"name": "seen", "site": SITE}), "++++3 3+33"),
        ("POST", "/api/telemetry/order", order, "++++3 3+33"),
        (
            "POST",
            "/api/auth/login",
            json!({"username": "alice", "password": password_of("alice")}),
            "++++3 3+33",
        ),
        ("POST", "/api/auth/logout", json!({}), "++++3 3+33"),
        ("POST", "/api/auth/password", json!({"old_password": "a", "new_password": "b"}), "++++3 3+33"),
        ("GET", "/api/privacy/visitor?visitor_id={visitor}", json!({}), "333+3 33+3"),
        ("DELETE", "/api/privacy/visitor", whose, "333+3 33+3"),
        ("POST", "/api/session/introspect", json!({"token": "s_a.b"}), "11113 333+"),
        ("POST", "/api/session/bind", json!({"user_id": "ada"}), "11113 333+"),
        ("POST", "/api/session/unbind", json!({}), "11113 333+"),
        ("GET", "/api/sessions{?user_id}", json!({}), "11+++ 333+"),
        ("DELETE", "/api/sessions{?user_id}", json!({}), "11++3 333+"),
        ("DELETE", "/api/sessions/{tag}{?user_id}", json!({}), "11++3 333+"),
        ("GET", "/api/session", json!({}), "1++++ 1111"),
        ("GET", "/api/session/verify", json!({}), "1++++ 1111"),
        ("GET", "/api/openapi.json", json!({}), "+++++ ++++"),
    ]
}

#[tokio::test]
async fn each_caller_may_what_the_table_says() {
    let server = Server::with().user("alice").admin("root").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let mut keys = HashMap::new();
    for scope in &CALLERS[5..] {
        let key = server.run(&["key", "add", scope, "--scope", scope], "").await;
        keys.insert(*scope, key.trim().to_owned());
    }
    let mut wrong = Vec::new();
    for (method, path, body, expected) in routes(&ada.id) {
        for (caller, expected) in CALLERS.iter().zip(expected.replace(' ', "").chars()) {
            let answer = calls(&server, caller, method, path, &body, &ada.id, &keys).await;
            let verdict = match answer.status {
                401 => '1',
                403 => '3',
                _ => '+',
            };
            if verdict != expected {
                wrong.push(format!("{method} {path} of {caller}: {} {}", answer.status, answer.text()));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn the_table_has_each_route_and_no_other() {
    let server = Server::start().await;
    let description: Value = server.visitor().get("/api/openapi.json").send().await.expect(200).json();
    let described = description["paths"].as_object().expect("paths");
    let described = described.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let told = routes("").into_iter().map(|(method, path, ..)| {
        let path = path.split_once("{?").or(path.split_once('?')).map_or(path, |(path, _)| path);
        format!("{method} {path}")
    });
    // The description does not describe itself.
    let described = described.chain(["GET /api/openapi.json".to_owned()]);
    assert_eq!(described.collect::<BTreeSet<_>>(), told.collect());
}

async fn calls(
    server: &Server,
    caller: &str,
    method: &str,
    path: &str,
    body: &Value,
    visitor: &str,
    keys: &HashMap<&str, String>,
) -> Answer {
    let by_key = keys.contains_key(caller);
    let browser = server.visitor();
    let path = path.replace("{tag}", "AAAAAAAAAAAAAAAAAAAAAA").replace("{visitor}", visitor);
    let query = match (by_key, method) {
        (true, _) => "?user_id=ada",
        (false, "DELETE") if !path.contains("AAAA") => "?others=true",
        (false, _) => "",
    };
    let path = path.replace("{?user_id}", query);
    match caller {
        "visitor" => _ = browser.view("/").await.expect(204),
        "user" | "elsewhere" => {
            browser.view("/").await.expect(204);
            browser.log_in("alice").await.expect(200);
        }
        "admin" => _ = browser.log_in_to_dashboard("root").await.expect(200),
        _ => {}
    }
    let request = match method {
        "GET" => browser.get(&path),
        _ => browser.request(method, &path).body(&body.to_string()).as_json(),
    };
    let request = match caller {
        "elsewhere" => request.without("origin").header("origin", "https://elsewhere.test"),
        _ if by_key => request.bearer(&keys[caller]).cookie("").without("origin"),
        _ => request,
    };
    request.send().await
}
