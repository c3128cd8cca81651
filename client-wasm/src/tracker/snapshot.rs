//! What the client tells about itself.

use super::TRACKER;
use crate::{browser::page, consent::Mode, session::Hint};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// What may be missing is null.
fn value(maybe: impl Serialize) -> JsValue {
    maybe.serialize(&Serializer::new().serialize_missing_as_null(true)).unwrap_or_default()
}

/// The snapshot; undefined before `init`.
pub(crate) fn snapshot() -> JsValue {
    TRACKER.with(|slot| {
        let Ok(slot) = slot.try_borrow() else {
            return JsValue::UNDEFINED;
        };
        let Some(tracker) = slot.as_ref() else {
            return JsValue::UNDEFINED;
        };
        let last_activity = match tracker.hint() {
            Hint::At(at_ms) if tracker.consent.mode() == Mode::Full => Some(at_ms as f64),
            _ => None,
        };
        page::snapshot(
            tracker.consent.choice().word(),
            tracker.session.phase().word(),
            value(last_activity),
            tracker.queue.len() as u32,
            tracker.sent,
            tracker.queue.dropped,
            value(tracker.cookies),
        )
    })
}
