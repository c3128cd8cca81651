//! What a request brings to prove its session.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::limits::Millis;
use super::record::After;
use super::token::Proof;

/// What keeps a session alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The visitor did something: session and visit go on.
    Visitor(Millis),
    /// A backend asked about a signed-in session: the session goes on, the visit does not.
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

/// What a request brings to prove its session, judged when it arrived.
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
    /// A token that nobody could judge when it arrived, for the stores were away: the ledger judges
    /// it by the record, as of the instant of its arrival.
    Unverified(Proof),
    /// A token whose session was erased with its visitor: what names nobody else is refused.
    Erased,
    /// Nothing that counts.
    Nothing,
}

impl Caller {
    /// The visit that the request belongs to, as far as its session says.
    #[must_use]
    pub fn visit_id(&self) -> Option<Uuid> {
        match self {
            Self::Live { visit_id, .. } | Self::Grace { visit_id, .. } => *visit_id,
            Self::Unverified(_) | Self::Erased | Self::Nothing => None,
        }
    }
}
