//! What the client tells about itself.

use super::TRACKER;
use crate::{consent::Mode, session::Hint};
use serde::Serialize as _;
use wasm_bindgen::JsValue;

/// The snapshot, a value after the other, in the order in which `wired.js` of the package names them:
/// a struct would bring its field names and the code that writes them. Undefined before `init`.
pub(crate) fn snapshot() -> JsValue {
    TRACKER
        .with(|slot| {
            let slot = slot.try_borrow().ok()?;
            let tracker = slot.as_ref()?;
            let last_activity = match tracker.hint() {
                Hint::At(at_ms) if tracker.consent.mode() == Mode::Full => Some(at_ms as f64),
                _ => None,
            };
            let told = (
                env!("CARGO_PKG_VERSION"),
                tracker.consent.choice().word(),
                tracker.session.phase().word(),
                last_activity,
                tracker.queue.len() as u32,
                tracker.sent,
                tracker.queue.dropped,
                tracker.cookies,
            );
            told.serialize(&serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true)).ok()
        })
        .unwrap_or_default()
}
