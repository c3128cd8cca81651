//! Ingest: durable, idempotent, in groups.
//!
//! A request's command waits in a bounded queue; one writer thread takes what has gathered, applies
//! it in one transaction, commits, and only then answers each request. The writer is a thread of
//! its own: a client that hangs up cancels nothing. When idle there is no delay; under load a
//! commit carries up to [`BATCH_MAX`] commands.
//!
//! A command that the database refuses is rolled back alone (a savepoint each, tried only after
//! the batch as a whole has failed); its neighbours are stored.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::observe::Metrics;
use crate::session::Millis;
use crate::session::record::CROSSING_MS;
use crate::store::events::command::{Command, Outcome};
use crate::store::events::sqlite::ledger::{self, Ledger};
use crate::store::sessions::embedded::Embedded;
use crate::store::{Result, StoreError};

/// Most commands in one commit.
pub const BATCH_MAX: usize = 512;

/// Most commands that wait for the writer; beyond it requests wait, then are told to come back.
const QUEUE_MAX: usize = 4_096;

/// How long a request waits for a place in the queue.
const QUEUE_PATIENCE: Duration = Duration::from_secs(2);

/// After a commit that failed, readiness is red for this long: a small write may still fit on a disk
/// that is full for others.
const TROUBLE: Duration = Duration::from_secs(10);

/// A command, and who waits for its outcome.
type Waiting = (Command, oneshot::Sender<Result<Outcome>>);

#[expect(clippy::large_enum_variant, reason = "all jobs but the last are commits")]
enum Job {
    /// Commit and answer.
    Commit(Command, oneshot::Sender<Result<Outcome>>),
    /// Commit what came before, then end.
    Stop,
}

/// The door to the writer.
#[derive(Debug)]
pub struct Ingest {
    queue: mpsc::Sender<Job>,
    failed_at: Arc<Mutex<Option<Instant>>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
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
    /// Fills `sessions` from the database and starts the writer on it.
    ///
    /// # Errors
    /// When the database cannot be read, or no thread can be had.
    pub fn start(
        db: Connection,
        sessions: Arc<Embedded>,
        metrics: Arc<Metrics>,
        now: Millis,
    ) -> Result<(Self, Writer)> {
        load(&db, &sessions, now - CROSSING_MS)?;
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let failed_at = Arc::new(Mutex::new(None));
        let told = Arc::clone(&failed_at);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                // Without a writer nothing can be stored: whoever started the process starts it anew.
                let worker = Worker { db, sessions, metrics, data_version: None, failed_at: told };
                if std::panic::catch_unwind(AssertUnwindSafe(|| worker.run(jobs))).is_err() {
                    std::process::abort();
                }
            })
            .map_err(|_| StoreError::Unavailable("no thread for the writer"))?;
        Ok((Self { queue, failed_at }, Writer { thread }))
    }

    /// Commits a command; answers after the commit that holds it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the queue stays full; the command was not taken then. Else
    /// what the database said; the command was rolled back then.
    pub async fn commit(&self, command: Command) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .send_timeout(Job::Commit(command, reply), QUEUE_PATIENCE)
            .await
            .map_err(|_| StoreError::Unavailable("the queue is full"))?;
        answer.await.unwrap_or(Err(StoreError::Unavailable("the writer has stopped")))
    }

    /// Lets the writer commit what has come so far, and end. Whatever comes later is refused.
    pub async fn stop(&self) {
        let _ = self.queue.send(Job::Stop).await; // a writer that is gone has stopped
    }

    /// Whether a commit has failed as a whole within the last ten seconds.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        lock(&self.failed_at).is_some_and(|at| at.elapsed() < TROUBLE)
    }

    /// Commands that wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

fn lock(failed_at: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    failed_at.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies sessions into the fast copy: the live ones, and those that ended after `since`.
fn load(db: &Connection, sessions: &Embedded, since: Millis) -> Result<()> {
    for record in ledger::recent_sessions(db, since)? {
        sessions.install(record);
    }
    Ok(())
}

struct Worker {
    db: Connection,
    sessions: Arc<Embedded>,
    metrics: Arc<Metrics>,
    data_version: Option<i64>,
    failed_at: Arc<Mutex<Option<Instant>>>,
}

impl Worker {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut stopping = false;
        while !stopping {
            let mut next = jobs.blocking_recv();
            stopping = next.is_none();
            while let Some(job) = next.take() {
                match job {
                    Job::Commit(command, reply) => batch.push((command, reply)),
                    Job::Stop => stopping = true,
                }
                if !stopping && batch.len() < BATCH_MAX {
                    next = jobs.try_recv().ok();
                }
            }
            self.commit(&mut batch); // at the end: the slides that nothing has carried yet
        }
    }

    fn commit(&mut self, batch: &mut Vec<Waiting>) {
        let begun = Instant::now();
        let slides = self.sessions.take_slides();
        let (commands, replies): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let attempt = Attempt { sessions: &self.sessions, commands: &commands, slides: &slides };
        let results = attempt.run(&mut self.db, false).or_else(|error| {
            tracing::warn!(%error, commands = commands.len(), "a commit failed; trying its commands one by one");
            attempt.run(&mut self.db, true)
        });
        self.metrics.committed(commands.len(), begun.elapsed());
        let results = match results {
            Ok(results) => results,
            Err(error) => {
                tracing::error!(%error, commands = commands.len(), "nothing of this commit was stored");
                *lock(&self.failed_at) = Some(Instant::now());
                self.sessions.return_slides(&slides);
                commands
                    .iter()
                    .map(|_| Err(StoreError::Unavailable("the database refused the commit")))
                    .collect()
            }
        };
        self.reconcile(&commands);
        for (reply, result) in replies.into_iter().zip(results) {
            let _ = reply.send(result); // whoever asked may have gone; what is stored stays stored
        }
    }

    /// After a tick: forgets what is over, and notices what another process (`visitflow user …`)
    /// has ended meanwhile.
    fn reconcile(&mut self, commands: &[Command]) {
        let Some(now) = commands.iter().rev().find_map(|command| {
            if let Command::Tick { now } | Command::Sweep { now } = command { Some(*now) } else { None }
        }) else {
            return;
        };
        let version = self.db.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
        if self.data_version != version {
            self.data_version = version;
            if let Err(error) = load(&self.db, &self.sessions, now - 10 * CROSSING_MS) {
                tracing::error!(%error, "could not read what another process has changed");
            }
        }
        self.sessions.forget_dead(now);
    }
}

/// One try at a batch.
struct Attempt<'a> {
    sessions: &'a Embedded,
    commands: &'a [Command],
    slides: &'a [crate::store::sessions::embedded::Slide],
}

impl Attempt<'_> {
    /// Applies the commands in one transaction, commits, and lets the fast copy know. With
    /// `isolated` each command has a savepoint, so that one which is refused falls alone.
    fn run(&self, db: &mut Connection, isolated: bool) -> Result<Vec<Result<Outcome>>> {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut ledger = Ledger::new(&transaction, self.sessions.ttl());
        ledger.slide(self.slides)?;
        let mut results = Vec::with_capacity(self.commands.len());
        for command in self.commands {
            if !isolated {
                results.push(Ok(ledger.apply(command)?));
                continue;
            }
            let mark = ledger.mark();
            transaction.execute_batch("SAVEPOINT command")?;
            let result = ledger.apply(command);
            if let Err(error) = &result {
                tracing::error!(%error, "the database refused a command; its neighbours are stored");
                transaction.execute_batch("ROLLBACK TO command")?;
                ledger.rewind(mark);
            }
            transaction.execute_batch("RELEASE command")?;
            results.push(result);
        }
        let changed = ledger.into_changed();
        transaction.commit()?;
        for record in changed {
            self.sessions.install(record);
        }
        Ok(results)
    }
}
