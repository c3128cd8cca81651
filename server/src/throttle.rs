//! Limits by address and by account.
//!
//! | module | holds |
//! |---|---|
//! | [`budget`] | how much an address may do: so much at once, then so much a minute |
//! | [`guesses`] | which password guess is checked next; pure |
//! | `fair` | a queue in which addresses take turns; pure |
//! | `pace` | the pauses between guesses on one account; pure |
//! | `too_many` | the error when a limit is exceeded |
//! | [`turns`] | waiting for a turn, on the runtime |
//!
//! **By address.** Visits and sessions that begin, and sign-ins. An IPv6 address counts by its /64.
//! Requests with an API key, and those from loopback that were not forwarded, are exempt.
//!
//! The limit of visits counts visits that begin, through any endpoint. Before its commit a request takes as many as it
//! could begin, and afterwards gives back those that did not begin. So simultaneous requests cannot exceed the limit
//! together. A request that would take more than is left is refused as a whole, with 429.
//!
//! An office of 1,000 people behind one address stays below it: if all of them open five sites in the
//! same second, that is 5,000 visits; from then on each may begin two new ones every minute, and a
//! visit lasts until 30 minutes after its last activity.
//!
//! **Guesses of passwords** ([`guesses`]) take turns:
//!
//! 1. Guesses on one account are checked one after the other, however many come at once and from
//!    however many addresses. The first five failures are not delayed; before each further guess
//!    there is a pause, 0.1 s, 0.2 s, 0.4 s and so on, of 5 s at most. A success, or 15 minutes
//!    without a guess, ends that. An account is delayed and never locked. But if more addresses guess
//!    at it than there are turns within the time that a sign-in waits, its owner gets 429.
//! 2. Of the addresses that wait for the same account, the one whose last turn is longest ago is
//!    next; addresses without a recent turn come first. So a flood from one address delays
//!    the owner, who signs in from another, by one guess at most.
//! 3. Argon2id runs on half of the cores. A free core is given by the same rule, over all accounts: the
//!    address whose last turn is longest ago is next, with its oldest guess that is due. If rule 2
//!    puts a guess of another address before that one, the other guess is checked.
//! 4. A guess that would wait longer than 30 seconds by rules 1 to 3 is answered 429 at once. At most
//!    2,048 guesses wait; if one more comes, the address with the most loses its latest. A request whose
//!    client closes the connection leaves the queue.

pub mod budget;
mod fair;
pub mod guesses;
mod pace;
mod too_many;
pub mod turns;

use std::net::IpAddr;

use self::budget::{Allowance, Budget};
pub use self::too_many::TooMany;
use self::turns::Turns;
use crate::session::Millis;

/// Visits and sessions that begin, of one address: as many at once, and as many a minute.
const VISITS: (u32, u32) = (5_000, 2_000);

/// Sign-ins of one address: as many at once, and as many a minute.
const SIGN_INS: (u32, u32) = (2_000, 200);

/// The limits of one server.
#[derive(Debug)]
pub struct Throttle {
    visits: Budget,
    sign_ins: Budget,
    /// Whose guess of a password is judged next.
    pub turns: Turns,
}

impl Throttle {
    /// Limits of a machine on which `passwords` are checked at once.
    #[must_use]
    pub fn new(passwords: usize) -> Self {
        Self { visits: Budget::new(VISITS), sign_ins: Budget::new(SIGN_INS), turns: Turns::new(passwords) }
    }

    /// The visits that an address may still begin; without an address any number.
    #[must_use]
    pub fn visits(&self, address: Option<IpAddr>, now: Millis) -> Allowance<'_> {
        Allowance::of(&self.visits, address, now)
    }

    /// Notes that an address tries to sign in.
    ///
    /// # Errors
    /// It has tried too often.
    pub fn sign_in(&self, address: Option<IpAddr>, now: Millis) -> Result<(), TooMany> {
        // Counted whatever becomes of it.
        Allowance::of(&self.sign_ins, address, now).take(1).map(drop)
    }

    /// Forgets addresses and accounts that have been quiet.
    pub fn forget_quiet(&self, now: Millis) {
        self.turns.forget_quiet();
        self.visits.forget_quiet(now);
        self.sign_ins.forget_quiet(now);
    }
}
