//! Watching the browser, as far as the consent allows.

use super::Tracker;
use crate::{
    browser::{clock, cookies, facts, page, watch},
    consent::Mode,
};

impl Tracker {
    /// Brings listeners and cookies in line with the consent.
    pub(super) fn arrange(&mut self) {
        let now_ms = clock::now_ms();
        let mode = self.consent.mode();
        let full = mode == Mode::Full;
        (self.ping, self.wake) = (None, None);
        watch::rest();
        if mode == Mode::Silent {
            return;
        }
        watch::watch(self.settings.counts_views, full);
        if full && page::is_counted() {
            self.identify();
        }
        self.wants_session = full;
        self.view.engagement.look(page::is_looked_at(), now_ms);
        self.proceed(now_ms);
    }

    /// Finds or makes the visitor's identifier, once, and takes over what the visitor's earlier pages could not send.
    pub(super) fn identify(&mut self) {
        if self.cookies.is_none() {
            self.cookies = Some(cookies::recognise() || cookies::name());
            facts::adopt();
        }
    }
}
