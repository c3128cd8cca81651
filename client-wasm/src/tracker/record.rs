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
    views::{Engagement, HEAD_START_MS},
};
use visitflow_protocol::limits::AGE_MS;
use wasm_bindgen::JsValue;

impl Tracker {
    /// A view that a call of the page tells of, or a route.
    pub(crate) fn see(&mut self, call: &JsValue, at_ms: u64) {
        let full = self.consent.mode() == Mode::Full;
        if full && self.is_forgotten() {
            return self.forget();
        }
        self.leave(at_ms);
        if full && !self.is_held() && page::is_counted() {
            // A session that is over is noticed before the view is numbered.
            self.step(session::Event::Fact(self.hint()), clock::now_ms());
        }
        let view = facts::view(call, full);
        self.view = View { fact: view.clone().filter(|_| full), engagement: Engagement::default() };
        let since_ms = at_ms.max(clock::now_ms() - HEAD_START_MS);
        self.view.engagement.look(page::is_looked_at(), since_ms);
        self.add(view, if full { Kind::Other } else { Kind::Anonymous });
    }

    /// An order or an event that a call of the page tells of.
    pub(crate) fn other(&mut self, kind: Kind, call: &JsValue) {
        self.add(facts::other(call), kind);
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
        let refused = self.consent.mode() == Mode::Full && self.session.phase() == Phase::Refused;
        let allowed = self.consent.may_send(kind == Kind::Anonymous) && !refused;
        let Some(fact) = fact.filter(|fact| {
            if !allowed {
                facts::let_go(fact);
            }
            allowed
        }) else {
            self.queue.dropped += 1;
            return;
        };
        if kind != Kind::Anonymous {
            self.identify();
            facts::keep(&fact);
        }
        if let Some(victim) = self.queue.push(Item::new(fact, kind)) {
            facts::let_go(&victim.fact);
        }
    }
}
