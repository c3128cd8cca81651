//! A site that already has cookies with visitflow's names.

use serde_json::{Value, json};
use visitflow_testkit::browser::{Browser, Engine};
use visitflow_testkit::patience::page_views_are;
use visitflow_testkit::scene::Scene;
use visitflow_testkit::visitor::Request;
use visitflow_testkit::{Answer, Server, Visitor, in_engines, password_of};

in_engines! {
    a_sites_own_cookies_are_left_alone_and_ours_have_other_names
    a_sites_own_cookies_are_left_alone_where_ours_have_no_other_names
}

/// Requests to each endpoint, from a browser whose `session_id` belongs to another application.
fn requests(ada: &Visitor) -> [(Request, u16); 7] {
    let login = json!({"username": "alice", "password": password_of("alice")});
    [
        (ada.post("/api/session/start", &json!({"visitor_id": ada.id})), 200),
        (ada.post("/api/telemetry/page_view", &ada.page_view("/")), 204),
        (ada.post("/api/session/ping", &json!({})), 401),
        (ada.post("/api/session/forget", &json!({})), 204),
        (ada.post("/api/session/end", &json!({})), 204),
        (ada.post("/api/auth/logout", &json!({})).as_json(), 204),
        (ada.post("/api/auth/login", &login).as_json(), 409),
    ]
}

#[tokio::test]
async fn a_session_id_of_another_application_is_never_overwritten_or_deleted() {
    let server = Server::with().user("alice").start().await;
    for foreign in
        [&b"session_id=nonsense"[..], b"session_id=s%3Aabc.def", b"session_id=a=b", b"session_id=\xff"]
    {
        let ada = server.visitor();
        for (request, status) in requests(&ada) {
            let answer: Answer = request.cookie(foreign).send().await.expect(status);
            assert_eq!(answer.set_cookie("session_id"), None, "{}", answer.to);
            if status == 409 {
                answer.expect_problem(409, "cookie-taken");
            }
        }
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views"), 4, "they are stored");
    server.assert_visits(4);
    assert_eq!(server.log().matches("--cookie-name session_id=shop_sid").count(), 1, "it is said once");
}

#[tokio::test]
async fn of_two_session_cookies_the_one_of_our_form_counts() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let token = ada.token();
    for both in
        [format!("session_id=theirs; session_id={token}"), format!("session_id={token}; session_id=theirs")]
    {
        ada.post("/api/session/ping", &json!({})).cookie(both).send().await.expect(204);
    }
}

#[tokio::test]
async fn a_visitor_id_of_another_application_is_never_overwritten_or_deleted() {
    let server = Server::start().await;
    let ada = server.visitor();
    let start = ada.post("/api/session/start", &json!({"visitor_id": ada.id}));
    let foreign = "visitor_id=customer-7; last_activity=today";
    let answer = start.cookie(foreign).send().await.expect(200);
    assert_eq!(answer.set_cookie("visitor_id"), None);
    let forgotten = ada.post("/api/session/forget", &json!({}));
    let cookie = format!("{foreign}; session_id={}", ada.token());
    let answer = forgotten.cookie(cookie).send().await.expect(204);
    assert_eq!((answer.set_cookie("visitor_id"), answer.set_cookie("last_activity")), (None, None));
    server.assert_visits(1);
}

#[tokio::test]
async fn the_cookies_have_the_names_that_the_site_gives_them() {
    let names = "session_id=shop_sid,visitor_id=shop_vid";
    let server = Server::with()
        .user("alice")
        .flag("--cookie-name", names)
        .flag("--cookie-prefix", "host")
        .start()
        .await;
    let ada = server.visitor();
    let answer = ada.start().await.expect(200);
    assert_eq!((answer.set_cookie("session_id"), answer.set_cookie("visitor_id")), (None, None));
    assert_eq!(answer.set_cookie("shop_vid").expect("a cookie").value, ada.id);
    assert!(answer.set_cookie("__Host-shop_sid").expect("a cookie").attributes.contains("HttpOnly"));
    ada.ping().await.expect(204);
    ada.log_in("alice").await.expect(200);
    let view = ada.post("/api/telemetry/page_view", &json!({"url": "https://shop.example/"}));
    view.send().await.expect(204);
    let forgotten = ada.forget().await.expect(204);
    assert!(forgotten.set_cookie("shop_vid").is_some_and(|cookie| cookie.clears()));
    server.assert_visits(1);
}

/// Writes cookies as another application of the site does.
const THEIRS: &str =
    "document.cookie = 'session_id=basket-17; Path=/'; document.cookie = 'visitor_id=customer-7; Path=/';";

/// A page with the client, and with what another application of the site has written before it.
fn serve(scene: &Scene, path: &str, attributes: &str) {
    let page = format!(
        "<!doctype html><html><head><title>A page</title><link rel=\"icon\" href=\"data:,\">\
         <script>{THEIRS} window.said = []; const {{ warn }} = console;
         console.warn = (...all) => {{ said.push(all.join(' ')); warn(...all); }};</script>\
         <script src=\"/visitflow.js\" data-consent=\"granted\" {attributes}></script></head><body></body></html>"
    );
    scene.witness.serve_html(path, &page);
}

async fn value(scene: &Scene, name: &str) -> Option<String> {
    let cookies = scene.browser.driver.get_all_cookies().await.expect("the cookies");
    cookies.into_iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value)
}

async fn assert_theirs_are_untouched(scene: &Scene) {
    assert_eq!(value(scene, "session_id").await.as_deref(), Some("basket-17"));
    assert_eq!(value(scene, "visitor_id").await.as_deref(), Some("customer-7"));
}

async fn a_sites_own_cookies_are_left_alone_and_ours_have_other_names(engine: Engine) {
    let names = "session_id=shop_sid,visitor_id=shop_vid,last_activity=shop_seen";
    let server = Server::with().user("alice").flag("--cookie-name", names).start().await;
    let scene = Scene::on(Browser::of(engine).await, server).await;
    let attributes = "data-cookie-names=\"visitor_id=shop_vid last_activity=shop_seen\"";
    serve(&scene, "/shop", attributes);
    serve(&scene, "/next", attributes);
    scene.open("/shop").await;
    page_views_are(&scene.server, 1).await;
    scene.settles().await;
    scene.open("/next").await;
    page_views_are(&scene.server, 2).await;
    scene.everything_is_sent("seen").await;
    scene.server.assert_visits(1);
    assert!(value(&scene, "shop_vid").await.is_some_and(|id| id.starts_with("v_")));
    assert!(value(&scene, "shop_sid").await.is_some() && value(&scene, "shop_seen").await.is_some());
    let login = format!("visitflow.login('alice', '{}')", password_of("alice"));
    scene.browser.resolve(&login).await;
    assert_theirs_are_untouched(&scene).await;
    scene.browser.resolve("visitflow.revoke()").await;
    assert_theirs_are_untouched(&scene).await;
    assert_eq!((value(&scene, "shop_vid").await, value(&scene, "shop_seen").await), (None, None));
    assert!(value(&scene, "shop_sid").await.is_some(), "who is signed in stays so");
    assert_eq!(scene.browser.evaluate("said").await, json!([]));
    scene.close().await;
}

async fn a_sites_own_cookies_are_left_alone_where_ours_have_no_other_names(engine: Engine) {
    let scene = Scene::of(engine).await;
    serve(&scene, "/shop", "");
    scene.open("/shop").await;
    page_views_are(&scene.server, 1).await;
    scene.everything_is_sent("seen").await;
    scene.server.assert_visits(1);
    assert_theirs_are_untouched(&scene).await;
    assert_eq!(scene.snapshot().await["cookies"], false);
    scene.browser.resolve("visitflow.revoke()").await;
    assert_theirs_are_untouched(&scene).await;
    let said = scene.browser.evaluate("said").await;
    let lines = said.as_array().map_or(0, Vec::len);
    assert!(lines == 1 && said[0].as_str().is_some_and(|line| line.contains("cookieNames")), "{said}");
    assert_eq!(scene.browser.evaluate("localStorage.getItem('visitflow.views')").await, Value::Null);
    scene.close().await;
}
