//! `document.cookie`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// The value of a cookie; none where cookies are forbidden.
    #[wasm_bindgen(js_name = readCookie)]
    pub(crate) fn read(name: &str) -> Option<String>;

    /// Writes a cookie: `Max-Age; Path=/; Secure; SameSite=Lax`. With an age of 0 it is deleted.
    #[wasm_bindgen(js_name = writeCookie)]
    pub(crate) fn write(name: &str, value: &str, max_age_s: u32);

    /// Leaves `Secure` out from now on where that is allowed: on an http page of a loopback host,
    /// whose browser may refuse secure cookies. Returns whether that changed anything.
    pub(crate) fn relax() -> bool;
}
