//! The embedded default: one SQLite file in WAL mode, `synchronous=FULL`, so that a commit that
//! returned survives a power cut. Other programs may read the file while the server runs.
//!
//! | module | holds |
//! |---|---|
//! | [`writer`] | the writer's connection: batches of the ledger, housekeeping |
//! | [`tokens`] | the records of sessions |
//! | `load`, `write` | what a batch looks up, what it writes |
//! | `facts` | facts: inserting and disclosing them, by the lists of their columns |
//! | `erase`, `disclosure` | deleting and reading a visitor's data |
//! | [`migrations`] | bringing the schema up to date |
//! | [`reports`] | the queries of the dashboard, on connections that cannot write |
//! | [`accounts`] | users and API keys |
//! | [`readers`] | the connections for those queries |
//! | `rows` | a row and its type |
//! | [`wal`] | keeping the write-ahead log small |
//!
//! The statements are the `.sql` files of `server/sql/sqlite`, one each. Those of facts are made of the lists of columns in
//! [`kinds`](crate::ledger::kinds).

pub mod accounts;
pub(super) mod disclosure;
mod erase;
mod facts;
pub(super) mod load;
pub mod migrations;
pub mod readers;
pub mod reports;
mod rows;
pub mod tokens;
pub mod wal;
mod write;
pub mod writer;

use std::error::Error;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use self::wal::BUSY_TIMEOUT;
use crate::database::error::{Result, StoreError};
use crate::database::files::{FileError, Kept};
use crate::database::schema::Schema;

/// A statement by the name of its file.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/sqlite/", $name, ".sql"))
    };
}
use sql;

/// Pages that the writer keeps in memory, in KiB when negative: the trees' upper parts, and the
/// visits that are live.
const WRITER_CACHE: i64 = -8 * 1024;

/// Prepared statements kept per connection; there are fewer than this.
const STATEMENTS: usize = 64;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sqlite {
    path: PathBuf,
    kept: Kept,
}

impl Sqlite {
    /// The database in the file `path`; created at the first [`Self::open`]. An empty file, as an
    /// interrupted start leaves it, is a new database.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), kept: Kept::Database }
    }

    /// The file of a spool, to be checked like a database.
    #[must_use]
    pub fn spool(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), kept: Kept::Spool }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a connection that writes, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::OtherSchema`] when its tables are those of another version; else when the file
    /// cannot be opened, or a migration fails.
    pub fn open(&self) -> Result<Connection> {
        let mut connection = self.connect().map_err(|source| self.failed(source))?;
        match migrations::schema(&connection).map_err(|source| self.failed(source))? {
            Schema::Current => {}
            Schema::Behind => migrations::migrate(&mut connection).map_err(|source| self.failed(source))?,
            Schema::Other => return Err(self.other_schema()),
        }
        Ok(connection)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let mode = begin_wal(&connection)?;
        tracing::debug!(mode, path = %self.path.display(), "database opened");
        connection.pragma_update(None, "synchronous", "full")?;
        // Deleted content is overwritten with zeros: an erasure leaves nothing in free pages.
        connection.pragma_update_and_check(None, "secure_delete", "on", |_| Ok(()))?;
        connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
        connection.pragma_update(None, "wal_autocheckpoint", wal::CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", wal::KEPT_BYTES)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    }

    /// Opens a connection that only reads; [`Self::open`] must have run before.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_reader(&self) -> Result<Connection> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|source| self.failed(source))?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    }

    /// Locks the database for one server: its sessions are in the process, and a second process would not know them. The
    /// lock ends with the returned file, or with the process.
    ///
    /// # Errors
    /// When another server holds it.
    pub fn claim(&self) -> Result<File> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let file = File::create(path).map_err(|source| self.failed(source))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::Claimed(self.path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(self.failed(error)),
        }
    }

    /// Whether the database answers, or can be made, and has no schema of another version. Changes
    /// nothing.
    ///
    /// # Errors
    /// What is wrong with the file, or with its folder.
    pub fn check(&self) -> Result<()> {
        if self.path.exists() {
            return match self.look().map_err(|source| self.failed(source))? {
                (_, Schema::Other) if self.kept == Kept::Database => Err(self.other_schema()),
                (true, _) => Ok(()),
                (false, _) => Err(self.failed("it is read-only")),
            };
        }
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Whether a folder can be written to can only be tried; the file is deleted again.
        let probe = folder.join(format!(".visitflow-check-{}", std::process::id()));
        let written = File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe));
        written.map_err(|error| self.failed(format!("its folder {}: {error}", folder.display())))
    }

    /// Reads from an existing file: whether it could be written to, and its schema.
    fn look(&self) -> rusqlite::Result<(bool, Schema)> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let schema = migrations::schema(&connection)?;
        Ok((!connection.is_readonly(rusqlite::MAIN_DB)?, schema))
    }

    fn other_schema(&self) -> StoreError {
        StoreError::OtherSchema(self.path.display().to_string())
    }

    /// The error of the file, for the operator.
    pub(crate) fn failed(&self, source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        FileError::new(self.kept, &self.path, source).into()
    }
}

/// Gives a new file its write-ahead log. If several connections do so at once, all but one get an error that the file
/// is busy, whatever the busy timeout; these wait for the write lock, and find the log made.
fn begin_wal(connection: &Connection) -> rusqlite::Result<String> {
    let until = Instant::now() + BUSY_TIMEOUT;
    let is_busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
            Err(error) if is_busy(&error) && Instant::now() < until => {
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            }
            mode => return mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use uuid::Uuid;

    use super::writer::Writer;
    use super::*;
    use crate::contract::activity::Slides;
    use crate::session::Ttl;
    use crate::session::visit::Span;

    #[test]
    fn a_file_that_fails_while_it_is_in_use_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("visitflow.db");
        let db = Sqlite::new(&path).open().unwrap();
        db.pragma_update(None, "query_only", true).unwrap();
        let mut writer = Writer::from(db);
        let slides = Slides { visits: vec![(Uuid::nil(), Span { first: 0, last: 0 })], ..Slides::default() };
        let ttl = Ttl { idle_ms: 1, max_ms: 1, ..Ttl::DEFAULT };
        for failed in [writer.probe(0), writer.slide(&slides, ttl), writer.sweep(ttl, 1)] {
            let told = failed.unwrap_err().to_string();
            assert!(told.contains("visitflow.db: ") && told.contains("--database-url"), "{told}");
        }
    }

    #[test]
    fn those_who_open_a_new_file_at_once_all_find_the_schema_made() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let database = Sqlite::new(folder.path().join("visitflow.db"));
            let start = Barrier::new(6);
            std::thread::scope(|scope| {
                let open = || {
                    start.wait();
                    database.open().map(|db| migrations::schema(&db).unwrap())
                };
                let opened: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
                for schema in opened {
                    assert_eq!(schema.join().unwrap().unwrap(), Schema::Current);
                }
            });
        }
    }

    #[test]
    fn a_file_whose_schema_is_another_one_is_refused_and_checked_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let database = Sqlite::new(folder.path().join("visitflow.db"));
        let db = database.open().unwrap();
        database.check().unwrap();
        db.execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1", []).unwrap();
        drop(db);
        for refused in [database.open().map(drop), database.check()] {
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("visitflow.db was made by another version of visitflow"), "{told}");
            assert!(told.contains("--database-url") && !told.contains("folder"), "{told}");
        }
    }
}
