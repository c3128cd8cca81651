//! visitflow's browser client. This file is its surface to JavaScript, and nothing else; the
//! package in `pkg/` wraps it in functions that never throw and can be called at any time.
//!
//! | module | holds |
//! |---|---|
//! | `tracker` | browser event → consent → session → queue → network |
//! | [`consent`] | what may happen, by the visitor's decision |
//! | [`session`] | whether a session is alive, and when to start one |
//! | [`queue`] | facts that wait, retries, what is given up first |
//! | [`views`] | what counts as a page view, and engagement with it |
//! | `browser` | the browser's APIs, one small file each |
//!
//! Consent, session, queue and views are pure: `cargo test -p visitflow-client` covers them
//! without a browser.

pub mod consent;
pub mod queue;
pub mod session;
pub mod views;

mod browser;
mod tracker;

use browser::{facts::Fact, net::Answer, page::Function, watch::Happening};
use consent::Choice;
use tracker::{Settings, Task, with};
use visitflow_protocol::path;
use wasm_bindgen::prelude::*;

/// Small rather than quick: a page makes a few hundred allocations in its life.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Begins; replaces what an earlier call began. `host.js` has the options; those that matter here are
/// bits:
///
/// | bit | |
/// |---|---|
/// | 0, 1 | consent is granted; denied |
/// | 2 | until then views are counted without identifier |
/// | 3 | a view on each route change; that of the landing page comes by [`page_view`] |
#[wasm_bindgen]
pub fn init(bits: u32, ping_interval_ms: f64) {
    let bit = |at: u32| bits >> at & 1 == 1;
    tracker::begin(Settings {
        choice: match bits & 3 {
            1 => Choice::Granted,
            2 => Choice::Denied,
            _ => Choice::Pending,
        },
        anonymous_before: bit(2),
        auto_page_views: bit(3),
        ping_interval_ms: ping_interval_ms as u64,
    });
}

/// The visitor consents.
#[wasm_bindgen]
pub fn grant() {
    with(&mut |tracker, _| tracker.grant());
}

/// The visitor declines, or takes consent back.
#[wasm_bindgen]
pub fn deny() {
    with(&mut |tracker, _| tracker.deny());
}

/// The visitor takes consent back, and wants what is stored erased, or not; `settle` is called once the
/// server knows.
#[wasm_bindgen]
pub fn revoke(erase: bool, settle: &Function) {
    with(&mut |tracker, _| tracker.revoke(erase, Some(settle.clone())));
}

/// A page view, `{url}`, `at` ms since the Unix epoch.
#[wasm_bindgen]
pub fn page_view(given: &JsValue, at: f64) {
    with(&mut |tracker, _| tracker.see(given, at as u64));
}

/// A custom event, `{name, props, url}`.
#[wasm_bindgen]
pub fn event(given: &JsValue, at: f64) {
    with(&mut |tracker, _| tracker.other(false, given, at as u64));
}

/// An order, `{id, amount, currency, items, url}`.
#[wasm_bindgen]
pub fn order(given: &JsValue, at: f64) {
    with(&mut |tracker, _| tracker.other(true, given, at as u64));
}

/// Signs in by `{username, password}`; without consent, without measuring. `settle` takes an error, or
/// undefined and a value.
#[wasm_bindgen]
pub fn login(body: &JsValue, settle: &Function) {
    with(&mut |tracker, _| tracker.ask(Task::Login, path::LOGIN, body.clone(), Some(settle.clone())));
}

/// Signs out.
#[wasm_bindgen]
pub fn logout(settle: &Function) {
    with(&mut |tracker, _| {
        tracker.ask(Task::Logout, path::LOGOUT, JsValue::UNDEFINED, Some(settle.clone()));
    });
}

/// Ends the session.
#[wasm_bindgen]
pub fn end(settle: &Function) {
    with(&mut |tracker, _| {
        tracker.ask(Task::End, path::SESSION_END, JsValue::UNDEFINED, Some(settle.clone()));
    });
}

/// Something happened in the browser; `host.js` calls this.
#[wasm_bindgen]
pub fn happened(what: usize) {
    if let Some(happening) = Happening::of(what) {
        with(&mut |tracker, now_ms| tracker.notice(happening, now_ms));
    }
}

/// A request was answered; `host.js` calls this.
#[wasm_bindgen]
pub fn answered(ticket: u32, status: u16, retry_after_ms: f64, body: JsValue) {
    let answer = Answer { ticket, status, retry_after_ms: retry_after_ms as u64, body };
    with(&mut |tracker, now_ms| tracker.answered(&answer, now_ms));
}

/// A page before this one could not send a fact; `host.js` calls this.
#[wasm_bindgen]
pub fn adopted(fact: &Fact, is_order: bool, at: f64) {
    with(&mut |tracker, now_ms| tracker.adopt(fact.clone(), is_order, at as u64, now_ms));
}

/// What the client knows about itself.
#[wasm_bindgen]
#[must_use]
pub fn snapshot() -> JsValue {
    tracker::snapshot()
}
