use super::protected::{protects_a_page, two_servers};
use std::process::Command;
use visitflow_testkit::Postgres;
use visitflow_testkit::machine::target_directory;
use visitflow_testkit::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn axum_protects_a_page() {
    let postgres = Postgres::start().await;
    let (mut server, other) = two_servers(&postgres).await;
    let key = server.run(&["key", "add", "axum", "--scope", "session"], "").await;
    let binary = target_directory().join("debug/example-axum");
    assert!(binary.is_file(), "it is not built: `cargo xtask test examples` builds it");
    let site = Site::start(|port| {
        let mut command = Command::new(&binary);
        command.env("PORT", port.to_string());
        command.env("VISITFLOW_SERVER", server.origin()).env("SESSIONS_KEY", key.trim());
        command
    })
    .await;
    protects_a_page(&site.origin(), &mut server, &other).await;
}
