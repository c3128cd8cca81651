//! What Redis tells of changes.

use crate::session::Millis;
use crate::session::token::Tag;

/// What Redis tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody, this server included, has changed this record: forget the local copy.
    Changed(Tag),
    /// All changes until this instant have been told of before.
    HeardUntil(Millis),
    /// Everything that was copied locally may be stale.
    Lost,
    /// Connected (again), possibly to another, an emptied or an older Redis: re-apply what was
    /// changed recently, then call [`Redis::trust`](super::Redis::trust).
    Connected {
        /// Names this connection.
        epoch: u64,
    },
}
