//! What happens in the page, and in other tabs: each is told by [`crate::happened`], a route by
//! [`crate::page_view`].

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/shell/listeners.js")]
extern "C" {
    /// Watches until [`rest`]: routes, to count them or for their titles alone, and in full what the visitor does.
    pub(crate) fn watch(counts_views: bool, full: bool);

    /// Ends all watching.
    pub(crate) fn rest();

    /// Consent was taken back here: tells the other tabs, and empties the storage.
    #[wasm_bindgen(js_name = tellOthers)]
    pub(crate) fn tell_others();
}
