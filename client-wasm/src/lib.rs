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

use browser::{net::Answer, page::Function, watch::Happening};
use consent::Choice;
use queue::Kind;
use tracker::{Settings, Task, with};
use visitflow_protocol::path;
use wasm_bindgen::prelude::*;

/// Small rather than quick: a page makes a few hundred allocations in its life.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

#[wasm_bindgen]
extern "C" {
    /// The options of `init`; the package fills in what has no default here. `host.js` reads
    /// `endpoint`, `site`, `cookieDomain` and `complain` itself.
    pub type Options;

    #[wasm_bindgen(method, getter)]
    fn consent(this: &Options) -> String;
    #[wasm_bindgen(method, getter)]
    fn anonymous(this: &Options) -> bool;
    #[wasm_bindgen(method, getter)]
    fn objected(this: &Options) -> bool;
    #[wasm_bindgen(method, getter, js_name = autoPageViews)]
    fn auto_page_views(this: &Options) -> bool;
    #[wasm_bindgen(method, getter, js_name = pingIntervalMs)]
    fn ping_interval_ms(this: &Options) -> f64;

    // The page as it was when the loader ran, perhaps long before consent.
    #[wasm_bindgen(method, getter, js_name = landingUrl)]
    fn landing_url(this: &Options) -> String;
    #[wasm_bindgen(method, getter, js_name = landingReferrer)]
    fn landing_referrer(this: &Options) -> String;
    #[wasm_bindgen(method, getter, js_name = landingAt)]
    fn landing_at(this: &Options) -> f64;
    #[wasm_bindgen(method, getter, js_name = landingSent)]
    fn landing_sent(this: &Options) -> bool;
}

/// Begins; replaces what an earlier call began.
#[wasm_bindgen]
pub fn init(options: &Options) {
    tracker::begin(Settings {
        choice: Choice::parse(&options.consent()),
        anonymous_before: options.anonymous(),
        objected: options.objected(),
        auto_page_views: options.auto_page_views(),
        ping_interval_ms: options.ping_interval_ms() as u64,
        landing_url: options.landing_url(),
        landing_referrer: options.landing_referrer(),
        landing_at_ms: options.landing_at() as u64,
        landing_sent: options.landing_sent(),
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

/// The visitor takes consent back; `settle` is called once the server knows.
#[wasm_bindgen]
pub fn revoke(settle: &Function) {
    with(&mut |tracker, _| tracker.revoke(Some(settle.clone())));
}

/// A page view by hand, `at` ms since the Unix epoch.
#[wasm_bindgen]
pub fn page_view(url: &str, at: f64) {
    with(&mut |tracker, _| tracker.see(views::reported(url).into(), None, at as u64));
}

/// A custom event, `{name, props}`.
#[wasm_bindgen]
pub fn event(given: &JsValue, at: f64) {
    with(&mut |tracker, _| tracker.report(Kind::Event, given, at as u64));
}

/// An order, `{id, amount, currency, items}`.
#[wasm_bindgen]
pub fn order(given: &JsValue, at: f64) {
    with(&mut |tracker, _| tracker.report(Kind::Order, given, at as u64));
}

/// Signs in; without consent, without measuring. `body` is JSON. `settle` takes an error, or
/// undefined and a value.
#[wasm_bindgen]
pub fn login(body: &str, settle: &Function) {
    with(&mut |tracker, _| tracker.login(body, settle.clone()));
}

/// Signs out.
#[wasm_bindgen]
pub fn logout(settle: &Function) {
    with(&mut |tracker, _| tracker.ask(Task::Logout, path::LOGOUT, "{}", Some(settle.clone())));
}

/// Ends the session.
#[wasm_bindgen]
pub fn end(settle: &Function) {
    with(&mut |tracker, _| tracker.ask(Task::End, path::SESSION_END, "{}", Some(settle.clone())));
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
pub fn answered(ticket: u32, status: u16, retry_after_ms: f64, detail: Option<String>, body: JsValue) {
    let answer = Answer { ticket, status, retry_after_ms: retry_after_ms as u64, detail, body };
    with(&mut |tracker, now_ms| tracker.answered(&answer, now_ms));
}

/// What the client knows about itself.
#[wasm_bindgen]
#[must_use]
pub fn snapshot() -> JsValue {
    tracker::snapshot()
}
