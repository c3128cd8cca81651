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
use visitflow_client::{adopted, answered, deny, end, happened, init, login, logout, snapshot};
use visitflow_protocol::id::{is_uuid_v7, is_visitor_id};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/web.js")]
extern "C" {
    fn fresh();
    fn options(more: &str) -> JsValue;
    #[wasm_bindgen(js_name = sleep)]
    fn sleep_js(ms: u32) -> js_sys::Promise;
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

type Hear = Closure<dyn Fn(usize)>;
type HearFact = Closure<dyn Fn(JsValue, bool, f64)>;
type HearAnswer = Closure<dyn Fn(u32, u16, f64, JsValue)>;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    fn begin(options: &JsValue, hear: &Hear, hear_answer: &HearAnswer, hear_fact: &HearFact) -> u32;
}

/// What the package does: the options and the ears for `host.js`, then the client.
fn start(options: JsValue) {
    let (hear, hear_answer) = (Hear::new(happened), HearAnswer::new(answered));
    let hear_fact = HearFact::new(|fact: JsValue, is_order, at| adopted(fact.unchecked_ref(), is_order, at));
    let bits = begin(&options, &hear, &hear_answer, &hear_fact);
    hear_fact.forget();
    hear.forget();
    hear_answer.forget();
    let number = |name: &str| js_sys::Reflect::get(&options, &name.into()).unwrap().as_f64().unwrap();
    init(bits, number("pingIntervalMs"));
    let text = |name: &str| js_sys::Reflect::get(&options, &name.into()).unwrap().as_string();
    let auto = js_sys::Reflect::get(&options, &"autoPageViews".into()).unwrap() != JsValue::FALSE;
    let landing = auto.then(|| (here(), number("landingAt")));
    LANDING.with_borrow_mut(|slot| *slot = landing);
    if text("consent").as_deref() == Some("granted") || text("beforeConsent").is_some() {
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
    const REPLACED: usize = 1;
    if let Some((url, at)) = LANDING.take() {
        page_view(&url, at);
    }
    happened(REPLACED);
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
    visitflow_client::page_view(&given, at);
}

fn event(name: String, props: Option<String>, at: f64) {
    let props = props.map(|props| format!(r#","props":{props}"#)).unwrap_or_default();
    visitflow_client::event(&js_sys::JSON::parse(&format!(r#"{{"name":"{name}"{props}}}"#)).unwrap(), at);
}

fn order(json: &str) {
    visitflow_client::order(&js_sys::JSON::parse(json).unwrap(), now());
}

/// Longer than an answer takes.
const SOON: u32 = 60;

async fn wait(ms: u32) {
    wasm_bindgen_futures::JsFuture::from(sleep_js(ms)).await.unwrap();
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

/// What the snapshot tells, by the names that the package gives its values.
fn told(name: &str) -> JsValue {
    const NAMES: [&str; 8] =
        ["version", "consent", "session", "last_activity", "queued", "sent", "dropped", "cookies"];
    let at = NAMES.iter().position(|known| *known == name).unwrap();
    js_sys::Reflect::get_u32(&snapshot(), at as u32).unwrap()
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
