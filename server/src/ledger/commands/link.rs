//! Gives a visitor's visits their user: what a sign-in has left to do where there are many.
//!
//! Serialised by the visitor.

use crate::ledger::bounds::LINKED_MOST;
use crate::ledger::known::Wants;
pub use crate::ledger::left::Link;
use crate::ledger::rules::{Answer, Held, Rules};
use crate::ledger::world::World;
use crate::session::{Millis, Ttl};

/// Its outcome. Nothing reads it.
pub type Outcome = ();

impl Rules for Link {
    type Outcome = Outcome;

    /// The plan finds how many the batch has room for.
    fn wants(&self, _: &mut Wants, _: Ttl) {}

    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) {
        world.link_earlier(self.visitor, &self.user_id, self.until, LINKED_MOST);
    }

    fn provisional(&self, _: Held<'_>, _: Ttl) -> Option<Answer<Outcome>> {
        Answer::kept((), None)
    }

    fn now(&self) -> Option<Millis> {
        None
    }
}
