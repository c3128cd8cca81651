use super::stage::Stage;
use visitflow_testkit::Server;
use visitflow_testkit::machine::free_port;
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
    stage.assert_nothing_was_said().await;
    // The site remembers: the next load counts without being asked.
    stage.browser.driver.refresh().await.expect("the page loads again");
    stage.element("#change").await;
    let (first, second) = (format!("{home}/"), format!("{home}/about"));
    stage.counted(&[&first, &second, &first, &first]).await;
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.server.assert_visits(1);
    stage.assert_nothing_was_said().await;
    // Next.js streams the metadata, which may come late.
    stage.assert_no_other_titles(&["Home", "About", "Home", "Home"]);
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
