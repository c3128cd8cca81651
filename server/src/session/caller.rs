//! Who sends a request, according to its session; and activity.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::limits::Millis;
use super::record::After;
use super::token::Proof;

/// What keeps a session alive, and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The visitor did something: it prolongs session and visit.
    Visitor(Millis),
    /// A backend asked about a signed-in session: it prolongs the session, but not the visit.
    Backend(Millis),
}

impl Activity {
    /// When.
    #[must_use]
    pub fn at(self) -> Millis {
        match self {
            Self::Visitor(at) | Self::Backend(at) => at,
        }
    }
}

/// Who sends a request, according to its session at the time of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Caller {
    /// A live session.
    Live {
        /// Its token.
        token: Proof,
        /// Its visit, if it has one.
        visit_id: Option<Uuid>,
    },
    /// A token in the grace period, rotated or ended a moment ago: its facts still reach their visit.
    Grace {
        /// The token.
        token: Proof,
        /// The visit, if it had one.
        visit_id: Option<Uuid>,
        /// What the grace period began with.
        after: After,
    },
    /// A token that could not be judged when it arrived, because the database and Redis were away: the ledger judges
    /// it by the record, as of the time of arrival.
    Unverified(Proof),
    /// A token whose session was erased with its visitor: facts that name no other visitor are refused.
    Erased,
    /// No token, or one that is dead.
    Nothing,
}

impl Caller {
    /// The visit of the session, if there is one.
    #[must_use]
    pub fn visit_id(&self) -> Option<Uuid> {
        match self {
            Self::Live { visit_id, .. } | Self::Grace { visit_id, .. } => *visit_id,
            Self::Unverified(_) | Self::Erased | Self::Nothing => None,
        }
    }
}
