//! Facts, as the browser holds them: what happened, when, and under which key it is kept.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// A fact: the body of its request, without visitor and age. It says who did it when it is sent:
    /// the visitor may be named anew. Its id is a UUIDv7.
    #[derive(Clone, Debug)]
    pub type Fact;

    /// A view of the page, or of `{url}`, or the one that went `{ahead}`, unless the consent to that was
    /// taken back since; in full, or without anything that could tell visitors apart. Views in full are
    /// numbered.
    pub(crate) fn view(at_ms: f64, full: bool, given: &JsValue) -> Option<Fact>;

    /// Whether the session that is asked for is alive already, by a view that went ahead.
    #[wasm_bindgen(js_name = isBegun)]
    pub(crate) fn is_begun() -> bool;

    /// Numbers views from one, unless the session is begun already.
    #[wasm_bindgen(js_name = countAnew)]
    pub(crate) fn count_anew();

    /// An order or an event, as the page gave it; none if it is too large to be sent.
    pub(crate) fn other(is_order: bool, at_ms: f64, given: &JsValue) -> Option<Fact>;

    /// Keeps a fact over the end of the page (localStorage). For a minute no other page sends it.
    pub(crate) fn keep(fact: &Fact);

    /// Keeps it no longer.
    #[wasm_bindgen(js_name = drop)]
    pub(crate) fn let_go(fact: &Fact);

    /// Keeps those that this page sees to no longer, or none at all.
    #[wasm_bindgen(js_name = dropKept)]
    pub(crate) fn drop_kept(all: bool);

    /// Tells of what pages before this one could not send, each by [`crate::adopted`].
    pub(crate) fn adopt();

    /// Posts a fact, unless it went ahead and the server has it; anonymously without cookies.
    #[wasm_bindgen(js_name = postFact)]
    pub(crate) fn post(ticket: u32, fact: &Fact, anonymous: bool);

    /// Takes a fact for the next [`flush`].
    pub(crate) fn gather(fact: &Fact);

    /// Sends what was gathered by beacon.
    pub(crate) fn flush();
}
