//! Facts, as the browser holds them: what happened, when, and under which key it is kept.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/shell/views.js")]
extern "C" {
    /// A fact: the body of its request, without visitor and age. It says who did it when it is sent:
    /// the visitor may be named anew. Its id is a UUIDv7.
    #[derive(Clone, Debug)]
    pub type Fact;

    /// The view that a call tells of, or that went ahead by it, unless the consent to that was taken back
    /// since; in full, or without anything that could tell visitors apart. Views in full are numbered.
    pub(crate) fn view(call: &JsValue, full: bool) -> Option<Fact>;

    /// The order or event that a call tells of; none if it is too large to be sent.
    pub(crate) fn other(call: &JsValue) -> Option<Fact>;
}

#[wasm_bindgen(module = "/shell/session.js")]
extern "C" {
    /// Whether the session that is asked for is alive already, by a view that went ahead.
    #[wasm_bindgen(js_name = isBegun)]
    pub(crate) fn is_begun() -> bool;

    /// Numbers views from one, unless the session is begun already.
    #[wasm_bindgen(js_name = countAnew)]
    pub(crate) fn count_anew();
}

#[wasm_bindgen(module = "/shell/kept.js")]
extern "C" {
    /// Keeps a fact over the end of the page (localStorage). For a minute no other page sends it.
    pub(crate) fn keep(fact: &Fact);

    /// Keeps it no longer.
    #[wasm_bindgen(js_name = drop)]
    pub(crate) fn let_go(fact: &Fact);

    /// Keeps those that this page sees to no longer.
    #[wasm_bindgen(js_name = dropKept)]
    pub(crate) fn drop_kept();

    /// Tells of what pages before this one could not send, each by [`crate::adopted`].
    pub(crate) fn adopt();
}

#[wasm_bindgen(module = "/shell/exchange.js")]
extern "C" {
    /// Sends a fact, unless it went ahead and the server has it; anonymously without cookies.
    #[wasm_bindgen(js_name = sendFact)]
    pub(crate) fn send(ticket: u32, fact: &Fact, anonymous: bool);

    /// Sends an anonymous fact and ignores the answer.
    #[wasm_bindgen(js_name = sendAnonymously)]
    pub(crate) fn send_anonymously(fact: &Fact);

    /// Takes a fact for the next [`flush`].
    pub(crate) fn gather(fact: &Fact);

    /// Sends what was gathered by beacon.
    pub(crate) fn flush();
}
