//! Sessions: start, expiry and end, the visitor, and sign-in.

use super::*;

#[wasm_bindgen_test]
async fn a_domain_is_written_where_the_page_asks_for_it() {
    open(r#"{"consent":"granted","cookieDomain":"shop.invalid"}"#).await;
    assert!(writes("visitor_id").contains("; Domain=shop.invalid"));
    assert_eq!(told("cookies"), false);
    // That they did not stick is no reason to go without `Secure` from then on.
    open(GRANTED).await;
    assert_eq!(writes("last_activity").lines().last().unwrap().contains("; Secure"), keeps_secure());
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
async fn a_visitor_whom_the_server_names_where_cookies_do_not_stick_starts_once() {
    fresh();
    put("visitor_id", "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80");
    start(options(r#"{"consent":"granted","cookieDomain":"shop.invalid"}"#));
    wait(4 * SOON).await;
    assert_eq!(paths(), "start page_view");
    assert_eq!(told("cookies"), false);
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
async fn an_end_of_a_browser_that_is_not_counted_is_answered() {
    fresh();
    answer("/api/session/start", "[[204]]");
    start(options(GRANTED));
    event("play".into(), None, now());
    assert_eq!(outcome(|settle| end(&settle)).await, "");
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
async fn a_start_that_is_refused_is_tried_without_the_pages_addresses() {
    fresh();
    answer("/api/session/start", r#"[[400, {"detail": "url: at most 2048 bytes."}]]"#);
    start(options(GRANTED));
    order(r#"{"id":"A-1","amount":"49.90","currency":"EUR"}"#);
    wait(2 * SOON).await;
    assert_eq!(paths(), "start start page_view order");
    let all = sent();
    let starts: Vec<_> = all.split(r#""path":"/api/session/start""#).skip(1).collect();
    assert!(starts[0].contains(r#""url":"#));
    let bare = starts[1].split(r#""method""#).next().unwrap();
    assert!(!bare.contains(r#""url":"#) && !bare.contains("referrer"), "{bare}");
    assert_eq!(complaint(), "");
}
