//! Commands that a batch may leave for a later one, because they concern any number of rows. The state of a plan
//! keeps them, so what they hold is here; what they do is in `commands/link.rs` and `commands/end_sessions.rs`.

use serde::{Deserialize, Serialize};

use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::{Proof, Tag};
use crate::session::visit::VisitorId;

/// What is left of a command.
#[derive(Clone, Debug)]
pub enum Left {
    /// Visits that have no user yet.
    Link(Link),
    /// Sessions that have not ended yet.
    EndSessions(EndSessions),
}

/// Gives a visitor's visits their user: what a sign-in has left to do where there are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Of the visits that began at or before this instant: when the sign-in was received.
    pub until: Millis,
    /// Whose visits.
    pub visitor: VisitorId,
    /// The user of those that have none.
    pub user_id: String,
}

/// Ends sessions of a user: which, and by what right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndSessions {
    /// When the request was received.
    pub now: Millis,
    /// The user.
    pub user_id: String,
    /// The user's live session that asks; none for who needs none.
    pub asking: Option<Proof>,
    /// Which of the user's sessions.
    pub which: Which,
    /// Only those whose visit is of this site; none: of any, or without a visit.
    pub site: Option<String>,
}

/// Which sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// This one.
    One(Tag),
    /// All, but for this one.
    AllBut(Option<Tag>),
}

impl EndSessions {
    /// Whether a session is one of the user's that have not ended.
    #[must_use]
    pub fn is_of(&self, record: &Record) -> bool {
        record.user_id.as_ref() == Some(&self.user_id) && record.ended_at.is_none()
    }
}
