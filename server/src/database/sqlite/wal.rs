//! Keeps the write-ahead log small.
//!
//! SQLite copies the log into the file once it has `CHECKPOINT_PAGES`, and the next commit writes the log from its start
//! again, unless somebody still reads from it. Overlapping reports leave no such moment while facts come in. So when the
//! log has more than `MOST_BYTES`, new reports wait until the running ones have ended, and the log is copied and
//! truncated. Look-ups continue: they take no longer than `LOOKUP_PATIENCE`. The same happens after an erasure, whatever
//! the size of the log, because it holds what was erased. While another program reads (such as a backup) the log cannot
//! be truncated: reports continue, and the log is truncated about a second after that program has ended its transaction.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rusqlite::Connection;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::session::Millis;

/// How long a statement waits for another process (`visitflow user add`) to commit.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages in the log after which it is copied into the file: 32 MiB. A page that changes in many commits
/// is copied once.
pub(super) const CHECKPOINT_PAGES: i64 = 8_192;

/// Size in bytes to which the log's file is cut when it begins anew.
pub(super) const KEPT_BYTES: i64 = CHECKPOINT_PAGES * 4_096;

/// Size of the log's file in bytes beyond which reports wait for it.
const MOST_BYTES: u64 = 2 * KEPT_BYTES as u64;

/// How long the writer waits for the end of look-ups, which take a few milliseconds.
const LOOKUP_PATIENCE: Duration = Duration::from_millis(100);

/// How long reports and the writer are not disturbed after a try that found another program reading, in ms.
const PAUSE_MS: Millis = 2_000;

/// The gate for long queries.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<RwLock<()>>);

impl Gate {
    /// Waits while the gate is closed; the returned guard keeps it from closing.
    pub async fn enter(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.0).read_owned().await
    }

    /// Closes the gate: no query enters any more; returns when all have left.
    fn close(&self) -> Closing {
        Box::pin(Arc::clone(&self.0).write_owned())
    }
}

type Closing = Pin<Box<dyn Future<Output = OwnedRwLockWriteGuard<()>> + Send>>;

/// Truncates the log.
pub(super) struct Wal {
    file: PathBuf,
    gate: Gate,
    most_bytes: u64,
    /// Whether the log holds what was erased.
    due: bool,
    closing: Option<Closing>,
    /// How many pages could be copied at the try that found another program reading.
    held_at: Option<i64>,
    not_before: Millis,
}

/// The result of a checkpoint.
struct Checkpoint {
    /// Whether somebody reads from the log, or another program writes.
    busy: bool,
    /// Pages in the log.
    pages: i64,
    /// How many of them are copied.
    copied: i64,
}

fn checkpoint(db: &Connection, mode: &str) -> rusqlite::Result<Checkpoint> {
    db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Checkpoint { busy: row.get(0)?, pages: row.get(1)?, copied: row.get(2)? })
    })
}

impl fmt::Debug for Wal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wal").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Wal {
    /// For the database in this file, whose long queries go through the gate.
    pub(super) fn of(database: &Path, gate: Gate) -> Self {
        let mut file = database.as_os_str().to_owned();
        file.push("-wal");
        Self {
            file: file.into(),
            gate,
            most_bytes: MOST_BYTES,
            due: false,
            closing: None,
            held_at: None,
            not_before: 0,
        }
    }

    /// Truncates the log after an erasure, at once or as soon as nobody reads.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) fn forget(&mut self, db: &Connection, now: Millis) -> rusqlite::Result<()> {
        self.due = true;
        self.tidy(db, now)
    }

    /// Truncates the log if it is too large or holds what was erased, and nobody reads; to be called every second or so.
    /// Does not wait for reports.
    ///
    /// # Errors
    /// When the database refuses.
    pub(super) fn tidy(&mut self, db: &Connection, now: Millis) -> rusqlite::Result<()> {
        if self.closing.is_none() {
            if !self.due && self.bytes() <= self.most_bytes {
                self.held_at = None;
                return Ok(());
            }
            if now < self.not_before || self.is_held(db)? {
                return Ok(());
            }
            self.closing = Some(self.gate.close());
        }
        let closed = self.closing.as_mut().and_then(|closing| closing.now_or_never());
        let Some(_closed) = closed else { return Ok(()) };
        self.closing = None;
        let before = self.bytes();
        db.busy_timeout(LOOKUP_PATIENCE)?;
        let tried = checkpoint(db, "TRUNCATE");
        db.busy_timeout(BUSY_TIMEOUT)?;
        let tried = tried?;
        if tried.busy {
            self.not_before = now + PAUSE_MS;
            if self.held_at.replace(tried.copied).is_none() {
                tracing::info!(file = %self.file.display(), bytes = before, "the write-ahead log grows while another program reads the database");
            }
        } else {
            (self.held_at, self.due) = (None, false);
            tracing::debug!(bytes = before, "the write-ahead log was truncated");
        }
        Ok(())
    }

    /// Whether the program that was found reading still reads: then no further page can be copied. Does not wait. (Reports
    /// of this server do not have that effect: they began after that program did.)
    fn is_held(&self, db: &Connection) -> rusqlite::Result<bool> {
        let Some(held_at) = self.held_at else { return Ok(false) };
        let log = checkpoint(db, "PASSIVE")?;
        Ok(log.copied == held_at && log.copied < log.pages)
    }

    fn bytes(&self) -> u64 {
        std::fs::metadata(&self.file).map_or(0, |file| file.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::database::sqlite::Sqlite;
    use crate::database::sqlite::readers::Readers;

    const LIMIT: u64 = 256 * 1024;

    struct World {
        _folder: tempfile::TempDir,
        database: Sqlite,
        db: Connection,
        reports: Readers,
        wal: Wal,
        now: Millis,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = Sqlite::new(folder.path().join("v.db"));
            let db = database.open().unwrap();
            db.execute_batch("CREATE TABLE t (x BLOB)").unwrap();
            let reports = Readers::new(database.clone(), 2);
            let wal = Wal { most_bytes: LIMIT, ..Wal::of(database.path(), reports.gate()) };
            Self { _folder: folder, database, db, reports, wal, now: 0 }
        }

        /// A second passes, in which 64 KiB are written.
        fn second(&mut self) {
            self.now += 1_000;
            self.db.execute("INSERT INTO t VALUES (zeroblob(65536))", []).unwrap();
            self.wal.tidy(&self.db, self.now).unwrap();
        }

        /// Another program, which reads until it is dropped.
        fn elsewhere(&self) -> Connection {
            let elsewhere = self.database.open_reader().unwrap();
            elsewhere.execute_batch("BEGIN; SELECT COUNT(*) FROM t").unwrap();
            elsewhere
        }

        /// A report that reads until it is told to end; its first answer says that it has begun.
        fn report(&self) -> (oneshot::Receiver<()>, mpsc::Sender<()>, JoinHandle<()>) {
            let ((begun, begins), (end, ends), reports) =
                (oneshot::channel(), mpsc::channel(), self.reports.clone());
            let report = tokio::spawn(async move {
                let query = move |db: &Connection| {
                    db.query_row("SELECT COUNT(*) FROM t", [], |_| Ok(()))?;
                    let _ = begun.send(());
                    let _ = ends.recv();
                    Ok(())
                };
                reports.read(query).await.unwrap();
            });
            (begins, end, report)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_log_shrinks_though_reports_overlap_all_the_time() {
        let mut world = World::new();
        let (begun, mut end, mut report) = world.report();
        begun.await.unwrap();
        let (mut largest, mut cuts) = (0, 0);
        for _ in 0..40 {
            // The next report begins before this one ends, unless the gate keeps it out.
            let (begun, next_end, next) = world.report();
            if world.wal.closing.is_none() {
                begun.await.unwrap();
            }
            drop(std::mem::replace(&mut end, next_end));
            std::mem::replace(&mut report, next).await.unwrap();
            let before = world.wal.bytes();
            world.second();
            largest = largest.max(before);
            cuts += u32::from(world.wal.bytes() < before);
        }
        drop(end);
        report.await.unwrap();
        assert!(largest > LIMIT && largest < 3 * LIMIT, "{largest}");
        assert!(cuts > 2, "{cuts}");
    }

    #[tokio::test]
    async fn who_reads_elsewhere_delays_it_and_the_log_shrinks_when_they_leave() {
        let mut world = World::new();
        let elsewhere = world.elsewhere();
        for _ in 0..10 {
            world.second();
        }
        assert!(world.wal.bytes() > LIMIT);
        // Reports do not wait for another program, however long it reads.
        let (begun, end, report) = world.report();
        begun.await.unwrap();
        for _ in 0..60 {
            world.second();
            assert!(world.wal.closing.is_none());
        }
        drop(end);
        report.await.unwrap();
        drop(elsewhere);
        world.second();
        assert_eq!(world.wal.bytes(), 0);
    }

    #[tokio::test]
    async fn what_was_erased_is_cut_off_at_once_or_when_those_who_read_leave() {
        let mut world = World::new();
        world.second(); // which cuts what making the schema has written
        world.second();
        assert!(world.wal.bytes() > 0);
        world.wal.forget(&world.db, world.now).unwrap();
        assert_eq!(world.wal.bytes(), 0);
        world.second();
        let elsewhere = world.elsewhere();
        let (begun, end, report) = world.report();
        begun.await.unwrap();
        world.second();
        world.wal.forget(&world.db, world.now).unwrap();
        world.second();
        assert!(world.wal.bytes() > 0, "a report reads");
        drop(end);
        report.await.unwrap();
        world.second();
        assert!(world.wal.bytes() > 0, "another program reads");
        drop(elsewhere);
        let mut cuts = 0;
        for _ in 0..4 {
            world.second();
            cuts += u32::from(world.wal.bytes() == 0);
        }
        assert_eq!(cuts, 1);
    }

    #[tokio::test]
    async fn programs_that_read_one_after_the_other_are_found_every_few_seconds() {
        let mut world = World::new();
        let mut elsewhere = world.elsewhere();
        for _ in 0..10 {
            world.second();
        }
        let mut tries = 0;
        for _ in 0..12 {
            // The next one begins before this one ends.
            elsewhere = world.elsewhere();
            let before = world.wal.not_before;
            world.second();
            tries += u32::from(world.wal.not_before != before);
        }
        assert!((4..=7).contains(&tries), "{tries}");
        drop(elsewhere);
        world.second();
        world.second();
        assert!(world.wal.bytes() < LIMIT, "{}", world.wal.bytes());
    }
}
