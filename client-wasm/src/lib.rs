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

use browser::promise::{Deferred, Function};
use consent::Choice;
use tracker::{Input, Settings, dispatch};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The options of `init`; the package fills in what has no default here.
    pub type Options;

    #[wasm_bindgen(method, getter)]
    fn endpoint(this: &Options) -> String;
    #[wasm_bindgen(method, getter)]
    fn site(this: &Options) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = cookieDomain)]
    fn cookie_domain(this: &Options) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn consent(this: &Options) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = beforeConsent)]
    fn before_consent(this: &Options) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = autoPageViews)]
    fn auto_page_views(this: &Options) -> bool;
    #[wasm_bindgen(method, getter, js_name = pingIntervalMs)]
    fn ping_interval_ms(this: &Options) -> f64;
    #[wasm_bindgen(method, getter)]
    fn gpc(this: &Options) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn dnt(this: &Options) -> Option<String>;

    // The page as it was when the loader ran, perhaps long before consent.
    #[wasm_bindgen(method, getter, js_name = landingUrl)]
    fn landing_url(this: &Options) -> String;
    #[wasm_bindgen(method, getter, js_name = landingReferrer)]
    fn landing_referrer(this: &Options) -> String;
    #[wasm_bindgen(method, getter, js_name = landingAt)]
    fn landing_at(this: &Options) -> f64;
    #[wasm_bindgen(method, getter, js_name = landingSent)]
    fn landing_sent(this: &Options) -> bool;

    // Takes a sentence about what is wrong; the package says the first on the console.
    #[wasm_bindgen(method, getter)]
    fn complain(this: &Options) -> Function;
}

/// Begins; replaces what an earlier call began.
#[wasm_bindgen]
pub fn init(options: &Options) {
    tracker::begin(Settings {
        endpoint: options.endpoint(),
        site: options.site(),
        cookie_domain: options.cookie_domain(),
        choice: Choice::parse(options.consent().as_deref().unwrap_or_default()),
        anonymous_before: options.before_consent().as_deref() == Some("anonymous"),
        auto_page_views: options.auto_page_views(),
        ping_interval_ms: options.ping_interval_ms() as u64,
        honour_gpc: options.gpc().as_deref() != Some("ignore"),
        honour_dnt: options.dnt().as_deref() == Some("honour"),
        landing_url: options.landing_url(),
        landing_referrer: options.landing_referrer(),
        landing_at_ms: options.landing_at() as u64,
        landing_sent: options.landing_sent(),
        complain: options.complain(),
    });
}

/// The visitor consents.
#[wasm_bindgen]
pub fn grant() {
    dispatch(Input::Grant);
}

/// The visitor declines, or takes consent back.
#[wasm_bindgen]
pub fn deny() {
    dispatch(Input::Deny);
}

/// The visitor takes consent back; `resolve` is called once the server knows.
#[wasm_bindgen]
pub fn revoke(resolve: Function, reject: Function) {
    dispatch(Input::Revoke(Deferred { resolve, reject }));
}

/// A page view by hand, `at` ms since the Unix epoch.
#[wasm_bindgen]
pub fn page_view(url: Option<String>, at: f64) {
    dispatch(Input::View { url, at_ms: at as u64 });
}

/// A custom event; `props` is JSON.
#[wasm_bindgen]
pub fn event(name: String, props: Option<String>, at: f64) {
    dispatch(Input::Event { name, props, at_ms: at as u64 });
}

/// An order; `items` is JSON.
#[wasm_bindgen]
pub fn order(id: String, amount: String, currency: String, items: Option<String>, at: f64) {
    dispatch(Input::Order { id, amount, currency, items, at_ms: at as u64 });
}

/// Signs in; without consent, without measuring.
#[wasm_bindgen]
pub fn login(username: String, password: String, resolve: Function, reject: Function) {
    dispatch(Input::Login { username, password, page: Deferred { resolve, reject } });
}

/// Signs out.
#[wasm_bindgen]
pub fn logout(resolve: Function, reject: Function) {
    dispatch(Input::Logout(Deferred { resolve, reject }));
}

/// Ends the session.
#[wasm_bindgen]
pub fn end(resolve: Function, reject: Function) {
    dispatch(Input::End(Deferred { resolve, reject }));
}

/// What the client knows about itself.
#[wasm_bindgen]
#[must_use]
pub fn snapshot() -> JsValue {
    tracker::snapshot()
}
