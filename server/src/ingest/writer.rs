//! The one writer of a server: takes what has gathered, commits it, answers.
//!
//! While the store is away (and there is a spool) commands go to the spool and are acknowledged
//! from there. What a command promises then is provisional: a session that it begins or changes is
//! live at once, its visit is found when the command is replayed. The spool is emptied in its order
//! before anything goes to the store directly again; new commands queue up behind it meanwhile.
//!
//! A batch that the store refuses is halved until the command that it refuses is alone. That one
//! is set aside (table `dead_letters`); its neighbours are stored.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::spool::Spool;
use super::{BATCH_MAX, Job, Waiting, lock};
use crate::clock;
use crate::ledger::command::{Command, Outcome};
use crate::observe::Metrics;
use crate::session::record::{Record, Standing};
use crate::session::token::Proof;
use crate::session::{Carrier, Millis};
use crate::store::events::Store;
use crate::store::sessions::Sessions;
use crate::store::{Result, StoreError};

/// How long the store is left alone after it was found away.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// Changes by other processes are read again this far back, in ms: their clocks and ours may differ,
/// and a change is stamped before it is committed.
const OVERLAP_MS: Millis = 10_000;

/// After the store was away, nothing is ended for having expired for this long, in ms: other servers
/// may know of activity that they could not write either.
const BACK_MS: Millis = 120_000;

/// Slides written in one commit: it is not to hold up page views.
const SLIDES_MAX: usize = 1_024;

/// Where commands become durable.
#[derive(Debug)]
pub struct Durable {
    /// The store.
    pub store: Store,
    /// What takes its place while it is away.
    pub spool: Option<Spool>,
}

/// Starts the writer's thread.
pub(super) fn spawn(
    durable: Durable,
    sessions: Arc<Sessions>,
    metrics: Arc<Metrics>,
    failed_at: Arc<Mutex<Option<Instant>>>,
    jobs: mpsc::Receiver<Job>,
) -> Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| StoreError::Unavailable("no runtime for the writer"))?;
    let Durable { store, spool } = durable;
    let draining = spool.as_ref().is_some_and(|spool| !spool.is_empty());
    sessions.set_durable_away(draining);
    let worker = Worker {
        store,
        spool,
        sessions,
        metrics,
        failed_at,
        draining,
        left_alone_until: None,
        portion: Portion::default(),
        expire_from: 0,
        followed_until: clock::now(),
    };
    std::thread::Builder::new()
        .name("writer".into())
        .spawn(move || {
            // Without a writer nothing can be stored: whoever started the process starts it anew.
            let run = AssertUnwindSafe(|| runtime.block_on(worker.run(jobs)));
            if std::panic::catch_unwind(run).is_err() {
                std::process::abort();
            }
        })
        .map_err(|_| StoreError::Unavailable("no thread for the writer"))
}

struct Worker {
    store: Store,
    spool: Option<Spool>,
    sessions: Arc<Sessions>,
    metrics: Arc<Metrics>,
    failed_at: Arc<Mutex<Option<Instant>>>,
    /// The store was found away, or the spool holds what it has not taken yet: commands go to the
    /// spool.
    draining: bool,
    left_alone_until: Option<Instant>,
    portion: Portion,
    /// Nothing is ended for having expired before this instant.
    expire_from: Millis,
    /// What other processes changed before this instant has been read.
    followed_until: Millis,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut others = Vec::new();
        let mut stopping = false;
        while !stopping {
            let mut next = if self.draining {
                match tokio::time::timeout(self.pause(), jobs.recv()).await {
                    Ok(job) => job.or_else(|| Some(Job::Stop)),
                    Err(_) => None,
                }
            } else {
                jobs.recv().await.or(Some(Job::Stop))
            };
            while let Some(job) = next.take() {
                match job {
                    Job::Commit(command, reply) => batch.push((command, reply)),
                    Job::Stop => stopping = true,
                    other => others.push(other),
                }
                if !stopping && batch.len() < BATCH_MAX {
                    next = jobs.try_recv().ok();
                }
            }
            if !batch.is_empty() {
                self.commit(&mut batch).await;
            }
            for job in others.drain(..) {
                self.housekeep(job).await;
            }
            if self.draining {
                self.drain().await;
            }
        }
        // A store that hangs would hold up the end, for what the next look at the session tells anyway.
        if self.draining {
            return;
        }
        if let Err(error) = self.write_slides().await {
            tracing::warn!(%error, "the latest activity of some sessions could not be written");
        }
    }

    // ---- batches

    async fn commit(&mut self, batch: &mut Vec<Waiting>) {
        let begun = Instant::now();
        let (commands, replies): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let results = self.store(&commands).await;
        self.metrics.committed(commands.len(), begun.elapsed());
        for (reply, result) in replies.into_iter().zip(results) {
            let _ = reply.send(result); // whoever asked may have gone; what is stored stays stored
        }
    }

    /// Stores commands, by halves where a half is refused; the outcome of each, in their order.
    async fn store(&mut self, commands: &[Command]) -> Vec<Result<Outcome>> {
        let mut results = Vec::with_capacity(commands.len());
        let mut parts = vec![commands];
        while let Some(part) = parts.pop() {
            if self.draining {
                results.extend(self.put_by(part).await);
                continue;
            }
            let now = latest(part);
            // Other servers read what was changed since an instant: what waited here must not be
            // stamped before what they have read.
            let stamp = now.max(clock::now());
            match self.store.commit(part, &self.sessions.local, self.sessions.ttl(), stamp).await {
                Ok(committed) => {
                    self.sessions.publish(&committed.changed, now).await;
                    results.extend(committed.outcomes.into_iter().map(Ok));
                }
                Err(error) if error.is_refusal() && part.len() > 1 => {
                    tracing::warn!(%error, commands = part.len(), "a commit was refused; trying its halves");
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(error) if error.is_refusal() => {
                    results.push(self.refused(&part[0], error).await);
                }
                Err(error) if self.spool.is_some() => {
                    tracing::warn!(%error, "the store is away; facts go to the spool");
                    self.goes_away();
                    parts.push(part);
                }
                Err(error) => {
                    tracing::error!(%error, commands = part.len(), "nothing of this commit was stored");
                    *lock(&self.failed_at) = Some(Instant::now());
                    let refused = || Err(StoreError::Unavailable("the database failed"));
                    results.extend(part.iter().map(|_| refused()));
                }
            }
        }
        results
    }

    /// A command that the store refuses for what it holds. A fact is kept where somebody can look
    /// at it, and is acknowledged; anything else has simply failed.
    async fn refused(&mut self, command: &Command, error: StoreError) -> Result<Outcome> {
        tracing::error!(%error, "the store refuses a command; its neighbours are stored");
        match command {
            Command::Facts { .. } | Command::Engagement { .. } => self.set_aside(command, &error).await,
            _ => Err(error),
        }
    }

    async fn set_aside(&mut self, command: &Command, error: &StoreError) -> Result<Outcome> {
        self.store.set_aside(command, error, clock::now()).await?;
        self.metrics.set_aside();
        Ok(Outcome::default())
    }

    // ---- while the store is away

    fn goes_away(&mut self) {
        self.draining = true;
        self.sessions.set_durable_away(true);
        self.left_alone_until = Some(Instant::now() + RETRY_AFTER);
    }

    /// How long to wait for a command before the spool is looked after.
    fn pause(&self) -> Duration {
        self.left_alone_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Puts commands into the spool; what each promises, in their order.
    async fn put_by(&mut self, commands: &[Command]) -> Vec<Result<Outcome>> {
        // A password was checked by the store, so a command with one came before it went away.
        let takes = |command: &&Command| !matches!(command, Command::SignIn { verified: Some(_), .. });
        let kept: Vec<Command> = commands.iter().filter(takes).cloned().collect();
        let Some(spool) = &mut self.spool else { return Vec::new() };
        let appended = spool.append(&kept, clock::now());
        self.metrics.spool(spool.len(), spool.bytes());
        if let Err(error) = &appended {
            tracing::error!(%error, commands = kept.len(), "the spool does not take facts");
            *lock(&self.failed_at) = Some(Instant::now());
        }
        let mut results = Vec::with_capacity(commands.len());
        let mut promised = Vec::new();
        for command in commands {
            results.push(match &appended {
                Ok(()) if takes(&command) => {
                    let (outcome, record) = self.promise(command);
                    // The next command of the batch is promised what is left after this one.
                    if let Some(record) = record {
                        self.sessions.local.promise(record.clone(), latest(commands));
                        promised.push(record);
                    }
                    Ok(outcome)
                }
                Ok(()) => Err(StoreError::Unavailable("signing in by password needs the database")),
                Err(_) => Err(StoreError::Unavailable("neither the database nor the spool takes facts")),
            });
        }
        self.sessions.tell(&promised, latest(commands)).await;
        results
    }

    /// What a command in the spool promises, and the record that keeps the promise until the store
    /// is back.
    fn promise(&self, command: &Command) -> (Outcome, Option<Record>) {
        let issued = Outcome { issued: true, ..Outcome::default() };
        let begun = |offer: Proof, at: Millis, now: Millis| {
            let mut record = Record::open(offer, None, None, now);
            record.last_activity = at;
            (issued, Some(record))
        };
        let live = |presented: Proof, now: Millis| {
            let record = self.sessions.local.get(presented.tag)?;
            (record.standing(&presented.hash, now, self.sessions.ttl()) == Standing::Live).then_some(record)
        };
        let lost = (Outcome { lost: true, ..Outcome::default() }, None);
        match command {
            Command::Start { context, .. } => match context.offer {
                Some(offer) => begun(offer, context.now, context.now),
                None => (Outcome::default(), None),
            },
            Command::Facts { context, runs } => {
                let recent = |at: &Millis| context.now - at < self.sessions.ttl().idle_ms;
                let facts = runs.iter().flat_map(|run| &run.facts);
                let starting = facts.filter(|fact| !fact.anonymous && fact.kind.starts_a_visit());
                let first = starting.map(|fact| fact.occurred_at).filter(recent).min();
                match (&context.carrier, context.offer, first) {
                    (Carrier::Nothing, Some(offer), Some(at)) => begun(offer, at, context.now),
                    _ => (Outcome::default(), None),
                }
            }
            Command::SignIn { now, presented: None, offer, user_id, .. } => {
                (issued, Some(Record::open(*offer, None, Some(user_id.clone()), *now)))
            }
            Command::SignIn { now, presented: Some(presented), offer, user_id, visit, .. } => {
                live(*presented, *now).map_or(lost, |mut record| {
                    record.rotate(*offer, Some(user_id.clone()), *now);
                    // Invariant: no more generations are promised than the ledger will count.
                    if !visit && record.visit_id.is_some() {
                        record.bind(None);
                    }
                    (issued, Some(record))
                })
            }
            Command::SignOut { now, presented, offer } => {
                live(*presented, *now).map_or(lost, |mut record| {
                    record.rotate(*offer, None, *now);
                    (issued, Some(record))
                })
            }
            Command::End { now, presented } => {
                live(*presented, *now).map_or((Outcome::default(), None), |mut record| {
                    record.end(*now);
                    (Outcome::default(), Some(record))
                })
            }
            Command::Engagement { .. } => (Outcome::default(), None),
        }
    }

    /// Replays a batch of the spool, if it is time to try.
    async fn drain(&mut self) {
        if !self.pause().is_zero() {
            return;
        }
        let waiting = self.spool.as_ref().map_or(0, Spool::len);
        let tried = self.portion.of(waiting);
        match self.replay(tried).await {
            Ok(()) => self.portion.was_taken(),
            Err(error) => {
                if matches!(error, StoreError::Silent(_)) && tried > 1 {
                    self.portion.was_too_much(tried);
                    tracing::warn!(%error, commands = tried, "trying half as many commands of the spool");
                } else {
                    tracing::debug!(%error, "the store is away still");
                }
                self.goes_away();
            }
        }
    }

    async fn replay(&mut self, most: usize) -> Result<()> {
        let Some(spool) = &self.spool else { return Ok(()) };
        let spooled = spool.oldest(most)?;
        let now = clock::now();
        if spooled.is_empty() {
            self.store.probe(now).await?;
            tracing::info!("the store is back and the spool is empty");
            self.draining = false;
            self.left_alone_until = None;
            self.expire_from = now + BACK_MS;
            self.sessions.set_durable_away(false);
            self.metrics.spool(0, 0);
            return Ok(());
        }
        self.metrics.spool_age(now - spooled.first().map_or(now, |spooled| spooled.since));
        let (places, commands): (Vec<i64>, Vec<Command>) =
            spooled.into_iter().map(|spooled| (spooled.seq, spooled.command)).unzip();
        let mut parts: Vec<_> = std::iter::once(0..commands.len()).collect();
        while let Some(part) = parts.pop() {
            let taken = &commands[part.clone()];
            match self.store.commit(taken, &self.sessions.local, self.sessions.ttl(), now).await {
                Ok(committed) => {
                    for (command, outcome) in taken.iter().zip(&committed.outcomes) {
                        self.keep_or_withdraw(command, *outcome, now).await;
                    }
                    let waiting = self.spool.as_ref().map_or(0, Spool::len);
                    if waiting > part.len() as u64 {
                        self.sessions.publish_part(committed.changed, now).await;
                    } else {
                        self.sessions.publish(&committed.changed, now).await;
                    }
                }
                Err(error) if error.is_refusal() && taken.len() > 1 => {
                    let middle = part.start + taken.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                    continue;
                }
                Err(error) if error.is_refusal() => {
                    tracing::error!(%error, "the store refuses a command of the spool");
                    self.set_aside(&taken[0], &error).await?;
                    let lost = Outcome { lost: true, ..Outcome::default() };
                    self.keep_or_withdraw(&taken[0], lost, now).await;
                }
                Err(error) => return Err(error),
            }
            // Parts come in their order: everything up to the end of this one has been taken.
            if let Some(spool) = &mut self.spool {
                spool.delete_through(places[part.end - 1])?;
                self.metrics.spool(spool.len(), spool.bytes());
            }
        }
        Ok(())
    }

    /// Withdraws what a command was promised and the store did not do.
    async fn keep_or_withdraw(&self, command: &Command, outcome: Outcome, now: Millis) {
        match command {
            Command::Start { context, .. } | Command::Facts { context, .. } => {
                if let Some(offer) = context.offer.filter(|_| !outcome.issued) {
                    self.sessions.withdraw(offer, now).await;
                }
            }
            Command::SignIn { presented: None, offer, .. } if !outcome.issued => {
                self.sessions.withdraw(*offer, now).await;
            }
            Command::SignIn { offer, .. } | Command::SignOut { offer, .. } if !outcome.issued => {
                self.sessions.withdraw_change(*offer, now).await;
            }
            Command::End { presented, .. } if outcome.lost => {
                self.sessions.withdraw_change(*presented, now).await;
            }
            _ => {}
        }
    }

    // ---- housekeeping

    async fn housekeep(&mut self, job: Job) {
        match job {
            Job::Tick(now) if !self.draining => {
                // From the last tick that was read: none is missed while the store was away.
                match self.store.changed_since(now.min(self.followed_until) - OVERLAP_MS).await {
                    Ok(records) => {
                        self.followed_until = now;
                        self.sessions.follow(records, now).await;
                    }
                    Err(error) => self.trouble(&error),
                }
            }
            Job::Sweep(now, reply) => {
                let swept = self.sweep(now).await;
                if let Err(error) = &swept {
                    self.trouble(error);
                }
                let _ = reply.send(swept);
            }
            Job::Probe(now, reply) => {
                let probed = self.probe(now).await;
                let _ = reply.send(probed);
            }
            Job::Tick(_) | Job::Commit(..) | Job::Stop => {}
        }
    }

    fn trouble(&mut self, error: &StoreError) {
        tracing::warn!(%error, "housekeeping has to wait");
        if self.spool.is_some() && !error.is_refusal() {
            self.goes_away();
        }
    }

    async fn sweep(&mut self, now: Millis) -> Result<()> {
        if self.draining {
            return Ok(()); // what slid waits in memory
        }
        self.write_slides().await?;
        self.sessions.local.forget_dead(now);
        if now < self.expire_from {
            return Ok(());
        }
        self.store.sweep(self.sessions.ttl(), now).await
    }

    async fn write_slides(&mut self) -> Result<()> {
        let mut pieces = self.sessions.local.take_slides().pieces(SLIDES_MAX).into_iter();
        while let Some(piece) = pieces.next() {
            if let Err(error) = self.store.slide(&piece).await {
                self.sessions.local.return_slides(&piece);
                pieces.for_each(|piece| self.sessions.local.return_slides(&piece));
                return Err(error);
            }
        }
        Ok(())
    }

    async fn probe(&mut self, now: Millis) -> Result<()> {
        if !self.draining {
            match self.store.probe(now).await {
                Ok(()) => return Ok(()),
                Err(error) if self.spool.is_none() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the store is away; facts go to the spool");
                    self.goes_away();
                }
            }
        }
        self.spool.as_ref().map_or(Ok(()), |spool| spool.probe(now))
    }
}

/// How many commands of the spool are replayed at once: half as many after the store did not answer
/// in time, twice as many after it did.
#[derive(Clone, Copy, Debug)]
struct Portion(usize);

impl Default for Portion {
    fn default() -> Self {
        Self(BATCH_MAX)
    }
}

impl Portion {
    /// How many of those that wait are next.
    fn of(self, waiting: u64) -> usize {
        self.0.min(usize::try_from(waiting).unwrap_or(usize::MAX))
    }

    fn was_taken(&mut self) {
        self.0 = (self.0 * 2).min(BATCH_MAX);
    }

    fn was_too_much(&mut self, tried: usize) {
        self.0 = (tried / 2).max(1);
    }
}

/// The instant at which the latest of the commands was received.
fn latest(commands: &[Command]) -> Millis {
    commands.iter().filter_map(Command::now).max().unwrap_or_else(clock::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portion_that_was_too_much_is_halved_down_to_one_command_and_grows_again() {
        let mut portion = Portion::default();
        assert_eq!(portion.of(5_000), BATCH_MAX);
        assert_eq!(portion.of(100), 100);
        portion.was_too_much(100);
        assert_eq!(portion.of(5_000), 50, "half of what was tried");
        for _ in 0..20 {
            portion.was_too_much(portion.of(5_000));
        }
        assert_eq!(portion.of(5_000), 1);
        portion.was_taken();
        assert_eq!(portion.of(5_000), 2);
        for _ in 0..20 {
            portion.was_taken();
        }
        assert_eq!(portion.of(5_000), BATCH_MAX);
    }
}
