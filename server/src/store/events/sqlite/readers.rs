//! A few connections that only read, each lent to one query at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::Sqlite;
use super::wal::Gate;
use crate::store::{Result, StoreError};

/// How long a query waits for its turn before the caller is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connections of one kind of reader, so that a slow report never holds up a sign-in.
#[derive(Clone, Debug)]
pub struct Readers {
    database: Sqlite,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
    gate: Gate,
}

impl Readers {
    /// At most `size` connections; each is opened when first needed.
    #[must_use]
    pub fn new(database: Sqlite, size: usize) -> Self {
        Self { database, turns: Arc::new(Semaphore::new(size)), idle: Arc::default(), gate: Gate::default() }
    }

    /// What each of them goes through.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Runs `query` on a thread that may block.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when all connections stay busy; else what the query says.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = async { (Arc::clone(&self.turns).acquire_owned().await, self.gate.enter().await) };
        let turn = tokio::time::timeout(PATIENCE, turn)
            .await
            .map_err(|_| StoreError::Unavailable("every reader is busy"))?;
        let readers = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let idle = readers.idle().pop();
            let connection = match idle {
                Some(connection) => connection,
                None => readers.database.open_reader()?,
            };
            // One transaction: all the queries of a report see the same instant.
            let answer = connection
                .unchecked_transaction()
                .map_err(StoreError::from)
                .and_then(|snapshot| query(&snapshot));
            readers.idle().push(connection);
            answer
        });
        answer.await.unwrap_or(Err(StoreError::Unavailable("a query panicked")))
    }

    /// Runs a rare `change` on a connection of its own, on a thread that may block.
    ///
    /// # Errors
    /// When the database cannot be opened for writing; else what the change says.
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
