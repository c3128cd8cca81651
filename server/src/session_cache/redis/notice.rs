//! What Redis reports about changes.

use crate::session::Millis;
use crate::session::token::Tag;

/// What Redis reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A server, perhaps this one, has changed this record: drop the local copy.
    Changed(Tag),
    /// All changes until this instant have been reported before.
    CaughtUp(Millis),
    /// The connection is gone: every local copy may be stale.
    Lost,
    /// Connected (again), possibly to another, an emptied or an older Redis: re-apply what was
    /// changed recently, then call [`Redis::trust`](super::Redis::trust).
    Connected {
        /// Names this connection.
        epoch: u64,
    },
}
