use std::fmt::Debug;

use visitflow_server::contract::reports::Selection;
use visitflow_server::database::reports::Reports;
use visitflow_server::session::Millis;

use crate::rows::Both;

const NOW: Millis = 1_790_000_000_000;
const HOUR: Millis = 3_600_000;

fn selection(from: Millis, to: Millis, site: Option<&str>) -> Selection {
    Selection { from, to, site: site.map(ToOwned::to_owned) }
}

/// Every selection that is asked for: all, each site, edges, nothing.
fn selections() -> Vec<Selection> {
    let mut selections = Vec::new();
    for site in [None, Some("a.example"), Some("ümlaut.example"), Some("nobody.example")] {
        for (from, to) in [
            (NOW - 48 * HOUR, NOW + 1),
            (NOW - 24 * HOUR, NOW - 23 * HOUR),
            (NOW - 2 * HOUR, NOW - HOUR),
            (0, 1),
            (0, i64::MAX),
        ] {
            selections.push(selection(from, to, site));
        }
    }
    selections
}

async fn same<T: Debug + PartialEq>(both: &Both, ask: impl AsyncFn(&Reports) -> T) -> T {
    let [file, postgres] = &both.reports;
    let (expected, found) = (ask(file).await, ask(postgres).await);
    assert_eq!(expected, found, "SQLite on the left, Postgres on the right");
    found
}

/// Rows with everything for which the two databases could give different answers: nulls, Unicode, ties, refunds,
/// currencies.
async fn filled() -> Both {
    let both = Both::new().await;
    for (n, (site, visitor, user)) in [
        ("a.example", Some("v_1"), None),
        ("a.example", Some("v_1"), Some("u_1")),
        ("a.example", Some("v_2@Zeta.example"), Some("u_1")),
        ("a.example", Some("v_3@alpha.example"), None),
        ("a.example", None, None),
        ("ümlaut.example", Some("v_1@ärger.example"), None),
        ("ümlaut.example", Some("v_4@Zeta.example"), Some("ü_1")),
        ("b.example", None, Some("u_2")),
    ]
    .into_iter()
    .enumerate()
    {
        let nth = i64::try_from(n).unwrap();
        let at = NOW - nth * nth * HOUR / 2 - 7 * nth;
        let visit = both.visit(site, visitor, user, at, 1 + nth % 3).await;
        for (m, path) in ["/", "/Zebra", "/apple", "/äpfel", "/日本", "/apple"].into_iter().enumerate() {
            if (n + m) % 3 != 0 {
                // Two of them in the same millisecond: the later id is the later page.
                both.page_view(site, Some(visit), at + i64::try_from(m / 2).unwrap() * 1_000, path).await;
            }
        }
        both.page_view(site, None, at, "/anonymous").await;
    }
    // An order of the first visits, and one of the third, whose visit is on another site than the order.
    let visits: Vec<uuid::Uuid> = {
        let rows = both.postgres.query("SELECT id FROM sessions ORDER BY id LIMIT 3", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    for (n, (site, amount, currency, visit)) in [
        ("a.example", "100", "EUR", Some(0)),
        ("a.example", "0.10", "EUR", Some(0)),
        ("a.example", "0.20", "EUR", Some(1)),
        ("a.example", "0", "EUR", None),
        ("a.example", "19.9999", "USD", None),
        ("a.example", "999999999999.9999", "USD", None),
        ("a.example", "0.0001", "USD", None),
        ("ümlaut.example", "33.33", "JPY", Some(2)),
        ("ümlaut.example", "7", "CHF", None),
        ("ümlaut.example", "12.5", "CHF", None),
        ("b.example", "5", "CHF", None),
    ]
    .into_iter()
    .enumerate()
    {
        let at = NOW - i64::try_from(n).unwrap() * HOUR;
        let visit = visit.map(|nth: usize| visits[nth]);
        both.order_of(site, &format!("order {n}"), at, amount, currency, visit, n % 4 == 0).await;
    }
    for (n, (site, amount, currency)) in [
        ("a.example", "0.50", "EUR"),
        ("a.example", "999999999999.9999", "USD"),
        ("ümlaut.example", "0.0001", "CHF"),
        ("b.example", "1", "SEK"),
        ("b.example", "2", "AUD"),
        ("b.example", "3", "AUD"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = NOW - i64::try_from(n).unwrap() * HOUR;
        both.refund(site, &format!("refund {n}"), at, amount, currency).await;
    }
    both
}

#[tokio::test]
async fn both_databases_give_the_same_headline_figures() {
    let both = filled().await;
    for selection in selections() {
        same(&both, async |reports| reports.overview(selection.clone(), NOW - HOUR).await.unwrap()).await;
    }
    let all = both.reports[1].overview(selection(0, i64::MAX, None), NOW - HOUR).await.unwrap();
    assert_eq!((all.visits.total, all.visits.unique_visitors), (8, 6));
    let currencies: Vec<_> = all.money.iter().map(|money| money.currency.as_str()).collect();
    let expected = ["EUR", "CHF", "USD", "JPY", "AUD", "SEK"];
    assert_eq!(currencies, expected, "by orders, then by refunds, then by name");
    let euros = &all.money[0];
    assert_eq!((euros.orders, euros.revenue, euros.average), (4, 100.3, Some(25.075)));
    assert_eq!((euros.refunds, euros.refunded, euros.net_revenue), (1, 0.5, 99.8));
    assert_eq!((all.money[4].orders, all.money[4].average, all.money[4].net_revenue), (0, None, -5.0));
    assert_eq!((all.disputed, all.converted), (3, 3), "two orders of one visit convert it once");
}

#[tokio::test]
async fn the_mean_order_is_postgres_s_own_average() {
    let both = filled().await;
    let rows = both
        .postgres
        .query("SELECT currency, AVG(amount)::float8 FROM orders GROUP BY 1", &[])
        .await
        .unwrap();
    let all = both.reports[1].overview(selection(0, i64::MAX, None), NOW).await.unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let (currency, average): (String, f64) = (row.get(0), row.get(1));
        let money = all.money.iter().find(|money| money.currency == currency).unwrap();
        let ours = money.average.unwrap();
        assert!((ours - average).abs() <= average.abs() * 1e-15, "{money:?}, {average}");
    }
}

#[tokio::test]
async fn both_databases_list_the_sites_alike_most_visited_first() {
    let both = filled().await;
    for selection in selections() {
        for limit in [1, 2, 1_000] {
            same(&both, async |reports| reports.sites(selection.from, selection.to, limit).await.unwrap())
                .await;
        }
    }
    let all = both.reports[1].sites(0, i64::MAX, 10).await.unwrap();
    let sites: Vec<_> = all.iter().map(|site| (site.label.as_str(), site.visits)).collect();
    assert_eq!(sites, [("a.example", 5), ("ümlaut.example", 2), ("b.example", 1)]);
}

#[tokio::test]
async fn both_databases_know_the_currencies_that_they_hold() {
    let both = filled().await;
    for (currency, is_there) in [("EUR", true), ("SEK", true), ("NOK", false)] {
        let known = async |reports: &Reports| reports.has_currency(currency.into()).await.unwrap();
        assert_eq!(same(&both, known).await, is_there, "{currency}");
    }
}

#[tokio::test]
async fn both_databases_give_the_same_points() {
    let both = filled().await;
    for selection in selections() {
        let step = if selection.to - selection.from > 100 * HOUR { i64::MAX / 4 } else { HOUR / 2 };
        let mut starts = vec![selection.from];
        while let Some(next) = starts.last().unwrap().checked_add(step).filter(|next| *next < selection.to) {
            starts.push(next);
        }
        let ask =
            async |reports: &Reports| reports.timeseries(selection.clone(), starts.clone()).await.unwrap();
        let points = same(&both, ask).await;
        assert_eq!(points.len(), starts.len());
    }
}

#[tokio::test]
async fn both_databases_order_pages_and_referrers_alike() {
    let both = filled().await;
    for selection in selections() {
        for limit in [1, 3, 100] {
            same(&both, async |reports| reports.pages(selection.clone(), limit).await.unwrap()).await;
            same(&both, async |reports| reports.referrers(selection.clone(), limit).await.unwrap()).await;
        }
    }
    let pages = both.reports[1].pages(selection(0, i64::MAX, None), 100).await.unwrap();
    let ties = pages.windows(2).filter(|pair| pair[0].count == pair[1].count);
    let in_order = ties.map(|pair| assert!(pair[0].label < pair[1].label, "{pair:?}")).count();
    assert!(in_order > 0, "{pages:?}");
}

#[tokio::test]
async fn both_databases_say_the_same_of_now() {
    let both = filled().await;
    for selection in selections() {
        let recent = Selection { from: NOW - HOUR, to: NOW + 1, site: selection.site };
        let ask =
            async |reports: &Reports| reports.live(recent.clone(), NOW - HOUR, NOW - 3 * HOUR).await.unwrap();
        same(&both, ask).await;
    }
    let all = selection(NOW - HOUR, NOW + 1, None);
    assert!(!both.reports[1].live(all, NOW - HOUR, 0).await.unwrap().pages.is_empty());
}

#[tokio::test]
async fn the_number_of_active_visits_may_be_ten_seconds_old() {
    let both = Both::new().await;
    let reports = &both.reports[1];
    let active =
        async |since| reports.overview(selection(0, 1, Some("a.example")), since).await.unwrap().active;
    assert_eq!(active(NOW).await, 0);
    both.visit("a.example", Some("v_1"), None, NOW, 1).await;
    assert_eq!(active(NOW).await, 1, "none is not remembered");
    both.visit("a.example", Some("v_2"), None, NOW, 1).await;
    assert_eq!(active(NOW + 9_999).await, 1);
    assert_eq!(active(NOW + 10_000).await, 2);
    let other = reports.overview(selection(0, 1, None), NOW).await.unwrap().active;
    assert_eq!(other, 2, "each site has its own number");
}

/// Nobody can read the page views until the returned connection is dropped.
async fn locked(both: &Both) -> tokio_postgres::Client {
    let other = crate::cluster::client(&both.url).await;
    other.batch_execute("BEGIN; LOCK TABLE page_views IN ACCESS EXCLUSIVE MODE").await.unwrap();
    other
}

/// Waits until so many reports run.
async fn reports_run(both: &Both, expected: i64) {
    let running = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name = 'visitflow reports' AND state = 'active'";
    for _ in 0..1_000 {
        if both.postgres.query_one(running, &[]).await.unwrap().get::<_, i64>(0) == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("there are never {expected} reports");
}

#[tokio::test]
async fn a_report_ends_in_postgres_when_nobody_waits_for_it() {
    let both = Both::new().await;
    let _locked = locked(&both).await;
    let Reports::Postgres(reports) = both.reports[1].clone() else { panic!("no Postgres") };
    let asked = tokio::spawn(async move { reports.pages(&selection(0, 1, None), 1).await });
    reports_run(&both, 1).await;
    asked.abort();
    reports_run(&both, 0).await;
}

#[tokio::test]
async fn a_report_ends_in_postgres_when_it_takes_too_long() {
    let both = Both::new().await;
    let locked = locked(&both).await;
    let Reports::Postgres(reports) = both.reports[1].clone() else { panic!("no Postgres") };
    let reports = reports.within(std::time::Duration::from_millis(50));
    let ended = reports.pages(&selection(0, 1, None), 1).await;
    assert!(matches!(ended, Err(visitflow_server::database::error::StoreError::TooSlow(_))), "{ended:?}");
    reports_run(&both, 0).await;
    drop(locked);
    let patient = reports.within(std::time::Duration::from_secs(10));
    assert_eq!(patient.pages(&selection(0, 1, None), 1).await.unwrap(), []);
}
