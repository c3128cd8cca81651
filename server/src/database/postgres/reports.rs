//! The queries of the dashboard. The four headline figures are exactly the documented queries,
//! with a filter for the site.

use std::collections::HashMap;
use std::ops::AsyncFnOnce;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::pool::Pool;
use super::statements::{Snapshot, named};
use crate::contract::reports::{Counted, LIMIT, Live, Money, Overview, Point, Selection, Sum, Visits};
use crate::database::error::{Result, StoreError};
use crate::session::Millis;

/// How old the number of active visits may be. Pings are collected for 30 s before they are stored, so this is the one
/// figure that is not of this instant anyway.
const ACTIVE_FOR_MS: Millis = 10_000;

/// Most sites whose number of active visits is cached; beyond that the cache is emptied.
const ACTIVE_SITES: usize = 256;

/// The number of active visits and when it was read, by site; none for all sites.
type Active = HashMap<Option<String>, (Millis, u64)>;

/// The reports over Postgres, or a replica of it.
#[derive(Clone, Debug)]
pub struct PostgresReports {
    pool: Pool,
    limit: Duration,
    active: Arc<Mutex<Active>>,
}

impl PostgresReports {
    /// Reports over these connections.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool, limit: LIMIT, active: Arc::default() }
    }

    /// Cancels reports that take longer.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Whether the replica answers. Changes nothing.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<()> {
        Ok(self.pool.get().await?.session()?.client.batch_execute("SELECT 1").await?)
    }

    /// The headline figures.
    ///
    /// # Errors
    /// When Postgres refuses, is away or busy, or the report takes too long; so for all below.
    pub async fn overview(&self, selection: &Selection, active_since: Millis) -> Result<Overview> {
        self.read(async |snapshot| {
            let selected = params(selection);
            let ([from, to, site], orders_since) = (selected, selection.orders_since());
            let converted: [&(dyn ToSql + Sync); 4] = [from, to, site, &orders_since];
            let (visits, page_views, orders, refunds, converted, active) = tokio::try_join!(
                snapshot.query_one(named!("report_visits"), &selected),
                snapshot.query_one(named!("report_page_views"), &selected),
                snapshot.query(named!("report_orders"), &selected),
                snapshot.query(named!("report_refunds"), &selected),
                snapshot.query_one(named!("report_converted"), &converted),
                self.active(snapshot, active_since, &selection.site),
            )?;
            Ok(Overview {
                visits: Visits {
                    total: count(&visits, 0)?,
                    unique_visitors: count(&visits, 1)?,
                    bounces: count(&visits, 2)?,
                    average_ms: visits.try_get(3)?,
                },
                page_views: count(&page_views, 0)?,
                money: Money::of(rows(&orders, sum)?, rows(&refunds, sum)?),
                disputed: rows(&orders, |row| count(row, 4))?.into_iter().sum(),
                converted: count(&converted, 0)?,
                active,
            })
        })
        .await
    }

    /// A point for each of `starts`: it ends where the next begins, the last one with the selection.
    ///
    /// # Errors
    /// As above.
    pub async fn timeseries(&self, selection: &Selection, starts: &[Millis]) -> Result<Vec<Point>> {
        let [from, to, site] = params(selection);
        let selected: [&(dyn ToSql + Sync); 4] = [from, to, site, &starts];
        let (visits, page_views, orders) = self
            .read(async |snapshot| {
                tokio::try_join!(
                    snapshot.query(named!("report_series_visits"), &selected),
                    snapshot.query(named!("report_series_page_views"), &selected),
                    snapshot.query(named!("report_series_orders"), &selected),
                )
            })
            .await?;
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
            point.orders.insert(row.try_get(1)?, count(row, 2)?);
            Ok(())
        })?;
        Ok(points)
    }

    /// The most viewed paths.
    ///
    /// # Errors
    /// As above.
    pub async fn pages(&self, selection: &Selection, limit: u32) -> Result<Vec<Counted<String>>> {
        let ([from, to, site], limit) = (params(selection), i64::from(limit));
        let asked: [&(dyn ToSql + Sync); 4] = [from, to, site, &limit];
        let pages = self.read(async |snapshot| snapshot.query(named!("report_pages"), &asked).await).await?;
        rows(&pages, |row| {
            Ok(Counted { label: row.try_get(0)?, count: count(row, 1)?, visits: count(row, 2)? })
        })
    }

    /// The sites that visits came from; `None` is a direct visit.
    ///
    /// # Errors
    /// As above.
    pub async fn referrers(&self, selection: &Selection, limit: u32) -> Result<Vec<Counted<Option<String>>>> {
        let ([from, to, site], limit) = (params(selection), i64::from(limit));
        let asked: [&(dyn ToSql + Sync); 4] = [from, to, site, &limit];
        let referrers =
            self.read(async |snapshot| snapshot.query(named!("report_referrers"), &asked).await).await?;
        rows(&referrers, visits_of)
    }

    /// The sites with visits that began in `[from, to)`, most visited first.
    ///
    /// # Errors
    /// As above.
    pub async fn sites(&self, from: Millis, to: Millis, limit: u32) -> Result<Vec<Counted<String>>> {
        let limit = i64::from(limit);
        let asked: [&(dyn ToSql + Sync); 3] = [&from, &to, &limit];
        let sites = self.read(async |snapshot| snapshot.query(named!("report_sites"), &asked).await).await?;
        rows(&sites, visits_of)
    }

    /// Whether any order or refund is of this currency.
    ///
    /// # Errors
    /// As above.
    pub async fn has_currency(&self, currency: &str) -> Result<bool> {
        let asked: [&(dyn ToSql + Sync); 1] = [&currency];
        let found =
            self.read(async |snapshot| snapshot.query_one(named!("report_has_currency"), &asked).await);
        Ok(found.await?.try_get(0)?)
    }

    /// What happens at the moment.
    ///
    /// # Errors
    /// As above.
    pub async fn live(&self, recent: &Selection, active_since: Millis, viewed_since: Millis) -> Result<Live> {
        let selected = params(recent);
        let live: [&(dyn ToSql + Sync); 3] = [&active_since, &recent.site, &viewed_since];
        let (active, pages, per_minute) = self
            .read(async |snapshot| {
                tokio::try_join!(
                    self.active(snapshot, active_since, &recent.site),
                    snapshot.query(named!("report_live_pages"), &live),
                    snapshot.query(named!("report_per_minute"), &selected),
                )
            })
            .await?;
        Ok(Live {
            active,
            pages: rows(&pages, visits_of)?,
            per_minute: rows(&per_minute, |row| {
                let minute = usize::try_from(row.try_get::<_, i64>(0)?);
                Ok((minute.map_err(|_| StoreError::Malformed("minute"))?, count(row, 1)?))
            })?,
        })
    }

    /// Runs queries that all see the same instant. When the future is dropped, or the limit has passed, Postgres cancels
    /// them.
    async fn read<T>(&self, ask: impl AsyncFnOnce(&Snapshot<'_>) -> Result<T>) -> Result<T> {
        let mut lent = self.pool.lend().await?;
        let asked = async { ask(&lent.session()?.snapshot().await?).await };
        let answer =
            tokio::time::timeout(self.limit, asked).await.map_err(|_| StoreError::TooSlow(self.limit))?;
        lent.done();
        answer
    }

    /// Visits with activity since an instant; read again after [`ACTIVE_FOR_MS`]. Zero is not cached, because the query is
    /// cheap then.
    async fn active(&self, snapshot: &Snapshot<'_>, since: Millis, site: &Option<String>) -> Result<u64> {
        let fresh = |at: Millis| (at..at + ACTIVE_FOR_MS).contains(&since);
        if let Some((_, known)) = self.known().get(site).filter(|(at, _)| fresh(*at)) {
            return Ok(*known);
        }
        let active = count(&snapshot.query_one(named!("report_active"), &[&since, site]).await?, 0)?;
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
fn params(selection: &Selection) -> [&(dyn ToSql + Sync); 3] {
    [&selection.from, &selection.to, &selection.site]
}

fn rows<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}

fn count(row: &Row, column: usize) -> Result<u64> {
    u64::try_from(row.try_get::<_, i64>(column)?).map_err(|_| StoreError::Malformed("count"))
}

/// Currency, count, and the parts of a sum.
fn sum(row: &Row) -> Result<Sum> {
    Ok(Sum::new(row.try_get(0)?, count(row, 1)?, row.try_get(2)?, row.try_get(3)?))
}

/// A label, and how many visits it has.
fn visits_of<L: for<'a> tokio_postgres::types::FromSql<'a>>(row: &Row) -> Result<Counted<L>> {
    let visits = count(row, 1)?;
    Ok(Counted { label: row.try_get(0)?, count: visits, visits })
}
