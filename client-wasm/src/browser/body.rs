//! What requests say: JSON, written by the browser. A fact says who did it when it is sent: of two tabs
//! that name the visitor at once only one name stays.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// Of a page view; in full, or without anything that could tell visitors apart.
    pub(crate) fn view(id: &str, url: &str, referrer: Option<&str>, full: bool) -> String;

    /// Of an event or an order; none if the server would refuse it.
    pub(crate) fn fact(id: &str, url: &str, given: &JsValue) -> Option<String>;

    /// Of a ping that reports the engagement with a page view.
    pub(crate) fn ping(page_view_id: &str, engaged_ms: f64, scroll_pct: u8) -> String;

    /// Of a start.
    pub(crate) fn start(visitor_id: Option<&str>, url: &str, referrer: Option<&str>) -> String;
}
