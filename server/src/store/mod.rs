//! Where things are kept.
//!
//! | module | holds |
//! |---|---|
//! | [`sessions`] | the fast copy of live tokens, consulted on every hit |
//! | [`events`] | the durable store: visits, tokens, facts, users, keys; and the reports over them |
//!
//! The durable store owns every token. The fast copy is filled from it at start, changed only
//! after a commit, and refuses a generation lower than the one it holds.

pub mod events;
pub mod sessions;

/// A store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The schema could not be brought up to date.
    #[error("the migration failed: {0}")]
    Migration(#[from] refinery::Error),
    /// The database's file cannot be used.
    #[error("cannot open the database {path}: {source}; check that its folder exists and is writable")]
    Open {
        /// The file.
        path: String,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Another server runs on this database.
    #[error("another visitflow server runs on {0}; stop it, or name another file with --database-url")]
    Claimed(String),
    /// The file that claims the database cannot be used.
    #[error("cannot lock the database: {0}; check that its folder exists and is writable")]
    Lock(std::io::Error),
    /// The database, or the folder it is to be in, cannot be written to.
    #[error("cannot write: {0}")]
    NotWritable(String),
    /// A name that is taken.
    #[error("there is {0} already; choose another name")]
    Taken(String),
    /// A row holds what this program never writes.
    #[error("the database holds a malformed {0}")]
    Malformed(&'static str),
    /// The spool holds as much as it may.
    #[error("the spool is full; raise --spool-max, or bring the database back")]
    SpoolFull,
    /// The store is shutting down, or too much is waiting.
    #[error("the store takes no more work: {0}")]
    Unavailable(&'static str),
}

impl StoreError {
    /// Whether the store refuses what it was given, so that the same would be refused again. Any
    /// other failure may pass.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Database(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                rusqlite::ErrorCode::ConstraintViolation
                    | rusqlite::ErrorCode::TooBig
                    | rusqlite::ErrorCode::TypeMismatch
            ),
            Self::Malformed(_) => true,
            _ => false,
        }
    }
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, StoreError>;
