//! `GET /api/metrics/{overview,timeseries,pages,referrers,sites,live,refused}`

mod instant;
mod range;
mod refused;
mod words;

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};
use visitflow_protocol::problem as kind;

use self::range::Query;
pub use self::refused::refused;
use crate::authorization::require_reader;
use crate::call::Call;
use crate::clock;
use crate::contract::reports::{Counted, Money, Selection};
use crate::database::error::{self, StoreError};
use crate::http::hangup::Shared;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::ingest::Load;
use crate::session::Millis;

/// A visit is active for this long after its last activity.
const ACTIVE_MS: Millis = 5 * 60_000;

const MINUTE_MS: Millis = 60_000;

/// Minutes of page views in the live report.
const LIVE_MINUTES: usize = 30;

/// Pages or referrers that are listed, by default and at most.
const ROWS: u32 = 10;
const ROWS_MAX: u32 = 100;

/// Sites that are listed, by default and at most.
const SITES: u32 = 100;
const SITES_MAX: u32 = 1_000;

/// Admits requests that may read reports, while the writer keeps up with the facts. The asking user is looked up last,
/// because that needs the database.
async fn admit(call: &Call<'_>) -> Result<(), Problem> {
    call.app.lifecycle.ingest.admit(Load::Report).map_err(|error| {
        let detail =
            "Too many facts are waiting to be stored, and they have priority; ask again after Retry-After.";
        Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
    })?;
    require_reader(call).await
}

/// The headline figures.
pub async fn overview(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["from", "to", "tz", "site", "currency"])?;
    let wanted = query.currency()?;
    let (selection, active_since) = (query.selection(), call.now - ACTIVE_MS);
    let overview = ask(&call, call.app.reports.overview(selection, active_since)).await?;
    let (visits, money) = (overview.visits, overview.money);
    require_known(&call, wanted.as_deref(), money.iter().map(|money| &*money.currency)).await?;
    let all_orders: u64 = money.iter().map(|money| money.orders).sum();
    // One currency for all figures of orders and money: the requested one, or the most frequent one.
    let headline = match &wanted {
        Some(currency) => money.iter().find(|money| money.currency == *currency),
        None => money.first(),
    };
    let currency = wanted.or_else(|| headline.map(|money| money.currency.clone()));
    let per_cent = |part: u64| ratio(part, visits.total.max(1)) * 100.0;
    let mut report = query.describe();
    report.extend([
        ("total_visits".to_owned(), json!(visits.total)),
        ("unique_visitors".to_owned(), json!(visits.unique_visitors)),
        ("conversion_rate".to_owned(), json!(per_cent(all_orders))),
        ("converted_visits".to_owned(), json!(overview.converted)),
        ("visit_conversion_rate".to_owned(), json!(per_cent(overview.converted))),
        ("all_orders".to_owned(), json!(all_orders)),
        ("disputed_orders".to_owned(), json!(overview.disputed)),
        ("currency".to_owned(), json!(currency)),
        ("by_currency".to_owned(), money.iter().map(|money| figures(&money.currency, Some(money))).collect()),
        ("page_views".to_owned(), json!(overview.page_views)),
        ("active_sessions".to_owned(), json!(overview.active)),
        (
            "bounce_rate".to_owned(),
            json!((visits.total > 0).then(|| ratio(visits.bounces, visits.total) * 100.0)),
        ),
        ("average_visit_seconds".to_owned(), json!(visits.average_ms.map(|ms| ms / 1_000.0))),
    ]);
    if let Value::Object(figures) = figures(currency.as_deref().unwrap_or_default(), headline) {
        report.extend(figures.into_iter().filter(|(name, _)| name != "currency"));
    }
    Ok(reply::json(&report))
}

/// Orders and refunds in one currency.
fn figures(currency: &str, money: Option<&Money>) -> Value {
    json!({
        "currency": currency,
        "orders": money.map_or(0, |money| money.orders),
        "revenue": money.map_or(0.0, |money| money.revenue),
        "average_order_value": money.and_then(|money| money.average),
        "refunds": money.map_or(0, |money| money.refunds),
        "refunded": money.map_or(0.0, |money| money.refunded),
        "net_revenue": money.map_or(0.0, |money| money.net_revenue),
    })
}

/// Refuses a currency that is neither in ISO 4217 nor stored: it is misspelt.
async fn require_known(
    call: &Call<'_>,
    wanted: Option<&str>,
    here: impl Iterator<Item = &str> + Clone,
) -> Result<(), Problem> {
    let Some(wanted) = wanted.filter(|wanted| !words::is_currency(wanted)) else { return Ok(()) };
    if here.clone().any(|currency| currency == wanted)
        || ask(call, call.app.reports.has_currency(wanted.to_owned())).await?
    {
        return Ok(());
    }
    Err(words::unknown_currency(wanted, here))
}

/// Visits, visitors, page views and orders over time.
pub async fn timeseries(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["from", "to", "tz", "site", "interval", "currency"])?;
    let (interval, wanted) = (query.interval()?, query.currency()?);
    let slots = query.slots(interval)?;
    let starts = slots.iter().map(|(from, _)| *from).collect();
    let points = ask(&call, call.app.reports.timeseries(query.selection(), starts)).await?;
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (currency, count) in points.iter().flat_map(|point| &point.orders) {
        *totals.entry(currency).or_default() += count;
    }
    require_known(&call, wanted.as_deref(), totals.keys().copied()).await?;
    // The first of the most frequent ones, as in the overview.
    let most_frequent = totals.iter().rev().max_by_key(|(_, count)| **count).map(|(code, _)| *code);
    let currency = wanted.as_deref().or(most_frequent);
    let points: Vec<_> = slots
        .iter()
        .zip(&points)
        .map(|((from, _), point)| {
            let orders = currency.and_then(|currency| point.orders.get(currency)).unwrap_or(&0);
            json!({
                "start": clock::rfc3339(*from),
                "visits": point.visits,
                "unique_visitors": point.unique_visitors,
                "page_views": point.page_views,
                "orders": orders,
                "all_orders": point.orders.values().sum::<u64>(),
            })
        })
        .collect();
    let mut report = query.describe();
    report.insert("interval".to_owned(), json!(interval.name()));
    report.insert("currency".to_owned(), json!(currency));
    report.insert("points".to_owned(), json!(points));
    Ok(reply::json(&report))
}

/// The sites with visits, most visited first.
pub async fn sites(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["from", "to", "tz", "limit"])?;
    let (selection, limit) = (query.selection(), query.limit(SITES, SITES_MAX)?);
    // One more than is listed, to find out whether there are more.
    let sites = ask(&call, call.app.reports.sites(selection.from, selection.to, limit + 1)).await?;
    let told = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = sites.len() > told;
    let sites: Vec<_> =
        sites.iter().take(told).map(|site| json!({"site": site.label, "visits": site.visits})).collect();
    let mut report = query.describe();
    report.remove("site");
    report.insert("sites".to_owned(), json!(sites));
    report.insert("more".to_owned(), json!(more));
    Ok(reply::json(&report))
}

/// The most viewed pages.
pub async fn pages(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["from", "to", "tz", "site", "limit"])?;
    let (selection, limit) = (query.selection(), query.limit(ROWS, ROWS_MAX)?);
    let pages = ask(&call, call.app.reports.pages(selection, limit)).await?;
    let pages: Vec<_> = pages
        .iter()
        .map(|page| json!({"path": page.label, "page_views": page.count, "visits": page.visits}))
        .collect();
    let mut report = query.describe();
    report.insert("pages".to_owned(), json!(pages));
    Ok(reply::json(&report))
}

/// Where visits came from.
pub async fn referrers(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["from", "to", "tz", "site", "limit"])?;
    let (selection, limit) = (query.selection(), query.limit(ROWS, ROWS_MAX)?);
    let referrers = ask(&call, call.app.reports.referrers(selection, limit)).await?;
    let referrers: Vec<_> = referrers
        .iter()
        .map(|Counted { label, visits, .. }| json!({"referrer": label, "visits": visits}))
        .collect();
    let mut report = query.describe();
    report.insert("referrers".to_owned(), json!(referrers));
    Ok(reply::json(&report))
}

/// What happens at the moment.
pub async fn live(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["site"])?;
    let now = call.now;
    let minutes = Millis::try_from(LIVE_MINUTES).unwrap_or(0);
    let recent = Selection { from: now - minutes * MINUTE_MS, to: now + 1, site: query.selection().site };
    let idle_ms = call.app.lifecycle.sessions.ttl().idle_ms;
    let active_since = now - ACTIVE_MS;
    let live = call.app.reports.live(recent, active_since, active_since - idle_ms);
    let live = ask(&call, live).await?;
    let mut counts = [0_u64; LIVE_MINUTES];
    for (minute, count) in live.per_minute {
        counts[minute.min(LIVE_MINUTES - 1)] += count;
    }
    let pages: Vec<_> =
        live.pages.iter().map(|page| json!({"path": page.label, "visits": page.visits})).collect();
    Ok(reply::json(&json!({
        "now": clock::rfc3339(now),
        "active_sessions": live.active,
        "pages": pages,
        "page_views_per_minute": counts,
    })))
}

/// Runs a report until its client closes the connection.
async fn ask<T>(call: &Call<'_>, report: impl Future<Output = error::Result<T>>) -> Result<T, Problem> {
    let Some(client) = call.head.extensions.get::<Shared>() else { return report.await.map_err(failed) };
    tokio::select! {
        answer = report => answer.map_err(failed),
        () = client.gone() => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            kind::BODY_TIMEOUT,
            "The client has closed the connection; the report was cancelled.",
        )),
    }
}

/// The answer when the database fails.
fn failed(error: StoreError) -> Problem {
    let detail = match &error {
        StoreError::TooSlow(limit) => format!(
            "This report takes longer than {} s and was cancelled; ask for a shorter range, or for one site.",
            limit.as_secs()
        ),
        error if error.is_refusal() => return Problem::internal(error.to_string()),
        _ => "The database cannot answer right now; ask again after Retry-After.".to_owned(),
    };
    Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
