//! The options as plain values.

use crate::consent::Choice;

/// What the page chose, as far as it matters here.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) choice: Choice,
    pub(crate) anonymous_before: bool,
    /// The browser itself objects, and that is honoured.
    pub(crate) objected: bool,
    pub(crate) auto_page_views: bool,
    /// The loader sent the landing page view itself, because the page went away.
    pub(crate) landing_sent: bool,
    /// When the landing page was seen, in ms since the Unix epoch.
    pub(crate) landing_at_ms: u64,
    pub(crate) ping_interval_ms: u64,
}
