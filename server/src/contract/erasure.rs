//! Erasure: the request, and the outcome.

use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

/// How long late facts of an erased visitor are refused: facts may be seven days old
/// ([`visitflow_protocol::limits::AGE_MS`]), and take a while to arrive.
pub const ERASED_KEPT_MS: Millis = 8 * 24 * 3_600_000;

/// Who asks for an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// A browser.
    Visitor {
        /// The hash of its key, which must be the visitor's.
        key: Option<SecretHash>,
    },
    /// An admin.
    Admin,
    /// An API key.
    Key,
}

impl AskedBy {
    /// Its name in the table `erasures` and in the metrics.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Visitor { .. } => "visitor",
            Self::Admin => "admin",
            Self::Key => "key",
        }
    }
}

/// The request.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    /// The visitor whose data is erased.
    pub visitor: VisitorId,
    /// Who asks.
    pub by: AskedBy,
    /// When.
    pub now: Millis,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// It is erased; also if there was nothing.
    Done,
    /// The browser does not hold the visitor's key; nothing was done.
    NotTheirs,
}

/// What one transaction of an erasure did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// It has erased rows, if there were any.
    Done {
        /// Rows that were deleted or emptied.
        rows: u64,
        /// Sessions of the visitor, ended and emptied.
        ended: Vec<Record>,
        /// Whether nothing is left.
        last: bool,
    },
    /// As [`Erased::NotTheirs`].
    NotTheirs,
}
