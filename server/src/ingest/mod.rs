//! The ingest: commits commands in batches, in the database or in the spool, and answers after the commit.
//!
//! | module | holds |
//! |---|---|
//! | this one | the queue before the writer, and what is refused when it fills |
//! | `jobs` | what the writer is asked to do |
//! | `worker` | the writer's state |
//! | `writer` | the one writer: batch → one commit → answers; housekeeping |
//! | `erasing` | an erasure, piece by piece |
//! | `storage` | the database and the spool |
//! | [`spool`] | commands on disk that the database does not have yet |
//! | `reserve` | disk space that the spool needs for deleting |
//! | `provisional` | provisional answers, while the database is away |
//! | `replay` | the spool is emptied when the database is back |
//! | `portion` | how much of it at once |
//!
//! The command of a request waits in the queue. The writer takes all commands that wait, applies them in one
//! transaction, and answers each request after the commit. The writer is a thread of its own: a client that closes
//! its connection cancels nothing. When the server is idle there is no delay; under load a commit holds up to
//! [`BATCH_MAX`] commands.

mod erasing;
mod jobs;
mod portion;
mod provisional;
mod replay;
mod reserve;
pub mod spool;
mod storage;
mod worker;
mod writer;

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::future::{Either, ready};
use tokio::sync::{mpsc, oneshot};

pub use self::jobs::BATCH_MAX;
use self::jobs::{Job, lock};
pub use self::storage::Storage;
use crate::contract::erasure::{Erased, Erasure};
use crate::database::error::{Result, StoreError};
use crate::ledger::commands::Awaited;
use crate::observe::{Metrics, Shed};
use crate::resolve::Sessions;
use crate::session::Millis;

/// Most commands that wait for the writer. Beyond that requests wait, and are then refused with `Retry-After`.
const QUEUE_MAX: usize = 8_192;

/// How long a request waits for a place in the queue.
const QUEUE_PATIENCE: Duration = Duration::from_secs(2);

/// After a commit that failed, readiness is red for this long: on a full disk a small probe may still succeed.
const TROUBLE: Duration = Duration::from_secs(10);

/// What is refused first when the writer cannot keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Reports: the dashboard can wait.
    Report,
    /// Pings: the next ping reports the same engagement, and more.
    Ping,
}

impl Load {
    /// How full the queue may be while this is still served.
    fn limit(self) -> usize {
        match self {
            Self::Report => QUEUE_MAX / 4,
            Self::Ping => QUEUE_MAX / 2,
        }
    }
}

/// The queue before the writer.
#[derive(Debug)]
pub struct Ingest {
    queue: mpsc::Sender<Job>,
    metrics: Arc<Metrics>,
    failed_at: Arc<Mutex<Option<Instant>>>,
}

/// The writer thread; it ends, with everything written, after [`Ingest::stop`], or when every
/// [`Ingest`] is gone.
#[derive(Debug)]
pub struct Writer {
    thread: JoinHandle<()>,
}

impl Writer {
    /// Waits until everything is written. Blocks.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the writer thread panicked");
        }
    }
}

impl Ingest {
    /// Starts the writer.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(storage: Storage, sessions: Arc<Sessions>, metrics: Arc<Metrics>) -> Result<(Self, Writer)> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let failed_at = Arc::new(Mutex::new(None));
        let thread = writer::spawn(storage, sessions, Arc::clone(&metrics), Arc::clone(&failed_at), jobs)?;
        Ok((Self { queue, metrics, failed_at }, Writer { thread }))
    }

    /// Commits a command; returns after its commit, or after that of its last piece.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the queue stays full; the command was not taken then. Otherwise
    /// the error of the database; the command was rolled back then.
    pub async fn commit<C: Awaited>(&self, command: C) -> Result<C::Outcome> {
        let (reply, answer) = oneshot::channel();
        let command = command.into();
        let kind = if command.is_of_ping() { Shed::Ping } else { Shed::PageView };
        let sent = self.send(Job::Commit(command, reply)).await;
        sent.inspect_err(|_| self.metrics.shed(kind))?;
        let outcome = answer.await.unwrap_or(Err(STOPPED))?;
        let refused = outcome.refused();
        self.metrics.late(refused.erased);
        self.metrics.of_other_sites(refused.of_other_sites);
        C::outcome(outcome).ok_or(StoreError::Malformed("outcome of a command"))
    }

    /// Erases a visitor, with all facts that have come so far; returns after the commit of the last piece.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while the database is away or the spool holds anything, and when the
    /// database fails. Some pieces may be done then; another request does the rest.
    pub async fn erase(&self, asked: Erasure) -> Result<Erased> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Erase(asked, reply)).await?;
        answer.await.unwrap_or(Err(STOPPED))
    }

    /// Refuses a load if too many commands wait for it to be served.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn admit(&self, load: Load) -> Result<()> {
        if self.depth() < load.limit() {
            return Ok(());
        }
        self.metrics.shed(match load {
            Load::Report => Shed::Report,
            Load::Ping => Shed::Ping,
        });
        Err(StoreError::Unavailable("too many commands are waiting"))
    }

    /// Makes the writer read the changes of other processes; does not wait for it.
    pub fn tick(&self, now: Millis) {
        let _ = self.queue.try_send(Job::Tick(now)); // a full queue is busy enough; the next tick will do
    }

    /// Writes activity, ends sessions and visits that have expired at `now`, deletes rows that are long over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self, now: Millis) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Sweep(now, reply)).await?;
        answer.await.unwrap_or(Err(STOPPED))
    }

    /// Whether facts would be stored: the database or the spool accepts a write now, and no commit has
    /// failed within the last ten seconds.
    ///
    /// # Errors
    /// The reason why not.
    pub async fn probe(&self, now: Millis) -> Result<()> {
        if lock(&self.failed_at).is_some_and(|at| at.elapsed() < TROUBLE) {
            return Err(StoreError::Unavailable("a commit failed a moment ago"));
        }
        let (reply, answer) = oneshot::channel();
        self.send(Job::Probe(now, reply)).await?;
        answer.await.unwrap_or(Err(STOPPED))
    }

    /// Makes the writer commit what has come so far, and end. Later commands are refused.
    pub async fn stop(&self) {
        let _ = self.queue.send(Job::Stop).await; // a writer that is gone has stopped
    }

    /// Commands that wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    fn send(&self, job: Job) -> impl Future<Output = Result<()>> {
        match self.queue.try_send(job) {
            Ok(()) => Either::Left(ready(Ok(()))),
            // Boxed: it is rare and large, and every request's future would have room for it.
            Err(mpsc::error::TrySendError::Full(job)) => Either::Right(Box::pin(self.wait(job))),
            Err(mpsc::error::TrySendError::Closed(_)) => Either::Left(ready(Err(STOPPED))),
        }
    }

    async fn wait(&self, job: Job) -> Result<()> {
        let sent = self.queue.send_timeout(job, QUEUE_PATIENCE).await;
        sent.map_err(|_| StoreError::Unavailable("the queue is full"))
    }
}

/// The writer is gone: the server stops.
const STOPPED: StoreError = StoreError::Unavailable("the writer has stopped");
