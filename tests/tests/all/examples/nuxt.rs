use super::stage::Stage;
use std::fs;
use std::path::Path;
use std::process::Command;
use visitflow_testkit::Server;
use visitflow_testkit::machine::free_port;
use visitflow_testkit::patience::page_views_are;
use visitflow_testkit::site::{Site, copy, example, node};

/// The site is another origin than the server, which has to know it.
async fn nuxt(program: impl Fn(u16, &Stage) -> Command) {
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let (home, about) = (format!("{origin}/"), format!("{origin}/about"));
    let stage = Stage::before(Server::with().flag("--allowed-origin", &origin).start().await).await;
    let mut command = program(port, &stage);
    command.env("NUXT_PUBLIC_VISITFLOW_ENDPOINT", stage.witness.origin()).env("NUXT_TELEMETRY_DISABLED", "1");
    let _site = Site::on(port, &mut command).await.expect("nuxt");
    stage.hears_the_console().await;
    // This page is prerendered, for who has decided and who has not.
    stage.browser.open_page(&about).await;
    stage.element("#accept").await;
    stage.assert_nothing_was_said().await;
    stage.looks_around_and_consents(&origin).await;
    stage.until_cookies_are(&["consent", "last_activity", "session_id", "visitor_id", "visitor_key"]).await;
    stage.walks_on(&origin).await;
    stage.assert_titles();
    stage.assert_nothing_was_said().await;
    // The cookie remembers: the server renders the page that says so, and the prerendered one says so once hydrated.
    stage.watches_for("#accept").await;
    for (page, views) in [(&home, 9), (&about, 10)] {
        stage.browser.open_page(page).await;
        stage.element("#change").await;
        page_views_are(&stage.server, views).await;
        stage.assert_never_seen().await;
        stage.assert_nothing_was_said().await;
    }
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_visits(1);
    stage.server.assert_page_views(10);
    stage.close().await;
}

/// A prerendered page names the server that was known when it was built: here it names another one, as if it had been
/// built for that. Its length stays as it is, for Nuxt's server knows it.
fn prerender_for(server: &str, page: &Path) {
    const BUILT_FOR: &str = "http://127.0.0.1:8080";
    let html = fs::read_to_string(page).expect("the page");
    let server = format!("{:/<1$}", server.replace("127.0.0.1", "127.1"), BUILT_FOR.len());
    assert!(html.contains(BUILT_FOR) && server.len() == BUILT_FOR.len(), "{html}");
    fs::write(page, html.replace(BUILT_FOR, &server)).expect("the page is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn nuxt_built_hydrates_and_counts_after_consent() {
    let built = tempfile::tempdir().expect("a directory for the site");
    copy(&example("nuxt").join(".output"), built.path());
    nuxt(|port, stage| {
        prerender_for(stage.witness.origin(), &built.path().join("public/about/index.html"));
        let mut command = Command::new("node");
        command.arg("server/index.mjs").current_dir(built.path());
        command.env("HOST", "127.0.0.1").env("PORT", port.to_string());
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nuxt_in_development_hydrates_and_counts_once() {
    nuxt(|port, _| node(&example("nuxt"), "nuxt/bin/nuxt.mjs", &["dev", "--host", "127.0.0.1"], port)).await;
}
