//! The queries of the dashboard. The four headline figures are exactly the documented queries,
//! with a filter for the site.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

use super::pool::Pool;
use super::sql;
use crate::session::Millis;
use crate::store::events::reports::{Counted, Live, Money, Overview, Point, Scope, Visits};
use crate::store::{Result, StoreError};

/// How old the number of active visits may be. With the 30 s in which pings are gathered before
/// they are stored it is the one figure that need not be of this instant.
const ACTIVE_FOR_MS: Millis = 10_000;

/// Sites whose number of active visits is remembered; then all are forgotten.
const ACTIVE_SITES: usize = 256;

/// When a number of active visits was asked for, and what it was; by site, none for all.
type Active = HashMap<Option<String>, (Millis, u64)>;

/// The reports over Postgres, or a replica of it.
#[derive(Clone, Debug)]
pub struct PostgresReports {
    pool: Pool,
    active: Arc<Mutex<Active>>,
}

impl PostgresReports {
    /// Reports over these connections.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool, active: Arc::default() }
    }

    /// Whether the replica answers. Changes nothing.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<()> {
        Ok(self.pool.get().await?.batch_execute("SELECT 1").await?)
    }

    /// The headline figures.
    ///
    /// # Errors
    /// When Postgres refuses, is away or busy; so for all below.
    pub async fn overview(&self, scope: &Scope, active_since: Millis) -> Result<Overview> {
        let mut client = self.pool.get().await?;
        let snapshot = snapshot(&mut client).await?;
        let scoped = params(scope);
        let (visits, page_views, money, sites, active) = tokio::try_join!(
            one(&snapshot, sql!("report_visits"), &scoped),
            one(&snapshot, sql!("report_page_views"), &scoped),
            all(&snapshot, sql!("report_orders"), &scoped),
            all(&snapshot, sql!("report_sites"), &scoped[..2]),
            self.active(&snapshot, active_since, &scope.site),
        )?;
        Ok(Overview {
            visits: Visits {
                total: count(&visits, 0)?,
                unique_visitors: count(&visits, 1)?,
                bounces: count(&visits, 2)?,
                average_ms: visits.try_get(3)?,
            },
            page_views: count(&page_views, 0)?,
            money: rows(&money, |row| {
                Ok(Money::new(row.try_get(0)?, count(row, 1)?, row.try_get(2)?, row.try_get(3)?))
            })?,
            active,
            sites: rows(&sites, |row| Ok(row.try_get(0)?))?,
        })
    }

    /// A point for each of `starts`: it ends where the next begins, the last one with the scope.
    ///
    /// # Errors
    /// As above.
    pub async fn timeseries(&self, scope: &Scope, starts: &[Millis]) -> Result<Vec<Point>> {
        let mut client = self.pool.get().await?;
        let snapshot = snapshot(&mut client).await?;
        let [from, to, site] = params(scope);
        let scoped: [&(dyn ToSql + Sync); 4] = [from, to, site, &starts];
        let (visits, page_views, orders) = tokio::try_join!(
            all(&snapshot, sql!("report_series_visits"), &scoped),
            all(&snapshot, sql!("report_series_page_views"), &scoped),
            all(&snapshot, sql!("report_series_orders"), &scoped),
        )?;
        let mut points = vec![Point::default(); starts.len()];
        let mut fill = |rows: &[Row], put: fn(&mut Point, &Row) -> Result<()>| {
            rows.iter().try_for_each(|row| {
                let nth = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(usize::MAX);
                points.get_mut(nth).map_or(Err(StoreError::Malformed("point")), |point| put(point, row))
            })
        };
        fill(&visits, |point, row| {
            (point.visits, point.unique_visitors) = (count(row, 1)?, count(row, 2)?);
            Ok(())
        })?;
        fill(&page_views, |point, row| {
            point.page_views = count(row, 1)?;
            Ok(())
        })?;
        fill(&orders, |point, row| {
            point.orders = count(row, 1)?;
            Ok(())
        })?;
        Ok(points)
    }

    /// The most viewed paths.
    ///
    /// # Errors
    /// As above.
    pub async fn pages(&self, scope: &Scope, limit: u32) -> Result<Vec<Counted<String>>> {
        let mut client = self.pool.get().await?;
        let snapshot = snapshot(&mut client).await?;
        let ([from, to, site], limit) = (params(scope), i64::from(limit));
        let pages = all(&snapshot, sql!("report_pages"), &[from, to, site, &limit]).await?;
        rows(&pages, |row| {
            Ok(Counted { label: row.try_get(0)?, count: count(row, 1)?, visits: count(row, 2)? })
        })
    }

    /// The sites that visits came from; `None` is a direct visit.
    ///
    /// # Errors
    /// As above.
    pub async fn referrers(&self, scope: &Scope, limit: u32) -> Result<Vec<Counted<Option<String>>>> {
        let mut client = self.pool.get().await?;
        let snapshot = snapshot(&mut client).await?;
        let ([from, to, site], limit) = (params(scope), i64::from(limit));
        let referrers = all(&snapshot, sql!("report_referrers"), &[from, to, site, &limit]).await?;
        rows(&referrers, visits_of)
    }

    /// What happens now.
    ///
    /// # Errors
    /// As above.
    pub async fn live(&self, recent: &Scope, active_since: Millis, viewed_since: Millis) -> Result<Live> {
        let mut client = self.pool.get().await?;
        let snapshot = snapshot(&mut client).await?;
        let (live, scoped) = ([&active_since as _, &recent.site as _, &viewed_since as _], params(recent));
        let (active, pages, per_minute) = tokio::try_join!(
            self.active(&snapshot, active_since, &recent.site),
            all(&snapshot, sql!("report_live_pages"), &live),
            all(&snapshot, sql!("report_per_minute"), &scoped),
        )?;
        Ok(Live {
            active,
            pages: rows(&pages, visits_of)?,
            per_minute: rows(&per_minute, |row| {
                let minute = usize::try_from(row.try_get::<_, i64>(0)?);
                Ok((minute.map_err(|_| StoreError::Malformed("minute"))?, count(row, 1)?))
            })?,
        })
    }

    /// Visits with activity since an instant; asked again after [`ACTIVE_FOR_MS`]. None is no
    /// answer to remember: where nobody is, asking costs nothing.
    async fn active(&self, snapshot: &Transaction<'_>, since: Millis, site: &Option<String>) -> Result<u64> {
        let fresh = |at: Millis| (at..at + ACTIVE_FOR_MS).contains(&since);
        if let Some((_, known)) = self.known().get(site).filter(|(at, _)| fresh(*at)) {
            return Ok(*known);
        }
        let active = count(&one(snapshot, sql!("report_active"), &[&since, site]).await?, 0)?;
        let mut known = self.known();
        if known.len() >= ACTIVE_SITES {
            known.clear();
        }
        if active > 0 {
            known.insert(site.clone(), (since, active));
        }
        Ok(active)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `$1` to `$3` of most statements.
fn params(scope: &Scope) -> [&(dyn ToSql + Sync); 3] {
    [&scope.from, &scope.to, &scope.site]
}

/// All the queries of a report see the same instant. It is dropped, not committed: there is
/// nothing to commit, and nobody waits for the ROLLBACK.
async fn snapshot(client: &mut Client) -> Result<Transaction<'_>> {
    let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    Ok(transaction.read_only(true).start().await?)
}

async fn all(snapshot: &Transaction<'_>, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
    let statement = snapshot.prepare_cached(sql).await?;
    Ok(snapshot.query(&statement, params).await?)
}

async fn one(snapshot: &Transaction<'_>, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row> {
    let statement = snapshot.prepare_cached(sql).await?;
    Ok(snapshot.query_one(&statement, params).await?)
}

fn rows<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}

fn count(row: &Row, column: usize) -> Result<u64> {
    u64::try_from(row.try_get::<_, i64>(column)?).map_err(|_| StoreError::Malformed("count"))
}

/// A label, and how many visits it has.
fn visits_of<L: for<'a> tokio_postgres::types::FromSql<'a>>(row: &Row) -> Result<Counted<L>> {
    let visits = count(row, 1)?;
    Ok(Counted { label: row.try_get(0)?, count: visits, visits })
}
