//! The reports, compared with the database.

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use visitflow_testkit::{Server, fact_id};

const MINUTE_MS: i64 = 60_000;

/// The four figures that have a definition in SQL, for `started_at` or `created_at` in
/// `[from, to)`, both in ms since the Unix epoch.
#[derive(Debug, PartialEq)]
struct Four {
    visits: i64,
    visitors: i64,
    conversion: f64,
    average_order: Option<f64>,
}

impl Four {
    fn of_database(database: &Connection, from: i64, to: i64) -> Self {
        fn ask<T: rusqlite::types::FromSql>(database: &Connection, sql: &str, from: i64, to: i64) -> T {
            let result = database.query_row(sql, params![from, to], |row| row.get(0));
            result.unwrap_or_else(|error| panic!("{sql}: {error}"))
        }
        let visits = "SELECT COUNT(*) FROM sessions WHERE started_at >= $1 AND started_at < $2";
        let visitors = "SELECT COUNT(DISTINCT COALESCE(user_id, visitor_id)) FROM sessions
                        WHERE started_at >= $1 AND started_at < $2";
        let conversion = "SELECT CAST(COUNT(orders.id) AS REAL) / MAX(
                              (SELECT COUNT(*) FROM sessions WHERE started_at >= $1 AND started_at < $2), 1) * 100
                          FROM orders WHERE created_at >= $1 AND created_at < $2";
        let average = "SELECT AVG(amount) FROM orders WHERE created_at >= $1 AND created_at < $2";
        Self {
            visits: ask(database, visits, from, to),
            visitors: ask(database, visitors, from, to),
            conversion: ask(database, conversion, from, to),
            average_order: ask(database, average, from, to),
        }
    }

    fn of_report(report: &Value) -> Self {
        Self {
            visits: report["total_visits"].as_i64().expect("total_visits"),
            visitors: report["unique_visitors"].as_i64().expect("unique_visitors"),
            conversion: report["conversion_rate"].as_f64().expect("conversion_rate"),
            average_order: report["average_order_value"].as_f64(),
        }
    }

    #[track_caller]
    fn assert_equals(&self, other: &Self, what: &str) {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9 * a.abs().max(1.0);
        let same_average = match (self.average_order, other.average_order) {
            (Some(a), Some(b)) => close(a, b),
            (a, b) => a == b,
        };
        let same = self.visits == other.visits
            && self.visitors == other.visitors
            && close(self.conversion, other.conversion)
            && same_average;
        assert!(same, "{what}: the report says {self:?}, the database {other:?}");
    }
}

/// RFC 3339, to the millisecond.
fn rfc3339(database: &Connection, ms: i64) -> String {
    let sql = "SELECT strftime('%Y-%m-%dT%H:%M:%S', ?1 / 1000, 'unixepoch') || printf('.%03dZ', ?1 % 1000)";
    database.query_row(sql, [ms], |row| row.get(0)).expect("SQLite formats a time")
}

#[tokio::test]
async fn the_four_figures_are_those_of_the_database() {
    let server = Server::with().user("alice").start().await;
    let key = server.add_key("reports").await;

    // Several visitors, at different times.
    for age_min in [0, 1, 2, 5, 20, 90, 60 * 24, 60 * 24 * 3] {
        let visitor = server.visitor();
        let mut view = visitor.page_view("/");
        view["age_ms"] = json!(age_min * MINUTE_MS);
        visitor.send_view(&view).await.expect(204);
    }
    // A login that merges the visitor's history: two visits and one more on another browser.
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.end().await.expect(204);
    ada.view("/shoes").await.expect(204);
    ada.log_in("alice").await.expect(200);
    let phone = server.visitor();
    phone.view("/").await.expect(204);
    phone.log_in("alice").await.expect(200);
    // A resend of the same page view.
    let view = ada.page_view("/shoes/red");
    for _ in 0..3 {
        ada.send_view(&view).await.expect(204);
    }
    // Two tabs: two cookies, one visitor.
    let bob = server.visitor();
    bob.view("/").await.expect(204);
    let tab = bob.without_session();
    tab.view("/socks").await.expect(204);
    // Two orders, one of them sent twice.
    ada.order("1", "49.90", "EUR").await.expect(204);
    bob.order("2", "10.05", "EUR").await.expect(204);
    bob.order("2", "10.05", "EUR").await.expect(204);

    let report = server.overview(&key, "").await;
    let four = Four::of_report(&report);
    assert_eq!((four.visits, four.visitors), (12, 10), "{report}");
    assert!((four.conversion - 2.0 / 12.0 * 100.0).abs() < 1e-9, "{report}");
    assert!((four.average_order.expect("two orders") - 29.975).abs() < 1e-9, "{report}");
    assert_eq!(report["orders"], 2);
    assert_eq!(report["page_views"], 14);
    let database = server.database();
    four.assert_equals(&Four::of_database(&database, 0, i64::MAX), "the last 30 days");

    // Every range between two starts of visits: its beginning counts, its end does not.
    let mut starts: Vec<i64> = database
        .prepare("SELECT DISTINCT started_at FROM sessions ORDER BY 1")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .expect("the visits' starts");
    starts.push(starts.last().expect("visits") + 60 * MINUTE_MS);
    for (n, from) in starts.iter().enumerate() {
        for to in &starts[n + 1..] {
            let query = format!("?from={}&to={}", rfc3339(&database, *from), rfc3339(&database, *to));
            let four = Four::of_report(&server.overview(&key, &query).await);
            four.assert_equals(&Four::of_database(&database, *from, *to), &query);
        }
    }
}

#[tokio::test]
async fn without_orders_there_is_no_average_order() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    let report = server.overview(&key, "").await;
    assert_eq!(report["total_visits"], 0);
    assert_eq!(report["conversion_rate"].as_f64(), Some(0.0));
    assert_eq!(report["average_order_value"], Value::Null);
    server.visitor().view("/").await.expect(204);
    let report = server.overview(&key, "").await;
    assert_eq!(report["total_visits"], 1);
    assert_eq!(report["average_order_value"], Value::Null);
    assert_eq!(report["bounce_rate"].as_f64(), Some(100.0));
    assert_eq!(report["active_sessions"], 1);
}

#[tokio::test]
async fn each_figure_of_orders_and_money_says_which_currency_it_is_of() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    for (id, amount, currency) in [("1", "10.10", "EUR"), ("2", "20.20", "USD"), ("3", "5.00", "USD")] {
        ada.order(id, amount, currency).await.expect(204);
    }
    let report = server.overview(&key, "").await;
    let dollars = json!({"currency": "USD", "orders": 2, "revenue": 25.2, "average_order_value": 12.6,
        "refunds": 0, "refunded": 0.0, "net_revenue": 25.2});
    let euros = json!({"currency": "EUR", "orders": 1, "revenue": 10.1, "average_order_value": 10.1,
        "refunds": 0, "refunded": 0.0, "net_revenue": 10.1});
    assert_eq!(report["by_currency"], json!([dollars, euros]));
    let headline = |report: &Value, expected: &Value| {
        for (name, figure) in expected.as_object().expect("an object") {
            assert_eq!(&report[name], figure, "{name}: {report}");
        }
        // Those of all currencies.
        assert_eq!((&report["all_orders"], report["conversion_rate"].as_f64()), (&json!(3), Some(300.0)));
        assert_eq!(
            report["visit_conversion_rate"].as_f64(),
            Some(100.0),
            "three orders convert a visit once"
        );
    };
    headline(&report, &dollars);
    headline(&server.overview(&key, "?currency=eur").await, &euros);
    let none = json!({"currency": "CHF", "orders": 0, "revenue": 0.0, "average_order_value": null,
        "refunds": 0, "refunded": 0.0, "net_revenue": 0.0});
    headline(&server.overview(&key, "?currency=CHF").await, &none);

    let points = async |query: &str| {
        let path = format!("/api/metrics/timeseries?interval=day{query}");
        let report = server.visitor().get(&path).bearer(&key).send().await.expect(200).json();
        let points = report["points"].as_array().cloned().unwrap_or_default();
        let sum = |name: &str| points.iter().filter_map(|point| point[name].as_i64()).sum::<i64>();
        (report["currency"].clone(), sum("orders"), sum("all_orders"))
    };
    assert_eq!(points("").await, (json!("USD"), 2, 3));
    assert_eq!(points("&currency=EUR").await, (json!("EUR"), 1, 3));
    assert_eq!(points("&currency=CHF").await, (json!("CHF"), 0, 3));
}

#[tokio::test]
async fn the_site_filter_tells_sites_apart() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    for (url, times) in [("https://www.one.example/a", 2), ("https://two.example:8443/b", 3)] {
        for _ in 0..times {
            let visitor = server.visitor();
            visitor
                .send_view(&json!({"id": fact_id(), "visitor_id": visitor.id, "url": url}))
                .await
                .expect(204);
        }
    }
    assert_eq!(server.overview(&key, "").await["total_visits"], 5);
    for (site, visits) in [("one.example", 2), ("two.example", 3), ("three.example", 0)] {
        let report = server.overview(&key, &format!("?site={site}")).await;
        assert_eq!(report["total_visits"], visits, "{report}");
        assert_eq!(report["page_views"], visits, "{report}");
    }
}

#[tokio::test]
async fn sites_are_listed_by_visits_and_none_without_any() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    let sites = async |query: &str| {
        let path = format!("/api/metrics/sites{query}");
        server.visitor().get(&path).bearer(&key).send().await.expect(200).json()
    };
    assert_eq!(sites("").await["sites"], json!([]));
    for site in ["real.example", "real.example", "a.example"] {
        let visitor = server.visitor();
        let view = json!({"id": fact_id(), "visitor_id": visitor.id, "url": format!("https://{site}/")});
        visitor.send_view(&view).await.expect(204);
    }
    // Hosts that anyone can send.
    let posted: Vec<_> =
        (0..100).map(|n| json!({"anonymous": true, "url": format!("https://a{n}.example/")})).collect();
    server.visitor().post("/api/telemetry/page_view", &json!(posted)).send().await.expect(204);
    let expected = json!([{"site": "real.example", "visits": 2}, {"site": "a.example", "visits": 1}]);
    let all = sites("").await;
    assert_eq!((&all["sites"], &all["more"]), (&expected, &json!(false)));
    let first = sites("?limit=1").await;
    assert_eq!((&first["sites"], &first["more"]), (&json!([expected[0]]), &json!(true)));
    assert_eq!(sites("?from=2020-01-01&to=2020-01-02&tz=Europe/Berlin").await["sites"], json!([]));
    assert_eq!(
        server.overview(&key, "?site=a7.example").await["page_views"],
        1,
        "it has figures all the same"
    );
}

#[tokio::test]
async fn the_other_reports_tell_pages_referrers_times_and_who_is_here() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    let (ada, bob) = (server.visitor(), server.visitor());
    let mut first = ada.page_view("/");
    first["referrer"] = json!("https://duckduckgo.com/?q=shoes");
    ada.send_view(&first).await.expect(204);
    ada.view("/shoes").await.expect(204);
    bob.view("/shoes").await.expect(204);
    let ask = async |path: &str| server.visitor().get(path).bearer(&key).send().await.expect(200).json();

    let pages = ask("/api/metrics/pages").await;
    let expected = json!([{"path": "/shoes", "page_views": 2, "visits": 2}, {"path": "/", "page_views": 1, "visits": 1}]);
    assert_eq!(pages["pages"], expected);
    let referrers = ask("/api/metrics/referrers").await["referrers"].clone();
    let count = |referrer: Value| {
        let rows = referrers.as_array().cloned().unwrap_or_default();
        rows.iter().find(|row| row["referrer"] == referrer).map(|row| row["visits"].clone())
    };
    assert_eq!(count(json!("duckduckgo.com")), Some(json!(1)), "{referrers}");
    assert_eq!(count(Value::Null), Some(json!(1)), "{referrers}");
    let series = ask("/api/metrics/timeseries?interval=day").await;
    let points = series["points"].as_array().cloned().unwrap_or_default();
    let sum = |field: &str| points.iter().filter_map(|point| point[field].as_i64()).sum::<i64>();
    assert_eq!((sum("visits"), sum("page_views")), (2, 3), "{series}");
    assert!((30..=32).contains(&points.len()), "a point for each of 30 days: {}", points.len());
    let live = ask("/api/metrics/live").await;
    assert_eq!(live["active_sessions"], 2, "{live}");
    assert_eq!(live["pages"], json!([{"path": "/shoes", "visits": 2}]), "{live}");
    let minutes = live["page_views_per_minute"].as_array().cloned().unwrap_or_default();
    assert_eq!(minutes.len(), 30, "{live}");
    assert_eq!(minutes.iter().filter_map(Value::as_i64).sum::<i64>(), 3, "{live}");
}

#[tokio::test]
async fn a_query_that_breaks_a_rule_is_refused() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    let queries = [
        "overview?from=yesterday",
        "overview?from=2026-13-01",
        "overview?to=2026-02-30",
        "overview?from=2026-02-01&to=2026-01-01",
        "overview?tz=Nowhere/Land",
        "overview?from=1",
        "overview?currency=euro",
        "overview?currency=EUX",
        "overview?form=2026-01-01",
        "overview?from=",
        "overview?site=*",
        "overview?site=a.example&site=a.example",
        "overview?limit=1",
        "timeseries?interval=year",
        "timeseries?currency=EUX",
        "timeseries?interval=hour&from=2020-01-01&to=2026-01-01",
        "pages?limit=0",
        "pages?limit=101",
        "pages?currency=EUR",
        "referrers?limit=x",
        "referrers?interval=day",
        "sites?limit=1001",
        "sites?site=a.example",
        "live?from=2026-01-01",
        "refused?site=a.example",
        "live?site=*.example",
    ];
    let mut taken = Vec::new();
    for query in queries {
        let request = server.visitor().get(&format!("/api/metrics/{query}"));
        let answer = request.bearer(&key).send().await;
        if answer.status != 400 || answer.json()["type"] != "invalid-query" {
            taken.push(format!("{query} gives {}", answer.status));
        }
    }
    assert_eq!(taken, [] as [&str; 0]);
}

#[tokio::test]
async fn a_misspelt_query_is_told_the_nearest_word() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.order("1", "1", "XQQ").await.expect(204);
    ada.order("2", "1", "EUR").await.expect(204);
    for (query, meant) in [
        ("overview?form=2026-01-01", "`from`"),
        ("overview?tz=Europe/Berln", "`Europe/Berlin`"),
        ("overview?to=2026-02-30", "2026-02-28"),
        ("overview?currency=ERU", "`EUR`"),
        ("overview?currency=XQY", "`XQQ`"),
        ("timeseries?interval=days", "`day`"),
        ("pages?limt=5", "`limit`"),
        ("live?sites=a.example", "`site`"),
    ] {
        let answer = server.visitor().get(&format!("/api/metrics/{query}")).bearer(&key).send().await;
        let answer = answer.expect_problem(400, "invalid-query");
        assert!(
            answer.json()["detail"].as_str().unwrap_or_default().contains(meant),
            "{query}: {}",
            answer.text()
        );
    }
    // A code that is in use is no misspelling, whatever the range.
    let unseen = server.overview(&key, "?currency=XQQ&from=2020-01-01&to=2020-02-01").await;
    assert_eq!((&unseen["currency"], &unseen["orders"]), (&json!("XQQ"), &json!(0)));
}

#[tokio::test]
async fn a_key_without_the_scope_reads_no_report() {
    let server = Server::start().await;
    let key = server.run(&["key", "add", "shop", "--scope", "write"], "").await;
    let answer = server.visitor().get("/api/metrics/overview").bearer(key.trim()).send().await;
    answer.expect_problem(403, "forbidden");
}
