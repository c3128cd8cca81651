//! The one place that reads the clock, and the text form of instants.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::session::Millis;

/// The current time.
#[must_use]
pub fn now() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}

/// An instant in the form of RFC 3339, as answers give it.
#[must_use]
pub fn rfc3339(at: Millis) -> String {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// Lets something happen at most once a minute, such as a line in the log.
#[derive(Debug)]
pub struct OnceAMinute(AtomicI64);

impl OnceAMinute {
    /// It has not happened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicI64::new(Millis::MIN))
    }

    /// Whether it may happen now; it has happened then.
    pub fn is_due(&self, now: Millis) -> bool {
        let next = |last: Millis| (now >= last.saturating_add(60_000) || now < last).then_some(now);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

impl Default for OnceAMinute {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_is_no_more_often() {
        let line = OnceAMinute::new();
        let said = [0, 1, 59_999, 60_000, 60_001, 500_000].map(|now| line.is_due(now));
        assert_eq!(said, [true, false, false, true, false, true]);
        assert!(line.is_due(400_000), "a clock that was set back silences nothing");
    }
}
