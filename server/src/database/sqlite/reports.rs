//! The queries of the dashboard. The four headline figures are exactly the documented queries,
//! with a filter for the site.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::sql;
use crate::contract::reports::{Counted, Live, Money, Overview, Point, Selection, Sum, Visits};
use crate::database::error::Result;
use crate::session::Millis;

/// The headline figures.
///
/// # Errors
/// When the database refuses; so for all below.
pub fn overview(db: &Connection, selection: &Selection, active_since: Millis) -> Result<Overview> {
    let (orders, disputed) = orders(db, selection)?;
    Ok(Overview {
        visits: visits(db, selection)?,
        page_views: page_views(db, selection)?,
        money: Money::of(orders, refunds(db, selection)?),
        disputed,
        converted: converted(db, selection)?,
        active: active(db, active_since, selection.site.as_deref())?,
    })
}

/// A point for each of `starts`: it ends where the next begins, the last one with the selection.
///
/// # Errors
/// As above.
pub fn timeseries(db: &Connection, selection: &Selection, starts: &[Millis]) -> Result<Vec<Point>> {
    let ends = starts.iter().skip(1).copied().chain([selection.to]);
    let point = |(from, to)| {
        let slot = Selection { from, to, site: selection.site.clone() };
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

/// What happens at the moment.
///
/// # Errors
/// As above.
pub fn live(db: &Connection, recent: &Selection, active_since: Millis, viewed_since: Millis) -> Result<Live> {
    let site = recent.site.as_deref();
    Ok(Live {
        active: active(db, active_since, site)?,
        pages: live_pages(db, active_since, site, viewed_since)?,
        per_minute: per_minute(db, recent)?,
    })
}

/// Visits of a selection.
fn visits(db: &Connection, selection: &Selection) -> Result<Visits> {
    Ok(db.prepare_cached(sql!("report_visits"))?.query_row(selection.params(), |row| {
        Ok(Visits {
            total: row.get(0)?,
            unique_visitors: row.get(1)?,
            bounces: row.get::<_, Option<u64>>(2)?.unwrap_or(0),
            average_ms: row.get(3)?,
        })
    })?)
}

/// Page views of a selection.
fn page_views(db: &Connection, selection: &Selection) -> Result<u64> {
    Ok(db.prepare_cached(sql!("report_page_views"))?.query_row(selection.params(), |row| row.get(0))?)
}

/// Orders of a selection by currency, and how many of them are disputed.
fn orders(db: &Connection, selection: &Selection) -> Result<(Vec<Sum>, u64)> {
    let (mut sums, mut disputed) = (Vec::new(), 0);
    let mut statement = db.prepare_cached(sql!("report_orders"))?;
    for row in statement.query_map(selection.params(), |row| Ok((sum(row)?, row.get::<_, u64>(4)?)))? {
        let (sum, of_these) = row?;
        sums.push(sum);
        disputed += of_these;
    }
    Ok((sums, disputed))
}

/// Refunds of a selection by currency.
fn refunds(db: &Connection, selection: &Selection) -> Result<Vec<Sum>> {
    let mut statement = db.prepare_cached(sql!("report_refunds"))?;
    let sums = statement.query_map(selection.params(), sum)?;
    Ok(sums.collect::<rusqlite::Result<_>>()?)
}

fn sum(row: &Row<'_>) -> rusqlite::Result<Sum> {
    Ok(Sum::new(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// How many orders a selection has, by currency.
fn order_counts(db: &Connection, selection: &Selection) -> Result<BTreeMap<String, u64>> {
    let mut statement = db.prepare_cached(sql!("report_order_counts"))?;
    let counts = statement.query_map(selection.params(), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(counts.collect::<rusqlite::Result<_>>()?)
}

/// Visits of a selection that have an order.
fn converted(db: &Connection, selection: &Selection) -> Result<u64> {
    let params = params![selection.from, selection.to, selection.site, selection.orders_since()];
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
pub fn pages(db: &Connection, selection: &Selection, limit: u32) -> Result<Vec<Counted<String>>> {
    let rows = db
        .prepare_cached(sql!("report_pages"))?
        .query_map(params![selection.from, selection.to, selection.site, limit], |row| {
            Ok(Counted { label: row.get(0)?, count: row.get(1)?, visits: row.get(2)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// The sites that visits came from; `None` is a direct visit.
///
/// # Errors
/// As above.
pub fn referrers(db: &Connection, selection: &Selection, limit: u32) -> Result<Vec<Counted<Option<String>>>> {
    let rows = db
        .prepare_cached(sql!("report_referrers"))?
        .query_map(params![selection.from, selection.to, selection.site, limit], |row| {
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

/// Page views per minute from `selection.from` on: (minute, count), empty minutes left out.
fn per_minute(db: &Connection, selection: &Selection) -> Result<Vec<(usize, u64)>> {
    let rows = db
        .prepare_cached(sql!("report_per_minute"))?
        .query_map(selection.params(), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

impl Selection {
    fn params(&self) -> (Millis, Millis, Option<&str>) {
        (self.from, self.to, self.site.as_deref())
    }
}
