use super::stage::Stage;
use visitflow_testkit::Server;
use visitflow_testkit::site::{copy, example};

#[tokio::test(flavor = "multi_thread")]
async fn the_script_tag_counts_after_consent() {
    let site = tempfile::tempdir().expect("a folder");
    let packed = example("vite").join("node_modules/visitflow/dist/cdn");
    copy(&packed, site.path());
    copy(&example("script-tag"), &site.path().join("example"));
    let folder = site.path().to_string_lossy();
    let stage = Stage::before(Server::with().flag("--www", &folder).start().await).await;
    let first = format!("{}/example", stage.witness.origin());
    let second = format!("{first}/second");

    stage.browser.open_page(&first).await;
    stage.element("#accept").await;
    stage.assert_silence().await;
    stage.click("#accept").await;
    stage.counted(&[&first]).await;
    stage.browser.evaluate("history.pushState({}, '', '/example/second')").await;
    stage.counted(&[&first, &second]).await;
    stage.plays().await;
    stage.counted(&[&first, &second]).await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.close().await;
}
