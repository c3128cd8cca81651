//! The whole way: a person in a real browser becomes a number on the dashboard.

use serde_json::json;
use std::time::{Duration, Instant};
use thirtyfour::SameSite;
use visitflow_e2e::answer::is_token;
use visitflow_e2e::browser::Browser;
use visitflow_e2e::machine::PATIENCE;
use visitflow_e2e::recorder::Recorder;
use visitflow_e2e::{Server, password_of};

/// Waits until a query gives this number: the browser sends when it likes.
async fn counts(server: &Server, sql: &str, expected: i64) {
    let deadline = Instant::now() + PATIENCE;
    while server.number(sql) != expected {
        assert!(Instant::now() < deadline, "{sql} gives {}, not {expected}", server.number(sql));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn page_views_are(server: &Server, expected: i64) {
    counts(server, "SELECT COUNT(*) FROM page_views", expected).await;
}

/// Neither cookie nor storage nor request: the browser holds nothing and has said nothing.
async fn assert_silence(browser: &Browser, witness: &Recorder) {
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    let kept = "[document.cookie, localStorage.length, sessionStorage.length]";
    assert_eq!(browser.evaluate(kept).await, json!(["", 0, 0]));
    let requested = "performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)";
    let requested = browser.evaluate(requested).await;
    for path in requested.as_array().expect("a list") {
        let path = path.as_str().expect("a path");
        let own = path.starts_with("/assets/") || path == "/visitflow.js";
        assert!(own, "the page has asked for {path}");
    }
    assert_eq!(witness.api_requests(), [] as [&str; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_becomes_a_number_on_the_dashboard() {
    let server = Server::with().user("alice").admin("root").start().await;
    let witness = Recorder::before(server.address()).await;
    let browser = Browser::open().await;

    // Before consent: looking around leaves no trace.
    browser.open_page(&format!("{}/demo", witness.origin())).await;
    browser.find("consent-accept").await;
    assert_silence(&browser, &witness).await;
    browser.click("product-stoneware-mug").await;
    browser.find("add-to-cart").await;
    browser.driver.back().await.expect("one page back");
    browser.find("product-stoneware-mug").await;
    browser.evaluate("window.scrollTo(0, 500)").await;
    assert_silence(&browser, &witness).await;
    server.assert_visits(0);
    server.assert_page_views(0);
    browser.keep_screenshot("shop.png").await;

    // Consent: the landing page counts, and the cookies are as agreed.
    browser.click("consent-accept").await;
    page_views_are(&server, 1).await;
    assert_cookies(&browser).await;

    // Browse, put something into the cart, sign in, order.
    browser.click("product-larch-stool").await;
    page_views_are(&server, 2).await;
    browser.click("add-to-cart").await;
    counts(&server, "SELECT COUNT(*) FROM events WHERE name = 'add_to_cart'", 1).await;
    browser.click("sign-in-open").await;
    page_views_are(&server, 3).await;
    let before = session_cookie(&browser).await;
    browser.type_into("username", "alice").await;
    browser.type_into("password", &password_of("alice")).await;
    browser.click("sign-in").await;
    browser.find("signed-in").await;
    assert_ne!(session_cookie(&browser).await, before, "a sign-in changes the token");
    browser.click("open-cart").await;
    page_views_are(&server, 4).await;
    browser.click("checkout").await;
    page_views_are(&server, 5).await;
    browser.click("place-order").await;
    browser.find("order-done").await;
    page_views_are(&server, 6).await;
    counts(&server, "SELECT COUNT(*) FROM orders", 1).await;
    browser.keep_screenshot("order.png").await;

    // All of it is one visit of alice.
    let visit =
        "SELECT COUNT(*) FROM sessions JOIN users ON users.id = sessions.user_id WHERE name = 'alice'";
    assert_eq!(server.number(visit), 1);
    server.assert_visits(1);
    let bound = "SELECT COUNT(DISTINCT visit_id) FROM page_views";
    assert_eq!(server.number(bound), 1);

    // The dashboard is not for alice. It tells an admin the same.
    browser.open_page(&format!("{}/dashboard", witness.origin())).await;
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
    browser.keep_screenshot("dashboard.png").await;
    server.assert_visits(1);
    server.assert_page_views(6);
    browser.close().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_is_left_alone() {
    let server = Server::start().await;
    let witness = Recorder::before(server.address()).await;
    let browser = Browser::open().await;
    browser.open_page(&format!("{}/demo", witness.origin())).await;
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
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_taken_back_deletes_the_cookies_and_ends_the_session() {
    let server = Server::start().await;
    let witness = Recorder::before(server.address()).await;
    let browser = Browser::open().await;
    browser.open_page(&format!("{}/demo", witness.origin())).await;
    browser.click("consent-accept").await;
    page_views_are(&server, 1).await;
    browser.click("consent-change").await;
    browser.click("consent-decline").await;
    counts(&server, "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NOT NULL", 1).await;
    let deadline = Instant::now() + PATIENCE;
    while !browser.driver.get_all_cookies().await.expect("the cookies").is_empty() {
        assert!(Instant::now() < deadline, "the cookies are still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
    page_views_are(&server, 2).await;
    server.assert_visits(2);
    browser.close().await;
}
