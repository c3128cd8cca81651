//! The durable store: what it is asked to commit, the databases that do, and what is read of them.
//!
//! | module | holds |
//! |---|---|
//! | [`command`] | what the store is asked to commit |
//! | [`reports`] | the dashboard's questions, for either database |
//! | [`accounts`] | users and API keys, for either database |
//! | [`sqlite`] | the embedded default |
//! | [`postgres`] | for several servers, or a database that others run |

pub mod accounts;
pub mod command;
pub mod postgres;
pub mod reports;
pub mod sqlite;

use std::fmt;

use self::postgres::url::PostgresUrl;
use self::sqlite::Sqlite;
use crate::store::Result;

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

    /// Whether the database answers, or can be made. Changes nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn check(&self) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.check(),
            Self::Postgres(url) => postgres::connect::check(url).await,
        }
    }
}
