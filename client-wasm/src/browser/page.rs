//! The page: whether it is looked at, how far it is read, its callbacks.

pub(crate) use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::Document;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Document;
}

#[wasm_bindgen(module = "/shell/page.js")]
extern "C" {
    /// How far down the page the viewport reaches, in per cent.
    pub(crate) fn depth() -> u8;

    /// Whether the page is measured at all.
    #[wasm_bindgen(js_name = isCounted)]
    pub(crate) fn is_counted() -> bool;

    /// Says what is wrong, or what the answer says of it; the page hears of the first time only.
    pub(crate) fn complain(text: &str, answer: &JsValue);

    /// Consent is denied by now, here or elsewhere.
    pub(crate) fn denied();

    /// Settles a promise of the page: with an error (or what the value says of it), or with none and
    /// a value.
    pub(crate) fn settle(promise: &Function, error: Option<&str>, value: &JsValue);
}

#[wasm_bindgen(module = "/shell/snapshot.js")]
extern "C" {
    /// What the client tells about itself, as the page reads it.
    pub(crate) fn snapshot(
        consent: &str,
        session: &str,
        last_activity: JsValue,
        queued: u32,
        sent: u32,
        dropped: u32,
        cookies: JsValue,
    ) -> JsValue;
}

/// Whether the page is visible.
pub(crate) fn is_visible() -> bool {
    DOCUMENT.with(|document| !document.hidden())
}

/// Whether the visitor looks at the page: visible and focused.
pub(crate) fn is_looked_at() -> bool {
    DOCUMENT.with(|document| !document.hidden() && document.has_focus().unwrap_or(true))
}
