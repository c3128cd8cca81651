//! `visitflow migrate --from sqlite://… --to postgres://…` copies an installation without losing or changing anything.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use visitflow_testkit::fill::fill;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Postgres, Server, fact_id};

/// Every table with its rows.
const TABLES: [&str; 14] = [
    "users",
    "api_keys",
    "sessions",
    "session_tokens",
    "retired_secrets",
    "visitors",
    "page_views",
    "events",
    "orders",
    "refunds",
    "dead_letters",
    "erased_visitors",
    "user_endings",
    "erasures",
];

fn from(server: &Server) -> String {
    format!("sqlite://{}/visitflow.db", server.directory().display())
}

/// What the dashboard shows of some days.
async fn reports(server: &Server, key: &str, range: &str) -> Vec<Value> {
    let mut reports = Vec::new();
    for path in ["overview", "pages", "referrers"] {
        for site in ["", "&site=shop.example", "&site=xn--bcher-kva.example"] {
            let path = format!("/api/metrics/{path}?{range}{site}");
            reports.push(server.visitor().get(&path).bearer(key).send().await.expect(200).json());
        }
    }
    let path = format!("/api/metrics/timeseries?{range}&interval=day");
    reports.push(server.visitor().get(&path).bearer(key).send().await.expect(200).json());
    reports
}

async fn counts(postgres: &Postgres) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in TABLES {
        counts.push(postgres.number(&format!("SELECT COUNT(*) FROM {table}")).await);
    }
    counts
}

#[tokio::test]
async fn a_migration_to_postgres_copies_everything() {
    let mut old = Server::with().admin("root").user("alice").start().await;
    let key = old.add_key("reports").await;
    let (ada, bob, alice) = (old.visitor(), old.visitor(), old.visitor());
    for path in ["/", "/schöne-dinge?farbe=größer", "/日本"] {
        ada.view(path).await.expect(204);
    }
    ada.event("In den Warenkorb 🛒").await.expect(204);
    for (id, amount, currency) in
        [("№ 1", "0.1", "EUR"), ("2", "0.2", "EUR"), ("3", "999999999999.9999", "JPY"), ("4", "12.5", "CHF")]
    {
        ada.order(id, amount, currency).await.expect(204);
    }
    old.visitor().order("2", "0.3", "EUR").await.expect(204);
    let back = json!({"id": "R 2", "refund_of": "2", "amount": "0.2001", "currency": "EUR", "site": SITE});
    let shop = old.run(&["key", "add", "shop"], "").await;
    old.visitor().post("/api/telemetry/order", &back).bearer(shop.trim()).cookie("").send().await.expect(204);
    let mut late = bob.page_view("/late");
    late["age_ms"] = json!(20 * 3_600_000);
    bob.send_view(&late).await.expect(204);
    let elsewhere = json!({"id": fact_id(), "visitor_id": bob.id, "url": "https://bücher.example/",
        "title": "Bücher", "referrer": "https://news.example/a"});
    bob.send_view(&elsewhere).await.expect(204);
    // A browser whose clock is wrong by years.
    let mut odd = bob.page_view("/odd");
    odd["id"] = json!("00000000-0000-7000-8000-000000000001");
    bob.send_view(&odd).await.expect(204);
    alice.log_in("alice").await.expect(200);
    alice.view("/account").await.expect(204);
    alice.delete("/api/sessions?others=true").send().await.expect(204);
    let gone = old.visitor();
    gone.view("/").await.expect(204);
    gone.erase().await.expect(204);
    let running = old.fails(&["migrate", "--from", &from(&old), "--to", "postgres://nowhere/x"]).await;
    assert!(running.contains("stop it"), "{running}");
    old.database()
        .execute("INSERT INTO dead_letters VALUES (7, 1, 'zu groß', '{\"a\":\"\\u0000\"}')", [])
        .expect("a dead letter");
    let range =
        old.texts("SELECT 'from=' || date('now', '-3 days') || '&to=' || date('now', '+3 days')").remove(0);
    // The latest activity of sessions is written when the server stops.
    old.terminate().await;
    old.restart().await;
    let before = reports(&old, &key, &range).await;
    old.terminate().await;

    let postgres = Postgres::shared_database().await;
    let (from, to) = (from(&old), postgres.url());
    let arguments = ["migrate", "--from", &from, "--to", &to];
    let told = old.run(&arguments, "").await;
    assert!(told.contains("the same in both databases"), "{told}");
    let moved = counts(&postgres).await;
    let here: Vec<i64> =
        TABLES.iter().map(|table| old.number(&format!("SELECT COUNT(*) FROM {table}"))).collect();
    assert_eq!(moved, here);
    assert!(moved.iter().enumerate().all(|(table, rows)| *rows > 0 || table == 4), "{moved:?}");
    assert_eq!(postgres.number("SELECT COUNT(*) FROM page_views_default").await, 1, "the odd one");
    assert_eq!(postgres.texts("SELECT id FROM orders WHERE disputed").await, ["2"]);
    let amounts = "SELECT amount::text FROM orders WHERE currency = 'JPY'";
    assert_eq!(postgres.texts(amounts).await, ["999999999999.9999"]);

    // Again: nothing changes.
    old.run(&arguments, "").await;
    assert_eq!(counts(&postgres).await, moved);

    let new = Server::with().postgres(&postgres).start().await;
    assert_eq!(reports(&new, &key, &range).await, before);
    let resumed = new.visitor();
    resumed.set_cookie("session_id", &alice.token());
    resumed.ping().await.expect(204);
    new.visitor().log_in("root").await.expect(200);
    // A copied fact that is sent again is a duplicate.
    new.visitor().send_view(&late).await.expect(204);
    new.assert_page_views(moved[6]);

    // A session that was ended since then does not come back.
    resumed.end().await.expect(204);
    let told = old.fails(&arguments).await;
    assert!(told.contains("nothing was copied") || told.contains("has been used since"), "{told}");
    let live = format!(
        "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NULL AND tag = '{}'",
        tag(&alice.token())
    );
    assert_eq!(new.number(&live), 0);
}

fn tag(token: &str) -> &str {
    token.trim_start_matches("s_").split('.').next().unwrap_or_default()
}

#[tokio::test]
async fn a_move_that_was_killed_goes_on_from_there() {
    const PAGE_VIEWS: u32 = 100_000;
    let mut old = Server::start().await;
    let key = old.add_key("reports").await;
    old.terminate().await;
    fill(&mut old.database(), PAGE_VIEWS).expect("page views");
    let postgres = Postgres::shared_database().await;
    let (from, to) = (from(&old), postgres.url());
    let arguments = ["migrate", "--from", &from, "--to", &to];
    let mut half = old.begin(&arguments);
    let deadline = Instant::now() + PATIENCE;
    let begun = "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'migrated_from'";
    while postgres.number(begun).await == 0 || postgres.number("SELECT COUNT(*) FROM page_views").await == 0 {
        assert!(Instant::now() < deadline, "the migration has begun");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    half.kill().await.expect("kill -9");
    let copied = postgres.number("SELECT COUNT(*) FROM page_views").await;
    assert!(copied < i64::from(PAGE_VIEWS), "killed in the middle");

    let told = old.run(&arguments, "").await;
    assert!(told.contains("the same in both databases"), "{told}");
    assert_eq!(postgres.number("SELECT COUNT(*) FROM page_views").await, i64::from(PAGE_VIEWS));
    assert_eq!(postgres.number("SELECT COUNT(*) FROM page_views_default").await, 0);
    old.restart().await;
    let new = Server::with().postgres(&postgres).start().await;
    let range = "from=2025-10-01&to=2026-12-01";
    assert_eq!(reports(&new, &key, range).await, reports(&old, &key, range).await);
}

#[tokio::test]
async fn two_installations_are_not_mixed() {
    let postgres = Postgres::shared_database().await;
    let busy = Server::with().postgres(&postgres).start().await;
    busy.visitor().view("/").await.expect(204);
    let mut old = Server::start().await;
    old.visitor().view("/").await.expect(204);
    old.terminate().await;
    let (file, url) = (from(&old), postgres.url());
    let said = old.fails(&["migrate", "--from", &file, "--to", &url]).await;
    assert!(said.contains("sessions") && said.contains("empty database"), "{said}");

    let empty = Postgres::shared_database().await;
    old.run(&["migrate", "--from", &file, "--to", &empty.url()], "").await;
    let mut other = Server::start().await;
    other.terminate().await;
    let said = other.fails(&["migrate", "--from", &from(&other), "--to", &empty.url()]).await;
    assert!(said.contains("data from elsewhere"), "{said}");
    assert_eq!(empty.texts("SELECT site FROM page_views").await, [SITE]);
    let missing = other.fails(&["migrate", "--from", "sqlite://missing.db", "--to", &empty.url()]).await;
    assert!(missing.contains("no file"), "{missing}");
}
