use super::stage::Stage;
use std::process::Command;
use visitflow_testkit::Server;
use visitflow_testkit::machine::free_port;
use visitflow_testkit::site::{Site, example, node};

/// The site is another origin than the server, which has to know it.
async fn nuxt(program: impl Fn(u16) -> Command) {
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let (home, about) = (format!("{origin}/"), format!("{origin}/about"));
    let stage = Stage::before(Server::with().flag("--allowed-origin", &origin).start().await).await;
    let mut command = program(port);
    command.env("NUXT_PUBLIC_VISITFLOW_ENDPOINT", stage.witness.origin()).env("NUXT_TELEMETRY_DISABLED", "1");
    let _site = Site::on(port, &mut command).await.expect("nuxt");
    stage.hears_the_console().await;
    stage.looks_around_and_consents(&origin).await;
    stage.until_cookies_are(&["consent", "last_activity", "session_id", "visitor_id", "visitor_key"]).await;
    stage.assert_nothing_was_said().await;
    // The cookie remembers, and the server renders the page that says so.
    stage.browser.driver.refresh().await.expect("the page loads again");
    stage.element("#change").await;
    stage.counted(&[&home, &about, &home, &home]).await;
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.assert_nothing_was_said().await;
    stage.server.assert_visits(1);
    stage.assert_titles(&["Home", "About", "Home", "Home"]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nuxt_built_hydrates_and_counts_after_consent() {
    nuxt(|port| {
        let mut command = Command::new("node");
        command.arg(".output/server/index.mjs").current_dir(example("nuxt"));
        command.env("HOST", "127.0.0.1").env("PORT", port.to_string());
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nuxt_in_development_hydrates_and_counts_once() {
    nuxt(|port| node(&example("nuxt"), "nuxt/bin/nuxt.mjs", &["dev", "--host", "127.0.0.1"], port)).await;
}
