//! The dashboard's questions: what they are about, what is answered, and one door to both
//! databases. Each answer is of one instant, and the same number whichever database holds the rows.

use super::postgres::reports::PostgresReports;
use super::sqlite;
use super::sqlite::readers::Readers;
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

impl Money {
    /// From the exact sum of amounts: `whole` and so many ten-thousandths. Each figure is rounded
    /// once, at the very end.
    #[expect(clippy::cast_precision_loss, reason = "the one rounding; below 2^53 there is none before it")]
    pub(super) fn new(currency: String, orders: u64, whole: i64, ten_thousandths: i64) -> Self {
        let sum = (i128::from(whole) * 10_000 + i128::from(ten_thousandths)) as f64;
        Self { currency, orders, revenue: sum / 10_000.0, average: sum / (orders as f64 * 10_000.0) }
    }
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

/// The headline figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// Visits.
    pub visits: Visits,
    /// Page views.
    pub page_views: u64,
    /// Orders, the most frequent currency first.
    pub money: Vec<Money>,
    /// Visits that are active now.
    pub active: u64,
    /// Every site with visits or page views in the range, whatever site the report is about.
    pub sites: Vec<String>,
}

/// A point of a time series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Visits that began.
    pub visits: u64,
    /// Distinct users, or visitors where no user is known.
    pub unique_visitors: u64,
    /// Page views.
    pub page_views: u64,
    /// Orders.
    pub orders: u64,
}

/// What happens now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Visits that are active.
    pub active: u64,
    /// The pages that they looked at last.
    pub pages: Vec<Counted<String>>,
    /// Page views per minute: (minute from the start on, count), in order, empty minutes left out.
    pub per_minute: Vec<(usize, u64)>,
}

/// The reports, over whichever database.
#[derive(Clone, Debug)]
pub enum Reports {
    /// Over the file.
    Sqlite(Readers),
    /// Over Postgres, or a replica of it.
    Postgres(PostgresReports),
}

impl Reports {
    /// The headline figures; a visit is active if it has not ended and something happened since
    /// `active_since`.
    ///
    /// # Errors
    /// When the database refuses, is away or busy; so for all below.
    pub async fn overview(&self, scope: Scope, active_since: Millis) -> Result<Overview> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::overview(db, &scope, active_since)).await
            }
            Self::Postgres(reports) => reports.overview(&scope, active_since).await,
        }
    }

    /// A point for each of `starts`, which ascend from `scope.from` on: it ends where the next
    /// begins, the last one with the scope.
    ///
    /// # Errors
    /// As above.
    pub async fn timeseries(&self, scope: Scope, starts: Vec<Millis>) -> Result<Vec<Point>> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::timeseries(db, &scope, &starts)).await
            }
            Self::Postgres(reports) => reports.timeseries(&scope, &starts).await,
        }
    }

    /// The most viewed paths.
    ///
    /// # Errors
    /// As above.
    pub async fn pages(&self, scope: Scope, limit: u32) -> Result<Vec<Counted<String>>> {
        match self {
            Self::Sqlite(readers) => readers.read(move |db| sqlite::reports::pages(db, &scope, limit)).await,
            Self::Postgres(reports) => reports.pages(&scope, limit).await,
        }
    }

    /// The sites that visits came from; `None` is a direct visit.
    ///
    /// # Errors
    /// As above.
    pub async fn referrers(&self, scope: Scope, limit: u32) -> Result<Vec<Counted<Option<String>>>> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::referrers(db, &scope, limit)).await
            }
            Self::Postgres(reports) => reports.referrers(&scope, limit).await,
        }
    }

    /// What happens now: page views per minute of `recent`, and where the active visits are. Pages
    /// that were viewed before `viewed_since` are not looked for.
    ///
    /// # Errors
    /// As above.
    pub async fn live(&self, recent: Scope, active_since: Millis, viewed_since: Millis) -> Result<Live> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::live(db, &recent, active_since, viewed_since)).await
            }
            Self::Postgres(reports) => reports.live(&recent, active_since, viewed_since).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_rounded_once() {
        let third = Money::new("EUR".into(), 3, 100, 0);
        assert_eq!((third.revenue, third.average), (100.0, 100.0 / 3.0));
        let refund = Money::new("EUR".into(), 2, -1, -2_500);
        assert_eq!((refund.revenue, refund.average), (-1.25, -0.625));
        let cents = Money::new("EUR".into(), 10, 0, 10_000);
        assert_eq!((cents.revenue, cents.average), (1.0, 0.1));
    }
}
