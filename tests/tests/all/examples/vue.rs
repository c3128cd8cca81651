use super::stage::{OURS, Stage};
use super::vite::vite;
use visitflow_e2e::Server;

async fn vue(mode: &[&str]) -> Stage {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("vue", mode, &stage).await;
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_page_views(3);
    stage.assert_titles(&["Home", "About", "Home"]);
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
