//! Ends sessions of a user: one, or all but the one that asks.
//!
//! Serialised by the user's row.

use crate::ledger::known::Wants;
pub use crate::ledger::left::{EndSessions, Which};
use crate::ledger::rules::{Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::{Millis, Ttl};

/// What it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The sessions have ended, as many as a batch has room for. The rest is left for later batches.
    Done,
    /// Another request rotated or ended the session that asks; nothing was done.
    Lost,
    /// The user has no such session. Nothing was done.
    Missing,
}

impl Rules for EndSessions {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.extend(self.asking.map(|asking| asking.tag));
        match self.which {
            Which::One(tag) => _ = wants.tokens.insert(tag),
            Which::AllBut(_) => {} // the plan finds how many the batch has room for
        }
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        if let Some(asking) = self.asking
            && world.live(asking, self.now).is_none_or(|record| !self.is_of(&record))
        {
            return Outcome::Lost;
        }
        match self.which {
            Which::One(tag) if !world.end_those(self, &[tag]) => return Outcome::Missing,
            Which::One(_) => {}
            Which::AllBut(kept) => world.end_all_but(self, kept),
        }
        Outcome::Done
    }

    /// Only the database knows which sessions a user has.
    fn provisional(&self, _: Held<'_>, _: Ttl) -> Option<Answer<Outcome>> {
        None
    }

    fn now(&self) -> Option<Millis> {
        Some(self.now)
    }

    fn is_lost(outcome: Outcome) -> bool {
        outcome == Outcome::Lost
    }
}
