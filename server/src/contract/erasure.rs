//! Erasure: what is asked, what was done.

use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

/// How long what comes late of an erased visitor is refused: facts may be seven days old
/// ([`visitflow_protocol::limits::AGE_MS`]), and are on their way for a while.
pub const ERASED_KEPT_MS: Millis = 8 * 24 * 3_600_000;

/// Who asks for an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// A browser.
    Visitor {
        /// The hash of the key that it holds: it must be the visitor's.
        key: Option<SecretHash>,
    },
    /// An admin.
    Admin,
    /// An API key.
    Key,
}

impl AskedBy {
    /// As the log of erasures and the metrics say it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Visitor { .. } => "visitor",
            Self::Admin => "admin",
            Self::Key => "key",
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    /// Whose data is to go.
    pub visitor: VisitorId,
    /// Who asks.
    pub by: AskedBy,
    /// When.
    pub now: Millis,
}

/// What was done.
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
    /// It has erased something, if anything was there.
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
