//! Facts that outlive the page (localStorage).

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// Keeps a line under an id; an empty one drops it.
    pub(crate) fn keep(id: &str, line: &str);

    /// What this and other pages have kept: lines of an id, a space, and what was kept.
    #[wasm_bindgen(js_name = readKept)]
    pub(crate) fn kept() -> String;

    /// Drops all of it.
    #[wasm_bindgen(js_name = dropKept)]
    pub(crate) fn drop_kept();
}
