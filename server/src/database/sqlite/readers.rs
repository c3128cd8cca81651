//! A few connections that only read, each lent to one query at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::Semaphore;

use super::Sqlite;
use super::wal::Gate;
use crate::database::error::{Result, StoreError};

/// How long a query waits for a connection before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many instructions of SQLite lie between two checks whether the query is cancelled: some microseconds.
const INSTRUCTIONS: i32 = 1_000;

/// The connections for one kind of query, so that a slow report never delays a sign-in.
#[derive(Clone, Debug)]
pub struct Readers {
    database: Sqlite,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
    limit: Option<Duration>,
    gate: Gate,
}

impl Readers {
    /// At most `size` connections; each is opened when first needed.
    #[must_use]
    pub fn new(database: Sqlite, size: usize) -> Self {
        let (turns, idle) = (Arc::new(Semaphore::new(size)), Arc::default());
        Self { database, turns, idle, limit: None, gate: Gate::default() }
    }

    /// The gate through which each of them goes.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Cancels queries that take longer.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Runs `query` on a thread that may block. When the future is dropped the query is cancelled.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when all connections stay busy, [`StoreError::TooSlow`] when the
    /// query takes too long; otherwise the error of the query.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = async { (Arc::clone(&self.turns).acquire_owned().await, self.gate.enter().await) };
        let turn = tokio::time::timeout(PATIENCE, turn)
            .await
            .map_err(|_| StoreError::Unavailable("every reader is busy"))?;
        let readers = self.clone();
        let waiting = Waiting::default();
        let gone = Arc::clone(&waiting.gone);
        let answer = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let idle = readers.idle().pop();
            let mut connection = match idle {
                Some(connection) => connection,
                None => readers.database.open_reader()?,
            };
            let over = readers.limit.map(|limit| (limit, Instant::now() + limit));
            let is_over = move || over.is_some_and(|(_, end)| Instant::now() >= end);
            let ends = move || gone.load(Ordering::Relaxed) || is_over();
            connection.progress_handler(INSTRUCTIONS, Some(ends))?;
            // One transaction: all the queries of a report see the same instant.
            let answer = connection
                .unchecked_transaction()
                .map_err(StoreError::from)
                .and_then(|snapshot| query(&snapshot))
                .map_err(|error| error.with_file(&connection));
            connection.progress_handler(0, None::<fn() -> bool>)?;
            readers.idle().push(connection);
            match (answer, over) {
                (Err(error), Some((limit, _))) if is_interrupted(&error) => Err(StoreError::TooSlow(limit)),
                (answer, _) => answer,
            }
        });
        answer.await.unwrap_or(Err(StoreError::Unavailable("a query panicked")))
    }

    /// Runs a rare `change` on a connection of its own, on a thread that may block.
    ///
    /// # Errors
    /// When the database cannot be opened for writing; otherwise the error of the change.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.database.clone();
        let done = tokio::task::spawn_blocking(move || change(&mut database.open()?));
        done.await.unwrap_or(Err(StoreError::Unavailable("a change panicked")))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lives as long as the future of a query: when it is dropped, nobody waits for the answer.
#[derive(Debug, Default)]
struct Waiting {
    gone: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

fn is_interrupted(error: &StoreError) -> bool {
    matches!(error, StoreError::Database(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// A query without an end.
    fn endless(db: &Connection) -> Result<i64> {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
        Ok(db.query_row(sql, [], |row| row.get(0))?)
    }

    fn seven(db: &Connection) -> Result<i64> {
        Ok(db.query_row("SELECT 7", [], |row| row.get(0))?)
    }

    fn one_reader() -> (tempfile::TempDir, Readers) {
        let folder = tempfile::tempdir().unwrap();
        let database = Sqlite::new(folder.path().join("visitflow.db"));
        database.open().unwrap();
        (folder, Readers::new(database, 1))
    }

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_ended_and_its_connection_is_good_for_the_next() {
        let (_folder, readers) = one_reader();
        let readers = readers.within(Duration::from_millis(20));
        let ended = readers.read(endless).await;
        assert!(matches!(ended, Err(StoreError::TooSlow(limit)) if limit.as_millis() == 20), "{ended:?}");
        assert_eq!(readers.read(seven).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_query_ends_when_nobody_waits_for_its_answer() {
        let (_folder, readers) = one_reader();
        let (began, begins) = std::sync::mpsc::channel();
        {
            let mut asked = pin!(readers.read(move |db| {
                began.send(()).unwrap();
                endless(db)
            }));
            assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            begins.recv().unwrap();
        }
        // There is one connection: it is free again only if the query has ended.
        assert_eq!(readers.read(seven).await.unwrap(), 7);
    }
}
