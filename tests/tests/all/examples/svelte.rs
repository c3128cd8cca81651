use super::stage::Stage;
use super::vite::vite;
use visitflow_testkit::Server;
use visitflow_testkit::patience::page_views_are;

async fn sveltekit(mode: &[&str]) {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("svelte", mode, &stage).await;
    let (home, about) = (format!("{}/", site.origin()), format!("{}/about", site.origin()));
    stage.hears_the_console().await;
    // A browser that stored this page would show it again, with its banner, when the visitor goes back to it at the end.
    stage.browser.open_page(&about).await;
    stage.element("#accept").await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(&["consent", "last_activity", "session_id", "visitor_id", "visitor_key"]).await;
    stage.walks_on(&site.origin()).await;
    stage.assert_titles();
    stage.assert_nothing_was_said().await;
    // The site remembers, and its server renders the page that says so.
    stage.watches_for("#accept").await;
    stage.browser.open_page(&home).await;
    stage.element("#change").await;
    page_views_are(&stage.server, 9).await;
    stage.assert_never_seen().await;
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_visits(1);
    stage.server.assert_page_views(9);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sveltekit_built_hydrates_and_counts_after_consent() {
    sveltekit(&["preview"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sveltekit_in_development_hydrates_and_counts_once() {
    sveltekit(&[]).await;
}
