//! A batch of commands, and what it did: for the writer of either database.

use crate::contract::activity::CachedActivity;
use crate::ledger::commands::{Command, Outcome};
use crate::ledger::{self, Known, Plan, Provisional, Wants};
use crate::session::record::Record;
use crate::session::{Millis, Ttl};

/// How long ended tokens and replaced secrets are kept, for requests and replays that still present them.
pub const ENDED_KEPT_MS: Millis = 24 * 3_600_000;

/// A session is ended on behalf of its limits this long after them. Until then another server may
/// know of activity that is not written yet. Hits are judged by the limits themselves.
pub const SWEEP_DELAY_MS: Millis = 60_000;

/// Whether commands are applied for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken<'a> {
    /// From requests that wait for them: their candidate tokens are new.
    First,
    /// From the spool: they may have been applied before. What was known when they were answered; nothing of the
    /// rest of such commands.
    Again(&'a [Provisional]),
}

impl<'a> Taken<'a> {
    pub(super) fn provisional(self) -> &'a [Provisional] {
        match self {
            Self::First => &[],
            Self::Again(provisional) => provisional,
        }
    }
}

/// A batch of commands, and what is needed to apply it.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// In the order in which they are applied.
    pub commands: &'a [Command],
    /// Whether they come for the first time.
    pub taken: Taken<'a>,
    /// The activity that the database does not have yet.
    pub activity: &'a dyn CachedActivity,
    /// The limits of sessions.
    pub ttl: Ttl,
    /// The time that its changes get: later than anything that others have read.
    pub now: Millis,
}

impl Batch<'_> {
    /// What is to be looked up first, and what is known without a look-up.
    pub(super) fn first_wants(&self) -> (Known, Wants) {
        let (mut known, mut wants) = (Known::default(), ledger::first_wants(self.commands, self.ttl));
        if self.taken == Taken::First {
            ledger::assume_they_are_new(self.commands, &mut wants, &mut known);
        }
        (known, wants)
    }
}

/// What a committed batch did.
#[derive(Debug, Default)]
pub struct Committed {
    /// The outcome of each command, in their order.
    pub outcomes: Vec<Outcome>,
    /// The records of tokens that changed.
    pub changed: Vec<Record>,
    /// The rest of commands, by their place: see [`Plan::left`].
    pub left: Vec<(usize, Command)>,
}

impl From<Plan<'_>> for Committed {
    fn from(Plan { outcomes, changes, left }: Plan<'_>) -> Self {
        Self { outcomes, changed: changes.tokens, left }
    }
}
