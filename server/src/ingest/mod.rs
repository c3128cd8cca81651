//! Ingest: durable, idempotent, in groups.
//!
//! | module | holds |
//! |---|---|
//! | this one | the door: a bounded queue, and who may still enter when it fills |
//! | `jobs` | what the writer is asked to do |
//! | `worker` | the writer's state |
//! | `writer` | the one writer: batch → one commit → answers; housekeeping |
//! | `erasing` | an erasure, piece by piece |
//! | [`spool`] | commands on disk that the store has not taken yet |
//! | `reserve` | room on the disk that the spool needs for deleting |
//! | `provisional` | provisional answers, while the database is away |
//! | `replay` | the spool is emptied when the store is back |
//! | `portion` | how much of it at once |
//! | `storage` | the database and the spool |
//!
//! A request's command waits in the queue; the writer takes what has gathered, lets the store apply
//! it in one transaction, and only after the commit answers each request. The writer is a thread of
//! its own: a client that hangs up cancels nothing. When idle there is no delay; under load a
//! commit carries up to [`BATCH_MAX`] commands.

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
use crate::ledger::command::{Command, Outcome};
use crate::observe::{Metrics, Shed};
use crate::resolve::Sessions;
use crate::session::Millis;

/// Most commands that wait for the writer; beyond it requests wait, then are told to come back.
const QUEUE_MAX: usize = 8_192;

/// How long a request waits for a place in the queue.
const QUEUE_PATIENCE: Duration = Duration::from_secs(2);

/// After a commit that failed, readiness is red for this long: a small write may still fit on a disk
/// that is full for others.
const TROUBLE: Duration = Duration::from_secs(10);

/// What is the first to be refused when the writer cannot keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Reports: the dashboard waits.
    Report,
    /// Pings: the next one says the same, and more.
    Ping,
}

impl Load {
    /// The part of the queue that may be taken while this is still served.
    fn limit(self) -> usize {
        match self {
            Self::Report => QUEUE_MAX / 4,
            Self::Ping => QUEUE_MAX / 2,
        }
    }
}

/// The door to the writer.
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
    /// When no thread can be had.
    pub fn start(storage: Storage, sessions: Arc<Sessions>, metrics: Arc<Metrics>) -> Result<(Self, Writer)> {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let failed_at = Arc::new(Mutex::new(None));
        let thread = writer::spawn(storage, sessions, Arc::clone(&metrics), Arc::clone(&failed_at), jobs)?;
        Ok((Self { queue, metrics, failed_at }, Writer { thread }))
    }

    /// Commits a command; answers after the commit that holds it, or the last of what it has left to do.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the queue stays full; the command was not taken then. Else
    /// what the database said; the command was rolled back then.
    pub async fn commit(&self, command: Command) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        let kind = if matches!(command, Command::Engagement { .. }) { Shed::Ping } else { Shed::PageView };
        let sent = self.send(Job::Commit(command, reply)).await;
        sent.inspect_err(|_| self.metrics.shed(kind))?;
        let outcome = answer.await.unwrap_or(Err(STOPPED))?;
        self.metrics.late(outcome.erased);
        self.metrics.of_other_sites(outcome.of_other_sites);
        Ok(outcome)
    }

    /// Erases a visitor, with all that has come so far; answers after the commit of the last piece.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] while the store is away or the spool holds anything, and when the
    /// store fails. Some of it may be done then; to ask again goes on with it.
    pub async fn erase(&self, asked: Erasure) -> Result<Erased> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Erase(asked, reply)).await?;
        answer.await.unwrap_or(Err(STOPPED))
    }

    /// Refuses what is least needed while too much waits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: come back later.
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

    /// Lets the writer notice what other processes have changed; does not wait for it.
    pub fn tick(&self, now: Millis) {
        let _ = self.queue.try_send(Job::Tick(now)); // a full queue is busy enough; the next tick will do
    }

    /// Writes what has slid, ends what expired at `now`, forgets what is long over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep(&self, now: Millis) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Sweep(now, reply)).await?;
        answer.await.unwrap_or(Err(STOPPED))
    }

    /// Whether facts would be stored: the store or the spool takes something now, and no commit has
    /// failed within the last ten seconds.
    ///
    /// # Errors
    /// Why they would not.
    pub async fn probe(&self, now: Millis) -> Result<()> {
        if lock(&self.failed_at).is_some_and(|at| at.elapsed() < TROUBLE) {
            return Err(StoreError::Unavailable("a commit failed a moment ago"));
        }
        let (reply, answer) = oneshot::channel();
        self.send(Job::Probe(now, reply)).await?;
        answer.await.unwrap_or(Err(STOPPED))
    }

    /// Lets the writer commit what has come so far, and end. Whatever comes later is refused.
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
