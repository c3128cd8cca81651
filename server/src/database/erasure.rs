//! Erasure: which rows each piece deletes. Each database does one [`Piece`] at a time, each in one
//! transaction under its one lock, in `sqlite/erase.rs` and `postgres/erase.rs`.
//!
//! Invariant: a piece reads and deletes a bounded number of the visitor's rows, however many there are.
//!
//! Invariant: after the last one no row names the visitor or one of the visits, and none arrives later: a hash of
//! the `visitor_id`, stored with the first piece, refuses late facts ([`crate::ledger`]). Facts that arrive
//! meanwhile, in a visit that still exists, are deleted with it. Rows of sessions stay until the sweep, ended and
//! emptied: other servers, and a Redis that was away, must learn that they have ended.

use uuid::Uuid;

use crate::contract::erasure::AskedBy;
#[cfg(doc)]
use crate::contract::erasure::Piece;
use crate::session::Millis;
use crate::session::record::Record;
use crate::session::token::SecretHash;
use crate::session::visit::VisitorId;

/// Facts of a visit are looked for from this long before its start until this long after its end, over the index on
/// their time. If that finds fewer than the visit has counted, they are looked for in the whole table.
pub(super) const AROUND_MS: Millis = 2 * 3_600_000;

/// Most visits of a piece, and most rows of each other table except those of facts.
pub const ROWS_AT_ONCE: usize = 500;

/// Most facts of the visits of a piece, together. From a visit that has more, a piece takes so many facts.
pub const FACTS_AT_ONCE: usize = 2_000;

/// Longest time in which a piece looks for facts, because it reads other visitors' facts of that time, too.
const STRETCH_MS: Millis = 6 * 3_600_000;

/// A visit to delete, and the time in which its facts are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    fn facts(&self) -> i64 {
        self.page_views + self.events
    }
}

/// Which of the visits that were found a piece takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share<'a> {
    /// These, with everything that belongs to them.
    Whole(&'a [Gone]),
    /// Some facts of one visit.
    Part(&'a Gone),
}

/// As many visits as one piece can take, in their order: at least one, or a part of it.
pub(super) fn share(visits: &[Gone]) -> Share<'_> {
    let most = FACTS_AT_ONCE as i64;
    if let Some(first) = visits.first().filter(|first| first.facts() > most) {
        return Share::Part(first);
    }
    let (mut facts, mut time, mut until) = (0, 0, Millis::MIN);
    let fits = |visit: &&Gone| {
        facts += visit.facts();
        time += visit.until.saturating_sub(visit.since.max(until.min(visit.until)));
        until = until.max(visit.until);
        facts <= most && time <= STRETCH_MS
    };
    let fitting = visits.iter().take_while(fits).count();
    Share::Whole(&visits[..fitting.max(1).min(visits.len())])
}

/// A stretch of time, and the visits whose facts are looked for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) since: Millis,
    pub(super) until: Millis,
    pub(super) visits: Vec<Uuid>,
}

/// The times in which the facts of these visits are looked for. They do not overlap, so no fact is read twice, even if
/// there are many visits at one time.
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

/// The counters of a visit after so many of its facts were deleted. If none was found, it has none.
pub(super) fn left(visit: &Gone, page_views: u64, events: u64) -> (i32, i32) {
    if page_views + events == 0 {
        return (0, 0);
    }
    let left = |counted: i64, deleted: u64| {
        i32::try_from(counted.saturating_sub_unsigned(deleted).max(0)).unwrap_or(i32::MAX)
    };
    (left(visit.page_views, page_views), left(visit.events, events))
}

/// Whether a request may erase the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes.
    Granted,
    /// The erasure has begun, or is finished. Anybody may request the rest of it: the browser that asked may have
    /// missed the answer, and the last piece has deleted the key.
    Repeated,
    /// No.
    Refused,
}

impl Admission {
    /// Decides by the visitor's stored key, and by whether the visitor's erasure has begun.
    pub(super) fn of(by: AskedBy, stored_key: Option<SecretHash>, erased: bool) -> Self {
        match by {
            AskedBy::Admin | AskedBy::Key => Self::Granted,
            AskedBy::Visitor { key } if key.is_some() && key == stored_key => Self::Granted,
            AskedBy::Visitor { .. } if erased => Self::Repeated,
            AskedBy::Visitor { .. } => Self::Refused,
        }
    }
}

/// What identifies a dead letter as the visitor's: it names the visitor, a visit or a session.
pub(super) fn marks(visitor: VisitorId, visits: &[Gone], sessions: &[Record]) -> Vec<String> {
    let visits = visits.iter().map(|visit| visit.id.to_string());
    let sessions = sessions.iter().map(|record| record.tag.to_string());
    std::iter::once(visitor.to_string()).chain(visits).chain(sessions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(id: u128, hour: Millis, page_views: i32) -> Gone {
        Gone::new(Uuid::from_u128(id), hour * 3_600_000, hour * 3_600_000, page_views, 0)
    }

    #[test]
    fn a_browser_needs_the_key_until_the_erasure_has_begun() {
        let hash = |byte| Some(SecretHash::from_bytes([byte; 32]));
        let asked = |key, stored, erased| Admission::of(AskedBy::Visitor { key }, stored, erased);
        assert_eq!(asked(hash(1), hash(1), false), Admission::Granted);
        for (key, stored) in [(None, None), (None, hash(1)), (hash(1), None), (hash(2), hash(1))] {
            assert_eq!(asked(key, stored, false), Admission::Refused);
            assert_eq!(asked(key, stored, true), Admission::Repeated);
        }
        for by in [AskedBy::Admin, AskedBy::Key] {
            assert_eq!(Admission::of(by, None, false), Admission::Granted);
        }
    }

    #[test]
    fn a_piece_takes_visits_of_a_bounded_number_of_facts_and_a_bounded_time() {
        let whole = |visits: &[Gone]| match share(visits) {
            Share::Whole(taken) => taken.len(),
            Share::Part(_) => 0,
        };
        assert_eq!(whole(&[]), 0);
        let at_once: Vec<Gone> = (0..500).map(|n| gone(n, 0, 4)).collect();
        assert_eq!(whole(&at_once), 500, "all of one time");
        let busy: Vec<Gone> = (0..500).map(|n| gone(n, 0, 500)).collect();
        assert_eq!(whole(&busy), 4);
        let daily: Vec<Gone> = (0..500).map(|n| gone(n, 24 * n as Millis, 1)).collect();
        assert_eq!(whole(&daily), 1, "each of another time");
        let hourly: Vec<Gone> = (0..500).map(|n| gone(n, n as Millis, 1)).collect();
        assert_eq!(whole(&hourly), 3);
        assert_eq!(whole(&[gone(0, 0, 2_000), gone(1, 0, 1)]), 1);
        assert_eq!(share(&[gone(0, 0, 2_001)]), Share::Part(&gone(0, 0, 2_001)));
    }

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
