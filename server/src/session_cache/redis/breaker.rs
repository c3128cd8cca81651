//! When calls are tried: a circuit breaker, as a function of state, outcome and `now`.

use std::time::{Duration, Instant};

/// How many failures in a row open it. One or two may be chance; after the third, waiting for the time-out is
/// useless.
const FAILURES: u8 = 3;

/// How long calls fail at once before one is tried. Also how long the outcome of that one is awaited: it may have
/// been cancelled.
const OPEN_FOR: Duration = Duration::from_secs(1);

/// What the breaker does with calls; for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// Calls fail at once.
    Open,
    /// One call is tried.
    HalfOpen,
}

/// The breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaker {
    Closed { failures: u8 },
    Open { since: Instant },
    HalfOpen { since: Instant },
}

/// A call that may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// An ordinary call.
    Usual,
    /// The one whose outcome decides about the others.
    Probe,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    pub(super) fn state(self) -> BreakerState {
        match self {
            Self::Closed { .. } => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether a call may be made at `now`.
    pub(super) fn admit(self, now: Instant) -> (Self, Option<Ticket>) {
        match self {
            Self::Closed { .. } => (self, Some(Ticket::Usual)),
            Self::Open { since } | Self::HalfOpen { since } if now - since < OPEN_FOR => (self, None),
            Self::Open { .. } | Self::HalfOpen { .. } => (Self::HalfOpen { since: now }, Some(Ticket::Probe)),
        }
    }

    /// Takes the outcome of a call. A call from before the breaker opened is ignored.
    pub(super) fn after(self, ticket: Ticket, succeeded: bool, now: Instant) -> Self {
        match (self, ticket, succeeded) {
            (Self::Closed { .. }, _, true) | (Self::HalfOpen { .. }, Ticket::Probe, true) => Self::default(),
            (Self::Closed { failures }, _, false) if failures + 1 < FAILURES => {
                Self::Closed { failures: failures + 1 }
            }
            (Self::Closed { .. }, _, false) | (Self::HalfOpen { .. }, Ticket::Probe, false) => {
                Self::Open { since: now }
            }
            (Self::Open { .. }, ..) | (Self::HalfOpen { .. }, Ticket::Usual, _) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant) -> Breaker {
        (0..FAILURES).fold(Breaker::default(), |breaker, _| breaker.after(Ticket::Usual, false, now))
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_two_do_not() {
        let now = Instant::now();
        let failed = |breaker: Breaker| breaker.after(Ticket::Usual, false, now);
        let twice = failed(failed(Breaker::default()));
        assert_eq!(twice.state(), BreakerState::Closed);
        assert_eq!(failed(failed(twice.after(Ticket::Usual, true, now))).state(), BreakerState::Closed);
        assert_eq!(failed(twice).state(), BreakerState::Open);
    }

    #[test]
    fn while_it_is_open_nothing_passes_for_a_second() {
        let now = Instant::now();
        let open = opened(now);
        assert_eq!(open.admit(now + OPEN_FOR - Duration::from_millis(1)), (open, None));
        let (half, ticket) = open.admit(now + OPEN_FOR);
        assert_eq!((half.state(), ticket), (BreakerState::HalfOpen, Some(Ticket::Probe)));
    }

    #[test]
    fn one_probe_decides() {
        let now = Instant::now();
        let later = now + OPEN_FOR;
        let (half, _) = opened(now).admit(later);
        assert_eq!(half.admit(later), (half, None));
        assert_eq!(half.after(Ticket::Probe, true, later), Breaker::default());
        assert_eq!(half.after(Ticket::Probe, false, later), Breaker::Open { since: later });
    }

    #[test]
    fn a_call_from_before_it_opened_decides_nothing() {
        let now = Instant::now();
        let open = opened(now);
        assert_eq!(open.after(Ticket::Usual, true, now), open);
        let (half, _) = open.admit(now + OPEN_FOR);
        assert_eq!(half.after(Ticket::Usual, true, now + OPEN_FOR), half);
        assert_eq!(half.after(Ticket::Usual, false, now + OPEN_FOR), half);
    }

    #[test]
    fn a_probe_that_never_ends_is_followed_by_another() {
        let now = Instant::now();
        let (half, _) = opened(now).admit(now + OPEN_FOR);
        let (_, ticket) = half.admit(now + OPEN_FOR + OPEN_FOR);
        assert_eq!(ticket, Some(Ticket::Probe));
    }
}
