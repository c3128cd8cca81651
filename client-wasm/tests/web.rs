//! The client in a real browser, with a server that is made of JavaScript (`web.js`).
//!
//! `cargo xtask test chromium firefox webkit`

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

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

#[wasm_bindgen_test]
async fn before_consent_nothing_is_written_sent_or_wrapped() {
    for choice in ["pending", "denied"] {
        open(&format!(r#"{{"consent":"{choice}"}}"#)).await;
        go("pushState", "/shoes");
        act();
        event("play".into(), None, now());
        page_view("https://shop.example/x", now());
        wait(SOON).await;
        assert_eq!(sent(), "[]");
        assert_eq!(traces(), "", "neither storage nor channel nor lock");
        assert_eq!(writes("visitor_id"), "");
        assert_eq!(writes("last_activity"), "");
        assert!(!own());
        assert_eq!(told("consent"), choice);
    }
}

#[wasm_bindgen_test]
async fn consent_writes_the_cookies_as_specified() {
    open(GRANTED).await;
    let visitor = cookie("visitor_id").unwrap();
    assert!(is_visitor_id(&visitor));
    let seen = traces();
    assert!(seen.contains("lock visitflow") && seen.contains("channel visitflow"), "they are seen: {seen}");
    // On http://127.0.0.1 WebKit refuses secure cookies: there, and nowhere else, it goes without.
    let secure = if keeps_secure() { "; Secure" } else { "" };
    assert_eq!(
        writes("visitor_id").lines().last().unwrap(),
        format!("visitor_id={visitor}; Max-Age=31536000; Path=/{secure}; SameSite=Lax")
    );
    let activity = cookie("last_activity").unwrap();
    assert!((now() - activity.parse::<f64>().unwrap()).abs() < 2_000.0);
    assert_eq!(
        writes("last_activity"),
        format!("last_activity={activity}; Max-Age=3600; Path=/{secure}; SameSite=Lax")
    );
    assert_eq!(told("cookies"), true);
}

#[wasm_bindgen_test]
async fn a_domain_is_written_where_the_page_asks_for_it() {
    open(r#"{"consent":"granted","cookieDomain":"shop.invalid"}"#).await;
    assert!(writes("visitor_id").contains("; Path=/; Domain=shop.invalid; "));
    assert_eq!(told("cookies"), false);
}

#[wasm_bindgen_test]
async fn a_visitor_that_is_known_keeps_its_id() {
    fresh();
    let known = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";
    put("visitor_id", known);
    start(options(GRANTED));
    wait(SOON).await;
    assert_eq!(cookie("visitor_id").unwrap(), known);
    assert_eq!(writes("visitor_id"), "");
}

#[wasm_bindgen_test]
async fn a_session_is_started_before_the_landing_page_is_sent_once() {
    open("{}").await;
    grant();
    grant();
    wait(SOON).await;
    assert_eq!(paths(), "start page_view");
    let view = last();
    assert!(view.contains(r#""way":"fetch""#));
    assert!(view.contains("https://search.example/"));
    let age = view.split(r#""age_ms":"#).nth(1).unwrap();
    let age: u32 = age.split([',', '}']).next().unwrap().parse().unwrap();
    assert!((4_000..6_000).contains(&age), "{age}");
    assert!(sent().contains(r#""credentials":"include","keepalive":true"#));
}

#[wasm_bindgen_test]
async fn a_live_hint_needs_no_start() {
    fresh();
    put("last_activity", &format!("{}", now() - 60_000.0));
    start(options(GRANTED));
    wait(SOON).await;
    assert_eq!(paths(), "page_view");
}

#[wasm_bindgen_test]
async fn an_old_or_unreadable_hint_starts_once() {
    for hint in [format!("{}", now() - 1_800_000.0), "yesterday".into()] {
        fresh();
        put("last_activity", &hint);
        start(options(GRANTED));
        act();
        wait(SOON).await;
        assert_eq!(paths(), "start page_view", "{hint}");
    }
}

#[wasm_bindgen_test]
async fn each_route_is_one_view() {
    for navigation in [true, false] {
        if !navigation {
            without_navigation();
        }
        open(GRANTED).await;
        assert_eq!(own(), !has_navigation(), "history is wrapped where there is no other way");
        go("pushState", "/shoes");
        go("pushState", "/shoes");
        go("replaceState", "/shoes?sort=up");
        go("replaceState", "/boots");
        back();
        wait(4 * SOON).await;
        assert_eq!(urls(), "/landing /shoes /boots /shoes");
        outcome(|settle| revoke(&settle)).await;
        assert!(!own());
    }
    with_navigation();
}

#[wasm_bindgen_test]
async fn ids_are_of_version_7_and_grow() {
    open(GRANTED).await;
    for name in ["a", "b", "c"] {
        event(name.into(), None, now());
        go("pushState", name);
    }
    wait(4 * SOON).await;
    let ids = ids();
    let mut ids: Vec<&str> = ids.split(' ').collect();
    assert!(ids.len() >= 7);
    assert!(ids.iter().all(|id| is_uuid_v7(id)));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[wasm_bindgen_test]
async fn events_and_orders_carry_their_fields() {
    open(GRANTED).await;
    event("play".into(), Some(r#"{"level":3}"#.into()), now());
    wait(SOON).await;
    assert!(last().contains(r#""name":"play","props":{"level":3}"#));
    order(r#"{"id":"A-1","amount":"49.90","currency":"EUR","items":[]}"#);
    wait(SOON).await;
    assert!(last().contains(r#""body":{"id":"A-1","#));
    assert!(last().contains(r#""amount":"49.90","currency":"EUR","items":[],"#));
}

#[wasm_bindgen_test]
async fn a_failure_is_tried_again_with_the_same_id() {
    open(GRANTED).await;
    let at = "/api/telemetry/event";
    answer(at, r#"[[503, {}, {"Retry-After": "1"}], [0]]"#);
    event("play".into(), None, now());
    wait(500).await;
    assert_eq!(paths(), "start page_view event");
    assert_eq!(told("queued"), 1);
    wait(3_500).await;
    let three = sent();
    let tries: Vec<&str> = three.split(r#"event","body":{"id":""#).skip(1).collect();
    assert_eq!(tries.len(), 3);
    assert!(tries.iter().all(|body| body[..36] == tries[0][..36]));
    assert_eq!(told("queued"), 0);
}

#[wasm_bindgen_test]
async fn a_refusal_is_final() {
    open(GRANTED).await;
    answer("/api/telemetry/event", r#"[[400, {"detail": "Mend it."}]]"#);
    event("play".into(), None, now());
    wait(SOON).await;
    assert_eq!(told("dropped"), 1);
    assert_eq!(told("queued"), 0);
    assert_eq!(complaint(), "Mend it.");
}

#[wasm_bindgen_test]
async fn a_browser_that_is_not_counted_is_left_alone() {
    fresh();
    answer("/api/session/start", "[[204]]");
    start(options(GRANTED));
    wait(SOON).await;
    go("pushState", "/shoes");
    act();
    event("play".into(), None, now());
    wait(SOON).await;
    assert_eq!(paths(), "start");
    assert_eq!(told("session"), "refused");
}

#[wasm_bindgen_test]
async fn a_start_that_another_tab_s_sign_in_crosses_is_tried_again() {
    fresh();
    answer("/api/session/start", r#"[[401, {"detail": "The session was renewed."}]]"#);
    start(options(GRANTED));
    order(r#"{"id":"A-1","amount":"49.90","currency":"EUR"}"#);
    wait(SOON).await;
    assert_eq!(paths(), "start");
    assert_eq!(told("session"), "none");
    assert_eq!(told("queued"), 2);
    wait(1_200).await;
    assert_eq!(paths(), "start start page_view order");
    assert_eq!(told("session"), "live");
    assert_eq!(told("dropped"), 0);
    assert_eq!(complaint(), "");
}

#[wasm_bindgen_test]
async fn a_start_that_is_refused_for_good_silences_the_page() {
    fresh();
    answer("/api/session/start", r#"[[403, {"detail": "This origin is not allowed."}]]"#);
    start(options(GRANTED));
    event("play".into(), None, now());
    wait(1_200).await;
    assert_eq!(paths(), "start");
    assert_eq!(told("session"), "refused");
    assert_eq!(complaint(), "This origin is not allowed.");
}

#[wasm_bindgen_test]
async fn anonymous_views_carry_no_cookie_and_no_visitor() {
    open(r#"{"beforeConsent":"anonymous"}"#).await;
    go("pushState", "/shoes");
    event("play".into(), None, now());
    act();
    wait(4 * SOON).await;
    assert_eq!(urls(), "/landing /shoes");
    let all = sent();
    assert_eq!(all.matches(r#""anonymous":true"#).count(), 2);
    assert_eq!(all.matches(r#""credentials":"omit""#).count(), 2);
    assert!(!all.contains("visitor_id") && !all.contains("device"));
    assert_eq!(writes("visitor_id"), "");
    assert_eq!(writes("last_activity"), "");
}

#[wasm_bindgen_test]
async fn an_anonymous_view_that_waits_goes_without_cookies_when_the_page_does() {
    fresh();
    answer("/api/telemetry/page_view", "[[503]]");
    start(options(r#"{"beforeConsent":"anonymous"}"#));
    wait(SOON).await;
    leave();
    let all = sent();
    assert_eq!(all.matches(r#""credentials":"omit""#).count(), 2);
    assert!(!all.contains("beacon"));
}

#[wasm_bindgen_test]
async fn a_revoke_deletes_the_cookies_and_ends_the_session() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503], [503]]");
    event("waits".into(), None, now());
    wait(SOON).await;
    let done = outcome(|settle| revoke(&settle)).await;
    assert_eq!(done, "");
    assert_eq!(paths(), "start page_view event end");
    assert_eq!(cookie("visitor_id"), None);
    assert_eq!(cookie("last_activity"), None);
    assert!(!own());
    go("pushState", "/shoes");
    act();
    event("late".into(), None, now());
    wait(1_500).await;
    assert_eq!(paths(), "start page_view event end");
}

#[wasm_bindgen_test]
async fn an_answer_of_before_the_revoke_is_void() {
    fresh();
    start(options(GRANTED));
    while paths().is_empty() {
        wait(1).await;
    }
    deny();
    wait(2 * SOON).await;
    assert_eq!(paths(), "start end");
    assert_eq!(cookie("visitor_id"), None);
    assert_eq!(cookie("last_activity"), None);
    assert_eq!(told("session"), "none");
}

#[wasm_bindgen_test]
async fn a_new_consent_is_a_new_visitor() {
    open(GRANTED).await;
    let first = cookie("visitor_id");
    deny();
    wait(SOON).await;
    grant();
    wait(SOON).await;
    assert!(cookie("visitor_id").is_some());
    assert_ne!(cookie("visitor_id"), first);
    assert_eq!(paths(), "start page_view end start");
}

#[wasm_bindgen_test]
async fn a_new_consent_waits_until_the_old_session_has_ended() {
    open(GRANTED).await;
    deny();
    grant();
    assert_eq!(paths(), "start page_view end");
    wait(2 * SOON).await;
    assert_eq!(paths(), "start page_view end start");
    assert!(cookie("visitor_id").is_some());
}

#[wasm_bindgen_test]
async fn what_is_too_large_or_refused_is_dropped_and_stops_nothing() {
    open(GRANTED).await;
    event("play".into(), Some(format!(r#"{{"a":"{}"}}"#, "x".repeat(65_000))), now());
    answer("/api/telemetry/event", r#"[[400, {"detail": "Mend it."}]]"#);
    event("x".repeat(65), None, now());
    event("play".into(), None, now());
    wait(SOON).await;
    assert_eq!(paths(), "start page_view event event");
    assert_eq!(told("dropped"), 2);
}

#[wasm_bindgen_test]
async fn a_page_that_goes_away_sends_what_waits_by_beacon() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503]]");
    event("waits".into(), None, now());
    wait(SOON).await;
    leave();
    assert!(paths().starts_with("start page_view event event"));
    assert!(sent().contains(r#""beacon","path":"/api/telemetry/event""#));
    let all = sent();
    let ids: Vec<_> = all.split(r#""id":""#).skip(2).map(|body| &body[..36]).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{all}");
}

#[wasm_bindgen_test]
async fn a_page_back_from_the_cache_is_a_view() {
    open(GRANTED).await;
    restore();
    wait(SOON).await;
    assert_eq!(urls(), "/landing /landing");
}

#[wasm_bindgen_test]
async fn a_login_lets_others_settle_and_holds_new_ones() {
    open(GRANTED).await;
    event("before".into(), None, now());
    answer("/api/auth/login", r#"[[200, {"user_id": "u_1"}]]"#);
    let user = outcome(|settle| {
        login(&ann(), &settle);
        event("after".into(), None, now());
    })
    .await;
    assert_eq!(user, r#"{"user_id":"u_1"}"#);
    wait(SOON).await;
    assert_eq!(paths(), "start page_view event login event");
    assert!(!sent().contains("visit\":"));
}

#[wasm_bindgen_test]
async fn a_login_without_consent_measures_nothing() {
    open("{}").await;
    answer("/api/auth/login", r#"[[200, {"user_id": "u_1"}]]"#);
    outcome(|settle| login(&ann(), &settle)).await;
    assert_eq!(paths(), "login");
    assert!(last().contains(r#""visit":false"#));
    assert_eq!(writes("last_activity"), "");
}

#[wasm_bindgen_test]
async fn a_refused_login_says_why() {
    open(GRANTED).await;
    answer("/api/auth/login", r#"[[401, {"detail": "Wrong password."}], [0]]"#);
    let bad = |settle: js_sys::Function| login(&ann(), &settle);
    assert_eq!(outcome(bad).await, "Wrong password.");
    assert!(outcome(bad).await.contains("could not be reached"));
}

#[wasm_bindgen_test]
async fn logout_keeps_the_session_and_end_forgets_it() {
    open(GRANTED).await;
    outcome(|settle| logout(&settle)).await;
    assert_eq!(told("session"), "live");
    outcome(|settle| end(&settle)).await;
    assert_eq!(told("session"), "ended");
    assert_eq!(cookie("last_activity"), None);
    act();
    wait(SOON).await;
    assert_eq!(paths(), "start page_view logout end");
    event("play".into(), None, now());
    wait(SOON).await;
    assert_eq!(paths(), "start page_view logout end start event");
}

#[wasm_bindgen_test]
async fn activity_pings_after_a_while_and_an_expired_session_is_started_once() {
    open(r#"{"consent":"granted","pingIntervalMs":100}"#).await;
    answer("/api/session/ping", "[[401], [401], [401]]");
    act();
    wait(1_200).await;
    assert_eq!(paths(), "start page_view ping start");
    act();
    wait(1_200).await;
    act();
    wait(1_200).await;
    assert_eq!(paths(), "start page_view ping start ping");
}

#[wasm_bindgen_test]
async fn a_fact_is_kept_until_the_server_has_it() {
    open(GRANTED).await;
    assert_eq!(kept(), "");
    answer("/api/telemetry/event", "[[503]]");
    event("waits".into(), None, now());
    wait(SOON).await;
    assert!(kept().contains(r#""name":"waits""#));
    wait(1_500).await;
    assert_eq!(kept(), "");
    assert_eq!(paths(), "start page_view event event");
}

#[wasm_bindgen_test]
async fn what_an_earlier_page_could_not_send_is_sent_with_its_age_and_sent_once() {
    fresh();
    let line = |claimed: f64| {
        format!(
            r#"[{claimed},"{ADA}","/api/telemetry/event",{},{{"id":"x","name":"left"}}]"#,
            now() - 90_000.0
        )
    };
    put("visitor_id", ADA);
    keep("e", r#"[1,"v_of-another","/api/telemetry/event",1,{"id":"z","name":"another visitor's"}]"#);
    keep("a", &line(now() - 61_000.0));
    keep("b", &line(now() - 1_000.0));
    keep("c", "of another version");
    keep(
        "d",
        &format!(
            r#"[1,"{ADA}","/api/telemetry/event",{},{{"id":"y","name":"forgotten"}}]"#,
            now() - 700_000_000.0
        ),
    );
    start(options(GRANTED));
    wait(2 * SOON).await;
    assert_eq!(paths(), "start page_view event");
    let all = sent();
    let left = all.split(r#""name":"left""#).nth(1).unwrap();
    let age = left.split(r#""age_ms":"#).nth(1).unwrap();
    let age: u32 = age.split('}').next().unwrap().parse().unwrap();
    assert!((90_000..92_000).contains(&age), "{age}");
    assert!(kept().contains("left") && kept().contains("another version"), "the others are not ours");
    assert!(!kept().contains("forgotten"), "older than the server takes");
    assert!(!kept().contains("another visitor's"), "who took consent back");
    assert_eq!(told("dropped"), 1);
    outcome(|settle| revoke(&settle)).await;
    assert_eq!(kept(), "", "they are the visitor's");
}

#[wasm_bindgen_test]
async fn without_consent_nothing_is_kept() {
    for more in ["{}", r#"{"beforeConsent":"anonymous"}"#] {
        fresh();
        answer("/api/telemetry/page_view", "[[503]]");
        start(options(more));
        event("play".into(), None, now());
        wait(SOON).await;
        assert_eq!(kept(), "");
    }
}

#[wasm_bindgen_test]
async fn consent_that_another_tab_takes_back_is_taken_back_here() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503]]");
    event("waits".into(), None, now());
    wait(SOON).await;
    say();
    wait(SOON).await;
    assert_eq!(told("consent"), "denied");
    assert_eq!((cookie("visitor_id"), cookie("last_activity")), (None, None));
    assert_eq!(kept(), "");
    act();
    go("pushState", "/shoes");
    wait(1_500).await;
    assert_eq!(paths(), "start page_view event", "the other tab has ended the session");
}

#[wasm_bindgen_test]
async fn a_page_back_from_the_cache_that_counts_its_views_itself_is_none() {
    open(r#"{"consent":"granted","autoPageViews":false}"#).await;
    restore();
    wait(SOON).await;
    assert_eq!(paths(), "start");
}

#[wasm_bindgen_test]
async fn a_page_from_the_cache_whose_consent_was_taken_back_meanwhile_says_nothing() {
    open(GRANTED).await;
    put("visitor_id", "; Max-Age=0");
    restore();
    wait(SOON).await;
    assert_eq!(paths(), "start page_view");
    assert_eq!(told("consent"), "denied");
}

#[wasm_bindgen_test]
async fn one_tab_at_a_time_starts_and_the_next_finds_what_it_started() {
    fresh();
    let other = locked(100);
    start(options(GRANTED));
    wait(SOON).await;
    assert_eq!(paths(), "");
    put("last_activity", &format!("{}", now()));
    wasm_bindgen_futures::JsFuture::from(other).await.unwrap();
    wait(SOON).await;
    assert_eq!(paths(), "page_view");
    let free = locked(0);
    wasm_bindgen_futures::JsFuture::from(free).await.unwrap();
}

#[wasm_bindgen_test]
async fn back_online_waits_no_longer() {
    open(GRANTED).await;
    answer("/api/telemetry/event", r#"[[503, {}, {"Retry-After": "60"}]]"#);
    event("waits".into(), None, now());
    wait(SOON).await;
    online();
    wait(SOON).await;
    assert_eq!(paths(), "start page_view event event");
}

#[wasm_bindgen_test]
async fn a_page_that_goes_away_sends_several_facts_as_one_beacon() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503]]");
    event("a".into(), None, now());
    event("b".into(), None, now());
    wait(SOON).await;
    leave();
    assert!(paths().starts_with("start page_view event event"));
    let all = sent();
    let beacon = all.split(r#""way":"beacon""#).nth(1).unwrap();
    assert!(
        beacon.contains(r#""body":[{"#)
            && beacon.contains(r#""name":"a""#)
            && beacon.contains(r#""name":"b""#)
    );
}

#[wasm_bindgen_test]
async fn a_beacon_holds_no_more_facts_than_the_server_takes_at_once() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503]]");
    for _ in 0..101 {
        event("x".into(), None, now());
    }
    wait(SOON).await;
    leave();
    assert!(paths().starts_with("start page_view event event event"));
}

#[wasm_bindgen_test]
async fn what_no_beacon_takes_goes_by_fetch() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503]]");
    event("a".into(), None, now());
    wait(SOON).await;
    fix_beacons(false);
    leave();
    assert!(paths().starts_with("start page_view event event"));
    assert!(!sent().contains("beacon") && last().contains(r#""keepalive":true"#));
}

#[wasm_bindgen_test]
async fn a_visitor_whom_the_server_names_where_cookies_do_not_stick_starts_once() {
    fresh();
    put("visitor_id", "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80");
    start(options(r#"{"consent":"granted","cookieDomain":"shop.invalid"}"#));
    wait(4 * SOON).await;
    assert_eq!(paths(), "start page_view");
    assert_eq!(told("cookies"), false);
}

#[wasm_bindgen_test]
async fn a_view_of_before_consent_stays_anonymous_when_it_is_sent_after_it() {
    fresh();
    answer("/api/telemetry/page_view", "[[503]]");
    start(options(r#"{"beforeConsent":"anonymous"}"#));
    wait(SOON).await;
    grant();
    wait(1_500).await;
    let all = sent();
    let views: Vec<_> = all.split(r#""path":"/api/telemetry/page_view""#).skip(1).collect();
    assert_eq!(views.len(), 2);
    let late = views[1];
    assert!(late.contains(r#""anonymous":true"#) && late.contains(r#""credentials":"omit""#));
    assert!(!late.contains("visitor_id"));
}

#[wasm_bindgen_test]
async fn a_login_waits_for_the_start_that_is_about_to_be_sent() {
    fresh();
    start(options(GRANTED));
    answer("/api/auth/login", r#"[[200, {"user_id": "u_1"}]]"#);
    outcome(|settle| login(&ann(), &settle)).await;
    assert_eq!(paths(), "start login page_view");
}

#[wasm_bindgen_test]
async fn what_a_page_calls_its_things_is_its_own_business() {
    fresh();
    let title = format!("{}\u{1f600}", "x".repeat(127));
    entitle(&title);
    start(options(GRANTED));
    event("play".into(), Some(r#"{"at":"12:30"}"#.into()), now());
    wait(2 * SOON).await;
    assert_eq!(paths(), "start page_view event");
    assert!(sent().contains(&format!(r#""title":"{title}""#)));
    entitle("");
}

#[wasm_bindgen_test]
async fn views_are_numbered_within_the_visit() {
    open(GRANTED).await;
    go("pushState", "/shoes");
    wait(SOON).await;
    assert_eq!(sequences(), "1 2");
    start(options(GRANTED)); // another page, the same visit
    wait(SOON).await;
    assert_eq!(sequences(), "1 2 3");
    put("last_activity", &(now() - 1_900_000.0).to_string());
    go("pushState", "/boots");
    wait(SOON).await;
    assert_eq!(sequences(), "1 2 3 1", "another visit");
    outcome(|settle| revoke(&settle)).await;
    assert_eq!(stored(), "");
}

#[wasm_bindgen_test]
async fn an_erasure_names_the_visitor_once_and_forgets_it() {
    open(GRANTED).await;
    let visitor = cookie("visitor_id").unwrap();
    answer("/api/privacy/visitor", r#"[[503, {"detail": "Try again in a moment."}], [204]]"#);
    let erase = |settle: js_sys::Function| visitflow_client::revoke(true, &settle);
    assert_eq!(outcome(erase).await, "Try again in a moment.");
    assert_eq!(cookie("visitor_id"), None, "nothing is measured meanwhile");
    assert_eq!(outcome(erase).await, "");
    assert_eq!(
        paths(),
        "start page_view start visitor start visitor",
        "for a session that has ended, another"
    );
    assert!(last().contains(&format!(r#""visitor_id":"{visitor}""#)), "{}", last());
    assert!(last().contains(r#""method":"DELETE""#));
    assert_eq!(told("consent"), "denied");
}

#[wasm_bindgen_test]
async fn consent_given_during_an_erasure_is_of_another_visitor() {
    open(GRANTED).await;
    let before = cookie("visitor_id").unwrap();
    visitflow_client::revoke(true, &js_sys::Function::new_no_args(""));
    grant();
    put("visitor_id", "; Max-Age=0"); // as the answer does
    wait(2 * SOON).await;
    assert_eq!(told("consent"), "granted");
    assert_ne!(cookie("visitor_id").unwrap(), before);
    assert!(paths().starts_with("start page_view start visitor start"), "{}", paths());
}

#[wasm_bindgen_test]
async fn an_end_of_a_browser_that_is_not_counted_is_answered() {
    fresh();
    answer("/api/session/start", "[[204]]");
    start(options(GRANTED));
    event("play".into(), None, now());
    assert_eq!(outcome(|settle| end(&settle)).await, "");
}

#[wasm_bindgen_test]
async fn a_page_that_counts_its_views_itself_is_told_of_consent_and_counts_none() {
    open(r#"{"consent":"granted","autoPageViews":false}"#).await;
    go("pushState", "/shoes");
    page_view(&format!("{}/shoes", origin()), now());
    grant();
    wait(SOON).await;
    assert_eq!(urls(), "/shoes");
}

#[wasm_bindgen_test]
async fn a_revoke_that_does_not_arrive_is_repeated_and_holds_what_comes_after() {
    open(GRANTED).await;
    answer("/api/session/end", "[[0]]");
    assert_eq!(outcome(|settle| revoke(&settle)).await, "");
    grant();
    wait(SOON).await;
    assert_eq!(paths(), "start page_view end", "the old session may live still");
    wait(1_500).await;
    assert!(paths().starts_with("start page_view end end start"), "{}", paths());
}

#[wasm_bindgen_test]
async fn an_end_comes_after_the_facts_before_it() {
    open(GRANTED).await;
    event("before".into(), None, now());
    event("before too".into(), None, now());
    assert_eq!(outcome(|settle| end(&settle)).await, "");
    event("after".into(), None, now());
    wait(2 * SOON).await;
    assert_eq!(paths(), "start page_view event event end start event");
}

#[wasm_bindgen_test]
async fn a_browser_without_cookies_says_so_when_it_starts() {
    open(r#"{"consent":"granted","cookieDomain":"shop.invalid"}"#).await;
    assert!(sent().contains(r#""cookies":0"#));
    open(GRANTED).await;
    assert!(!sent().contains(r#""cookies""#));
}

#[wasm_bindgen_test]
async fn a_revoke_deletes_a_visitor_that_is_none_too() {
    fresh();
    put("visitor_id", "of-another-kind");
    start(options("{}"));
    outcome(|settle| revoke(&settle)).await;
    assert_eq!(cookie("visitor_id"), None);
    assert_eq!(paths(), "end");
}

#[wasm_bindgen_test]
async fn a_landing_page_that_only_sheds_its_parameters_is_one_view() {
    fresh();
    go("replaceState", "/landing?utm_source=x");
    let options = options("{}");
    start(options);
    go("replaceState", "/landing");
    grant();
    wait(SOON).await;
    assert_eq!(urls(), "/landing");
    assert!(last().contains("utm_source=x"));
}

#[wasm_bindgen_test]
async fn a_view_by_hand_leaves_the_page_where_it_is() {
    open(GRANTED).await;
    page_view(&format!("{}/virtual", origin()), now());
    wait(SOON).await;
    assert!(last().contains(r#"/landing","#), "its referrer");
    go("replaceState", "/landing?sort=up");
    go("pushState", "/shoes");
    wait(SOON).await;
    assert_eq!(urls(), "/landing /virtual /shoes");
}

#[wasm_bindgen_test]
async fn a_title_that_has_not_changed_with_the_address_is_not_reported_again() {
    fresh();
    entitle("Landing");
    start(options(GRANTED));
    go("pushState", "/shoes");
    entitle("Boots");
    go("pushState", "/boots");
    wait(2 * SOON).await;
    let all = sent();
    let titles: Vec<_> =
        all.split(r#""title":""#).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!((urls().as_str(), titles.as_slice()), ("/landing /shoes /boots", &["Landing", "Boots"][..]));
    entitle("");
}
