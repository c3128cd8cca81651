use super::stage::{OURS, Stage};
use super::vite::vite;
use visitflow_testkit::Server;

#[tokio::test(flavor = "multi_thread")]
async fn react_built_counts_after_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("react", &["preview"], &stage).await;
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.walks_on(&site.origin()).await;
    stage.assert_titles();
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.click("a[href='/']").await;
    stage.shows("Home").await;
    stage.server.assert_page_views(8);
    stage.assert_nothing_was_said().await;
    stage.close().await;
}

/// Vite's development server: React runs every effect twice, and dependencies are not bundled.
#[tokio::test(flavor = "multi_thread")]
async fn react_in_strict_mode_counts_once() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("react", &[], &stage).await;
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.walks_on(&site.origin()).await;
    stage.assert_titles();
    let starts = stage.witness.requests();
    let starts = starts.iter().filter(|request| *request == "POST /api/session/start").count();
    assert!(starts <= 1, "{starts} starts");
    stage.assert_nothing_was_said().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn react_follows_the_property_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("react", &[], &stage).await;
    let home = format!("{}/", site.origin());
    stage.browser.open_page(&home).await;
    stage.element("#accept").await;
    stage.assert_silence().await;
    // Another tab tells of its decision: here the property changes, and no hook is called.
    let decide = |consent: &str| {
        let change = format!("{{ key: 'consent', newValue: '{consent}' }}");
        format!("dispatchEvent(new StorageEvent('storage', {change}))")
    };
    stage.browser.evaluate(&decide("granted")).await;
    stage.counted(&[&home]).await;
    stage.until_cookies_are(OURS).await;
    stage.browser.evaluate(&decide("denied")).await;
    stage.until_cookies_are(&[]).await;
    stage.browser.evaluate(&decide("pending")).await;
    stage.click("#accept").await;
    stage.until_cookies_are(OURS).await;
    stage.server.assert_visits(2);
    stage.close().await;
}
