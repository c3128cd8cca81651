//! The answer to what goes beyond a limit.

use crate::session::Millis;

/// Too much of something: what was asked for is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Seconds after which it may be tried again.
    pub retry_after_s: u32,
}

impl TooMany {
    pub(super) fn for_ms(wait: Millis) -> Self {
        let seconds = wait.max(0).saturating_add(999) / 1_000;
        Self { retry_after_s: u32::try_from(seconds).unwrap_or(60).clamp(1, 60) }
    }
}
