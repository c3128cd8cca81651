//! Requests: fetch, whose answer is read, and beacons, which survive the page.

use super::facts::Fact;
use wasm_bindgen::prelude::*;

/// What came back.
pub(crate) struct Answer {
    /// The ticket of its request.
    pub(crate) ticket: u32,
    /// Status code; 0 where nothing came back, or too late.
    pub(crate) status: u16,
    /// `Retry-After` in ms, where it gives seconds; else 0.
    pub(crate) retry_after_ms: u64,
    /// The body if it was JSON, else undefined.
    pub(crate) body: JsValue,
}

// Each goes by fetch with keepalive, as `text/plain`, which needs no preflight, unless its endpoint asks for
// `application/json`. The answer is told, never before the call returns.

#[wasm_bindgen(module = "/shell/exchange.js")]
extern "C" {
    /// Sends a request of the page, with an object or nothing. One that signs in says so if that is not
    /// to be measured.
    pub(crate) fn ask(ticket: u32, path: &str, body: &JsValue, measured: bool);

    /// Gives up a request: its answer is not told.
    pub(crate) fn abort(ticket: u32);
}

#[wasm_bindgen(module = "/shell/session.js")]
extern "C" {
    /// Asks for a session; the first time it tells of the page that the visitor came to, unless it goes bare of
    /// addresses.
    #[wasm_bindgen(js_name = postStart)]
    pub(crate) fn post_start(ticket: u32, first: bool, bare: bool);

    /// Keeps the session alive; reports the engagement with a view, if there is one.
    #[wasm_bindgen(js_name = postPing)]
    pub(crate) fn post_ping(ticket: u32, view: Option<&Fact>, engaged_ms: f64, scroll_pct: u8);

    /// The last word about a view, by beacon.
    #[wasm_bindgen(js_name = beaconPing)]
    pub(crate) fn beacon_ping(view: &Fact, engaged_ms: f64, scroll_pct: u8);

    /// What the server needs to know to erase the visitor's data; undefined if nobody is known.
    #[wasm_bindgen(js_name = toErase)]
    pub(crate) fn to_erase() -> JsValue;
}
