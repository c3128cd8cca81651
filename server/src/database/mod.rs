//! The database: SQLite or Postgres.
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | the writer's side of either database, and look-ups beside the writer |
//! | [`batch`] | commands to apply, and their outcome |
//! | [`reports`] | the dashboard's questions, for either database |
//! | [`accounts`] | users and API keys, for either database |
//! | [`disclosure`] | everything that is stored about a visitor, from either database |
//! | `pages` | the rows of a disclosure, page by page |
//! | [`erasure`] | what each piece of an erasure deletes, for either database |
//! | [`sqlite`] | the embedded default |
//! | [`postgres`] | for several servers, or a managed database |
//! | [`migrate`] | copying the file to Postgres |
//! | [`schema`] | which schema a database has |
//! | [`error`], [`files`] | errors of databases and of their files |
//!
//! A store applies batches of the [ledger](crate::ledger): it looks up what a batch wants to know, lets the ledger
//! plan, and writes the changes, in one transaction. No two batches overlap, whichever servers they are from. What
//! is committed survives a power cut.

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

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of SQLite.
    Sqlite(Sqlite),
    /// Postgres.
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

    /// Whether the database answers, or can be made, and has no schema of another version. Changes nothing.
    ///
    /// # Errors
    /// When it does not, or has one.
    pub async fn check(&self) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.check(),
            Self::Postgres(url) => postgres::migrations::check(url).await,
        }
    }
}
