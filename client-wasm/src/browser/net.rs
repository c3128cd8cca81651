//! Requests: fetch, whose answer is read, and beacons, which survive the page.

use js_sys::{JSON, Promise, Reflect};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{AbortController, Headers, RequestCredentials, RequestInit, Response};

/// A request.
pub(crate) struct Request<'a> {
    /// Absolute address.
    pub(crate) url: &'a str,
    /// JSON.
    pub(crate) body: &'a str,
    /// Says `application/json`; otherwise `text/plain`, which needs no preflight.
    pub(crate) json: bool,
    /// Sends no cookies and takes none.
    pub(crate) anonymous: bool,
}

/// What came back.
pub(crate) struct Answer {
    /// Status code; 0 where nothing came back.
    pub(crate) status: u16,
    /// `Retry-After` in ms, where it gives seconds.
    pub(crate) retry_after_ms: Option<u64>,
    /// The body if it was JSON, else undefined.
    pub(crate) body: JsValue,
}

impl Answer {
    /// No answer: the network failed, or took too long.
    pub(crate) fn none() -> Self {
        Self { status: 0, retry_after_ms: None, body: JsValue::UNDEFINED }
    }
}

/// A request under way; dropping it aborts it.
pub(crate) struct Call {
    controller: Option<AbortController>,
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

/// Posts by fetch with keepalive. `done` is called once, never before this returns; after a drop
/// of the call too, with no answer.
pub(crate) fn post(request: &Request<'_>, done: impl Fn(Answer) + 'static) -> Call {
    let controller = AbortController::new().ok();
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(request.body));
    init.set_credentials(if request.anonymous {
        RequestCredentials::Omit
    } else {
        RequestCredentials::Include
    });
    let _ = Reflect::set(&init, &JsValue::from_str("keepalive"), &JsValue::TRUE);
    if let Some(controller) = &controller {
        init.set_signal(Some(&controller.signal()));
    }
    if request.json
        && let Ok(headers) = Headers::new()
    {
        let _ = headers.set("Content-Type", "application/json");
        init.set_headers(&headers);
    }
    if let Some(window) = web_sys::window() {
        hear(&window.fetch_with_str_and_init(request.url, &init), Rc::new(done));
    }
    Call { controller }
}

/// Reads status and body. The handlers are freed by the browser once the promise is settled: they
/// may outlive the [`Call`].
fn hear(fetched: &Promise, done: Rc<dyn Fn(Answer)>) {
    let failed = Rc::clone(&done);
    let failed = Closure::<dyn FnMut(JsValue)>::new(move |_| failed(Answer::none()));
    let headed = Closure::<dyn FnMut(JsValue)>::new(move |response: JsValue| {
        let response: Response = response.unchecked_into();
        let status = response.status();
        let retry_after_ms = response
            .headers()
            .get("Retry-After")
            .ok()
            .flatten()
            .and_then(|text| text.parse::<u64>().ok())
            .map(|seconds| seconds.saturating_mul(1_000));
        let done = Rc::clone(&done);
        // The body is read to its end even where nobody wants it: only then is the connection
        // free. A body that breaks off is no answer.
        let read = Closure::<dyn FnMut(JsValue)>::new(move |text: JsValue| {
            done(match text.as_string() {
                Some(text) => {
                    Answer { status, retry_after_ms, body: JSON::parse(&text).unwrap_or(JsValue::UNDEFINED) }
                }
                None => Answer::none(),
            });
        });
        if let Ok(text) = response.text() {
            let _ = text.then2(&read, &read);
        }
        read.forget();
    });
    let _ = fetched.then2(&headed, &failed);
    headed.forget();
    failed.forget();
}

/// Sends a beacon; false if the browser does not take it.
pub(crate) fn beacon(url: &str, body: &str) -> bool {
    web_sys::window()
        .is_some_and(|window| window.navigator().send_beacon_with_opt_str(url, Some(body)).unwrap_or(false))
}
