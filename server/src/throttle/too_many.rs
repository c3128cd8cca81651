//! The error when a limit is exceeded.

use crate::session::Millis;

/// A limit is exceeded; nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// After how many seconds to try again.
    pub retry_after_s: u32,
}

impl TooMany {
    pub(super) fn for_ms(wait: Millis) -> Self {
        let seconds = wait.max(0).saturating_add(999) / 1_000;
        Self { retry_after_s: u32::try_from(seconds).unwrap_or(60).clamp(1, 60) }
    }
}
