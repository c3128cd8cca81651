//! The queries of the dashboard. The four headline figures are exactly the documented queries,
//! with a filter for the site.

use rusqlite::{Connection, params};

use super::sql;
use crate::session::Millis;
use crate::store::Result;

/// What a report is about: `[from, to)` of one site, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Start, inclusive.
    pub from: Millis,
    /// End, exclusive.
    pub to: Millis,
    /// The site, or all.
    pub site: Option<String>,
}

/// Visits of a scope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visits {
    /// How many.
    pub total: u64,
    /// Distinct users, or visitors where no user is known.
    pub unique_visitors: u64,
    /// Visits with one page view and no event.
    pub bounces: u64,
    /// Mean of last activity minus start.
    pub average_ms: Option<f64>,
}

/// Orders of a scope in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Money {
    /// ISO 4217.
    pub currency: String,
    /// How many.
    pub orders: u64,
    /// Sum of amounts.
    pub revenue: f64,
    /// Mean of amounts.
    pub average: f64,
}

/// A label and what was counted under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted<L> {
    /// The label.
    pub label: L,
    /// The main count.
    pub count: u64,
    /// Distinct visits, where the report has them.
    pub visits: u64,
}

/// Visits of a scope.
///
/// # Errors
/// When the database refuses; so for all below.
pub fn visits(db: &Connection, scope: &Scope) -> Result<Visits> {
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
///
/// # Errors
/// As above.
pub fn page_views(db: &Connection, scope: &Scope) -> Result<u64> {
    Ok(db.prepare_cached(sql!("report_page_views"))?.query_row(scope.params(), |row| row.get(0))?)
}

/// Orders of a scope, the most frequent currency first.
///
/// # Errors
/// As above.
pub fn money(db: &Connection, scope: &Scope) -> Result<Vec<Money>> {
    let rows = db
        .prepare_cached(sql!("report_orders"))?
        .query_map(scope.params(), |row| {
            Ok(Money {
                currency: row.get(0)?,
                orders: row.get(1)?,
                average: row.get(2)?,
                revenue: decimal(row.get(3)?, row.get(4)?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// The number nearest to `whole` and so many ten-thousandths.
#[expect(clippy::cast_precision_loss, reason = "the one rounding, at the very end")]
fn decimal(whole: i64, ten_thousandths: i64) -> f64 {
    (i128::from(whole) * 10_000 + i128::from(ten_thousandths)) as f64 / 10_000.0
}

/// How many orders a scope has.
///
/// # Errors
/// As above.
pub fn orders(db: &Connection, scope: &Scope) -> Result<u64> {
    Ok(db.prepare_cached(sql!("report_order_count"))?.query_row(scope.params(), |row| row.get(0))?)
}

/// Visits with activity since an instant.
///
/// # Errors
/// As above.
pub fn active(db: &Connection, since: Millis, site: Option<&str>) -> Result<u64> {
    Ok(db.prepare_cached(sql!("report_active"))?.query_row(params![since, site], |row| row.get(0))?)
}

/// Every site with visits or page views between two instants.
///
/// # Errors
/// As above.
pub fn sites(db: &Connection, from: Millis, to: Millis) -> Result<Vec<String>> {
    let rows = db
        .prepare_cached(sql!("report_sites"))?
        .query_map([from, to], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
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
///
/// # Errors
/// As above.
pub fn live_pages(
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
///
/// # Errors
/// As above.
pub fn per_minute(db: &Connection, scope: &Scope) -> Result<Vec<(usize, u64)>> {
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
