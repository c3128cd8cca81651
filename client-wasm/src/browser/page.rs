//! The page: where the visitor is, whether it is looked at, its callbacks.

pub(crate) use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::Document;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Document;
}

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// Goes to the address that the page has by now. Bit 0: it is another; bit 1: its path is, too.
    pub(crate) fn go() -> u8;

    /// How far down the page the viewport reaches, in per cent.
    pub(crate) fn depth() -> u8;

    /// Settles a promise of the page: with an error (or what the value says of it), or with none and
    /// a value.
    pub(crate) fn settle(promise: &Function, error: Option<&str>, value: &JsValue);

    /// Says what is wrong, or what the answer says of it; the page hears of the first time only.
    pub(crate) fn complain(text: &str, answer: &JsValue);
}

/// Whether the page is visible.
pub(crate) fn is_visible() -> bool {
    DOCUMENT.with(|document| !document.hidden())
}

/// Whether the visitor looks at the page: visible and focused.
pub(crate) fn is_looked_at() -> bool {
    DOCUMENT.with(|document| !document.hidden() && document.has_focus().unwrap_or(true))
}
