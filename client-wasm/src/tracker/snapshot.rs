//! What the client tells about itself.

use super::TRACKER;
use crate::{consent::Mode, session::Hint};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
struct Snapshot<'a> {
    version: &'a str,
    consent: &'a str,
    visitor_id: Option<&'a str>,
    session: &'a str,
    last_activity: Option<f64>,
    queued: u32,
    sent: u32,
    dropped: u32,
    cookies: Option<bool>,
}

/// The snapshot as a JavaScript object; undefined before `init`.
pub(crate) fn snapshot() -> JsValue {
    TRACKER
        .with(|slot| {
            let slot = slot.try_borrow().ok()?;
            let tracker = slot.as_ref()?;
            let measured = tracker.consent.mode() == Mode::Full;
            let last_activity = match tracker.hint() {
                Hint::At(at_ms) if measured => Some(at_ms as f64),
                _ => None,
            };
            let snapshot = Snapshot {
                version: env!("CARGO_PKG_VERSION"),
                consent: tracker.consent.choice().word(),
                visitor_id: tracker.visitor_id.as_deref(),
                session: tracker.session.phase().word(),
                last_activity,
                queued: tracker.queue.len() as u32,
                sent: tracker.sent,
                dropped: tracker.queue.dropped,
                cookies: tracker.cookies,
            };
            let serializer = Serializer::new().serialize_missing_as_null(true);
            snapshot.serialize(&serializer).ok()
        })
        .unwrap_or_default()
}
