//! The whole way: a person in a real browser becomes a number on the dashboard.

use serde_json::json;
use thirtyfour::SameSite;
use visitflow_testkit::answer::is_token;
use visitflow_testkit::browser::{Browser, Engine, TOUCHES};
use visitflow_testkit::patience::{comes, counts, page_views_are, until};
use visitflow_testkit::scene::Scene;
use visitflow_testkit::{Server, in_engines, password_of};

in_engines! {
    a_visit_becomes_a_number_on_the_dashboard
    who_declines_is_left_alone
    consent_taken_back_deletes_the_cookies_and_ends_the_session
}

/// Neither cookie nor storage nor request, no lock, no message to another tab: the browser holds
/// nothing and has said nothing.
async fn assert_silence(Scene { browser, witness, .. }: &Scene) {
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    assert_eq!(browser.evaluate("window.touched").await, json!([]));
    let kept = "Promise.all([document.cookie, localStorage.length, sessionStorage.length,
        caches.keys(), indexedDB.databases(),
        navigator.locks.query().then(({ held, pending }) => [...held, ...pending])])";
    assert_eq!(browser.resolve(kept).await, json!(["", 0, 0, [], [], []]));
    for seen in witness.seen() {
        let own = ["/demo", "/assets/", "/visitflow.js", "/runs-before-the-page.js", "/favicon.ico"];
        let own = own.iter().any(|own| seen.path.starts_with(own));
        assert!(own && seen.method == "GET", "the page has asked for {}", seen.line());
        assert!(!seen.path.ends_with(".wasm"), "the page has asked for {}", seen.line());
        assert_eq!(seen.header("cookie"), "", "{}", seen.line());
    }
}

async fn a_visit_becomes_a_number_on_the_dashboard(engine: Engine) {
    let server = Server::with().user("alice").admin("root").start().await;
    let scene = Scene::on(Browser::of(engine).await, server).await;
    let Scene { browser, witness, server } = &scene;
    witness.run_first(TOUCHES);

    // Before consent: looking around leaves no trace.
    scene.open("/demo").await;
    browser.find("consent-accept").await;
    assert_silence(&scene).await;
    browser.click("product-stoneware-mug").await;
    browser.find("add-to-cart").await;
    browser.driver.back().await.expect("one page back");
    browser.find("product-stoneware-mug").await;
    browser.evaluate("window.scrollTo(0, 500)").await;
    assert_silence(&scene).await;
    server.assert_visits(0);
    server.assert_page_views(0);
    browser.keep_screenshot("shop").await;

    // Consent: the landing page counts, and the cookies are as agreed.
    browser.click("consent-accept").await;
    page_views_are(server, 1).await;
    scene.settles().await; // the WebAssembly is there
    // It asks for a start without the hint, and the answer brings the hint back.
    let hint = async || browser.evaluate("document.cookie.includes('last_activity=')").await;
    comes("the hint", json!(true), hint).await;
    assert_cookies(browser).await;
    let touched = browser.evaluate("window.touched").await;
    for touch in ["cookie", "setItem", "request", "BroadcastChannel", "fetch"] {
        assert!(touched.as_array().expect("a list").contains(&json!(touch)), "{touch}: {touched}");
    }

    // Browse, put something into the cart, sign in, order.
    browser.click("product-larch-stool").await;
    page_views_are(server, 2).await;
    browser.click("add-to-cart").await;
    counts(server, "SELECT COUNT(*) FROM events WHERE name = 'add_to_cart'", 1).await;
    browser.click("sign-in-open").await;
    page_views_are(server, 3).await;
    let before = session_cookie(browser).await;
    browser.type_into("username", "alice").await;
    browser.type_into("password", &password_of("alice")).await;
    browser.click("sign-in").await;
    browser.find("signed-in").await;
    assert_ne!(session_cookie(browser).await, before, "a sign-in changes the token");
    browser.click("open-cart").await;
    page_views_are(server, 4).await;
    browser.click("checkout").await;
    page_views_are(server, 5).await;
    browser.click("place-order").await;
    browser.find("order-done").await;
    page_views_are(server, 6).await;
    counts(server, "SELECT COUNT(*) FROM orders", 1).await;
    browser.keep_screenshot("order").await;

    // All of it is one visit of alice.
    let visit =
        "SELECT COUNT(*) FROM sessions JOIN users ON users.id = sessions.user_id WHERE name = 'alice'";
    assert_eq!(server.number(visit), 1);
    server.assert_visits(1);
    let bound = "SELECT COUNT(DISTINCT visit_id) FROM page_views";
    assert_eq!(server.number(bound), 1);

    // The dashboard is not for alice. It tells an admin the same.
    scene.open("/dashboard").await;
    browser.find("forbidden").await;
    browser.click("dash-sign-out").await;
    browser.type_into("dash-username", "root").await;
    browser.type_into("dash-password", &password_of("root")).await;
    browser.click("dash-sign-in").await;
    let expected = [
        ("total-visits", "1"),
        ("unique-visitors", "1"),
        ("conversion-rate", "100"),
        ("average-order-value", "89"),
        ("orders", "1"),
        ("revenue", "89"),
        ("page-views", "6"),
        ("bounce-rate", "0"),
        ("active-sessions", "1"),
    ];
    for (figure, value) in expected {
        assert_eq!(browser.value(figure, value).await, value, "{figure}");
    }
    browser.find("chart").await;
    browser.keep_screenshot("dashboard").await;
    server.assert_visits(1);
    server.assert_page_views(6);
    scene.close().await;
}

async fn session_cookie(browser: &Browser) -> String {
    browser.driver.get_named_cookie("session_id").await.expect("a session cookie").value
}

async fn assert_cookies(browser: &Browser) {
    let session = browser.driver.get_named_cookie("session_id").await.expect("session_id");
    assert!(is_token(&session.value), "{session:?}");
    assert_eq!(session.same_site, Some(SameSite::Lax));
    assert_eq!(session.secure, Some(true));
    let visitor = browser.driver.get_named_cookie("visitor_id").await.expect("visitor_id");
    assert!(visitor.value.starts_with("v_"), "{visitor:?}");
    let activity = browser.driver.get_named_cookie("last_activity").await.expect("last_activity");
    assert!(activity.value.parse::<u64>().is_ok(), "{activity:?}");
    for cookie in [&visitor, &activity] {
        assert_eq!(cookie.same_site, Some(SameSite::Lax), "{cookie:?}");
        assert_eq!(cookie.secure, Some(true), "{cookie:?}");
    }
    let readable = browser.evaluate("document.cookie").await;
    let readable = readable.as_str().expect("a text");
    assert!(!readable.contains("session_id"), "no script can read the session: {readable}");
}

async fn who_declines_is_left_alone(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.open("/demo").await;
    browser.click("consent-decline").await;
    for product in ["product-larch-stool", "product-paper-lamp"] {
        browser.click(product).await;
        browser.click("add-to-cart").await;
        browser.driver.back().await.expect("one page back");
    }
    browser.driver.refresh().await.expect("the page loads again");
    browser.find("product-larch-stool").await;
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    // The shop itself keeps the decision, and nothing else is kept.
    assert_eq!(browser.evaluate("[localStorage.length, sessionStorage.length]").await, json!([1, 0]));
    assert_eq!(witness.api_requests(), [] as [&str; 0]);
    server.assert_visits(0);
    server.assert_page_views(0);
    scene.close().await;
}

async fn consent_taken_back_deletes_the_cookies_and_ends_the_session(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.open("/demo").await;
    browser.click("consent-accept").await;
    page_views_are(server, 1).await;
    browser.click("consent-change").await;
    browser.click("consent-decline").await;
    counts(server, "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NOT NULL", 1).await;
    until("the cookies are gone", async || {
        browser.driver.get_all_cookies().await.expect("the cookies").is_empty()
    })
    .await;
    let said = witness.api_requests();
    browser.click("product-larch-stool").await;
    browser.click("add-to-cart").await;
    browser.driver.refresh().await.expect("the page loads again");
    browser.find("add-to-cart").await;
    assert_eq!(witness.api_requests(), said, "nothing more is sent");
    server.assert_page_views(1);

    // And given again: another visit.
    browser.click("consent-change").await;
    browser.click("consent-accept").await;
    page_views_are(server, 2).await;
    server.assert_visits(2);
    scene.close().await;
}
