//! The queries of the dashboard. The four headline figures are exactly the documented queries,
//! with a filter for the site.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::sql;
use crate::contract::reports::{Counted, Live, Money, Overview, Point, Scope, Sum, Visits};
use crate::database::error::Result;
use crate::session::Millis;

/// The headline figures.
///
/// # Errors
/// When the database refuses; so for all below.
pub fn overview(db: &Connection, scope: &Scope, active_since: Millis) -> Result<Overview> {
    let (orders, disputed) = orders(db, scope)?;
    Ok(Overview {
        visits: visits(db, scope)?,
        page_views: page_views(db, scope)?,
        money: Money::of(orders, refunds(db, scope)?),
        disputed,
        converted: converted(db, scope)?,
        active: active(db, active_since, scope.site.as_deref())?,
    })
}

/// A point for each of `starts`: it ends where the next begins, the last one with the scope.
///
/// # Errors
/// As above.
pub fn timeseries(db: &Connection, scope: &Scope, starts: &[Millis]) -> Result<Vec<Point>> {
    let ends = starts.iter().skip(1).copied().chain([scope.to]);
    let point = |(from, to)| {
        let slot = Scope { from, to, site: scope.site.clone() };
        let visits = visits(db, &slot)?;
        Ok(Point {
            visits: visits.total,
            unique_visitors: visits.unique_visitors,
            page_views: page_views(db, &slot)?,
            orders: order_counts(db, &slot)?,
        })
    };
    starts.iter().copied().zip(ends).map(point).collect()
}

/// What happens now.
///
/// # Errors
/// As above.
pub fn live(db: &Connection, recent: &Scope, active_since: Millis, viewed_since: Millis) -> Result<Live> {
    let site = recent.site.as_deref();
    Ok(Live {
        active: active(db, active_since, site)?,
        pages: live_pages(db, active_since, site, viewed_since)?,
        per_minute: per_minute(db, recent)?,
    })
}

/// Visits of a scope.
fn visits(db: &Connection, scope: &Scope) -> Result<Visits> {
    Ok(db.prepare_cached(sql!("report_visits"))?.query_row(scope.params(), |row| {
        Ok(Visits {
            total: row.get(0)?,
            unique_visitors: row.get(1)?,
            bounces: row.get::<_, Option<u64>>(2)?.unwrap_or(0),
            average_ms: row.get(3)?,
        })
    })?)
}

/// Page views of a scope.
fn page_views(db: &Connection, scope: &Scope) -> Result<u64> {
    Ok(db.prepare_cached(sql!("report_page_views"))?.query_row(scope.params(), |row| row.get(0))?)
}

/// Orders of a scope by currency, and how many of them are disputed.
fn orders(db: &Connection, scope: &Scope) -> Result<(Vec<Sum>, u64)> {
    let (mut sums, mut disputed) = (Vec::new(), 0);
    let mut statement = db.prepare_cached(sql!("report_orders"))?;
    for row in statement.query_map(scope.params(), |row| Ok((sum(row)?, row.get::<_, u64>(4)?)))? {
        let (sum, of_these) = row?;
        sums.push(sum);
        disputed += of_these;
    }
    Ok((sums, disputed))
}

/// Refunds of a scope by currency.
fn refunds(db: &Connection, scope: &Scope) -> Result<Vec<Sum>> {
    let mut statement = db.prepare_cached(sql!("report_refunds"))?;
    let sums = statement.query_map(scope.params(), sum)?;
    Ok(sums.collect::<rusqlite::Result<_>>()?)
}

fn sum(row: &Row<'_>) -> rusqlite::Result<Sum> {
    Ok(Sum::new(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// How many orders a scope has, by currency.
fn order_counts(db: &Connection, scope: &Scope) -> Result<BTreeMap<String, u64>> {
    let mut statement = db.prepare_cached(sql!("report_order_counts"))?;
    let counts = statement.query_map(scope.params(), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counts.collect::<rusqlite::Result<_>>()?)
}

/// Visits of a scope that have an order.
fn converted(db: &Connection, scope: &Scope) -> Result<u64> {
    let params = params![scope.from, scope.to, scope.site, scope.orders_since()];
    Ok(db.prepare_cached(sql!("report_converted"))?.query_row(params, |row| row.get(0))?)
}

/// Visits with activity since an instant.
fn active(db: &Connection, since: Millis, site: Option<&str>) -> Result<u64> {
    Ok(db.prepare_cached(sql!("report_active"))?.query_row(params![since, site], |row| row.get(0))?)
}

/// The sites with visits that began in `[from, to)`, most visited first.
///
/// # Errors
/// As above.
pub fn sites(db: &Connection, from: Millis, to: Millis, limit: u32) -> Result<Vec<Counted<String>>> {
    let rows = db
        .prepare_cached(sql!("report_sites"))?
        .query_map(params![from, to, limit], |row| {
            let visits = row.get(1)?;
            Ok(Counted { label: row.get(0)?, count: visits, visits })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Whether any order or refund is of this currency.
///
/// # Errors
/// As above.
pub fn has_currency(db: &Connection, currency: &str) -> Result<bool> {
    Ok(db.prepare_cached(sql!("report_has_currency"))?.query_row([currency], |row| row.get(0))?)
}

/// The most viewed paths.
///
/// # Errors
/// As above.
pub fn pages(db: &Connection, scope: &Scope, limit: u32) -> Result<Vec<Counted<String>>> {
    let rows = db
        .prepare_cached(sql!("report_pages"))?
        .query_map(params![scope.from, scope.to, scope.site, limit], |row| {
            Ok(Counted { label: row.get(0)?, count: row.get(1)?, visits: row.get(2)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// The sites that visits came from; `None` is a direct visit.
///
/// # Errors
/// As above.
pub fn referrers(db: &Connection, scope: &Scope, limit: u32) -> Result<Vec<Counted<Option<String>>>> {
    let rows = db
        .prepare_cached(sql!("report_referrers"))?
        .query_map(params![scope.from, scope.to, scope.site, limit], |row| {
            let visits = row.get(1)?;
            Ok(Counted { label: row.get(0)?, count: visits, visits })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// The pages that the visits active since an instant looked at last.
fn live_pages(
    db: &Connection,
    since: Millis,
    site: Option<&str>,
    viewed_since: Millis,
) -> Result<Vec<Counted<String>>> {
    let rows = db
        .prepare_cached(sql!("report_live_pages"))?
        .query_map(params![since, site, viewed_since], |row| {
            let visits = row.get(1)?;
            Ok(Counted { label: row.get(0)?, count: visits, visits })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Page views per minute from `scope.from` on: (minute, count), empty minutes left out.
fn per_minute(db: &Connection, scope: &Scope) -> Result<Vec<(usize, u64)>> {
    let rows = db
        .prepare_cached(sql!("report_per_minute"))?
        .query_map(scope.params(), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

impl Scope {
    fn params(&self) -> (Millis, Millis, Option<&str>) {
        (self.from, self.to, self.site.as_deref())
    }
}
