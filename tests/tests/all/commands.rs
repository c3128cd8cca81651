//! The subcommands, while a server is running.

use std::fs;
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use visitflow_testkit::machine::{PATIENCE, free_port};
use visitflow_testkit::patience::until;
use visitflow_testkit::{Postgres, Redis, Server, Visitor, password_of};

/// Any free ports.
const PORTS: [&str; 4] = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

/// Waits until the running server has noticed what a command has ended.
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
    let signed_in = root.snapshot();
    server.run(&["user", "disable", "root"], "").await;
    // From then on every request that needs the user is refused, whatever the browser does meanwhile. It may begin a
    // session without a user.
    root.view("/").await;
    root.start().await;
    let refused = root.get("/api/metrics/overview").send().await.status;
    assert!(refused == 401 || refused == 403, "{refused}");
    is_signed_out(&signed_in).await;
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

#[tokio::test]
async fn check_and_the_log_tell_of_a_misspelt_variable_and_of_tls_that_does_not_fit() {
    let setup = Server::with()
        .environment("VISITFLOW_PUBLC_URL", "https://stats.example")
        .environment("VISITFLOW_PUBLIC_URL", "http://stats.example");
    let server = setup.start().await;
    let hint = "VISITFLOW_PUBLC_URL is not a variable of visitflow; did you mean VISITFLOW_PUBLIC_URL?";
    until("a warning", async || server.log().contains(hint)).await;
    let told = server.fails(&[&["check"], &PORTS[..]].concat()).await;
    assert!(told.contains(&format!("WRONG environment: {hint}")), "{told}");
    let tls = ["--tls-cert", "missing.pem", "--tls-key", "missing.pem"];
    let told = server.fails(&[&["check"], &PORTS[..], &tls].concat()).await;
    assert!(told.contains("http://stats.example is http, but with --tls-cert"), "{told}");

    let behind_a_proxy = Server::with().environment("VISITFLOW_PUBLIC_URL", "https://stats.example");
    let told = behind_a_proxy.start().await.run(&[&["check"], &PORTS[..]].concat(), "").await;
    assert!(told.contains("note  --public-url https://stats.example is https"), "{told}");
}

#[tokio::test]
async fn a_flag_for_postgres_is_refused_with_sqlite() {
    let server = Server::start().await;
    for flag in [["--retention-days", "30"], ["--report-database-url", "postgres://db/x"]] {
        for command in ["serve", "check"] {
            let told = server.fails(&[&[command], &flag[..], &PORTS].concat()).await;
            assert!(told.contains(&format!("{} works with Postgres only", flag[0])), "{command}: {told}");
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let (mut server, postgres) = (Server::start().await, Postgres::shared_database().await);
    server.terminate().await;
    let file = server.directory().join("visitflow.db");
    let letter = "a letter to somebody, and no header of a database ".repeat(99);
    fs::write(&file, &letter).expect("a file");
    let served: &[&[&str]] = &[&["serve"], &["check"]];
    let others: &[&[&str]] = &[&["migrate"], &["user", "disable", "ada"], &["key", "add", "x"]];
    let served = served.iter().map(|command| [*command, &PORTS[..]].concat());
    for command in served.chain(others.iter().map(|command| command.to_vec())) {
        let told = server.fails(&command).await;
        let named = told.contains(&format!("cannot use the database {}", file.display()));
        assert!(named && told.contains("name another file with --database-url"), "{command:?}: {told}");
    }
    let server = Server::with().postgres(&postgres).start().await;
    let spool = server.directory().join("a-letter");
    fs::write(&spool, &letter).expect("a file");
    let spool = spool.to_string_lossy().into_owned();
    for command in ["serve", "check"] {
        let told = server.fails(&[&[command, "--spool", &spool], &PORTS[..]].concat()).await;
        assert!(
            told.contains(&format!("cannot use the spool {spool}")) && told.contains("--spool"),
            "{told}"
        );
        let folder = ["--spool", "/missing/spool.db"];
        let told = server.fails(&[&[command], &folder[..], &PORTS].concat()).await;
        let named = told.contains("cannot use the spool /missing/spool.db")
            && told.contains("another file with --spool");
        assert!(named, "{told}");
        let folder = ["--database-url", "sqlite:///missing/visitflow.db"];
        let told = server.fails_plain(&[&[command], &folder[..], &PORTS].concat()).await;
        let named = told.contains("cannot use the database /missing/visitflow.db");
        assert!(named && told.contains("another file with --database-url"), "{told}");
    }
}

#[tokio::test]
async fn an_empty_file_is_a_new_database_and_a_new_spool() {
    let mut server = Server::start().await;
    server.terminate().await;
    for name in ["visitflow.db", "visitflow.db-wal", "visitflow.db-shm"] {
        let file = server.directory().join(name);
        if file.exists() || name == "visitflow.db" {
            fs::write(file, "").expect("a file");
        }
    }
    server.run(&[&["check"], &PORTS[..]].concat(), "").await;
    let nowhere = ["migrate", "--from", "sqlite://visitflow.db", "--to", "postgres://127.0.0.1:1/x"];
    let told = server.fails_plain(&nowhere).await;
    assert!(told.contains("visitflow.db is not up to date"), "{told}");
    server.restart().await;
    server.visitor().view("/").await.expect(204);
    server.assert_page_views(1);

    let postgres = Postgres::shared_database().await;
    let spool = server.directory().join("spool.db");
    fs::write(&spool, "").expect("a file");
    let with_spool = Server::with().postgres(&postgres).spool(&spool).start().await;
    with_spool.visitor().view("/").await.expect(204);
}

#[tokio::test]
async fn a_port_by_itself_is_all_addresses() {
    let server = Server::start().await;
    let (public, admin) = (free_port(), free_port());
    let (listen, admin_listen) = (format!(":{public}"), format!("localhost:{admin}"));
    let database = ["--database-url", "sqlite://another.db"];
    let ports = ["serve", "--listen", &listen, "--admin-listen", &admin_listen];
    let _running = server.begin_plain(&[&ports[..], &database].concat());
    until("IPv4", async || TcpStream::connect(("127.0.0.1", public)).is_ok()).await;
    assert!(TcpStream::connect(("127.0.0.1", admin)).is_ok());
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, public)).is_ok());
    }
}
