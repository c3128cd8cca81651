//! The replay: when the store is back the spool is emptied into it, in its order, before anything
//! goes to the store directly again; new commands queue up behind it meanwhile. What was promised
//! and did not come to be is withdrawn.

use std::time::{Duration, Instant};

use super::BATCH_MAX;
use super::spool::Spool;
use super::writer::Worker;
use crate::clock;
use crate::ledger::command::{Command, Outcome};
use crate::session::Millis;
use crate::store::events::{Batch, Taken};
use crate::store::{Result, StoreError};

/// How long the store is left alone after it was found away.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// After the store was away, nothing is ended for having expired for this long, in ms: other servers
/// may know of activity that they could not write either.
const BACK_MS: Millis = 120_000;

/// How long a spool that cannot be read is left alone: facts still go there, and are acknowledged.
const UNREADABLE: Duration = Duration::from_secs(10);

impl Worker {
    /// From now on facts go to the spool; says so once, whoever noticed.
    pub(super) fn goes_away(&mut self) {
        if !self.draining {
            tracing::warn!("the store is away; facts go to the spool");
        }
        self.draining = true;
        self.sessions.set_durable_away(true);
        self.left_alone_until = Some(Instant::now() + RETRY_AFTER);
    }

    /// How long to wait for a command before the spool is looked after.
    pub(super) fn pause(&self) -> Duration {
        self.left_alone_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Replays a batch of the spool, if it is time to try.
    pub(super) async fn drain(&mut self) {
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
                if matches!(error, StoreError::Malformed(_)) {
                    tracing::error!(%error, "the spool cannot be replayed; start the version that wrote it");
                    self.left_alone_until = Some(Instant::now() + UNREADABLE);
                }
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
            let batch = Batch {
                commands: taken,
                taken: Taken::Again,
                local: &self.sessions.local,
                ttl: self.sessions.ttl(),
                now,
            };
            match self.store.commit(batch).await {
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
}

/// How many commands of the spool are replayed at once: half as many after the store did not answer
/// in time, twice as many after it did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion(usize);

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
