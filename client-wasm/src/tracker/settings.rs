//! The options as plain values.

use crate::{consent::Choice, views};

/// What the page chose, and where it was when the loader ran.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) choice: Choice,
    pub(crate) anonymous_before: bool,
    /// The browser itself objects, and that is honoured.
    pub(crate) objected: bool,
    pub(crate) auto_page_views: bool,
    pub(crate) ping_interval_ms: u64,
    pub(crate) landing_url: String,
    pub(crate) landing_referrer: String,
    /// When the landing page was seen, in ms since the Unix epoch.
    pub(crate) landing_at_ms: u64,
    /// The loader sent the landing page view itself, because the page went away.
    pub(crate) landing_sent: bool,
}

impl Settings {
    /// The reported address of the landing page.
    pub(crate) fn landing(&self) -> &str {
        views::reported(&self.landing_url)
    }

    /// Where the visitor came from, if anywhere.
    pub(crate) fn referrer(&self) -> Option<&str> {
        Some(views::reported(&self.landing_referrer)).filter(|referrer| !referrer.is_empty())
    }
}
