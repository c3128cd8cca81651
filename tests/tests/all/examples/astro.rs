use super::bundlers::served;
use super::stage::{OURS, Stage};
use visitflow_testkit::Server;
use visitflow_testkit::patience::page_views_are;
use visitflow_testkit::site::{Site, example, node};

async fn astro(stage: Stage, site: Site) {
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.walks_on(&site.origin()).await;
    stage.assert_no_other_titles();
    stage.assert_nothing_was_said().await;
    // The decision is remembered: the next load counts without being asked.
    stage.watches_for("#accept").await;
    stage.browser.open_page(&site.origin()).await;
    stage.element("#change").await;
    page_views_are(&stage.server, 9).await;
    stage.assert_never_seen().await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_page_views(9);
    stage.server.assert_visits(1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn astro_built_counts_view_transitions_after_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = served(&example("astro").join("dist"), &stage).await;
    astro(stage, site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn astro_in_development_counts_once() {
    let stage = Stage::before(Server::start().await).await;
    let site = Site::start(|port| {
        let mut command = node(&example("astro"), "astro/astro.js", &["dev", "--host", "127.0.0.1"], port);
        command.env("VISITFLOW_SERVER", stage.witness.origin()).env("ASTRO_TELEMETRY_DISABLED", "1");
        command
    })
    .await;
    astro(stage, site).await;
}
