//! Turning what happened into facts.

use super::{Tracker, View, here};
use crate::{
    browser::{body, page, storage},
    consent::Mode,
    queue::{Item, Kind},
    session::Phase,
    views::{self, Change, Engagement},
};
use visitflow_protocol::limits;
use wasm_bindgen::JsValue;

impl Tracker {
    /// Counts the landing page once, as it was, and the page that the visitor is at by now.
    pub(super) fn land(&mut self, now_ms: u64) {
        let landing = String::from(self.settings.landing());
        if self.landed {
            if self.view.url.is_empty() {
                self.view.url = landing;
            }
        } else {
            self.landed = true;
            let referrer = self.settings.referrer().map(String::from);
            self.see(landing, referrer, self.settings.landing_at_ms);
        }
        self.route(Change::Moved, now_ms);
    }

    /// A page view, if the address is another.
    pub(super) fn route(&mut self, change: Change, now_ms: u64) {
        let to = here();
        if views::is_view(&self.view.url, &to, change) {
            let referrer = Some(std::mem::take(&mut self.view.url)).filter(|url| !url.is_empty());
            self.see(to, referrer, now_ms);
        } else {
            self.view.url = to;
        }
    }

    /// A page view.
    pub(crate) fn see(&mut self, url: String, referrer: Option<String>, at_ms: u64) {
        self.leave(at_ms);
        let full = self.consent.mode() == Mode::Full;
        let id = self.ids.next(at_ms);
        let body = body::view(&id, &url, referrer.as_deref(), full);
        self.view = View { id: full.then(|| id.clone()), url, engagement: Engagement::default() };
        self.view.engagement.look(page::is_looked_at(), at_ms);
        self.add(if full { Kind::View } else { Kind::AnonymousView }, id, at_ms, Some(body));
    }

    /// An event or an order, as the page gave it.
    pub(crate) fn report(&mut self, kind: Kind, given: &JsValue, at_ms: u64) {
        let id = self.ids.next(at_ms);
        let body = body::fact(&id, &here(), given);
        self.add(kind, id, at_ms, body);
    }

    /// Queues a fact, if it has a body and consent allows it.
    fn add(&mut self, kind: Kind, key: String, at_ms: u64, body: Option<String>) {
        let allowed = match self.consent.mode() {
            Mode::Full => self.session.phase() != Phase::Refused,
            Mode::Anonymous => kind.is_anonymous(),
            Mode::Silent => false,
        };
        match body {
            Some(body) if allowed && body.len() <= limits::BODY_BYTES => {
                self.put(Item::new(key, kind, at_ms, body), at_ms);
            }
            Some(_) if allowed => {
                self.queue.dropped += 1;
                page::complain("a fact was dropped: it is larger than 64 KiB");
            }
            _ => self.queue.dropped += 1,
        }
    }

    /// Queues a fact; with consent it is kept until the server has it, whatever becomes of the page.
    pub(super) fn put(&mut self, item: Item, now_ms: u64) {
        if !item.kind.is_anonymous() {
            storage::keep(&item.key, &item.line(now_ms));
        }
        if let Some(victim) = self.queue.push(item) {
            storage::keep(&victim.key, "");
        }
    }
}
