use super::stage::Stage;
use super::vite::vite;
use visitflow_testkit::Server;

async fn sveltekit(mode: &[&str]) {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("svelte", mode, &stage).await;
    let home = format!("{}/", site.origin());
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(&["consent", "last_activity", "session_id", "visitor_id", "visitor_key"]).await;
    stage.assert_nothing_was_said().await;
    // The site remembers, and its server renders the page that says so.
    stage.browser.driver.refresh().await.expect("the page loads again");
    stage.element("#change").await;
    let about = format!("{home}about");
    stage.counted(&[&home, &about, &home, &home]).await;
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_visits(1);
    stage.assert_titles(&["Home", "About", "Home", "Home"]);
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
