//! The client's two cookies. The browser holds the visitor's identifier; here nobody needs its text.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/shell/visitor.js")]
extern "C" {
    /// Takes the identifier that the cookie holds; whether there is one.
    pub(crate) fn recognise() -> bool;

    /// Names the visitor, as `v_` and a UUIDv4, like all other tabs that do so at this moment; whether the
    /// cookie sticks.
    pub(crate) fn name() -> bool;

    /// Writes the visitor's name again; whether the cookie sticks.
    pub(crate) fn rename() -> bool;

    /// Whether any of the cookies is there.
    #[wasm_bindgen(js_name = isMarked)]
    pub(crate) fn is_marked() -> bool;

    /// Whether the cookie holds the visitor's identifier still.
    #[wasm_bindgen(js_name = isNamed)]
    pub(crate) fn is_named() -> bool;

    /// Forgets the visitor; the cookies too, unless a consent since then has named another, or anyway.
    pub(crate) fn unname(anyway: bool);
}

#[wasm_bindgen(module = "/shell/activity.js")]
extern "C" {
    /// When the visitor was last active, in ms since the Unix epoch; NaN if nobody knows.
    #[wasm_bindgen(js_name = readActivity)]
    pub(crate) fn read_activity() -> f64;

    /// Notes when the visitor was last active; whether the cookie sticks.
    #[wasm_bindgen(js_name = writeActivity)]
    pub(crate) fn write_activity(at_ms: f64) -> bool;

    /// Forgets it.
    #[wasm_bindgen(js_name = deleteActivity)]
    pub(crate) fn delete_activity();
}
