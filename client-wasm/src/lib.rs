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
//! | [`happening`] | what the shell tells of |
//! | `browser` | the shell's functions, one file a subject |
//!
//! Consent, session, queue and views are pure: `cargo test -p visitflow-client` covers them
//! without a browser.

pub mod consent;
pub mod happening;
pub mod queue;
pub mod session;
pub mod views;

mod browser;
mod tracker;

use browser::{facts::Fact, net::Answer, page::Function};
use consent::Choice;
use happening::Happening;
use queue::Kind;
use tracker::{Settings, Task, with};
use visitflow_protocol::path;
use wasm_bindgen::prelude::*;

/// Small rather than quick: a page makes a few hundred allocations in its life.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

/// Begins; replaces what an earlier call began. Consent is granted, or denied, or pending; without it views
/// are counted where they are to be `anonymous_before`; where `counts_views`, each route is one.
#[wasm_bindgen]
pub fn init(granted: bool, denied: bool, anonymous_before: bool, counts_views: bool, ping_interval_ms: f64) {
    tracker::begin(Settings {
        choice: match (granted, denied) {
            (true, _) => Choice::Granted,
            (_, true) => Choice::Denied,
            _ => Choice::Pending,
        },
        anonymous_before,
        counts_views,
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

/// A view that a call of the page tells of, or a route; `at` ms since the Unix epoch.
#[wasm_bindgen]
pub fn page_view(call: &JsValue, at: f64) {
    with(&mut |tracker, _| tracker.see(call, at as u64));
}

/// An event that a call of the page tells of.
#[wasm_bindgen]
pub fn event(call: &JsValue) {
    with(&mut |tracker, _| tracker.other(Kind::Other, call));
}

/// An order that a call of the page tells of.
#[wasm_bindgen]
pub fn order(call: &JsValue) {
    with(&mut |tracker, _| tracker.other(Kind::Order, call));
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

/// Sends what waits, without a further delay; `settle` is called once all of that was tried.
#[wasm_bindgen]
pub fn flush(settle: &Function) {
    with(&mut |tracker, now_ms| tracker.try_all(settle.clone(), now_ms));
}

/// Ends the session.
#[wasm_bindgen]
pub fn end(settle: &Function) {
    with(&mut |tracker, _| {
        tracker.ask(Task::End, path::SESSION_END, JsValue::UNDEFINED, Some(settle.clone()));
    });
}

/// Something happened in the browser; the shell calls this.
#[wasm_bindgen]
pub fn happened(what: usize) {
    if let Some(happening) = Happening::of(what) {
        with(&mut |tracker, now_ms| tracker.notice(happening, now_ms));
    }
}

/// A request was answered; the shell calls this.
#[wasm_bindgen]
pub fn answered(ticket: u32, status: u16, retry_after_ms: f64, body: JsValue) {
    let answer = Answer { ticket, status, retry_after_ms: retry_after_ms as u64, body };
    with(&mut |tracker, now_ms| tracker.answered(&answer, now_ms));
}

/// A page before this one could not send a fact; the shell calls this.
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
