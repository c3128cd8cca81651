//! Late facts: those of a visitor with many visits cost no more than anybody's.

use serde_json::{Value, json};
use std::time::SystemTime;
use tokio::task::JoinSet;
use visitflow_testkit::process::cpu_seconds;
use visitflow_testkit::reading::count;
use visitflow_testkit::visitor::SITE;
use visitflow_testkit::{Postgres, Server, Visitor, fact_id, sql};

/// Visits that the visitor has: one for every 30 s of the last week.
const VISITS: usize = 20_160;

/// Requests at once, of a hundred facts each: as many as one batch holds.
const REQUESTS: usize = 20;

/// A hundred page views of a visitor, from half an hour ago back to almost a week.
fn late_views(visitor: &Visitor, request: usize) -> Value {
    let late = |n: usize| {
        let age_ms = 1_900_000 + (n * REQUESTS + request) * 290_000;
        json!({"id": fact_id(), "visitor_id": visitor.id, "url": format!("https://{SITE}/late"), "age_ms": age_ms})
    };
    (0..100).map(late).collect()
}

/// Sends a request for each visitor, all at once; how long the server's CPU has worked, in seconds.
async fn cpu_of(server: &Server, visitors: impl Iterator<Item = Visitor>) -> f64 {
    let before = cpu_seconds(server.pid());
    let mut sent = JoinSet::new();
    for (request, visitor) in visitors.enumerate() {
        let body = late_views(&visitor, request);
        sent.spawn(async move { visitor.send_view(&body).await.expect(204) });
    }
    // Others are served meanwhile.
    server.visitor().view("/").await.expect(204);
    sent.join_all().await;
    cpu_seconds(server.pid()) - before
}

/// The statement that gives a visitor its visits.
fn visits_of(visitor: &Visitor, id: &str, series: &str) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_millis();
    format!(
        "INSERT INTO sessions (id, site, visitor_id, started_at, last_activity, ended_at, page_views)
         SELECT {id}, '{SITE}', '{}', {now} - n * 30000, {now} - n * 30000, {now} - n * 30000, 1 FROM {series}",
        visitor.id
    )
}

/// Late facts of `ann`, who has many visits, after those of as many strangers.
async fn assert_late_facts_cost_what_they_are(server: &Server, ann: &Visitor) {
    let little = cpu_of(server, (0..REQUESTS).map(|_| server.visitor())).await;
    let before = server.number("SELECT COUNT(*) FROM sessions");
    let much = cpu_of(server, (0..REQUESTS).map(|_| ann.without_session())).await;
    println!("{little} s of CPU for strangers, {much} s for a visitor with {VISITS} visits");
    assert!(much <= 3.0 * little + 1.0, "{much} s of CPU; those of strangers took {little} s");
    server.assert_visits(before + 1); // that of the one who was served meanwhile: each late fact found its own
    server.assert_page_views(count(2 * (100 * REQUESTS + 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn late_facts_of_a_visitor_with_many_visits_are_cheap_in_a_file() {
    let server = Server::start().await;
    let ann = server.visitor();
    let id = "printf('00000000-0000-7000-8000-%012x', n)";
    let series = format!(
        "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT {VISITS}) SELECT n FROM s)"
    );
    server.database().execute_batch(&visits_of(&ann, id, &series)).expect("visits");
    assert_late_facts_cost_what_they_are(&server, &ann).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_facts_of_a_visitor_with_many_visits_are_cheap_in_postgres() {
    let postgres = Postgres::shared_database().await;
    let server = Server::with().postgres(&postgres).start().await;
    let ann = server.visitor();
    let series = format!("generate_series(1, {VISITS}) AS n");
    sql::execute(&postgres.url(), &visits_of(&ann, "gen_random_uuid()", &series)).await;
    assert_late_facts_cost_what_they_are(&server, &ann).await;
    let metrics = server.ask_admin("/metrics").await.expect(200).text();
    assert!(metrics.contains("\nvisitflow_spool_commands 0\n"), "{metrics}");
    assert!(!server.log().contains("the database is away"), "{}", server.log());
}
