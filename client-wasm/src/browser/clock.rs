//! Time and randomness.

use gloo_timers::callback::Timeout;

/// Milliseconds since the Unix epoch by the browser's clock.
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Fills `bytes` with randomness fit for identifiers.
pub(crate) fn random(bytes: &mut [u8]) {
    if let Some(crypto) = web_sys::window().and_then(|window| window.crypto().ok()) {
        // Fails only above 65,536 bytes.
        let _ = crypto.get_random_values_with_u8_array(bytes);
    }
}

/// A uniform number, for jitter.
pub(crate) fn jitter() -> u32 {
    let mut bytes = [0; 4];
    random(&mut bytes);
    u32::from_le_bytes(bytes)
}

/// A timeout that is cleared when it is dropped.
pub(crate) struct Timer {
    _timeout: Timeout,
}

/// Runs `then` after `wait_ms`, at most a day.
pub(crate) fn after(wait_ms: u64, then: impl FnOnce() + 'static) -> Timer {
    let wait_ms = wait_ms.min(86_400_000) as u32;
    Timer { _timeout: Timeout::new(wait_ms, then) }
}
