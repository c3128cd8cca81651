//! Time, and chance.

use crate::happening::Happening;
use gloo_timers::callback::Timeout;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/shell/page.js")]
extern "C" {
    /// 32 random bits.
    pub(crate) fn random() -> u32;
}

#[wasm_bindgen(module = "/shell/rust.js")]
extern "C" {
    /// Tells of something.
    fn tell(happening: u32);
}

/// Milliseconds since the Unix epoch by the browser's clock.
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// A timer that is cancelled when it is dropped.
pub(crate) struct Timer {
    _timeout: Timeout,
}

/// Tells of something after a while, a day at most.
pub(crate) fn after(wait_ms: u64, happening: Happening) -> Timer {
    let wait_ms = wait_ms.min(86_400_000) as u32;
    Timer { _timeout: Timeout::new(wait_ms, move || tell(happening as u32)) }
}
