//! Ends a session that servers have changed provisionally, beyond what is stored: only servers that cannot reach the
//! database have it as it is.
//!
//! Serialised by the token.

use serde::{Deserialize, Serialize};

use crate::ledger::endings::Overruled;
use crate::ledger::known::Wants;
use crate::ledger::rules::{Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::token::Proof;
use crate::session::{Millis, Ttl};

/// End a session that was changed provisionally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndProvisional {
    /// When.
    pub now: Millis,
    /// Its token, live by what a server knew.
    pub presented: Proof,
    /// The generation of the session that the server knew.
    pub rests_on: u64,
}

/// What it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The session has ended.
    Done,
    /// Another request rotated or ended the session first. What is stored stays.
    Lost,
}

impl Rules for EndProvisional {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.insert(self.presented.tag);
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        let Self { now, presented, rests_on } = *self;
        if world.end_live(presented, now) {
            return Outcome::Done;
        }
        match world.overrule(presented, rests_on, false, now) {
            Overruled::Ended | Overruled::Early => Outcome::Done,
            Overruled::Kept => Outcome::Lost,
        }
    }

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
