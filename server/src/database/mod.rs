//! The database: SQLite or Postgres.
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | what the writer asks, and what is asked of sessions beside it, of either database |
//! | [`batch`] | commands to apply, and what they did |
//! | [`reports`] | the dashboard's questions, for either database |
//! | [`accounts`] | users and API keys, for either database |
//! | [`disclosure`] | all that is stored of a visitor, from either database |
//! | `pages` | the rows that a disclosure asks for |
//! | [`erasure`] | what goes with which piece of an erasure, for either database |
//! | [`sqlite`] | the embedded default |
//! | [`postgres`] | for several servers, or a database that others run |
//! | [`migrate`] | from the file to Postgres |
//! | [`schema`] | which schema a database has |
//! | [`error`], [`files`] | what a store says when it cannot; what is wrong with a file |
//!
//! A store applies batches of the [ledger](crate::ledger): it looks up what a batch wants to know,
//! lets the ledger plan, and writes the changes, all in one transaction that no other batch of any
//! server overlaps. What it has committed survives a power cut.

pub mod accounts;
pub mod batch;
pub mod disclosure;
pub mod erasure;
pub mod error;
pub mod files;
pub mod migrate;
mod pages;
pub mod postgres;
pub mod reports;
pub mod schema;
pub mod sqlite;
pub mod store;

use std::fmt;

use self::error::Result;
use self::postgres::url::PostgresUrl;
use self::sqlite::Sqlite;

/// Where visits are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// In a file.
    Sqlite(Sqlite),
    /// In Postgres.
    Postgres(PostgresUrl),
}

/// The file, or Postgres' hosts and database, without a password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(database) => write!(f, "{}", database.path().display()),
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

impl Database {
    /// Brings the schema up to date.
    ///
    /// # Errors
    /// When the database cannot be opened, or a migration fails.
    pub async fn migrate(&self) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.open().map(drop),
            Self::Postgres(url) => postgres::migrations::migrate(url).await,
        }
    }

    /// Whether the database answers, or can be made, and has no schema of another version. Changes
    /// nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check(&self) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.check(),
            Self::Postgres(url) => postgres::migrations::check(url).await,
        }
    }
}
