//! The options as plain values.

use crate::{browser::promise::Function, consent::Choice, views};

/// What the page chose, and where it was when the loader ran.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Base URL of the server, without a slash at its end.
    pub(crate) endpoint: String,
    pub(crate) site: Option<String>,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) choice: Choice,
    pub(crate) anonymous_before: bool,
    pub(crate) auto_page_views: bool,
    pub(crate) ping_interval_ms: u64,
    pub(crate) honour_gpc: bool,
    pub(crate) honour_dnt: bool,
    pub(crate) landing_url: String,
    pub(crate) landing_referrer: String,
    /// When the landing page was seen, in ms since the Unix epoch.
    pub(crate) landing_at_ms: u64,
    /// The loader sent the landing page view itself, because the page went away.
    pub(crate) landing_sent: bool,
    /// Tells the page what is wrong.
    pub(crate) complain: Function,
}

impl Settings {
    /// Where the visitor came from, if anywhere.
    pub(crate) fn referrer(&self) -> Option<String> {
        let referrer = views::reported(&self.landing_referrer);
        (!referrer.is_empty()).then(|| referrer.into())
    }

    /// The address of an endpoint.
    pub(crate) fn url(&self, path: &str) -> String {
        let mut url = self.endpoint.clone();
        url.push_str(path);
        url
    }
}
