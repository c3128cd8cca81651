//! Stops measuring: the session leaves its visit. If somebody is signed in, that stays so under a new token; a session
//! without a user ends.
//!
//! Serialised by the token; by the visit, which ends with its last live session.

use serde::{Deserialize, Serialize};

use crate::ledger::known::Wants;
use crate::ledger::rules::{self, Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::record::{After, Standing};
use crate::session::token::Proof;
use crate::session::{Millis, Ttl};

/// Take the session out of its visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    /// When the request was received.
    pub now: Millis,
    /// The token it came with: live, or replaced a moment ago.
    pub presented: Proof,
    /// The token that replaces it if somebody is signed in.
    pub candidate: Proof,
}

/// What it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The user stays signed in: the candidate token is valid now.
    Rotated,
    /// The session has ended.
    Ended,
    /// Another request rotated or ended the session first. If the session was still in the visit, it has left it, and
    /// keeps its token.
    Lost,
}

impl Rules for Forget {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.insert(self.presented.tag);
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        let Self { now, presented, candidate } = *self;
        let Some(mut record) = world.token(presented.tag).cloned() else { return Outcome::Lost };
        let left = record.visit_of(&presented.hash);
        let outcome = match record.standing(&presented.hash, now, world.ttl) {
            Standing::Live if record.user_id.is_some() => {
                record.forget(candidate, now);
                Outcome::Rotated
            }
            Standing::Live => {
                record.end(now);
                Outcome::Ended
            }
            // A sign-in or a sign-out was first, and its answer has the newer token. The session has not
            // left the visit yet: now it does, and keeps that token.
            Standing::Grace(After::Rotation) if left.is_some() && record.visit_id == left => {
                record.set_visit(None);
                Outcome::Lost
            }
            _ if record.has_had(&candidate.hash) => return Outcome::Rotated,
            _ => return Outcome::Lost,
        };
        world.put_token(record);
        if let Some(visit_id) = left {
            world.end_visit_if_deserted(visit_id, now);
        }
        outcome
    }

    /// It is kept even if it came too late: the session leaves the visit anyway.
    fn provisional(&self, held: Held<'_>, ttl: Ttl) -> Option<Answer<Outcome>> {
        let Some(mut record) = rules::live(held, self.presented, self.now, ttl) else {
            return Answer::kept(Outcome::Lost, None);
        };
        let outcome = if record.user_id.is_some() {
            record.forget(self.candidate, self.now);
            Outcome::Rotated
        } else {
            record.end_provisionally(self.now);
            Outcome::Ended
        };
        Answer::kept(outcome, Some(record))
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
