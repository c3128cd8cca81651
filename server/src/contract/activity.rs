//! Activity in sessions and visits, as far as it is not in the database.

use std::fmt::Debug;

use uuid::Uuid;

use crate::ledger::Known;
use crate::session::Millis;
use crate::session::token::Tag;
use crate::session::visit::Span;

/// Activity that the database does not know yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slides {
    /// Of sessions.
    pub sessions: Vec<(Tag, Millis)>,
    /// Of visits.
    pub visits: Vec<(Uuid, Span)>,
}

/// The session cache as a batch needs it: it has activity that the database does not have yet.
pub trait CachedActivity: Debug + Sync {
    /// Brings what was looked up for a batch up to date.
    fn freshen(&self, known: &mut Known);
}
