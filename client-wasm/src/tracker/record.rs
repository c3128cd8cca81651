//! Turning what happened into facts.

use super::{Tracker, View};
use crate::{
    browser::{
        clock,
        facts::{self, Fact},
        page,
    },
    consent::Mode,
    queue::{Item, Kind},
    session::{self, Phase},
    views::{self, Change, Engagement},
};
use visitflow_protocol::limits::AGE_MS;
use wasm_bindgen::JsValue;

/// A view is looked at before the client is there, which may be put off for some seconds (`core.js` of the
/// package); more than these, in ms, nobody knows of.
const HEAD_START_MS: u64 = 5_000;

impl Tracker {
    /// A page view, if the address is another.
    pub(super) fn route(&mut self, change: Change, now_ms: u64) {
        let bits = page::go();
        if self.consent.mode() != Mode::Silent && views::is_view(change, bits & 1 == 1, bits & 2 == 2) {
            self.see(&JsValue::UNDEFINED, now_ms);
        }
    }

    /// A view of the page, or of `{url}`.
    pub(crate) fn see(&mut self, given: &JsValue, at_ms: u64) {
        self.leave(at_ms);
        let full = self.consent.mode() == Mode::Full;
        if full && !self.is_held() {
            // A session that is over is noticed before the view is numbered.
            self.step(session::Event::Fact(self.hint()), clock::now_ms());
        }
        let view = facts::view(at_ms as f64, full, given);
        self.view = View { fact: view.clone().filter(|_| full), engagement: Engagement::default() };
        let since_ms = at_ms.max(clock::now_ms() - HEAD_START_MS);
        self.view.engagement.look(page::is_looked_at(), since_ms);
        self.add(view, if full { Kind::Other } else { Kind::Anonymous });
    }

    /// An order or an event, as the page gave it.
    pub(crate) fn other(&mut self, is_order: bool, given: &JsValue, at_ms: u64) {
        let fact = facts::other(is_order, at_ms as f64, given);
        self.add(fact, if is_order { Kind::Order } else { Kind::Other });
    }

    /// A fact that an earlier page could not send.
    pub(crate) fn adopt(&mut self, fact: Fact, is_order: bool, at_ms: u64, now_ms: u64) {
        if now_ms.saturating_sub(at_ms) > AGE_MS {
            facts::let_go(&fact); // the server takes nothing so old
            self.queue.dropped += 1;
        } else {
            self.add(Some(fact), if is_order { Kind::Order } else { Kind::Other });
        }
    }

    /// Queues a fact, if there is one and consent allows it. With consent it is kept until the server
    /// has it, whatever becomes of the page.
    fn add(&mut self, fact: Option<Fact>, kind: Kind) {
        let allowed = match self.consent.mode() {
            Mode::Full => self.session.phase() != Phase::Refused,
            Mode::Anonymous => kind == Kind::Anonymous,
            Mode::Silent => false,
        };
        let Some(fact) = fact.filter(|_| allowed) else {
            self.queue.dropped += 1;
            return;
        };
        if kind != Kind::Anonymous {
            facts::keep(&fact);
        }
        if let Some(victim) = self.queue.push(Item::new(fact, kind)) {
            facts::let_go(&victim.fact);
        }
    }
}
