//! Users: how they are added, and which texts their names and passwords may be.

use serde_json::json;
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use visitflow_testkit::machine::{PATIENCE, binary};
use visitflow_testkit::patience::soon;
use visitflow_testkit::setup::Setup;
use visitflow_testkit::{Postgres, Server, fact_id};

#[tokio::test]
async fn a_password_has_at_least_ten_characters() {
    let server = Server::start().await;
    let add = async |password: &str| {
        let mut child = server.begin(&["user", "add", "ada", "--admin"]);
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(format!("{password}\r\n").as_bytes()).await.expect("a line");
        drop(stdin);
        let output = child.wait_with_output().await.expect("an end");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // Nine characters, each written as two.
    let decomposed = "e\u{301}".repeat(9);
    for (bad, why) in [
        ("", "the password is empty"),
        ("x", "1 character"),
        (&decomposed, "9 characters"),
        ("0123456789\0", "control"),
        ("          ", "repeats a single character"),
    ] {
        let (added, said) = add(bad).await;
        assert!(!added && said.contains(why), "{bad:?}: {said}");
    }
    server.visitor().log_in_with("ada", "x").await.expect_problem(401, "wrong-credentials");
    assert!(add("0123456789").await.0);
    server.visitor().log_in_with("ada", "0123456789").await.expect(200);
}

#[tokio::test]
async fn a_name_that_nobody_can_type_is_refused() {
    let server = Server::start().await;
    for name in [" root", "root\u{a0}", "ro\u{200b}ot", "ro\u{1b}[1mot"] {
        for command in [["user", "add", name], ["key", "add", name]] {
            let told = server.fails(&command).await;
            assert!(told.contains("the name "), "{name:?}: {told}");
        }
    }
}

#[tokio::test]
async fn both_spellings_of_a_name_and_of_a_password_sign_in() {
    let server = Server::start().await;
    let (composed, decomposed) =
        (("Zo\u{eb}", "caf\u{e9} au lait"), ("Zoe\u{308}", "cafe\u{301} au\u{a0}lait"));
    server.run(&["user", "add", decomposed.0], composed.1).await;
    for (name, password) in [composed, decomposed] {
        server.visitor().log_in_with(name, password).await.expect(200);
    }
    server.run(&["user", "disable", composed.0], "").await;
    server.visitor().log_in_with("Zoë", "café au lait").await.expect(401);
}

/// `user add` in a terminal: what it showed after these lines were typed, each once it was asked for.
async fn types(server: &Server, lines: [&str; 2]) -> (bool, String) {
    let database = server.directory().join("visitflow.db");
    let add = format!("{} user add ada --database-url sqlite://{}", binary().display(), database.display());
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &add, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("script, of the package bsdutils");
    let script = terminal.id().expect("it runs");
    let mut stdin = terminal.stdin.take().expect("a pipe");
    let mut stdout = terminal.stdout.take().expect("a pipe");
    let mut shown = Vec::new();
    let session = async {
        for line in lines {
            let prompts = |shown: &[u8]| shown.windows(2).filter(|end| end == b": ").count();
            let before = prompts(&shown);
            while prompts(&shown) == before && stdout.read_buf(&mut shown).await.expect("a terminal") > 0 {}
            hides(script).await;
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).await; // it may have ended
        }
        stdout.read_to_end(&mut shown).await.expect("a terminal");
        terminal.wait().await.expect("an end")
    };
    let status = tokio::time::timeout(PATIENCE, session).await.expect("it asks twice and ends");
    (status.success(), String::from_utf8_lossy(&shown).into_owned())
}

/// Waits until the terminal that `script` made shows nothing, or its program has ended: a person types
/// later than a test.
async fn hides(script: u32) {
    let program = format!("cat /proc/{script}/task/{script}/children");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let look = format!("for p in $({program}); do stty -F /proc/$p/fd/0 -a; done");
        let told = Command::new("sh").args(["-c", &look]).output().await.expect("a shell").stdout;
        if told.is_empty() || String::from_utf8_lossy(&told).contains("-echo ") {
            return;
        }
        assert!(Instant::now() < deadline, "the terminal shows what is typed");
    }
}

#[tokio::test]
async fn in_a_terminal_the_password_is_asked_for_twice_and_not_shown() {
    let server = Server::start().await;
    let (added, shown) = types(&server, ["correct horse", "battery staple"]).await;
    assert!(!added && shown.contains("differ"), "{shown}");
    let (added, shown) = types(&server, ["correct horse", "correct horse"]).await;
    assert!(added && shown.contains("Password for ada: "), "{shown}");
    assert!(!shown.contains("horse"), "{shown}");
    server.visitor().log_in_with("ada", "correct horse").await.expect(200);
}

#[tokio::test]
async fn users_are_listed_disabled_enabled_and_removed() {
    let server = Server::with().user("alice").admin("root").start().await;
    let list = async || -> serde_json::Value {
        serde_json::from_str(&server.run(&["user", "list", "--json"], "").await).expect("JSON")
    };
    let listed = list().await;
    assert_eq!((&listed[0]["name"], &listed[0]["role"]), (&json!("alice"), &json!("user")));
    assert_eq!((&listed[1]["name"], &listed[1]["role"]), (&json!("root"), &json!("admin")));
    assert_eq!(listed[0]["disabled_at"], json!(null));
    let ada = server.visitor();
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].clone();
    assert_eq!(listed[0]["id"], user_id);
    server.run(&["user", "disable", "alice"], "").await;
    is_signed_out(&ada).await;
    ada.log_in("alice").await.expect_problem(401, "wrong-credentials");
    let disabled_at = list().await[0]["disabled_at"].clone();
    assert!(disabled_at.as_str().is_some_and(|time| time.ends_with('Z')), "{disabled_at}");
    assert_eq!(server.run(&["user", "enable", "alice"], "").await.trim(), "enabled alice");
    ada.log_in("alice").await.expect(200);
    let text = server.run(&["user", "list"], "").await;
    assert!(text.starts_with("name") && text.contains("alice") && !text.contains("argon2"), "{text}");
    let removed = server.run(&["user", "remove", "alice"], "").await;
    assert_eq!(removed.trim(), "removed alice; all sessions ended");
    is_signed_out(&ada).await;
    ada.log_in("alice").await.expect_problem(401, "wrong-credentials");
    assert_eq!(list().await.as_array().expect("an array").len(), 1);
    for command in ["enable", "disable", "remove"] {
        let told = server.fails(&["user", command, "alice"]).await;
        assert!(told.contains("visitflow user list"), "{told}");
    }
}

/// Waits until the running server knows of what a command has done, which takes a second at most.
async fn is_signed_out(visitor: &visitflow_testkit::Visitor) {
    soon("a user who was signed out", 401, async || visitor.get("/api/session").send().await.status).await;
}

/// JSON can contain a NUL, and no database can store it.
async fn no_nul_is_a_defect(setup: Setup) {
    let server = setup.admin("root").start().await;
    let key = server.add_key("shop").await;
    let (ada, root) = (server.visitor(), server.visitor());
    root.log_in_to_dashboard("root").await.expect(200);
    for (name, password) in [("a\0da", "0123456789"), ("\0", "\0"), ("root", "0123456789\0")] {
        ada.log_in_with(name, password).await.expect_problem(400, "invalid-field");
    }
    ada.log_in_with("root\u{0}", &visitflow_testkit::password_of("root")).await.expect(400);
    let order = |field: &str| {
        let mut body = json!({"id": "A-1", "amount": "1", "currency": "EUR", "site": "shop.example"});
        body[field] = json!("a\0b");
        body
    };
    for field in ["id", "amount", "currency", "visitor_id", "session", "user_id", "site"] {
        let answer = ada.post("/api/telemetry/order", &order(field)).bearer(&key).send().await;
        assert_eq!(answer.status, 400, "{field}: {}", answer.text());
    }
    for accessory in ["items", "url"] {
        ada.post("/api/telemetry/order", &order(accessory)).bearer(&key).send().await.expect(204);
    }
    let erase = json!({"visitor_id": "v_\0"});
    ada.post("/api/session/start", &erase).send().await.expect(400);
    ada.erase_request("v_\0").send().await.expect(400);
    for (path, body) in [
        ("/api/telemetry/event", json!({"id": fact_id(), "name": "a\0b", "site": "shop.example"})),
        ("/api/telemetry/event", json!({"id": "a\0b", "name": "a", "site": "shop.example"})),
        ("/api/session/ping", json!({"page_view_id": "a\0b"})),
        ("/api/auth/login", json!({"assertion": "a\0b"})),
    ] {
        ada.post(path, &body).as_json().send().await.expect(400);
    }
    for query in ["site=%00", "site=a%00b", "tz=%00", "currency=%00%00%00", "from=%00", "limit=%00"] {
        let answer = root.get(&format!("/api/metrics/pages?{query}")).send().await;
        assert!(answer.status < 500, "{query}: {}", answer.text());
        let answer = root.get(&format!("/api/metrics/overview?{query}")).send().await;
        assert!(answer.status < 500, "{query}: {}", answer.text());
    }
    for wrong in ["vf_%00.%00", "vf_.", "vf_a.b"] {
        ada.get("/api/metrics/overview").bearer(wrong).send().await.expect(401);
    }
}

#[tokio::test]
async fn a_nul_causes_no_500_with_sqlite() {
    no_nul_is_a_defect(Server::with()).await;
}

#[tokio::test]
async fn a_nul_causes_no_500_with_postgres() {
    let postgres = Postgres::shared_database().await;
    no_nul_is_a_defect(Server::with().postgres(&postgres)).await;
}

#[tokio::test]
async fn the_log_says_that_a_browser_drops_the_cookie_of_a_sign_in_over_plain_http() {
    const WARNING: &str = "browsers drop it and the user stays signed out";
    let server = Server::with().admin("root").start().await;
    let login = |scheme: &str, host: &str| {
        let body =
            json!({"username": "root", "password": visitflow_testkit::password_of("root"), "visit": false});
        let request = server.visitor().post("/api/auth/login", &body).as_json();
        request.header("host", host).header("origin", &format!("{scheme}://{host}"))
    };
    login("http", "localhost:8080").send().await.expect(200);
    login("https", "stats.example.com").header("x-forwarded-proto", "https").send().await.expect(200);
    assert!(!server.log().contains(WARNING), "{}", server.log());
    for _ in 0..3 {
        login("http", "stats.example.com").send().await.expect(200);
    }
    let log = server.log();
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    assert!(log.contains("stats.example.com") && log.contains("--cookie-secure auto"), "{log}");
    let without = Server::with().admin("root").flag("--cookie-secure", "never").start().await;
    let body = json!({"username": "root", "password": visitflow_testkit::password_of("root")});
    let request = without.visitor().post("/api/auth/login", &body).as_json();
    let host = "stats.example.com";
    request.header("host", host).header("origin", &format!("http://{host}")).send().await.expect(200);
    assert!(!without.log().contains(WARNING));
}
