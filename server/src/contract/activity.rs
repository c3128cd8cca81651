//! Activity of sessions and visits that the database does not have yet.

use std::fmt::Debug;

use uuid::Uuid;

use crate::ledger::Known;
use crate::session::Millis;
use crate::session::token::Tag;
use crate::session::visit::Span;

/// Activity that the database does not have yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slides {
    /// Of sessions.
    pub sessions: Vec<(Tag, Millis)>,
    /// Of visits.
    pub visits: Vec<(Uuid, Span)>,
}

/// The session cache as a batch needs it: it has activity that the database does not have yet.
pub trait CachedActivity: Debug + Sync {
    /// Adds the activity to what was looked up for a batch.
    fn freshen(&self, known: &mut Known);
}
