//! What the ledger and the writer ask every command. Each command answers in its own file in `commands`.

use super::known::Wants;
use super::world::World;
use crate::session::record::{Record, Standing};
use crate::session::token::{Proof, Tag};
use crate::session::{Millis, Ttl};

/// The rules of one command.
pub(super) trait Rules {
    /// What it did.
    type Outcome: Copy;

    /// Notes what it will certainly want to know. For nearly all batches that is everything, so that one look-up is
    /// enough.
    fn wants(&self, wants: &mut Wants, ttl: Ttl);

    /// Does it.
    fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Self::Outcome;

    /// Its provisional answer while the database is away; none if it needs the database.
    fn provisional(&self, held: Held<'_>, ttl: Ttl) -> Option<Answer<Self::Outcome>>;

    /// When it was received.
    fn now(&self) -> Option<Millis>;

    /// How much work it is, in facts.
    fn weight(&self) -> usize {
        1
    }

    /// Whether a ping asked for it. The metrics count what is refused of pings apart.
    fn is_of_ping(&self) -> bool {
        false
    }

    /// The candidate token, if it may begin a session.
    fn begins(&self) -> Option<Proof> {
        None
    }

    /// The token whose session it changes, and when.
    fn changes(&self) -> Option<(Proof, Millis)> {
        None
    }

    /// The outcome that is answered if the database refuses the command because of its content: it is kept in
    /// `dead_letters` then. None: the request has failed.
    fn set_aside(&self) -> Option<Self::Outcome> {
        None
    }

    /// Whether another request was first, so that nothing was done.
    fn is_lost(_: Self::Outcome) -> bool {
        false
    }

    /// Whether the candidate token is valid now.
    fn has_begun(_: Self::Outcome) -> bool {
        false
    }

    /// What of it was not stored.
    fn refused(_: Self::Outcome) -> Refused {
        Refused::default()
    }
}

/// Facts and starts of which nothing was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Of a visitor whose data was erased.
    pub erased: u32,
    /// Of a site that is not counted.
    pub of_other_sites: u32,
}

/// A provisional answer.
#[derive(Clone, Debug)]
pub struct Answer<O> {
    /// The outcome that is certain.
    pub outcome: O,
    /// The session that it begins or changes, as it is until the database is back.
    pub record: Option<Record>,
    /// Whether the command goes to the spool. What came too late is not done later.
    pub is_kept: bool,
}

impl<O> Answer<O> {
    /// The replay does the rest.
    pub(super) fn kept(outcome: O, record: Option<Record>) -> Option<Self> {
        Some(Self { outcome, record, is_kept: true })
    }

    /// Another request was first.
    pub(super) fn lost(outcome: O) -> Option<Self> {
        Some(Self { outcome, record: None, is_kept: false })
    }
}

/// Tells a session as this process has it.
pub type Held<'h> = &'h dyn Fn(Tag) -> Option<Record>;

/// The session of a token that is live by what this process has.
pub(super) fn live(held: Held<'_>, presented: Proof, now: Millis, ttl: Ttl) -> Option<Record> {
    let record = held(presented.tag)?;
    (record.standing(&presented.hash, now, ttl) == Standing::Live).then_some(record)
}

/// What a server knew when it answered a command provisionally, while the database was away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provisional {
    /// The generation of the session that the command changes; none if it changes none, or the server could not
    /// judge the token.
    pub rests_on: Option<u64>,
    /// Whether it may wait until another server has stored what it rests on.
    pub waits: bool,
}
