//! The subcommands, while the server runs beside them.

use std::time::{Duration, Instant};
use visitflow_e2e::machine::PATIENCE;
use visitflow_e2e::{Postgres, Redis, Server, Visitor, password_of};

/// The running server notices what a command has ended: soon, not at once.
async fn is_signed_out(visitor: &Visitor) {
    let deadline = Instant::now() + PATIENCE;
    while visitor.ping().await.status != 401 {
        assert!(Instant::now() < deadline, "the session is still alive");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_new_password_ends_the_user_s_sessions() {
    let server = Server::with().user("alice").user("bob").start().await;
    let (alice, bob) = (server.visitor(), server.visitor());
    alice.log_in_to_dashboard("alice").await.expect(200);
    bob.log_in_to_dashboard("bob").await.expect(200);
    server.run(&["user", "add", "alice"], "another-password").await;
    let old = alice.without_session().log_in_with("alice", &password_of("alice")).await;
    old.expect_problem(401, "wrong-credentials");
    is_signed_out(&alice).await;
    bob.ping().await.expect(204);
    alice.log_in_with("alice", "another-password").await.expect(200);
}

#[tokio::test]
async fn a_disabled_user_is_signed_out_and_stays_out() {
    let server = Server::with().admin("root").start().await;
    let root = server.visitor();
    root.log_in_to_dashboard("root").await.expect(200);
    root.get("/api/metrics/overview").send().await.expect(200);
    server.run(&["user", "disable", "root"], "").await;
    // At once for everything that needs the right, whatever else the session does meanwhile.
    root.view("/").await;
    root.start().await;
    let refused = root.get("/api/metrics/overview").send().await.status;
    assert!(refused == 401 || refused == 403, "{refused}");
    is_signed_out(&root).await;
    let live = "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NULL AND user_id IS NOT NULL";
    assert_eq!(server.number(live), 0);
    let again = root.log_in_to_dashboard("root").await;
    again.expect_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn a_key_works_at_once_and_is_shown_once() {
    let server = Server::start().await;
    let printed = server.run(&["key", "add", "reports"], "").await;
    assert_eq!(printed.lines().count(), 1, "the key alone: {printed:?}");
    server.overview(printed.trim(), "").await;
    let refused = server.fails(&["key", "add", "reports"]).await;
    assert!(refused.contains("reports"), "{refused:?}");
}

#[tokio::test]
async fn migrate_and_check_say_that_all_is_well() {
    let mut server = Server::start().await;
    server.run(&["migrate"], "").await;
    server.run(&["migrate"], "").await;
    server.terminate().await;
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    server.run(&[&["check"], &ports[..]].concat(), "").await;
}

#[tokio::test]
async fn check_asks_every_store() {
    let (postgres, redis) = (Postgres::shared_database().await, Redis::start().await);
    let server = Server::with().postgres(&postgres).start().await;
    let (redis, replica) = (redis.url(), postgres.url());
    let ports = ["check", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let stores = ["--redis-url", &redis, "--report-database-url", &replica];
    let told = server.run(&[&ports[..], &stores[..]].concat(), "").await;
    for store in ["database", "report database", "spool", "Redis"] {
        assert!(told.contains(&format!("ok    {store}\n")), "{told}");
    }
    let nowhere = ["--redis-url", "redis://127.0.0.1:1", "--spool", "/missing/spool.db"];
    let told = server.fails(&[&ports[..], &nowhere[..]].concat()).await;
    assert!(told.contains("WRONG Redis: ") && told.contains("WRONG spool: "), "{told}");
}

#[tokio::test]
async fn what_cannot_work_is_said_in_a_sentence() {
    let server = Server::start().await;
    let commands: &[&[&str]] = &[
        &["serve", "--listen", "nonsense"],
        &["serve", "--listen", &server.address(), "--admin-listen", "127.0.0.1:0"],
        &["serve", "--session-idle", "yesterday"],
        &["serve", "--tls-cert", "missing.pem", "--tls-key", "missing.pem"],
        &["check", "--tls-cert", "missing.pem", "--tls-key", "missing.pem"],
        &["check", "--database-url", "postgres://nowhere/x"],
        &["user", "disable", "nobody"],
        &["user", "add", "no-password"],
        &["nonsense"],
    ];
    for command in commands {
        let said = server.fails(command).await;
        assert!(said.len() > 10, "{command:?} says {said:?}");
        assert!(!said.contains("panicked"), "{command:?} says {said:?}");
    }
}
