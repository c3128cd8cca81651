//! The demo shop's account page shows what the server says about who is signed in.

use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};
use visitflow_testkit::browser::Browser;
use visitflow_testkit::patience::{counts, page_views_are, until};
use visitflow_testkit::scene::Scene;
use visitflow_testkit::{Server, password_of};

/// A visitor at the shop who has answered the banner.
async fn at_the_shop(answer: &str) -> Scene {
    let scene = Scene::on(Browser::open().await, Server::with().user("alice").start().await).await;
    scene.open("/demo").await;
    scene.browser.click(answer).await;
    scene
}

async fn signs_in(browser: &Browser) {
    browser.click("sign-in-open").await;
    enters_name_and_password(browser).await;
}

async fn enters_name_and_password(browser: &Browser) {
    browser.type_into("username", "alice").await;
    browser.type_into("password", &password_of("alice")).await;
    browser.click("sign-in").await;
    browser.find("signed-in").await;
}

fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_secs().try_into().expect("a number of seconds")
}

/// The tab is shown again, after another was.
async fn is_shown_again(browser: &Browser) {
    browser.evaluate("document.dispatchEvent(new Event('visibilitychange'))").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_outlives_a_reload_with_and_without_consent() {
    for (answer, visits) in [("consent-decline", 0), ("consent-accept", 1)] {
        let scene = at_the_shop(answer).await;
        let Scene { browser, witness, server } = &scene;
        signs_in(browser).await;
        browser.driver.refresh().await.expect("the page loads again");
        browser.find("sign-out").await;
        let kept = browser.evaluate("JSON.stringify([localStorage, sessionStorage])").await;
        assert!(!kept.as_str().expect("a text").contains("alice"), "the name is kept: {kept}");
        browser.click("sign-out").await;
        browser.find("sign-in-open").await;
        // After a sign-out the page does not ask again.
        let asked = async || witness.api_requests().iter().filter(|line| *line == "GET /api/session").count();
        let before = asked().await;
        browser.driver.refresh().await.expect("the page loads again");
        browser.find("sign-in-open").await;
        assert_eq!(asked().await, before);
        server.assert_visits(visits);
        scene.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_stay_signed_in_gets_a_cookie_for_a_month() {
    const DAY_S: i64 = 24 * 60 * 60;
    for answer in ["consent-decline", "consent-accept"] {
        let scene = at_the_shop(answer).await;
        let browser = &scene.browser;
        browser.click("sign-in-open").await;
        browser.click("stay").await;
        enters_name_and_password(browser).await;
        let cookie = browser.driver.get_named_cookie("session_id").await.expect("a cookie");
        let days = (cookie.expiry.expect("an end") - now_s()) / DAY_S;
        assert!((29..=30).contains(&days), "{answer}: {days} days");
        scene.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_notices_a_sign_out_in_another_tab_and_takes_no_outage_for_one() {
    let mut scene = at_the_shop("consent-decline").await;
    signs_in(&scene.browser).await;
    scene.server.kill().await;
    is_shown_again(&scene.browser).await;
    scene.browser.find("try-again").await;
    scene.browser.find("signed-in").await;
    scene.server.restart().await;
    scene.browser.click("try-again").await;
    scene.browser.find("session-here").await;

    let sign_out = "fetch('/api/auth/logout', { method: 'POST', body: '{}',
        headers: { 'content-type': 'application/json' } }).then(({ status }) => status)";
    assert_eq!(scene.browser.resolve(sign_out).await, json!(204));
    is_shown_again(&scene.browser).await;
    scene.browser.find("sign-in-open").await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_lists_sessions_and_ends_them() {
    let scene = at_the_shop("consent-decline").await;
    let Scene { browser, server, .. } = &scene;
    let (phone, laptop) = (server.visitor(), server.visitor());
    for elsewhere in [&phone, &laptop] {
        elsewhere.log_in("alice").await.expect(200);
    }
    signs_in(browser).await;
    browser.find("session-here").await;
    let count = "document.querySelectorAll('[data-testid=session-elsewhere]').length";
    until("two sessions elsewhere are listed", async || browser.evaluate(count).await == json!(2)).await;
    browser.keep_screenshot("sessions").await;
    browser.click("end-elsewhere").await;
    until("one of them has ended", async || browser.evaluate(count).await == json!(1)).await;
    let live = async || {
        let mut live = 0;
        for elsewhere in [&phone, &laptop] {
            live += usize::from(elsewhere.get("/api/session").send().await.status == 200);
        }
        live
    };
    assert_eq!(live().await, 1);
    browser.click("end-others").await;
    until("no other is listed", async || browser.evaluate(count).await == json!(0)).await;
    assert_eq!(live().await, 0);
    browser.click("end-here").await;
    browser.find("sign-in-open").await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_find_what_is_stored_of_them_and_erase_it() {
    let scene = at_the_shop("consent-accept").await;
    let Scene { browser, server, .. } = &scene;
    page_views_are(server, 1).await;
    scene.settles().await;
    browser.click("your-data").await;
    browser.find("download").await;
    browser.click("erase").await;
    browser.click("erase-yes").await;
    counts(server, "SELECT COUNT(*) FROM page_views", 0).await;
    server.assert_visits(0);
    scene.close().await;
}
