//! Ingest: durable, idempotent, in groups.
//!
//! A request's command waits in a bounded queue; one writer thread takes what has gathered, applies
//! it in one transaction, commits, and only then answers each request. The writer is a thread of
//! its own: a client that hangs up cancels nothing. When idle there is no delay; under load a
//! commit carries up to [`BATCH_MAX`] commands.
//!
//! A command that the database refuses is rolled back alone (a savepoint each, tried only after
//! the batch as a whole has failed); its neighbours are stored.

use std::sync::Arc;
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

struct Job {
    command: Command,
    reply: oneshot::Sender<Result<Outcome>>,
}

/// The door to the writer.
#[derive(Debug)]
pub struct Ingest {
    queue: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// The writer thread; it ends, with everything written, when every [`Ingest`] is gone.
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
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || Worker { db, sessions, metrics, data_version: None }.run(jobs))
            .map_err(|_| StoreError::Unavailable("no thread for the writer"))?;
        Ok((Self { queue }, Writer { thread }))
    }

    /// Commits a command; answers after the commit that holds it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the queue stays full; the command was not taken then. Else
    /// what the database said; the command was rolled back then.
    pub async fn commit(&self, command: Command) -> Result<Outcome> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .send_timeout(Job { command, reply }, QUEUE_PATIENCE)
            .await
            .map_err(|_| StoreError::Unavailable("the queue is full"))?;
        answer.await.unwrap_or(Err(StoreError::Unavailable("the writer has stopped")))
    }

    /// Commands that wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
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
}

impl Worker {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = jobs.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
            self.commit(&mut batch);
        }
        self.commit(&mut batch); // the slides that nothing has carried yet
    }

    fn commit(&mut self, batch: &mut Vec<Job>) {
        let begun = Instant::now();
        let slides = self.sessions.take_slides();
        let (commands, replies): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|job| (job.command, job.reply)).unzip();
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

    /// After a sweep: forgets what is over, and notices what another process (`visitflow user …`)
    /// has ended meanwhile.
    fn reconcile(&mut self, commands: &[Command]) {
        let Some(now) = commands
            .iter()
            .rev()
            .find_map(|command| if let Command::Sweep { now } = command { Some(*now) } else { None })
        else {
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
