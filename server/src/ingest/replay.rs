//! The replay: when the database is back, the spool is emptied into it, in its order. New commands queue up behind
//! it meanwhile. A provisional session that the database did not begin is withdrawn. A command that rests on a
//! provisional change of another server waits a while for that server's replay.

use std::time::{Duration, Instant};

use super::portion::AfterTooMuch;
use super::spool::{Spool, Spooled};
use super::worker::{Rest, Worker};
use crate::clock;
use crate::database::batch::{Batch, Taken};
use crate::database::error::{Result, StoreError};
use crate::ledger::commands::{Command, EndProvisional, Outcome};
use crate::ledger::{LINKS_OF_BATCH, Provisional};
use crate::resolve::Sessions;
use crate::session::Millis;

/// How long the writer waits before it tries a database again that was away.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// After the database was away, no session is ended as expired for this long, in ms: other servers may have
/// activity that they could not write either.
const BACK_MS: Millis = 120_000;

/// How long commands that rest on provisional changes of other servers wait for these, from the first that was found.
const EARLY_FOR: Duration = Duration::from_secs(60);

/// How long the writer waits before it reads a spool again that it could not read. Facts still go there, and are
/// acknowledged.
const UNREADABLE: Duration = Duration::from_secs(10);

impl Worker {
    /// From now on facts go to the spool. Logged once.
    pub(super) fn goes_away(&mut self) {
        if !self.draining {
            tracing::warn!("the database is away; facts go to the spool");
        }
        self.draining = true;
        self.early_since = None;
        self.sessions.set_database_away(true);
        self.left_alone_until = Some(Instant::now() + RETRY_AFTER);
    }

    /// How long to wait for a command before the next try to replay.
    pub(super) fn pause(&self) -> Duration {
        self.left_alone_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Replays a batch of the spool, if it is time to try.
    pub(super) async fn drain(&mut self) {
        if !self.pause().is_zero() {
            return;
        }
        if let Some(rest) = self.rest.take() {
            if let Err(error) = self.replay_rest(rest).await {
                tracing::debug!(%error, "the database is still away");
                self.goes_away();
            }
            return;
        }
        let waiting = self.spool.as_ref().map_or(0, Spool::len);
        let most = self.portion.of(waiting);
        let read = self.spool.as_ref().map_or(Ok(Vec::new()), |spool| spool.oldest(most));
        let tried = read.as_ref().map_or(0, Vec::len);
        let replayed = match read {
            Ok(spooled) => self.replay(spooled).await,
            Err(error) => Err(error),
        };
        match replayed {
            Ok(()) => self.portion.was_taken(),
            Err(error) => {
                if error.is_too_much() {
                    tracing::warn!(%error, commands = tried, "replaying fewer commands of the spool at once");
                    if self.portion.was_too_much(tried) == AfterTooMuch::SetAside {
                        self.set_head_aside(&error).await;
                    }
                } else {
                    tracing::debug!(%error, "the database is still away");
                }
                self.goes_away();
                if matches!(error, StoreError::Malformed(_)) {
                    tracing::error!(%error, "the spool cannot be replayed; start the version that wrote it");
                    self.left_alone_until = Some(Instant::now() + UNREADABLE);
                }
            }
        }
    }

    async fn replay(&mut self, spooled: Vec<Spooled>) -> Result<()> {
        let now = clock::now();
        if spooled.is_empty() {
            self.store.probe(now).await?;
            self.draining = false;
            self.early_since = None;
            self.left_alone_until = None;
            self.expire_from = now + BACK_MS;
            self.sessions.set_database_away(false);
            self.metrics.spool(0, 0);
            tracing::info!("the database is back and the spool is empty");
            return Ok(());
        }
        self.metrics.spool_age(now - spooled.first().map_or(now, |spooled| spooled.since));
        let waits = self.early_since.is_none_or(|since| since.elapsed() < EARLY_FOR);
        let known = |spooled: &Spooled| Provisional { rests_on: spooled.rests_on, waits };
        let provisional: Vec<Provisional> = spooled.iter().map(known).collect();
        let (places, commands): (Vec<Place>, Vec<Command>) = spooled
            .into_iter()
            .map(|Spooled { seq, since, command, rests_on }| (Place { seq, since, rests_on }, command))
            .unzip();
        let mut parts: Vec<_> = std::iter::once(0..commands.len()).collect();
        while let Some(part) = parts.pop() {
            let (taken, places) = (&commands[part.clone()], &places[part.clone()]);
            let last = places.last().map_or(0, |place| place.seq);
            match self.store.commit(again(&self.sessions, taken, &provisional[part.clone()], now)).await {
                Ok(committed) => {
                    let (mut early, mut withdrawn) = (Vec::new(), Vec::new());
                    for ((command, place), outcome) in taken.iter().zip(places).zip(&committed.outcomes) {
                        if *outcome == Outcome::Early {
                            early.push(place.of(command.clone()));
                        } else {
                            let has_begun = outcome.has_begun();
                            withdrawn
                                .extend(self.withdraw_unless(has_begun, command, place.rests_on, now).await);
                        }
                    }
                    self.end_provisional(withdrawn, now).await?;
                    let waiting = self.spool.as_ref().map_or(0, Spool::len);
                    if waiting > part.len() as u64 {
                        self.sessions.publish_part(committed.changed, now).await;
                    } else {
                        self.sessions.publish(&committed.changed, now).await;
                    }
                    if !early.is_empty() {
                        self.early_since.get_or_insert_with(Instant::now);
                    }
                    if early.len() == taken.len() {
                        self.left_alone_until = Some(Instant::now() + RETRY_AFTER);
                    }
                    let commands = committed.left.into_iter().map(|(_, command)| command).collect();
                    let rest = Rest { place: last, commands, early };
                    if rest.commands.is_empty() {
                        self.taken(&rest)?;
                    } else {
                        self.rest = Some(rest);
                        return Ok(());
                    }
                }
                Err(error) if error.is_refusal() && taken.len() > 1 => {
                    let middle = part.start + taken.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Err(error) if error.is_refusal() => {
                    tracing::error!(%error, "the database refused a command from the spool");
                    self.give_up(&taken[0], places[0].rests_on, &error, now).await?;
                    self.taken(&Rest::none(last))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does some of what is left to do. When nothing is, the commands have been taken.
    async fn replay_rest(&mut self, mut rest: Rest) -> Result<()> {
        let some: Vec<Command> = rest.commands.drain(..rest.commands.len().min(LINKS_OF_BATCH)).collect();
        match self.store.commit(again(&self.sessions, &some, &[], clock::now())).await {
            Ok(committed) => rest.commands.extend(committed.left.into_iter().map(|(_, command)| command)),
            Err(error) if error.is_refusal() => {
                tracing::error!(%error, "the database refused the remaining work of a command from the spool");
                for command in &some {
                    self.set_aside(command, &error).await?;
                }
            }
            Err(error) => return Err(error),
        }
        if rest.commands.is_empty() {
            self.taken(&rest)?;
        } else {
            self.rest = Some(rest);
        }
        Ok(())
    }

    /// Sets the oldest command of the spool aside, so that those behind it are stored. If the database takes that, it
    /// answers: so the command was too slow.
    async fn set_head_aside(&mut self, error: &StoreError) {
        let head = self.spool.as_ref().and_then(|spool| spool.oldest(1).ok()?.pop());
        let Some(Spooled { seq, command, rests_on, .. }) = head else { return };
        let given_up = match self.give_up(&command, rests_on, error, clock::now()).await {
            Ok(()) => self.taken(&Rest::none(seq)),
            Err(error) => Err(error),
        };
        match given_up {
            Ok(()) => {
                tracing::error!(%error, "a command from the spool took the database too long; it was moved to dead_letters");
                self.portion.was_taken();
            }
            Err(error) => tracing::debug!(%error, "the database is still away"),
        }
    }

    /// The database has everything in the spool up to a place. Commands that are early go behind all others first.
    fn taken(&mut self, rest: &Rest) -> Result<()> {
        if let Some(spool) = &mut self.spool {
            if !rest.early.is_empty() {
                spool.append_again(&rest.early)?;
            }
            spool.taken_through(rest.place);
            self.metrics.spool(spool.len(), spool.bytes());
        }
        Ok(())
    }

    /// Sets a command aside that the database does not take. The session that it has changed provisionally ends: its
    /// state is not known any more.
    async fn give_up(
        &mut self,
        command: &Command,
        rests_on: Option<u64>,
        error: &StoreError,
        now: Millis,
    ) -> Result<()> {
        self.set_aside(command, error).await?;
        let withdrawn = self.withdraw_unless(false, command, rests_on, now).await;
        let changed = command.changes().zip(rests_on);
        let changed = changed.map(|((presented, _), rests_on)| EndProvisional { now, presented, rests_on });
        self.end_provisional(withdrawn.into_iter().chain(changed).collect(), now).await
    }

    /// Withdraws a session that a command began provisionally, if the database did not begin it. If this process does
    /// not have it in that state any more (a later provisional change, or a restart), returns the command that ends it.
    async fn withdraw_unless(
        &self,
        has_begun: bool,
        command: &Command,
        rests_on: Option<u64>,
        now: Millis,
    ) -> Option<EndProvisional> {
        let presented = command.begins().filter(|_| !has_begun)?;
        let is_withdrawn = self.sessions.withdraw(presented, now).await;
        (!is_withdrawn && rests_on.is_some()).then_some(EndProvisional { now, presented, rests_on: 1 })
    }

    async fn end_provisional(&mut self, ends: Vec<EndProvisional>, now: Millis) -> Result<()> {
        if ends.is_empty() {
            return Ok(());
        }
        let commands: Vec<Command> = ends.into_iter().map(Command::EndProvisional).collect();
        let committed = self.store.commit(again(&self.sessions, &commands, &[], now)).await?;
        self.sessions.publish(&committed.changed, now).await;
        Ok(())
    }
}

/// Commands that may have been applied before, with what was known when they were answered provisionally.
fn again<'b>(
    sessions: &'b Sessions,
    commands: &'b [Command],
    provisional: &'b [Provisional],
    now: Millis,
) -> Batch<'b> {
    Batch { commands, taken: Taken::Again(provisional), activity: &sessions.local, ttl: sessions.ttl(), now }
}

/// Where a command was in the spool, and what is kept with it there.
#[derive(Clone, Copy, Debug)]
struct Place {
    seq: i64,
    since: Millis,
    rests_on: Option<u64>,
}

impl Place {
    fn of(self, command: Command) -> Spooled {
        let Self { seq, since, rests_on } = self;
        Spooled { seq, since, command, rests_on }
    }
}
