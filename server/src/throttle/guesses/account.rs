//! The guesses on one account: how they follow one another.

use std::net::IpAddr;

use crate::session::Millis;
use crate::throttle::fair::FairQueue;
use crate::throttle::pace::Pace;

/// The longest that a guess waits.
pub const PATIENCE_MS: Millis = 30_000;

/// An account on which passwords are guessed. It need not exist.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) pace: Pace,
    pub(super) is_judging: bool,
    pub(super) queue: FairQueue,
}

impl Account {
    pub(super) fn is_idle(&self) -> bool {
        !self.is_judging && self.queue.is_empty()
    }

    pub(super) fn is_open(&self, now: Millis) -> bool {
        !self.is_judging && self.pace.due() <= now
    }

    /// About how long one more guess from an address waits.
    pub(super) fn wait_of(&self, address: IpAddr, cost_ms: Millis, now: Millis) -> Millis {
        let (mut pace, mut at) = (self.pace, now);
        if self.is_judging {
            at += cost_ms;
            pace.wrong(at);
        }
        for _ in 0..self.queue.ahead_of(address) {
            at = at.max(pace.due()) + cost_ms;
            pace.wrong(at);
            if at - now > 2 * PATIENCE_MS {
                break; // it is too long anyway
            }
        }
        at.max(pace.due()) - now
    }
}
