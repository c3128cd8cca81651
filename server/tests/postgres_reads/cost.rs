//! What the ledger looks up, and what a piece of an erasure deletes, costs what is asked, whatever the visitor
//! has stored already.

use serde_json::Value;
use visitflow_server::database::Database;
use visitflow_server::database::postgres::url::PostgresUrl;
use visitflow_server::database::sqlite::Sqlite;
use visitflow_server::session::Millis;
use visitflow_testkit::{Postgres, sql};

const ANN: &str = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";
const NOW: Millis = 1_790_000_000_000;
const VISIT: &str = "018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f81";

/// A statement's name, its text for Postgres and for SQLite, and values for its parameters in Postgres; in
/// SQLite an array is a single value.
type Statement = (&'static str, &'static str, &'static str, &'static [&'static str]);

macro_rules! statement {
    ($name:literal, $($value:literal),+) => {
        (
            $name,
            include_str!(concat!("../../sql/postgres/", $name, ".sql")),
            include_str!(concat!("../../sql/sqlite/", $name, ".sql")),
            &[$($value),+],
        )
    };
}

/// The look-ups.
const LOOKUPS: [Statement; 18] = [
    statement!("visit_get", "'{VISIT}'"),
    statement!("token_get", "'{5}'"),
    statement!("tokens_of_visit", "'{VISIT}'", "3"),
    statement!("tokens_of_user", "'u_1'", "NULL", "3"),
    statement!("retired_of_token", "'{5}'", "3"),
    statement!("erased_get", "ARRAY['\\x05'::bytea]"),
    statement!("user_ending_get", "ARRAY['\\x05'::bytea]", "'{here.example}'"),
    statement!("visitor_known", "'{ANN}'"),
    statement!("visit_current", "'{ANN}'", "'{s77.example}'"),
    statement!("visit_latest_open", "'{ANN}'"),
    statement!("visit_of_visitor_at", "'{ANN,ANN}'", "'{here.example,s77.example}'", "'{NOW,NOW}'"),
    statement!("visit_of_user_at", "'u_1'", "NOW"),
    statement!("visits_anonymous", "'{ANN}'", "'{NOW}'", "'{3}'"),
    statement!("page_views_stored", "'{NOW}'", "'{018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f80}'", "'{s77.example}'"),
    statement!("events_stored", "'{NOW}'", "'{018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f80}'", "'{s77.example}'"),
    statement!("order_get", "'{here.example}'", "'{77}'"),
    statement!("refund_get", "'{here.example}'", "'{77}'"),
    statement!("user_is_current", "'{u_77}'", "'{hash}'"),
];

/// Look-ups that are asked in Postgres alone.
const POSTGRES_LOOKUPS: [(&str, &str, &[&str]); 1] =
    [("visits_of_token", include_str!("../../sql/postgres/visits_of_token.sql"), &["'{5}'"])];

/// The statements of a piece of an erasure: three rows at most.
const ERASURE: [Statement; 6] = [
    statement!("erase_find", "'ANN'", "3"),
    statement!("erase_tokens", "'{VISIT}'", "NOW", "3"),
    statement!("erase_visitor", "'ANN'", "3"),
    statement!("erase_orders", "'ANN'", "'{VISIT}'", "3"),
    statement!("erase_refunds", "'ANN'", "'{VISIT}'", "3"),
    statement!("erase_page_views", "'{VISIT}'", "0", "NOW", "3"),
];

/// Ann has thousands of visits: on one site, and each on a site of its own, open and ended, of a user and
/// of none; and one of them has thousands of sessions, of that user, and page views. She has thousands of
/// orders and refunds. One page view's id is stored on thousands of sites, and one event's. A session has
/// retired thousands of secrets. There are thousands of users, of erased visitors and of
/// users whose sessions were ended.
const MUCH: [&str; 14] = [
    "INSERT INTO sessions (id, site, visitor_id, user_id, started_at, last_activity, ended_at)
     SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'here.example' ELSE 's' || n || '.example' END, 'ANN',
         CASE WHEN n < 5000 THEN 'u_1' END,
         NOW - n, NOW - n, CASE WHEN n % 3 = 0 THEN NULL ELSE NOW END FROM generate_series(1, 9000) AS n",
    "INSERT INTO sessions (id, site, visitor_id, started_at, last_activity)
     SELECT 'VISIT', 'here.example', 'ANN', NOW, NOW",
    "INSERT INTO session_tokens (tag, secret_hash, generation, visit_id, user_id, created_at, last_activity, changed_at)
     SELECT n, '', 1, 'VISIT', 'u_1', NOW - n, NOW, NOW FROM generate_series(1, 9000) AS n",
    "INSERT INTO retired_secrets (secret_hash, tag, retired_at)
     SELECT sha256(n::text::bytea), '5', NOW - n FROM generate_series(1, 9000) AS n",
    "INSERT INTO users (id, name, password_hash, role, created_at)
     SELECT 'u_' || n, n, 'hash', 'user', NOW FROM generate_series(1, 9000) AS n",
    "INSERT INTO erased_visitors (visitor_hash, erased_at)
     SELECT sha256(n::text::bytea), NOW FROM generate_series(1, 9000) AS n UNION ALL SELECT '\\x05', NOW",
    "INSERT INTO user_endings (user_hash, site, ended_at)
     SELECT sha256(n::text::bytea), 'here.example', NOW FROM generate_series(1, 9000) AS n
     UNION ALL SELECT '\\x05', 'here.example', NOW",
    "INSERT INTO orders (site, id, visit_id, visitor_id, amount, currency, source, created_at, received_at)
     SELECT 'here.example', n, 'VISIT', 'ANN', 1, 'EUR', 'api', NOW, NOW FROM generate_series(1, 9000) AS n",
    "INSERT INTO refunds (site, id, refund_of, visit_id, visitor_id, amount, currency, created_at, received_at)
     SELECT 'here.example', n, n, 'VISIT', 'ANN', 1, 'EUR', NOW, NOW FROM generate_series(1, 9000) AS n",
    "INSERT INTO page_views (id_time, site, id, visit_id, occurred_at, received_at, url, path)
     SELECT NOW, 'here.example', gen_random_uuid(), 'VISIT', NOW - n, NOW, '', '' FROM generate_series(1, 9000) AS n",
    "INSERT INTO visitors (site, visitor_id, visit_id)
     SELECT DISTINCT ON (site) site, visitor_id, id FROM sessions",
    "INSERT INTO page_views (id_time, site, id, occurred_at, received_at, url, path)
     SELECT NOW, site, '018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f80', NOW, NOW, '', '' FROM visitors",
    "INSERT INTO events (id_time, site, id, occurred_at, received_at, name)
     SELECT NOW, site, '018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f80', NOW, NOW, '' FROM visitors",
    "ANALYZE",
];

fn filled(text: &str) -> String {
    text.replace("ANN", ANN).replace("NOW", &NOW.to_string()).replace("VISIT", VISIT)
}

/// Rows that a plan's nodes have read, thrown away ones too.
fn rows_read(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let read =
        number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let below = node["Plans"].as_array().into_iter().flatten().map(rows_read).sum::<f64>();
    read * number("Actual Loops") + below
}

#[tokio::test]
async fn look_ups_and_erasures_read_few_rows_however_much_the_visitor_has() {
    let postgres = Postgres::shared_database().await;
    let database = Database::Postgres(PostgresUrl::parse(&postgres.url()).unwrap());
    database.migrate().await.unwrap();
    for statement in MUCH {
        postgres.execute(&filled(statement)).await;
    }
    let lookups = LOOKUPS.map(|(name, text, _, values)| (name, text, values, ""));
    let more = POSTGRES_LOOKUPS.map(|(name, text, values)| (name, text, values, ""));
    let erasure = ERASURE.map(|(name, text, _, values)| (name, text, values, "SET enable_bitmapscan = off;"));
    for (name, text, values, settings) in lookups.into_iter().chain(more).chain(erasure) {
        let values = values.iter().map(|value| filled(value)).collect::<Vec<_>>().join(", ");
        // As the writer runs it: one plan for any values.
        let explain = format!(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
             SET enable_mergejoin = off; {settings} PREPARE {name} AS {text}; \
             EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({values})"
        );
        let explained = sql::texts(&postgres.url(), &explain).await.remove(0);
        let plan: Value = serde_json::from_str(&explained).unwrap();
        let rows = rows_read(&plan[0]["Plan"]);
        assert!((1.0..=32.0).contains(&rows), "{name} reads {rows} rows: {plan:#}");
    }
}

/// What a statement does in a file, step by step.
fn steps(file: &Sqlite, text: &str) -> Vec<String> {
    let db = file.open().unwrap();
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    for parameter in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(parameter, "").unwrap();
    }
    let (mut rows, mut steps) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

#[test]
fn in_a_file_a_look_up_searches_an_index_and_sorts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = Sqlite::new(folder.path().join("visitflow.db"));
    for (name, _, text, _) in LOOKUPS {
        let bounded: &[&str] = match name {
            // Its parameter.
            "visitor_known" => &["CO-ROUTINE v", "SCAN CONSTANT ROW", "SCAN v", "SCALAR SUBQUERY"],
            // What its search, which has a limit, has found.
            "retired_of_token" => &["CO-ROUTINE (subquery", "SCAN (subquery", "USE TEMP B-TREE FOR ORDER BY"],
            _ => &[],
        };
        let steps = steps(&file, text);
        let is_bounded = |step: &str| bounded.iter().any(|beginning| step.starts_with(beginning));
        for step in steps.iter().filter(|step| !is_bounded(step)) {
            assert!(step.starts_with("SEARCH"), "{name}: {step}");
            assert!(step.contains("INDEX") || step.contains("PRIMARY KEY"), "{name}: {step}");
        }
        assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{name}: {steps:?}");
    }
}

#[test]
fn in_a_file_an_erasure_searches_indexes_and_sorts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = Sqlite::new(folder.path().join("visitflow.db"));
    for (name, _, text, _) in ERASURE {
        let steps = steps(&file, text);
        let reads = |step: &&String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
        // Its parameter, and what a subquery has found.
        let is_bounded = |step: &&String| step.contains("json_each") || step.contains("(subquery");
        let unbounded: Vec<&String> = steps.iter().filter(reads).filter(|step| !is_bounded(step)).collect();
        assert!(unbounded.is_empty(), "{name}: {unbounded:?} of {steps:?}");
        assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{name}: {steps:?}");
    }
}
