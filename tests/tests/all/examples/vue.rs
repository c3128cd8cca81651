use super::stage::{OURS, Stage};
use super::vite::vite;
use serde_json::json;
use visitflow_testkit::Server;
use visitflow_testkit::patience::{comes, page_views_are};

async fn vue(mode: &[&str]) -> Stage {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("vue", mode, &stage).await;
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.walks_on(&site.origin()).await;
    stage.assert_titles();
    stage.assert_nothing_was_said().await;
    // The decision is remembered: the next load counts without being asked.
    stage.watches_for("#accept").await;
    stage.browser.driver.refresh().await.expect("the page loads again");
    stage.element("#change").await;
    page_views_are(&stage.server, 9).await;
    stage.assert_never_seen().await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_page_views(9);
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn vue_built_counts_after_consent() {
    vue(&["preview"]).await.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vue_in_development_counts_once() {
    vue(&[]).await.close().await;
}

/// The example does not listen to other tabs: the client does.
#[tokio::test(flavor = "multi_thread")]
async fn vue_shows_what_another_tab_decides() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("vue", &["preview"], &stage).await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    let driver = &stage.browser.driver;
    let (first, second) =
        (driver.window().await.expect("this tab"), driver.new_tab().await.expect("another tab"));
    driver.switch_to_window(second).await.expect("the other tab");
    stage.browser.open_page(&site.origin()).await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    driver.switch_to_window(first).await.expect("the first tab");
    let banner = "document.body.innerText.includes('You have declined')";
    comes("the banner", json!(true), async || stage.browser.evaluate(banner).await).await;
    stage.close().await;
}
