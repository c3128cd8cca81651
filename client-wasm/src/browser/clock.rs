//! Time and randomness.

use gloo_timers::callback::Timeout;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// 32 bits fit for identifiers.
    pub(crate) fn random() -> u32;
}

/// Milliseconds since the Unix epoch by the browser's clock.
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// A timeout that is cleared when it is dropped.
pub(crate) struct Timer {
    _timeout: Timeout,
}

/// Runs `then` after `wait_ms`, at most a day.
pub(crate) fn after(wait_ms: u64, then: fn()) -> Timer {
    let wait_ms = wait_ms.min(86_400_000) as u32;
    Timer { _timeout: Timeout::new(wait_ms, then) }
}
