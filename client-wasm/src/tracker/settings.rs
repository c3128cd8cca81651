//! The options as plain values.

use crate::consent::Choice;

/// What the page chose, as far as it matters here.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) choice: Choice,
    pub(crate) anonymous_before: bool,
    pub(crate) counts_views: bool,
    pub(crate) ping_interval_ms: u64,
}
