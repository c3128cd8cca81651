//! What the ledger looks up costs what is asked, whatever the visitor has stored already.

use serde_json::Value;
use visitflow_e2e::{Postgres, sql};
use visitflow_server::session::Millis;
use visitflow_server::store::events::Database;
use visitflow_server::store::events::postgres::url::PostgresUrl;
use visitflow_server::store::events::sqlite::Sqlite;

const ANN: &str = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";
const NOW: Millis = 1_790_000_000_000;

/// The look-ups, each with values for its parameters; in SQLite the arrays are single values.
const LOOKUPS: [(&str, &str, &str, &[&str]); 4] = [
    (
        "visit_of_visitor_at",
        include_str!("../../sql/postgres/visit_of_visitor_at.sql"),
        include_str!("../../sql/sqlite/visit_of_visitor_at.sql"),
        &["'{ANN,ANN}'", "'{here.example,s77.example}'", "'{NOW,NOW}'"],
    ),
    (
        "visit_latest_open",
        include_str!("../../sql/postgres/visit_latest_open.sql"),
        include_str!("../../sql/sqlite/visit_latest_open.sql"),
        &["'{ANN}'"],
    ),
    (
        "visit_current",
        include_str!("../../sql/postgres/visit_current.sql"),
        include_str!("../../sql/sqlite/visit_current.sql"),
        &["'{ANN}'", "'{s77.example}'"],
    ),
    (
        "page_views_stored",
        include_str!("../../sql/postgres/page_views_stored.sql"),
        include_str!("../../sql/sqlite/page_views_stored.sql"),
        &["'{NOW}'", "'{018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f80}'", "'{s77.example}'"],
    ),
];

/// Ann has thousands of visits: on one site, and each on a site of its own, open and ended; and one page
/// view's id is stored on thousands of sites.
const MUCH: [&str; 4] = [
    "INSERT INTO sessions (id, site, visitor_id, started_at, last_activity, ended_at)
     SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'here.example' ELSE 's' || n || '.example' END, 'ANN',
         NOW - n, NOW - n, CASE WHEN n % 3 = 0 THEN NULL ELSE NOW END FROM generate_series(1, 9000) AS n",
    "INSERT INTO visitors (site, visitor_id, visit_id)
     SELECT DISTINCT ON (site) site, visitor_id, id FROM sessions",
    "INSERT INTO page_views (id_time, site, id, occurred_at, received_at, url, path)
     SELECT NOW, site, '018f3a5e-7c1b-7f6a-9d2e-3b4c5d6e7f80', NOW, NOW, '', '' FROM visitors",
    "ANALYZE",
];

fn filled(text: &str) -> String {
    text.replace("ANN", ANN).replace("NOW", &NOW.to_string())
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
async fn a_look_up_reads_what_is_asked_for_however_much_the_visitor_has() {
    let postgres = Postgres::shared_database().await;
    let database = Database::Postgres(PostgresUrl::parse(&postgres.url()).unwrap());
    database.migrate().await.unwrap();
    for statement in MUCH {
        postgres.execute(&filled(statement)).await;
    }
    for (name, text, _, values) in LOOKUPS {
        let values = values.iter().map(|value| filled(value)).collect::<Vec<_>>().join(", ");
        // As the writer runs it: one plan for any values.
        let explain = format!(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
             SET enable_mergejoin = off; PREPARE {name} AS {text}; \
             EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({values})"
        );
        let explained = sql::texts(&postgres.url(), &explain).await.remove(0);
        let plan: Value = serde_json::from_str(&explained).unwrap();
        let rows = rows_read(&plan[0]["Plan"]);
        assert!((1.0..=16.0).contains(&rows), "{name} reads {rows} rows: {plan:#}");
    }
}

#[test]
fn in_a_file_a_look_up_searches_an_index_and_sorts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = Sqlite::new(folder.path().join("visitflow.db"));
    let db = file.open().unwrap();
    for (name, _, text, _) in LOOKUPS {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        for parameter in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(parameter, "").unwrap();
        }
        let mut steps = statement.raw_query();
        while let Some(step) = steps.next().unwrap() {
            let step: String = step.get(3).unwrap();
            assert!(
                step.starts_with("SEARCH") && step.contains("INDEX") || step.contains("PRIMARY KEY"),
                "{name}: {step}"
            );
            assert!(!step.contains("TEMP B-TREE"), "{name}: {step}");
        }
    }
}
