//! What the page and the browser say about themselves.

use js_sys::Reflect;
use visitflow_protocol::{limits::TEXT_CHARS, wire::Device};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, VisibilityState};

/// The page's address.
pub(crate) fn href() -> String {
    web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default()
}

/// The document's title.
pub(crate) fn title() -> Option<String> {
    let title = web_sys::window()?.document()?.title();
    (!title.is_empty()).then(|| clipped(title))
}

/// What the page is seen on.
pub(crate) fn device() -> Option<Device> {
    let window = web_sys::window()?;
    let screen = window.screen().ok();
    let pixels = |value: Result<JsValue, JsValue>| Some(value.ok()?.as_f64()? as u32);
    let zone = js_sys::Intl::DateTimeFormat::default().resolved_options();
    Some(Device {
        screen_width: screen.as_ref().and_then(|screen| screen.width().ok()).map(i32::unsigned_abs),
        screen_height: screen.as_ref().and_then(|screen| screen.height().ok()).map(i32::unsigned_abs),
        viewport_width: pixels(window.inner_width()),
        viewport_height: pixels(window.inner_height()),
        language: window.navigator().language().map(clipped),
        time_zone: text(&zone, "timeZone").map(clipped),
    })
}

/// `navigator.webdriver`: the browser is under automation.
pub(crate) fn is_automated() -> bool {
    navigator("webdriver").is_some_and(|value| value.is_truthy())
}

/// Whether the browser sends Global Privacy Control.
pub(crate) fn has_gpc() -> bool {
    navigator("globalPrivacyControl").is_some_and(|value| value.is_truthy())
}

/// Whether the browser sends Do Not Track.
pub(crate) fn has_dnt() -> bool {
    navigator("doNotTrack").is_some_and(|value| value == "1")
}

/// Whether the visitor looks at the page: visible and focused.
pub(crate) fn is_looked_at() -> bool {
    is_visible()
        && web_sys::window()
            .and_then(|window| window.document())
            .is_some_and(|document| document.has_focus().unwrap_or(true))
}

/// Whether the page is visible.
pub(crate) fn is_visible() -> bool {
    web_sys::window()
        .and_then(|window| window.document())
        .is_some_and(|document| document.visibility_state() == VisibilityState::Visible)
}

/// How far down the page the viewport reaches, in per cent.
pub(crate) fn scroll_pct() -> u8 {
    let depth = || {
        let window = web_sys::window()?;
        let root = window.document()?.document_element()?;
        let height = f64::from(root.scroll_height());
        let bottom = window.scroll_y().ok()? + window.inner_height().ok()?.as_f64()?;
        (height > 0.0).then_some(bottom * 100.0 / height)
    };
    depth().unwrap_or_default().clamp(0.0, 100.0) as u8
}

/// Whether a `pageshow` says that the page came back from the back/forward cache.
pub(crate) fn is_restored(event: &Event) -> bool {
    Reflect::get(event, &JsValue::from_str("persisted")).is_ok_and(|value| value.is_truthy())
}

/// An http page of a loopback host.
pub(crate) fn is_plain_loopback() -> bool {
    let Some(location) = web_sys::window().map(|window| window.location()) else {
        return false;
    };
    let host = location.hostname().unwrap_or_default();
    let loopback =
        host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "[::1]";
    loopback && location.protocol().is_ok_and(|protocol| protocol == "http:")
}

fn navigator(name: &str) -> Option<JsValue> {
    let navigator = web_sys::window()?.navigator();
    Reflect::get(&navigator, &JsValue::from_str(name)).ok()
}

fn text(of: &JsValue, name: &str) -> Option<String> {
    of.is_object().then(|| Reflect::get(of, &JsValue::from_str(name)).ok()?.as_string())?
}

fn clipped(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(TEXT_CHARS) {
        text.truncate(at);
    }
    text
}

/// Text of a field of a parsed answer.
pub(crate) fn field(answer: &JsValue, name: &str) -> Option<String> {
    text(answer, name)
}

/// A number of a field of a parsed answer.
pub(crate) fn number(answer: &JsValue, name: &str) -> Option<f64> {
    if !answer.is_object() {
        return None;
    }
    Reflect::get(answer.unchecked_ref(), &JsValue::from_str(name)).ok()?.as_f64()
}
