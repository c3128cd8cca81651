//! What the writer is asked to do, and how much of it at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::contract::erasure::{Erased, Erasure};
use crate::database::error::Result;
use crate::ledger::commands::{Command, Outcome};
use crate::session::Millis;

/// Most commands in one commit.
pub const BATCH_MAX: usize = 1_024;

/// A commit takes no further command once it holds so many facts: an array holds up to 100, and the commands
/// behind this commit should wait for milliseconds only.
pub(super) const BATCH_FACTS: usize = 2_048;

/// A command, and the request that waits for its outcome.
pub(super) struct Waiting {
    pub(super) command: Command,
    pub(super) reply: oneshot::Sender<Result<Outcome>>,
    /// The outcome of the request's own command, if this one is the rest of it.
    pub(super) done: Option<Outcome>,
}

/// What the writer is asked to do.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every job is a commit, and a box would cost each an allocation"
)]
pub(super) enum Job {
    /// Commit and answer.
    Commit(Command, oneshot::Sender<Result<Outcome>>),
    /// Erase a visitor, after the commits that came before.
    Erase(Erasure, oneshot::Sender<Result<Erased>>),
    /// Read what other processes have changed.
    Tick(Millis),
    /// Write activity, end what has expired, delete what is long over.
    Sweep(Millis, oneshot::Sender<Result<()>>),
    /// Write something, to find out whether the disk is full or gone.
    Probe(Millis, oneshot::Sender<Result<()>>),
    /// Commit what came before, then end.
    Stop,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// When a commit failed last.
pub(super) fn lock(failed_at: &Mutex<Option<Instant>>) -> MutexGuard<'_, Option<Instant>> {
    failed_at.lock().unwrap_or_else(PoisonError::into_inner)
}
