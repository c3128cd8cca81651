use super::protected::{protects_a_page, two_servers};
use visitflow_testkit::Postgres;
use visitflow_testkit::site::{Site, example};

#[tokio::test(flavor = "multi_thread")]
async fn express_protects_a_page() {
    let postgres = Postgres::start().await;
    let (mut server, other) = two_servers(&postgres).await;
    let key = server.run(&["key", "add", "express", "--scope", "session"], "").await;
    let folder = example("express");
    let site = Site::start(|port| {
        let mut command = std::process::Command::new("node");
        command.arg("server.js").args(["--port", &port.to_string()]).current_dir(&folder);
        command.env("VISITFLOW_SERVER", server.origin()).env("SESSIONS_KEY", key.trim());
        command
    })
    .await;
    protects_a_page(&site.origin(), &mut server, &other).await;
}
