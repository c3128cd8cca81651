//! Watching the browser, as far as the consent allows.

use super::{Tracker, ids};
use crate::{
    browser::{clock, cookies, page, storage, watch},
    consent::Mode,
    queue::Item,
    views::cut,
};
use visitflow_protocol::{cookie, id::is_visitor_id, limits::AGE_MS};

impl Tracker {
    /// Brings listeners, cookies and page views in line with the consent.
    pub(super) fn arrange(&mut self) {
        let now_ms = clock::now_ms();
        let mode = self.consent.mode();
        let full = mode == Mode::Full;
        (self.ping, self.wake) = (None, None);
        watch::rest(false);
        if mode == Mode::Silent {
            return;
        }
        watch::watch(self.settings.auto_page_views, full);
        if full {
            self.identify();
            self.adopt(now_ms);
        }
        if self.settings.auto_page_views {
            self.land(now_ms);
        }
        self.wants_session = full;
        self.view.engagement.look(page::is_looked_at(), now_ms);
        self.proceed(now_ms);
    }

    /// Finds or makes the visitor's identifier.
    fn identify(&mut self) {
        if self.recognise() {
            self.cookies = Some(true);
            return;
        }
        let id = ids::visitor();
        let sticks = || {
            cookies::write(cookie::VISITOR, &id, cookie::VISITOR_MAX_AGE_S);
            cookies::read(cookie::VISITOR).is_some_and(|kept| kept == id)
        };
        self.cookies = Some(sticks() || (cookies::relax() && sticks()));
        self.visitor_id = Some(id);
    }

    /// Takes the identifier that the cookie holds, if any: of two tabs that name the visitor at once
    /// only one name stays.
    pub(super) fn recognise(&mut self) -> bool {
        let kept = cookies::read(cookie::VISITOR).filter(|id| is_visitor_id(id));
        let known = kept.is_some();
        self.visitor_id = kept.or_else(|| self.visitor_id.take());
        known
    }

    /// Takes over what pages before this one could not send.
    pub(super) fn adopt(&mut self, now_ms: u64) {
        let kept = storage::kept();
        let mut rest = Some(&*kept);
        while let Some(lines) = rest {
            let line;
            (line, rest) = cut(lines, b'\n');
            let Some(item) = Item::read(line, now_ms).filter(|item| !self.queue.has(&item.key)) else {
                continue;
            };
            if now_ms.saturating_sub(item.at_ms) > AGE_MS {
                self.queue.dropped += 1; // the server takes nothing so old
                storage::keep(&item.key, "");
            } else {
                self.put(item, now_ms);
            }
        }
    }
}
