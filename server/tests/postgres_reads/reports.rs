use std::fmt::Debug;

use visitflow_server::session::Millis;
use visitflow_server::store::events::reports::{Reports, Scope};

use crate::rows::Both;

const NOW: Millis = 1_790_000_000_000;
const HOUR: Millis = 3_600_000;

fn scope(from: Millis, to: Millis, site: Option<&str>) -> Scope {
    Scope { from, to, site: site.map(ToOwned::to_owned) }
}

/// Every scope that is asked for: all, each site, edges, nothing.
fn scopes() -> Vec<Scope> {
    let mut scopes = Vec::new();
    for site in [None, Some("a.example"), Some("ümlaut.example"), Some("nobody.example")] {
        for (from, to) in [
            (NOW - 48 * HOUR, NOW + 1),
            (NOW - 24 * HOUR, NOW - 23 * HOUR),
            (NOW - 2 * HOUR, NOW - HOUR),
            (0, 1),
            (0, i64::MAX),
        ] {
            scopes.push(scope(from, to, site));
        }
    }
    scopes
}

async fn same<T: Debug + PartialEq>(both: &Both, ask: impl AsyncFn(&Reports) -> T) -> T {
    let [file, postgres] = &both.reports;
    let (expected, found) = (ask(file).await, ask(postgres).await);
    assert_eq!(expected, found, "SQLite on the left, Postgres on the right");
    found
}

/// Rows with everything that could be told differently: nulls, Unicode, ties, refunds, currencies.
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
    for (n, (site, amount, currency)) in [
        ("a.example", "100", "EUR"),
        ("a.example", "0.10", "EUR"),
        ("a.example", "0.20", "EUR"),
        ("a.example", "-0.50", "EUR"),
        ("a.example", "-19.9999", "USD"),
        ("a.example", "999999999999.9999", "USD"),
        ("a.example", "0.0001", "USD"),
        ("ümlaut.example", "33.33", "JPY"),
        ("ümlaut.example", "7", "CHF"),
        ("ümlaut.example", "12.5", "CHF"),
        ("b.example", "-5", "CHF"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = NOW - i64::try_from(n).unwrap() * HOUR;
        both.order(site, &format!("order {n}"), at, amount, currency).await;
    }
    both
}

#[tokio::test]
async fn both_databases_give_the_same_headline_figures() {
    let both = filled().await;
    for scope in scopes() {
        same(&both, async |reports| reports.overview(scope.clone(), NOW - HOUR).await.unwrap()).await;
    }
    let all = both.reports[1].overview(scope(0, i64::MAX, None), NOW - HOUR).await.unwrap();
    assert_eq!((all.visits.total, all.visits.unique_visitors), (8, 6));
    let currencies: Vec<_> = all.money.iter().map(|money| money.currency.as_str()).collect();
    assert_eq!(currencies, ["EUR", "CHF", "USD", "JPY"], "the most frequent first, then by name");
    assert_eq!(all.money[0].revenue, 99.8);
    assert_eq!(all.money[0].average, 24.95);
    assert_eq!(all.sites, ["a.example", "b.example", "ümlaut.example"]);
}

#[tokio::test]
async fn the_mean_order_is_postgres_s_own_average() {
    let both = filled().await;
    let rows = both
        .postgres
        .query("SELECT currency, AVG(amount)::float8 FROM orders GROUP BY 1", &[])
        .await
        .unwrap();
    let all = both.reports[1].overview(scope(0, i64::MAX, None), NOW).await.unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let (currency, average): (String, f64) = (row.get(0), row.get(1));
        let money = all.money.iter().find(|money| money.currency == currency).unwrap();
        assert!((money.average - average).abs() <= average.abs() * 1e-15, "{money:?}, {average}");
    }
}

#[tokio::test]
async fn both_databases_give_the_same_points() {
    let both = filled().await;
    for scope in scopes() {
        let step = if scope.to - scope.from > 100 * HOUR { i64::MAX / 4 } else { HOUR / 2 };
        let mut starts = vec![scope.from];
        while let Some(next) = starts.last().unwrap().checked_add(step).filter(|next| *next < scope.to) {
            starts.push(next);
        }
        let ask = async |reports: &Reports| reports.timeseries(scope.clone(), starts.clone()).await.unwrap();
        let points = same(&both, ask).await;
        assert_eq!(points.len(), starts.len());
    }
}

#[tokio::test]
async fn both_databases_order_pages_and_referrers_alike() {
    let both = filled().await;
    for scope in scopes() {
        for limit in [1, 3, 100] {
            same(&both, async |reports| reports.pages(scope.clone(), limit).await.unwrap()).await;
            same(&both, async |reports| reports.referrers(scope.clone(), limit).await.unwrap()).await;
        }
    }
    let pages = both.reports[1].pages(scope(0, i64::MAX, None), 100).await.unwrap();
    let ties = pages.windows(2).filter(|pair| pair[0].count == pair[1].count);
    let in_order = ties.map(|pair| assert!(pair[0].label < pair[1].label, "{pair:?}")).count();
    assert!(in_order > 0, "{pages:?}");
}

#[tokio::test]
async fn both_databases_say_the_same_of_now() {
    let both = filled().await;
    for scope in scopes() {
        let recent = Scope { from: NOW - HOUR, to: NOW + 1, site: scope.site };
        let ask =
            async |reports: &Reports| reports.live(recent.clone(), NOW - HOUR, NOW - 3 * HOUR).await.unwrap();
        same(&both, ask).await;
    }
    let all = scope(NOW - HOUR, NOW + 1, None);
    assert!(!both.reports[1].live(all, NOW - HOUR, 0).await.unwrap().pages.is_empty());
}

#[tokio::test]
async fn the_number_of_active_visits_may_be_ten_seconds_old() {
    let both = Both::new().await;
    let reports = &both.reports[1];
    let active = async |since| reports.overview(scope(0, 1, Some("a.example")), since).await.unwrap().active;
    assert_eq!(active(NOW).await, 0);
    both.visit("a.example", Some("v_1"), None, NOW, 1).await;
    assert_eq!(active(NOW).await, 1, "none is not remembered");
    both.visit("a.example", Some("v_2"), None, NOW, 1).await;
    assert_eq!(active(NOW + 9_999).await, 1);
    assert_eq!(active(NOW + 10_000).await, 2);
    let other = reports.overview(scope(0, 1, None), NOW).await.unwrap().active;
    assert_eq!(other, 2, "each site has its own number");
}
