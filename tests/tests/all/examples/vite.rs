use super::stage::{OURS, Stage};
use visitflow_testkit::Server;
use visitflow_testkit::site::{Site, example, node};

/// An example that Vite serves, its proxy before the stage's server.
pub(super) async fn vite(name: &str, mode: &[&str], stage: &Stage) -> Site {
    let arguments = [mode, &["--host", "127.0.0.1", "--strictPort"]].concat();
    Site::start(|port| {
        let mut command = node(&example(name), "vite/bin/vite.js", &arguments, port);
        command.env("VISITFLOW_SERVER", stage.witness.origin());
        command
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn vite_built_counts_after_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("vite", &["preview"], &stage).await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.click("#change").await;
    stage.click("#decline").await;
    stage.until_cookies_are(&[]).await;
    stage.close().await;
}
