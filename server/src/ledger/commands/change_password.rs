//! Gives a user a new password: the token is replaced, and the user's other sessions end.
//!
//! Serialised by the user's row, and by the token.

use serde::{Deserialize, Serialize};

use crate::ledger::known::Wants;
use crate::ledger::left::{EndSessions, Which};
use crate::ledger::rules::{Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::record::SignedIn;
use crate::session::token::Proof;
use crate::session::{Millis, Ttl};

/// Give a user a new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// When the request was received.
    pub now: Millis,
    /// The live token it came with.
    pub presented: Proof,
    /// The token that replaces it.
    pub candidate: Proof,
    /// The user.
    pub user_id: String,
    /// The hash of the old password, which was verified: if it is not that user's any more at the
    /// commit, or the user is disabled by then, nothing is done.
    pub verified: String,
    /// The hash of the new one.
    pub password_hash: String,
}

/// What it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The password is the new one, and the candidate token is valid now.
    Done,
    /// Another request rotated or ended the session first; nothing was done.
    Lost,
    /// The password has changed since it was verified; nothing was done.
    Stale,
}

impl Rules for ChangePassword {
    type Outcome = Outcome;

    fn wants(&self, wants: &mut Wants, _: Ttl) {
        wants.tokens.insert(self.presented.tag);
        wants.accounts.insert((self.user_id.clone(), self.verified.clone()));
    }

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
        let Self { now, presented, candidate, user_id, verified, password_hash } = self;
        if !world.is_current(user_id, verified) {
            return Outcome::Stale;
        }
        let record = world.live(*presented, *now).filter(|record| record.user_id.as_ref() == Some(user_id));
        let Some(mut record) = record else { return Outcome::Lost };
        let (device, remember) = (record.device.take(), record.remembered);
        record.rotate(*candidate, Some(SignedIn { user_id: user_id.clone(), device, remember }), *now);
        world.put_token(record);
        world.set_password(user_id, password_hash);
        let kept = Some(presented.tag);
        let which = Which::AllBut(kept);
        let others = EndSessions { now: *now, user_id: user_id.clone(), asking: None, which, site: None };
        world.end_all_but(&others, kept);
        Outcome::Done
    }

    /// The old password was checked in the database, and only the database knows which sessions a user has.
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
