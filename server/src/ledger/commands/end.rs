//! Ends a session.
//!
//! Serialised by the token; by the visit, which ends with its last live session.

use serde::{Deserialize, Serialize};

use crate::ledger::known::Wants;
use crate::ledger::rules::{self, Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::token::Proof;
use crate::session::{Millis, Ttl};

/// End the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When the request was received.
    pub now: Millis,
    /// The live token it came with.
    pub presented: Proof,
}

/// What an end did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The session has ended.
    Done,
    /// Another request rotated or ended the session first; nothing was done.
    Lost,
}

impl Rules for End {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.insert(self.presented.tag);
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        if world.end_live(self.presented, self.now) { Outcome::Done } else { Outcome::Lost }
    }

    fn provisional(&self, held: Held<'_>, ttl: Ttl) -> Option<Answer<Outcome>> {
        let mut record = rules::live(held, self.presented, self.now, ttl);
        if let Some(record) = &mut record {
            record.end_provisionally(self.now);
        }
        Answer::kept(Outcome::Done, record)
    }

    fn now(&self) -> Option<Millis> {
        Some(self.now)
    }

    fn changes(&self) -> Option<(Proof, Millis)> {
        Some((self.presented, self.now))
    }

    fn is_lost(outcome: Outcome) -> bool {
        outcome == Outcome::Lost
    }
}
