//! Erasure: what is asked, what was done. Each database does it in one transaction under its one
//! lock, in `sqlite/erase.rs` and `postgres/erase.rs`.
//!
//! Invariant: after it no row names the visitor or one of the visits, and none comes: a hash of the
//! `visitor_id` refuses what is late ([`crate::ledger`]). Rows of sessions stay until they are swept,
//! ended and emptied: other servers, and a Redis that comes back, must hear that they are dead.

use uuid::Uuid;

use crate::session::Millis;
use crate::session::record::Record;
use crate::session::visit::VisitorId;

/// How long what comes late of an erased visitor is refused: facts may be seven days old
/// ([`visitflow_protocol::limits::AGE_MS`]), and are on their way for a while.
pub const ERASED_KEPT_MS: Millis = 8 * 24 * 3_600_000;

/// Facts of a visit are looked for from this long before its start until this long after its end,
/// over the index on their time. If fewer are there than the visit has counted, everywhere.
pub(super) const AROUND_MS: Millis = 2 * 3_600_000;

/// Who asks for an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// A browser, whose session has this visit: that must be the visitor's.
    Visitor(Uuid),
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
            Self::Visitor(_) => "visitor",
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
    Done {
        /// Rows that were deleted or emptied.
        rows: u64,
        /// The sessions of the visitor, ended and emptied.
        ended: Vec<Record>,
    },
    /// The browser's visit is another visitor's; nothing was done.
    NotTheirs,
}

/// A visit that was deleted, and where its facts are to be looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone {
    pub(super) id: Uuid,
    pub(super) since: Millis,
    pub(super) until: Millis,
    pub(super) page_views: i64,
    pub(super) events: i64,
}

impl Gone {
    pub(super) fn new(id: Uuid, began: Millis, ended: Millis, page_views: i32, events: i32) -> Self {
        let (since, until) = (began.saturating_sub(AROUND_MS), ended.saturating_add(AROUND_MS));
        Self { id, since, until, page_views: page_views.into(), events: events.into() }
    }
}

/// A stretch of time, and the visits whose facts are looked for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) since: Millis,
    pub(super) until: Millis,
    pub(super) visits: Vec<Uuid>,
}

/// Where the facts of these visits are looked for: stretches that do not overlap, so that no fact is
/// looked at twice, however many visits there are at one time.
pub(super) fn stretches(visits: &[Gone]) -> Vec<Stretch> {
    let mut ordered: Vec<&Gone> = visits.iter().collect();
    ordered.sort_unstable_by_key(|visit| visit.since);
    let mut stretches: Vec<Stretch> = Vec::new();
    for Gone { id, since, until, .. } in ordered {
        match stretches.last_mut().filter(|stretch| *since <= stretch.until) {
            Some(stretch) => {
                stretch.until = stretch.until.max(*until);
                stretch.visits.push(*id);
            }
            None => stretches.push(Stretch { since: *since, until: *until, visits: vec![*id] }),
        }
    }
    stretches
}

/// Whether a browser may ask, by whose its visit is: none if the visit is not there. `erased`: the
/// visitor has been erased already, perhaps by this very browser, which did not hear the answer.
pub(super) fn may_ask(visitor: VisitorId, of_visit: Option<Option<&str>>, erased: bool) -> bool {
    match of_visit {
        Some(of_visit) => of_visit == Some(visitor.to_string().as_str()),
        None => erased,
    }
}

/// What tells that a command set aside is the visitor's: it names the visitor, a visit or a session.
pub(super) fn marks(visitor: VisitorId, visits: &[Gone], sessions: &[Record]) -> Vec<String> {
    let visits = visits.iter().map(|visit| visit.id.to_string());
    let sessions = sessions.iter().map(|record| record.tag.to_string());
    std::iter::once(visitor.to_string()).chain(visits).chain(sessions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_of_one_time_are_looked_for_together() {
        let visit =
            |id: u128, since, until| Gone { id: Uuid::from_u128(id), since, until, page_views: 1, events: 0 };
        let visits = [visit(3, 50, 60), visit(1, 0, 10), visit(2, 10, 30), visit(4, 5, 8)];
        let ids = |ids: &[u128]| ids.iter().copied().map(Uuid::from_u128).collect();
        assert_eq!(
            stretches(&visits),
            [
                Stretch { since: 0, until: 30, visits: ids(&[1, 4, 2]) },
                Stretch { since: 50, until: 60, visits: ids(&[3]) }
            ]
        );
    }
}
