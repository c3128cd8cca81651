//! Signs out: the token is replaced, and the user leaves the session.
//!
//! Serialised by the token.

use serde::{Deserialize, Serialize};

use crate::ledger::known::Wants;
use crate::ledger::rules::{self, Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::token::Proof;
use crate::session::{Millis, Ttl};

/// Sign out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// When the request was received.
    pub now: Millis,
    /// The live token it came with.
    pub presented: Proof,
    /// The token that replaces it.
    pub candidate: Proof,
}

/// What a sign-out did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The candidate token is valid now.
    Done,
    /// Another request rotated or ended the session first; nothing was done.
    Lost,
}

impl Rules for SignOut {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.insert(self.presented.tag);
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        match world.live(self.presented, self.now) {
            Some(mut record) => {
                record.rotate(self.candidate, None, self.now);
                world.put_token(record);
                Outcome::Done
            }
            None if world.has_had(self.candidate) => Outcome::Done,
            None => Outcome::Lost,
        }
    }

    fn provisional(&self, held: Held<'_>, ttl: Ttl) -> Option<Answer<Outcome>> {
        let Some(mut record) = rules::live(held, self.presented, self.now, ttl) else {
            return Answer::lost(Outcome::Lost);
        };
        record.rotate(self.candidate, None, self.now);
        Answer::kept(Outcome::Done, Some(record))
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
