//! The page's promises and callbacks.

use js_sys::Error;
pub(crate) use js_sys::Function;
use wasm_bindgen::JsValue;

/// The two ends of a promise that the page waits for.
pub(crate) struct Deferred {
    /// Called with the value.
    pub(crate) resolve: Function,
    /// Called with the error.
    pub(crate) reject: Function,
}

impl Deferred {
    /// Fulfils the promise.
    pub(crate) fn resolve(&self, value: &JsValue) {
        let _ = self.resolve.call1(&JsValue::UNDEFINED, value);
    }

    /// Fulfils the promise without a value.
    pub(crate) fn done(&self) {
        self.resolve(&JsValue::UNDEFINED);
    }

    /// Rejects the promise with an `Error`.
    pub(crate) fn reject(&self, message: &str) {
        let _ = self.reject.call1(&JsValue::UNDEFINED, &Error::new(message));
    }
}

/// Calls a function of the page with a text.
pub(crate) fn call(function: &Function, text: &str) {
    let _ = function.call1(&JsValue::UNDEFINED, &JsValue::from_str(text));
}
