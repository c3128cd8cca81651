//! The one place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::session::Millis;

/// Now.
#[must_use]
pub fn now() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}
