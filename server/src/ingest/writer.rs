//! The one writer of a server: takes the commands that wait, commits them, and answers; between commits it does the
//! housekeeping of the database. While the database is away (and there is a spool) commands go to the spool, and are
//! acknowledged from there.
//!
//! A batch that the database refuses is halved until the faulty command is alone. That one is set aside (table
//! `dead_letters`); the others are stored.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::mpsc;

use super::jobs::{BATCH_FACTS, BATCH_MAX, Job, Waiting, lock};
use super::portion::Portion;
use super::storage::Storage;
use super::worker::{Erasing, Sweep, Worker, latest};
use crate::clock;
use crate::database::batch::{Batch, Taken};
use crate::database::error::{Result, StoreError};
use crate::ledger::LINKS_OF_BATCH;
use crate::ledger::commands::{Command, Outcome};
use crate::observe::Metrics;
use crate::resolve::Sessions;
use crate::session::Millis;
use crate::session_cache::local::activity::Slid;

/// Changes by other processes are read again this far back, in ms: their clocks may differ from this one's,
/// and a change is stamped before it is committed.
const OVERLAP_MS: Millis = 10_000;

/// Activity is written in pieces of at least so many sessions, with a batch of commands after each piece. A piece
/// takes a few milliseconds.
const PIECE_MIN: usize = 256;

/// And in at most so many pieces: until they are written, other servers do not know of the activity.
const PIECES_MAX: usize = 32;

/// Starts the writer's thread.
pub(super) fn spawn(
    storage: Storage,
    sessions: Arc<Sessions>,
    metrics: Arc<Metrics>,
    failed_at: Arc<Mutex<Option<Instant>>>,
    jobs: mpsc::Receiver<Job>,
) -> Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| StoreError::Unavailable("no runtime for the writer"))?;
    let Storage { store, spool } = storage;
    let draining = spool.as_ref().is_some_and(|spool| !spool.is_empty());
    sessions.set_database_away(draining);
    let worker = Worker {
        store,
        spool,
        sessions,
        metrics,
        failed_at,
        draining,
        left_alone_until: None,
        early_since: None,
        portion: Portion::default(),
        rest: None,
        unfinished: VecDeque::new(),
        erasing: VecDeque::new(),
        expire_from: 0,
        followed_until: clock::now(),
        sweeping: None,
    };
    std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || {
            // Without a writer nothing can be stored: the service manager starts the process again.
            let run = AssertUnwindSafe(|| runtime.block_on(worker.run(jobs)));
            if std::panic::catch_unwind(run).is_err() {
                std::process::abort();
            }
        })
        .map_err(|_| StoreError::Unavailable("no thread for the writer"))
}

enum Progress {
    Begun,
    Done,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut others = Vec::new();
        let mut stopping = false;
        while !stopping {
            let mut weight = 0;
            let mut next = if self.draining {
                match tokio::time::timeout(self.pause(), jobs.recv()).await {
                    Ok(job) => job.or_else(|| Some(Job::Stop)),
                    Err(_) => None,
                }
            } else if self.has_begun_something() {
                jobs.try_recv().ok()
            } else {
                jobs.recv().await.or(Some(Job::Stop))
            };
            while let Some(job) = next.take() {
                match job {
                    Job::Commit(command, reply) => {
                        weight += command.weight();
                        batch.push(Waiting { command, reply, done: None });
                    }
                    Job::Stop => stopping = true,
                    other => others.push(other),
                }
                if !stopping && batch.len() < BATCH_MAX && weight < BATCH_FACTS {
                    next = jobs.try_recv().ok();
                }
            }
            // The rest of large commands goes behind the commands that came meanwhile, so these do not wait for it.
            let unfinished = self.unfinished.len().min(LINKS_OF_BATCH);
            batch.extend(self.unfinished.drain(..unfinished));
            if !batch.is_empty() {
                self.commit(&mut batch).await;
            }
            for job in others.drain(..) {
                self.housekeep(job).await;
            }
            self.go_on_erasing().await;
            self.go_on_sweeping().await;
            if self.draining {
                self.drain().await;
            }
        }
        // A database that hangs would delay the stop; the next hit of each session notes later activity anyway.
        if self.draining {
            return;
        }
        let mut slid = self.sessions.local.slid();
        while !slid.is_empty() {
            if let Err(error) = self.write_slides(&mut slid, BATCH_MAX).await {
                tracing::warn!(%error, "the latest activity of some sessions could not be written");
                return;
            }
        }
    }

    /// Whether there is work to do without a new job.
    fn has_begun_something(&self) -> bool {
        self.sweeping.is_some() || !self.erasing.is_empty() || !self.unfinished.is_empty()
    }

    // ---- batches

    async fn commit(&mut self, batch: &mut Vec<Waiting>) {
        let begun = Instant::now();
        let asking = batch.drain(..).map(|Waiting { command, reply, done }| (command, (reply, done)));
        let (commands, replies): (Vec<_>, Vec<_>) = asking.unzip();
        let (results, mut left) = self.store(&commands).await;
        self.metrics.committed(commands.len(), begun.elapsed());
        for (place, ((reply, done), result)) in replies.into_iter().zip(results).enumerate() {
            let result = result.map(|outcome| done.unwrap_or(outcome));
            match (left.remove(&place), &result) {
                (Some(command), Ok(outcome)) => {
                    self.unfinished.push_back(Waiting { command, reply, done: Some(*outcome) });
                }
                // The request may be gone; what is stored stays stored.
                _ => _ = reply.send(result),
            }
        }
    }

    /// Stores commands, in halves if they are refused together. Returns the outcome of each, in their order, and the
    /// rest of large commands, by their place.
    async fn store(&mut self, commands: &[Command]) -> (Vec<Result<Outcome>>, HashMap<usize, Command>) {
        let mut results = Vec::with_capacity(commands.len());
        let mut left = HashMap::new();
        let mut parts = vec![commands];
        while let Some(part) = parts.pop() {
            if self.draining {
                results.extend(self.put_in_spool(part).await);
                continue;
            }
            let now = latest(part);
            // Other servers read what was changed since an instant: commands that waited here must not
            // be stamped earlier than what they have read.
            let stamp = now.max(clock::now());
            let batch = Batch {
                commands: part,
                taken: Taken::First,
                activity: &self.sessions.local,
                ttl: self.sessions.ttl(),
                now: stamp,
            };
            match self.store.commit(batch).await {
                Ok(committed) => {
                    self.sessions.publish_live(&committed.changed, now).await;
                    let first = results.len();
                    left.extend(committed.left.into_iter().map(|(place, command)| (first + place, command)));
                    results.extend(committed.outcomes.into_iter().map(Ok));
                }
                Err(error) if error.is_refusal() && part.len() > 1 => {
                    tracing::warn!(%error, commands = part.len(), "the database refused a batch; trying each half of it");
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) if error.is_refusal() => {
                    results.push(self.refused(&part[0], error).await);
                }
                Err(error) if self.spool.is_some() => {
                    tracing::warn!(%error, "the database does not answer");
                    self.goes_away();
                    parts.push(part);
                }
                Err(error) => {
                    tracing::error!(%error, commands = part.len(), "a batch could not be stored; its requests are answered 503");
                    *lock(&self.failed_at) = Some(Instant::now());
                    let refused = || Err(StoreError::Unavailable("the database failed"));
                    results.extend(part.iter().map(|_| refused()));
                }
            }
        }
        (results, left)
    }

    /// Handles a command that the database refuses because of its content. A fact is kept in `dead_letters` and
    /// acknowledged; any other command has failed.
    async fn refused(&mut self, command: &Command, error: StoreError) -> Result<Outcome> {
        tracing::error!(%error, "the database refused a command; the others of its batch are stored");
        let Some(outcome) = command.set_aside() else { return Err(error) };
        self.set_aside(command, &error).await?;
        Ok(outcome)
    }

    pub(super) async fn set_aside(&mut self, command: &Command, error: &StoreError) -> Result<()> {
        self.store.set_aside(command, error, clock::now()).await?;
        self.metrics.set_aside();
        Ok(())
    }

    // ---- housekeeping

    async fn housekeep(&mut self, job: Job) {
        match job {
            Job::Tick(now) if !self.draining => {
                if let Some(spool) = &mut self.spool {
                    spool.tidy();
                }
                if let Err(error) = self.store.tidy(now) {
                    self.trouble(&error);
                }
                let asked_at = clock::now();
                // From the last tick that was read, so that no change is missed if the database was away.
                match self.store.changed_since(now.min(self.followed_until) - OVERLAP_MS).await {
                    Ok(records) => {
                        self.followed_until = now;
                        self.sessions.follow(records, now).await;
                        self.sessions.caught_up_with_database(asked_at);
                    }
                    Err(error) => self.trouble(&error),
                }
            }
            Job::Sweep(now, reply) => {
                while self.sweeping.is_some() {
                    self.go_on_sweeping().await;
                }
                let slid = self.sessions.local.slid();
                let piece = slid.len().div_ceil(PIECES_MAX).max(PIECE_MIN);
                self.sweeping = Some(Sweep { now, slid, piece, reply });
            }
            Job::Erase(asked, reply) => self.erasing.push_back(Erasing::new(asked, reply)),
            Job::Probe(now, reply) => {
                let probed = self.probe(now).await;
                let _ = reply.send(probed);
            }
            Job::Tick(_) | Job::Commit(..) | Job::Stop => {}
        }
    }

    pub(super) fn trouble(&mut self, error: &StoreError) {
        tracing::warn!(%error, "housekeeping is postponed");
        if self.spool.is_some() && !error.is_refusal() {
            self.goes_away();
        }
    }

    /// Does the next piece of a sweep.
    async fn go_on_sweeping(&mut self) {
        let Some(mut sweep) = self.sweeping.take() else { return };
        let swept = match self.sweep(&mut sweep).await {
            Ok(Progress::Begun) => {
                self.sweeping = Some(sweep);
                return;
            }
            Ok(Progress::Done) => Ok(()),
            Err(error) => {
                self.trouble(&error);
                Err(error)
            }
        };
        let _ = sweep.reply.send(swept);
    }

    async fn sweep(&mut self, sweep: &mut Sweep) -> Result<Progress> {
        if self.draining {
            return Ok(Progress::Done); // the activity stays in memory
        }
        if !sweep.slid.is_empty() {
            self.write_slides(&mut sweep.slid, sweep.piece).await?;
            return Ok(Progress::Begun);
        }
        self.sessions.forget_dead(sweep.now);
        if sweep.now >= self.expire_from {
            self.store.sweep(self.sessions.ttl(), sweep.now).await?;
        }
        Ok(Progress::Done)
    }

    /// Writes a piece of the activity.
    async fn write_slides(&mut self, slid: &mut Slid, most: usize) -> Result<()> {
        let local = &self.sessions.local;
        let piece = local.take_slides(slid, most);
        let ended = self.store.slide(&piece, self.sessions.ttl()).await;
        let ended = ended.inspect_err(|_| local.return_slides(&piece))?;
        // Another server did not know of this activity and has ended these sessions as idle.
        self.sessions.publish(&ended, clock::now()).await;
        Ok(())
    }

    async fn probe(&mut self, now: Millis) -> Result<()> {
        if !self.draining {
            match self.store.probe(now).await {
                Ok(()) => return Ok(()),
                Err(error) if self.spool.is_none() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the database does not answer");
                    self.goes_away();
                }
            }
        }
        self.spool.as_ref().map_or(Ok(()), |spool| spool.probe(now))
    }
}
