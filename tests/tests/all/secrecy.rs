//! What must never be written anywhere.

use serde_json::json;
use std::fs;
use tokio::io::AsyncWriteExt;
use visitflow_testkit::answer::secret;
use visitflow_testkit::setup::Setup;
use visitflow_testkit::{Postgres, Server, password_of};

/// From a block that is kept for documentation (RFC 5737 §3).
const CLIENT_ADDRESS: &str = "203.0.113.77";

#[track_caller]
fn assert_no_file_holds(server: &Server, secrets: &[(&str, String)]) {
    for entry in fs::read_dir(server.directory()).expect("the server's directory") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        for (what, secret) in secrets {
            assert!(secret.len() > 8, "{what} is too short to be looked for");
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {what}", path.display());
        }
    }
}

#[tokio::test]
async fn neither_files_nor_logs_hold_a_secret_an_address_or_a_password() {
    hold_no_secret(Server::with()).await;
}

#[tokio::test]
async fn with_postgres_neither_spool_nor_logs_hold_a_secret_an_address_or_a_password() {
    let postgres = Postgres::shared_database().await;
    hold_no_secret(Server::with().postgres(&postgres)).await;
}

/// What a log must not contain at any level: visitor ids and password hashes.
#[track_caller]
fn assert_names_nobody(log: &str, visitors: &[&str]) {
    for word in visitors.iter().chain(&["$argon2", "203.0.113."]) {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "the log holds {word}");
    }
}

async fn hold_no_secret(setup: Setup) {
    let mut server = setup.environment("VISITFLOW_LOG", "trace").user("alice").admin("root").start().await;
    let key = server.add_key("reports").await;
    let mut secrets = vec![
        ("an API key", key.clone()),
        ("a password", password_of("alice")),
        ("a password", password_of("root")),
        ("a wrong password", "the-wrong-password".to_owned()),
        ("a client's address", CLIENT_ADDRESS.to_owned()),
    ];
    let ada = server.visitor();
    let mut note = |token: String| secrets.push(("a token's secret", secret(&token).to_owned()));

    let start =
        ada.post("/api/session/start", &json!({"visitor_id": ada.id, "url": "https://shop.example/"}));
    start.header("x-forwarded-for", CLIENT_ADDRESS).send().await.expect(200);
    note(ada.token());
    note(format!("x.{}", ada.cookie("visitor_key").expect("a key")));
    ada.view("/").await.expect(204);
    ada.log_in_with("alice", "the-wrong-password").await.expect(401);
    ada.log_in("alice").await.expect(200);
    note(ada.token());
    let view = ada.post("/api/telemetry/page_view", &ada.page_view("/"));
    view.header("x-forwarded-for", CLIENT_ADDRESS).send().await.expect(204);
    ada.order("1", "1.00", "EUR").await.expect(204);
    let bad = ada.post("/api/telemetry/page_view", &json!({"url": 7}));
    bad.header("x-forwarded-for", CLIENT_ADDRESS).send().await.expect(400);
    ada.log_out().await.expect(204);
    note(ada.token());
    ada.end().await.expect(204);
    let root = server.visitor();
    root.log_in_to_dashboard("root").await.expect(200);
    note(root.token());
    root.get("/api/metrics/overview").send().await.expect(200);
    server.overview(&key, "").await;
    let forged = "F".repeat(43);
    let eve = server.visitor();
    eve.set_cookie("session_id", &format!("s_{}.{forged}", "F".repeat(22)));
    eve.ping().await.expect(401);
    note(format!("x.{forged}"));

    root.erase_request(&eve.id).send().await.expect(204);

    assert!(server.log().len() > 1_000, "the server logs");
    assert_no_file_holds(&server, &secrets);
    assert!(server.terminate().await.success());
    assert_no_file_holds(&server, &secrets);
    assert_names_nobody(&server.log(), &[&ada.id, &eve.id, &root.id]);
    // The commands that set passwords log at the same level.
    let mut again = server.begin(&["user", "add", "alice"]);
    let mut stdin = again.stdin.take().expect("stdin is a pipe");
    stdin.write_all(format!("{}\n", password_of("alice")).as_bytes()).await.expect("a password");
    drop(stdin);
    let output = again.wait_with_output().await.expect("the command ends");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_names_nobody(&said, &[&password_of("alice")]);
}

#[tokio::test]
async fn no_answer_s_body_holds_a_token() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    let answers = [
        ada.start().await.expect(200),
        ada.view("/").await.expect(204),
        ada.log_in("alice").await.expect(200),
        ada.log_out().await.expect(204),
        ada.end().await.expect(204),
    ];
    for answer in answers {
        let token = answer.set_cookie("session_id").expect("a cookie").value;
        let tag = token.split('.').next().unwrap_or_default();
        assert!(tag.is_empty() || !answer.text().contains(tag), "{}", answer.to);
    }
}
