//! The client in a real browser, with a server that is made of JavaScript (`web.js`).
//!
//! `cargo xtask test chromium firefox webkit`

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod consent;
mod delivery;
mod session;
mod views;

use std::cell::RefCell;
use uuid::{Uuid, fmt::Hyphenated};
use visitflow_client::{adopted, answered, deny, end, happened, init, login, logout, snapshot};
use visitflow_protocol::VISITOR_PREFIX;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn uuid(text: &str) -> Option<Uuid> {
    text.parse().map(Hyphenated::into_uuid).ok()
}

fn is_visitor_id(text: &str) -> bool {
    text.strip_prefix(VISITOR_PREFIX).and_then(uuid).is_some()
}

fn is_uuid_v7(text: &str) -> bool {
    uuid(text).is_some_and(|id| id.get_version_num() == 7)
}

#[wasm_bindgen(module = "/tests/web.js")]
extern "C" {
    fn fresh();
    fn options(more: &str) -> JsValue;
    #[wasm_bindgen(js_name = sleep)]
    fn sleep_js(ms: u32) -> js_sys::Promise;
    #[wasm_bindgen(js_name = settled)]
    fn settled_js() -> js_sys::Promise;
    fn answer(at: &str, list: &str);
    fn sent() -> String;
    fn paths() -> String;
    fn last() -> String;
    fn urls() -> String;
    fn ids() -> String;
    fn put(name: &str, value: &str);
    fn jar() -> String;
    fn traces() -> String;
    fn writes(name: &str) -> String;
    fn go(kind: &str, to: &str);
    fn back();
    fn act();
    fn own() -> bool;
    fn complaint() -> String;
    fn leave();
    fn restore();
    fn kept() -> String;
    fn stored() -> String;
    fn sequences() -> String;
    fn keep(key: &str, line: &str);
    fn say();
    fn entitle(title: &str);
    fn origin() -> String;
    fn here() -> String;
    fn locked(ms: u32) -> js_sys::Promise;
    fn online();
    #[wasm_bindgen(js_name = fixBeacons)]
    fn fix_beacons(taken: bool);
    #[wasm_bindgen(js_name = withoutNavigation)]
    fn without_navigation();
    #[wasm_bindgen(js_name = hasNavigation)]
    fn has_navigation() -> bool;
    #[wasm_bindgen(js_name = keepsSecure)]
    fn keeps_secure() -> bool;
    #[wasm_bindgen(js_name = withNavigation)]
    fn with_navigation();
    #[wasm_bindgen(js_name = outcome)]
    fn outcome_js(run: &Closure<dyn FnMut(js_sys::Function)>) -> js_sys::Promise;
}

/// wasm-bindgen serves the files of the shell that are named: these are those of which Rust calls nothing.
macro_rules! served {
    ($($file:tt $name:ident $function:tt)*) => {
        $(#[wasm_bindgen(module = $file)]
        extern "C" {
            #[wasm_bindgen(js_name = $function)]
            fn $name();
        })*
    };
}

served! {
    "/shell/address.js" of_address reported
    "/shell/attempt.js" of_attempt attempt
    "/shell/confirm.js" of_confirm settle
    "/shell/consent.js" of_consent isGranted
    "/shell/cookies.js" of_cookies cookies
    "/shell/facts.js" of_facts make
    "/shell/generated.js" of_generated CAP
    "/shell/ids.js" of_ids uuid
    "/shell/json.js" of_json json
    "/shell/numbers.js" of_numbers next
    "/shell/options.js" of_options isOn
    "/shell/requests.js" of_requests post
    "/shell/routes.js" of_routes land
    "/shell/serial.js" of_serial serially
    "/shell/sticks.js" of_sticks sticks
    "/shell/tabs.js" of_tabs forgetEverywhere
}

/// What the package does with the shell before Rust begins.
#[wasm_bindgen(module = "/tests/shell.js")]
extern "C" {
    fn connect(
        options: &JsValue,
        happened: &JsValue,
        answered: &JsValue,
        adopted: &JsValue,
        page_view: &JsValue,
    );
    fn land(href: &str);
    #[wasm_bindgen(js_name = catchUp)]
    fn catch_up();
}

fn listener<F: ?Sized + wasm_bindgen::closure::WasmClosure>(closure: Closure<F>) -> JsValue {
    closure.into_js_value()
}

/// What the package does: the options and the listeners for the shell, then the client.
fn start(options: JsValue) {
    let hear: Closure<dyn Fn(usize)> = Closure::new(happened);
    let hear_answer: Closure<dyn Fn(u32, u16, f64, JsValue)> = Closure::new(answered);
    let hear_fact: Closure<dyn Fn(JsValue, bool, f64)> =
        Closure::new(|fact: JsValue, is_order, at| adopted(fact.unchecked_ref(), is_order, at));
    let hear_view: Closure<dyn Fn(JsValue, f64)> =
        Closure::new(|call: JsValue, at| visitflow_client::page_view(&call, at));
    connect(&options, &listener(hear), &listener(hear_answer), &listener(hear_fact), &listener(hear_view));
    let get = |name: &str| js_sys::Reflect::get(&options, &name.into()).unwrap();
    let is = |name: &str, value: &str| get(name).as_string().as_deref() == Some(value);
    let auto = get("autoPageViews") != JsValue::FALSE;
    let at = get("landingAt").as_f64().unwrap();
    init(
        is("consent", "granted"),
        is("consent", "denied"),
        is("beforeConsent", "anonymous"),
        auto,
        get("pingIntervalMs").as_f64().unwrap(),
    );
    let landing = auto.then(|| (here(), at));
    LANDING.with_borrow_mut(|slot| *slot = landing);
    if is("consent", "granted") || is("beforeConsent", "anonymous") {
        arrive();
    }
}

thread_local! {
    /// The landing page, as long as it was not told.
    static LANDING: RefCell<Option<(String, f64)>> = const { RefCell::new(None) };
}

/// What the package does once there is consent: it tells of the landing page, and of where the visitor
/// is by now.
fn arrive() {
    if let Some((url, at)) = LANDING.take() {
        land(&url);
        let given = js_sys::JSON::parse(r#"{"referrer":"https://search.example/"}"#).unwrap();
        visitflow_client::page_view(&call("page_view", &url, given, at), at);
        catch_up();
    }
}

/// What the page calls, as the package tells it.
#[wasm_bindgen(module = "/tests/web.js")]
extern "C" {
    fn call(name: &str, href: &str, given: JsValue, at: f64) -> JsValue;
}

fn grant() {
    visitflow_client::grant();
    arrive();
}

fn revoke(settle: &js_sys::Function) {
    visitflow_client::revoke(false, settle);
}

fn page_view(url: &str, at: f64) {
    let given = js_sys::Object::new();
    js_sys::Reflect::set(&given, &"url".into(), &url.into()).unwrap();
    visitflow_client::page_view(&call("page_view", &here(), given.into(), at), at);
}

fn event(name: String, props: Option<String>, at: f64) {
    let props = props.map(|props| format!(r#","props":{props}"#)).unwrap_or_default();
    let given = js_sys::JSON::parse(&format!(r#"{{"name":"{name}"{props}}}"#)).unwrap();
    visitflow_client::event(&call("event", &here(), given, at));
}

fn order(json: &str) {
    let given = js_sys::JSON::parse(json).unwrap();
    visitflow_client::order(&call("order", &here(), given, now()));
}

/// Longer than an answer takes.
const SOON: u32 = 60;

/// Lets this time pass, and then what is under way end, unless the time is shorter than an answer takes.
async fn wait(ms: u32) {
    wasm_bindgen_futures::JsFuture::from(sleep_js(ms)).await.unwrap();
    if ms >= SOON {
        wasm_bindgen_futures::JsFuture::from(settled_js()).await.unwrap();
    }
}

/// Opens the landing page with these options, as JSON.
async fn open(more: &str) {
    fresh();
    start(options(more));
    wait(SOON).await;
}

/// What a promise came to: JSON of its value, or the text of its error.
async fn outcome(run: impl FnMut(js_sys::Function) + 'static) -> String {
    let run = Closure::new(run);
    let value = wasm_bindgen_futures::JsFuture::from(outcome_js(&run)).await.unwrap();
    value.as_string().unwrap_or_default()
}

fn now() -> f64 {
    js_sys::Date::now()
}

/// What the snapshot tells.
fn told(name: &str) -> JsValue {
    js_sys::Reflect::get(&snapshot(), &name.into()).unwrap()
}

fn cookie(name: &str) -> Option<String> {
    let all = jar();
    let mut pairs = all.split("; ").filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.into())
}

fn ann() -> JsValue {
    js_sys::JSON::parse(r#"{"username":"ann","password":"secret"}"#).unwrap()
}

const ADA: &str = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";

const GRANTED: &str = r#"{"consent":"granted"}"#;
