//! The dashboard's questions, to either database. Each answer is of one instant, and both databases give the same
//! figures for the same rows.

use super::postgres::reports::PostgresReports;
use super::sqlite;
use super::sqlite::readers::Readers;
use crate::contract::reports::{Counted, Live, Overview, Point, Selection};
use crate::database::error::Result;
use crate::session::Millis;

/// The reports.
#[derive(Clone, Debug)]
pub enum Reports {
    /// From the file.
    Sqlite(Readers),
    /// From Postgres, or a replica of it.
    Postgres(PostgresReports),
}

impl Reports {
    /// The headline figures; a visit is active if it has not ended and something happened since
    /// `active_since`.
    ///
    /// # Errors
    /// When the database refuses, is away or busy; so for all below.
    pub async fn overview(&self, selection: Selection, active_since: Millis) -> Result<Overview> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::overview(db, &selection, active_since)).await
            }
            Self::Postgres(reports) => reports.overview(&selection, active_since).await,
        }
    }

    /// A point for each of `starts`, which ascend from `selection.from` on: it ends where the next
    /// begins, the last one with the selection.
    ///
    /// # Errors
    /// As above.
    pub async fn timeseries(&self, selection: Selection, starts: Vec<Millis>) -> Result<Vec<Point>> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::timeseries(db, &selection, &starts)).await
            }
            Self::Postgres(reports) => reports.timeseries(&selection, &starts).await,
        }
    }

    /// The most viewed paths.
    ///
    /// # Errors
    /// As above.
    pub async fn pages(&self, selection: Selection, limit: u32) -> Result<Vec<Counted<String>>> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::pages(db, &selection, limit)).await
            }
            Self::Postgres(reports) => reports.pages(&selection, limit).await,
        }
    }

    /// The sites that visits came from; `None` is a direct visit.
    ///
    /// # Errors
    /// As above.
    pub async fn referrers(&self, selection: Selection, limit: u32) -> Result<Vec<Counted<Option<String>>>> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::referrers(db, &selection, limit)).await
            }
            Self::Postgres(reports) => reports.referrers(&selection, limit).await,
        }
    }

    /// The sites with visits that began in `[from, to)`, most visited first.
    ///
    /// # Errors
    /// As above.
    pub async fn sites(&self, from: Millis, to: Millis, limit: u32) -> Result<Vec<Counted<String>>> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::sites(db, from, to, limit)).await
            }
            Self::Postgres(reports) => reports.sites(from, to, limit).await,
        }
    }

    /// Whether any order or refund is of this currency.
    ///
    /// # Errors
    /// As above.
    pub async fn has_currency(&self, currency: String) -> Result<bool> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::has_currency(db, &currency)).await
            }
            Self::Postgres(reports) => reports.has_currency(&currency).await,
        }
    }

    /// What happens now: page views per minute of `recent`, and where the active visits are. Pages
    /// that were viewed before `viewed_since` are not looked for.
    ///
    /// # Errors
    /// As above.
    pub async fn live(&self, recent: Selection, active_since: Millis, viewed_since: Millis) -> Result<Live> {
        match self {
            Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::reports::live(db, &recent, active_since, viewed_since)).await
            }
            Self::Postgres(reports) => reports.live(&recent, active_since, viewed_since).await,
        }
    }
}
