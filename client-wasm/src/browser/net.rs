//! Requests: fetch, whose answer is read, and beacons, which survive the page.

use wasm_bindgen::prelude::*;

/// What came back.
pub(crate) struct Answer {
    /// The ticket of its request.
    pub(crate) ticket: u32,
    /// Status code; 0 where nothing came back, or too late.
    pub(crate) status: u16,
    /// `Retry-After` in ms, where it gives seconds; else 0.
    pub(crate) retry_after_ms: u64,
    /// What a problem says of itself.
    pub(crate) detail: Option<String>,
    /// The body if it was JSON, else undefined.
    pub(crate) body: JsValue,
}

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// Posts JSON by fetch with keepalive, as `text/plain`, which needs no preflight, unless it is to
    /// say `application/json`; anonymously means without cookies. The answer is told, never before
    /// this returns.
    pub(crate) fn post(ticket: u32, path: &str, body: &str, json: bool, anonymous: bool);

    /// Sends a beacon, or a request of which nobody hears.
    pub(crate) fn beacon(path: &str, body: &str);

    /// Gives up a request: its answer is not told.
    pub(crate) fn abort(ticket: u32);
}
