//! `GET /api/metrics/{overview,timeseries,pages,referrers,live,refused}`

mod range;
mod refused;

use serde_json::json;

use self::range::{Interval, Query};
pub use self::refused::refused;
use super::keys::require_reader;
use crate::endpoints::call::Call;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};
use crate::ingest::Load;
use crate::session::Millis;
use crate::store::events::reports::{Counted, Scope};

/// A visit is active for this long after its last activity.
const ACTIVE_MS: Millis = 5 * 60_000;

const MINUTE_MS: Millis = 60_000;

/// Minutes of page views in the live report.
const LIVE_MINUTES: usize = 30;

/// Lets pass who may read reports, while the writer keeps up with the facts. Who asks is looked up
/// last: that takes a store's time too.
async fn admit(call: &Call<'_>) -> Result<(), Problem> {
    call.app.lifecycle.ingest.admit(Load::Report).map_err(|error| {
        let detail = "Facts come first, and many wait to be stored; ask again after Retry-After.";
        Problem { detail: detail.into(), ..Problem::unavailable(error.to_string()) }
    })?;
    require_reader(call).await
}

/// The headline figures.
pub async fn overview(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["currency"])?;
    let (scope, active_since) = (query.scope(), call.now - ACTIVE_MS);
    let overview = call.app.reports.overview(scope, active_since).await?;
    let (visits, money) = (overview.visits, overview.money);
    let orders: u64 = money.iter().map(|money| money.orders).sum();
    let wanted = query.currency()?;
    let headline = match &wanted {
        Some(currency) => money.iter().find(|money| money.currency == *currency),
        None => money.first(),
    };
    let by_currency: Vec<_> = money
        .iter()
        .map(|money| json!({"currency": money.currency, "orders": money.orders, "revenue": money.revenue, "average_order_value": money.average}))
        .collect();
    let mut report = query.describe();
    report.extend([
        ("total_visits".to_owned(), json!(visits.total)),
        ("unique_visitors".to_owned(), json!(visits.unique_visitors)),
        ("conversion_rate".to_owned(), json!(ratio(orders, visits.total.max(1)) * 100.0)),
        ("average_order_value".to_owned(), json!(headline.map(|money| money.average))),
        ("orders".to_owned(), json!(orders)),
        ("revenue".to_owned(), json!(headline.map_or(0.0, |money| money.revenue))),
        ("currency".to_owned(), json!(headline.map(|money| &money.currency).or(wanted.as_ref()))),
        ("by_currency".to_owned(), json!(by_currency)),
        ("page_views".to_owned(), json!(overview.page_views)),
        ("active_sessions".to_owned(), json!(overview.active)),
        (
            "bounce_rate".to_owned(),
            json!((visits.total > 0).then(|| ratio(visits.bounces, visits.total) * 100.0)),
        ),
        ("average_visit_seconds".to_owned(), json!(visits.average_ms.map(|ms| ms / 1_000.0))),
        ("sites".to_owned(), json!(overview.sites)),
    ]);
    Ok(reply::json(&report))
}

/// Visits, visitors, page views and orders over time.
pub async fn timeseries(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["interval"])?;
    let interval = query.interval()?;
    let slots = query.slots(interval)?;
    let starts = slots.iter().map(|(from, _)| *from).collect();
    let points = call.app.reports.timeseries(query.scope(), starts).await?;
    let points: Vec<_> = slots
        .iter()
        .zip(points)
        .map(|((from, _), point)| {
            json!({"start": range::rfc3339(*from), "visits": point.visits, "unique_visitors": point.unique_visitors, "page_views": point.page_views, "orders": point.orders})
        })
        .collect();
    let mut report = query.describe();
    report.insert(
        "interval".to_owned(),
        json!(match interval {
            Interval::Hour => "hour",
            Interval::Day => "day",
        }),
    );
    report.insert("points".to_owned(), json!(points));
    Ok(reply::json(&report))
}

/// The most viewed pages.
pub async fn pages(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &["limit"])?;
    let (scope, limit) = (query.scope(), query.limit()?);
    let pages = call.app.reports.pages(scope, limit).await?;
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
    let query = Query::parse(&call, &["limit"])?;
    let (scope, limit) = (query.scope(), query.limit()?);
    let referrers = call.app.reports.referrers(scope, limit).await?;
    let referrers: Vec<_> = referrers
        .iter()
        .map(|Counted { label, visits, .. }| json!({"referrer": label, "visits": visits}))
        .collect();
    let mut report = query.describe();
    report.insert("referrers".to_owned(), json!(referrers));
    Ok(reply::json(&report))
}

/// What happens now.
pub async fn live(call: Call<'_>) -> Result<Reply, Problem> {
    admit(&call).await?;
    let query = Query::parse(&call, &[])?;
    let now = call.now;
    let minutes = Millis::try_from(LIVE_MINUTES).unwrap_or(0);
    let recent = Scope { from: now - minutes * MINUTE_MS, to: now + 1, site: query.scope().site };
    let idle_ms = call.app.lifecycle.sessions.ttl().idle_ms;
    let active_since = now - ACTIVE_MS;
    let live = call.app.reports.live(recent, active_since, active_since - idle_ms).await?;
    let mut counts = [0_u64; LIVE_MINUTES];
    for (minute, count) in live.per_minute {
        counts[minute.min(LIVE_MINUTES - 1)] += count;
    }
    let pages: Vec<_> =
        live.pages.iter().map(|page| json!({"path": page.label, "visits": page.visits})).collect();
    Ok(reply::json(&json!({
        "now": range::rfc3339(now),
        "active_sessions": live.active,
        "pages": pages,
        "page_views_per_minute": counts,
    })))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
