use super::stage::Stage;
use visitflow_testkit::Server;
use visitflow_testkit::machine::free_port;
use visitflow_testkit::patience::page_views_are;
use visitflow_testkit::site::{Site, example, node};

async fn next(mode: &str) {
    // The site is another origin than the server, which has to know it.
    let port = free_port();
    let home = format!("http://127.0.0.1:{port}");
    let stage = Stage::before(Server::with().flag("--allowed-origin", &home).start().await).await;
    let start = [mode, "--hostname", "127.0.0.1"];
    let mut next = node(&example("next-ssr"), "next/dist/bin/next", &start, port);
    next.env("VISITFLOW_ENDPOINT", stage.witness.origin());
    let _site = Site::on(port, &mut next).await.expect("next");
    let rendered = async |cookie: &str| {
        let request = reqwest::Client::new().get(&home).header("cookie", cookie);
        request.send().await.expect("an answer").text().await.expect("a page")
    };
    assert!(rendered("").await.contains("May we count your visit?"));
    let known = rendered("consent=granted").await;
    assert!(known.contains("Do not count me") && !known.contains("May we count"), "{known}");

    stage.hears_the_console().await;
    stage.looks_around_and_consents(&home).await;
    let all = ["consent", "last_activity", "session_id", "visitor_id", "visitor_key"];
    stage.until_cookies_are(&all).await;
    stage.walks_on(&home).await;
    stage.assert_titles();
    stage.assert_nothing_was_said().await;
    // The site remembers: the next load counts without being asked.
    stage.watches_for("#accept").await;
    stage.browser.open_page(&home).await;
    stage.element("#change").await;
    page_views_are(&stage.server, 9).await;
    stage.assert_never_seen().await;
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.server.assert_visits(1);
    stage.assert_nothing_was_said().await;
    stage.server.assert_page_views(9);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_built_renders_on_the_server_and_counts_after_consent() {
    next("start").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_in_development_hydrates_and_counts_once() {
    next("dev").await;
}
