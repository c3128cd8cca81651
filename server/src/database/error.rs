//! Errors of databases and of the spool.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::files::{self, FileError, Kept};
use super::postgres::errors;

/// A database, or the spool, could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite failed: the embedded database, or the spool.
    #[error("SQLite failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// Postgres refused the statement, or the connection was lost while it ran; [`StoreError::is_away`] says which.
    #[error("Postgres failed: {}", errors::told(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// Postgres cannot be reached, or refuses the connection.
    #[error("Postgres cannot be reached: {}", errors::told(.0))]
    Unreachable(#[source] tokio_postgres::Error),
    /// Postgres is connected and does not answer.
    #[error("Postgres did not answer within {0:?}")]
    Silent(Duration),
    /// A report took too long and was cancelled.
    #[error("the report took longer than {0:?} and was cancelled")]
    TooSlow(Duration),
    /// The certificates that Postgres is to be checked against cannot be used.
    #[error("cannot use sslrootcert {0}")]
    RootCertificates(String),
    /// The configuration cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// This database cannot do it.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The schema could not be brought up to date.
    #[error("the migration failed: {0}")]
    Migration(#[from] refinery::Error),
    /// The tables of the database are not those of this program.
    #[error(
        "the schema of {0} was made by another version of visitflow, whose tables are different; name another database with --database-url, or run the version that made it"
    )]
    OtherSchema(String),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another server runs on this database.
    #[error("another visitflow server runs on {0}; stop it, or name another file with --database-url")]
    Claimed(String),
    /// A name that is taken.
    #[error("{0} already exists; choose another name")]
    Taken(String),
    /// A row has content that this program never writes.
    #[error("the database holds a malformed {0}")]
    Malformed(&'static str),
    /// Another server uses this spool.
    #[error("another visitflow server uses the spool {0}; give each server its own with --spool")]
    SpoolClaimed(String),
    /// The spool holds as much as it may.
    #[error("the spool is full; raise --spool-max, or make Postgres available again")]
    SpoolFull,
    /// Nothing was done: a store is away, the server stops, or too much is waiting.
    #[error("unavailable: {0}")]
    Unavailable(&'static str),
}

impl StoreError {
    /// An error of SQLite while a connection was in use: with the file's name, if the file is what is wrong,
    /// and not what was asked of it.
    pub(super) fn with_file(self, db: &Connection) -> Self {
        let path = db.path().filter(|path| !path.is_empty());
        match (self, path) {
            (Self::Database(source), Some(path)) if files::is_of_file(source.sqlite_error_code()) => {
                FileError::new(Kept::Database, Path::new(path), source).into()
            }
            (error, _) => error,
        }
    }

    /// Whether Postgres is away: what was asked may succeed, unchanged, when it is back. Else the
    /// statement itself was refused, and asking again is of no use.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Silent(_) => true,
            Self::Postgres(error) => errors::is_away(error),
            Self::Migration(error) => errors::within(error).is_some_and(errors::is_away),
            _ => false,
        }
    }

    /// Whether a batch needed more time or memory than the database has: fewer commands may succeed.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        match self {
            Self::Silent(_) => true,
            Self::Postgres(error) => errors::is_too_much(error),
            _ => false,
        }
    }

    /// Whether the database refuses the content, and would refuse it again. Any other failure may be temporary, or be
    /// fixed by the operator.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Database(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                rusqlite::ErrorCode::ConstraintViolation
                    | rusqlite::ErrorCode::TooBig
                    | rusqlite::ErrorCode::TypeMismatch
            ),
            Self::Postgres(error) => errors::is_refusal(error),
            Self::Malformed(_) => true,
            _ => false,
        }
    }
}

/// A result with a [`StoreError`].
pub type Result<T> = std::result::Result<T, StoreError>;
