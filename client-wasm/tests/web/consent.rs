//! Consent: what is done before it, with it, and when it is taken back.

use super::*;

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
        format!("visitor_id={visitor}; Path=/; SameSite=Lax; Max-Age=31536000; Domain={secure}")
    );
    let activity = cookie("last_activity").unwrap();
    assert!((now() - activity.parse::<f64>().unwrap()).abs() < 2_000.0);
    assert_eq!(
        writes("last_activity"),
        format!("last_activity={activity}; Path=/; SameSite=Lax; Max-Age=3600; Domain={secure}")
    );
    assert_eq!(told("cookies"), true);
}

#[wasm_bindgen_test]
async fn anonymous_views_carry_no_cookie_and_no_visitor() {
    open(r#"{"beforeConsent":"anonymous"}"#).await;
    go("pushState", "/shoes");
    event("play".into(), None, now());
    act();
    wait(8 * SOON).await;
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
async fn a_revoke_deletes_the_cookies_and_has_the_session_forgotten() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[503], [503]]");
    event("waits".into(), None, now());
    wait(SOON).await;
    let done = outcome(|settle| revoke(&settle)).await;
    assert_eq!(done, "");
    assert_eq!(paths(), "start page_view event forget");
    assert_eq!(cookie("visitor_id"), None);
    assert_eq!(cookie("last_activity"), None);
    assert!(!own());
    go("pushState", "/shoes");
    act();
    event("late".into(), None, now());
    wait(1_500).await;
    assert_eq!(paths(), "start page_view event forget");
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
    assert_eq!(paths(), "start forget");
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
    assert_eq!(paths(), "start page_view forget start");
}

#[wasm_bindgen_test]
async fn a_new_consent_waits_until_the_session_has_left_its_visit() {
    open(GRANTED).await;
    deny();
    grant();
    assert_eq!(paths(), "start page_view forget");
    wait(2 * SOON).await;
    assert_eq!(paths(), "start page_view forget start");
    assert!(cookie("visitor_id").is_some());
}

#[wasm_bindgen_test]
async fn a_new_consent_keeps_its_visitor_whatever_the_answer_to_the_revoke_deletes() {
    open(GRANTED).await;
    deny();
    grant();
    let visitor = cookie("visitor_id").unwrap();
    put("visitor_id", "; Max-Age=0"); // as the answer does
    wait(2 * SOON).await;
    assert_eq!(paths(), "start page_view forget start");
    assert_eq!((told("consent"), cookie("visitor_id")), ("granted".into(), Some(visitor)));
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
    assert_eq!(paths(), "start page_view event", "the other tab has told the server");
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
async fn a_revoke_that_does_not_arrive_is_repeated_and_holds_what_comes_after() {
    open(GRANTED).await;
    answer("/api/session/forget", "[[0]]");
    assert_eq!(outcome(|settle| revoke(&settle)).await, "");
    grant();
    wait(SOON).await;
    assert_eq!(paths(), "start page_view forget", "the old session may live still");
    wait(1_500).await;
    assert!(paths().starts_with("start page_view forget forget start"), "{}", paths());
}

#[wasm_bindgen_test]
async fn a_revoke_deletes_a_visitor_that_is_none_too() {
    fresh();
    put("visitor_id", "v_of-another-kind");
    start(options("{}"));
    outcome(|settle| revoke(&settle)).await;
    assert_eq!(cookie("visitor_id"), None);
    assert_eq!(paths(), "forget");
}

#[wasm_bindgen_test]
async fn a_cookie_of_our_name_that_is_somebody_elses_is_left_alone() {
    fresh();
    put("visitor_id", "customer-7");
    start(options(GRANTED));
    wait(SOON).await;
    assert_eq!(told("cookies"), false);
    assert_eq!(paths(), "start page_view", "it is measured without");
    outcome(|settle| revoke(&settle)).await;
    assert_eq!(cookie("visitor_id"), Some("customer-7".into()));
    assert_eq!(writes("visitor_id"), "");
    put("visitor_id", "; Max-Age=0");
}

#[wasm_bindgen_test]
async fn the_cookies_have_the_names_that_the_site_gives_them() {
    fresh();
    put("visitor_id", "customer-7");
    start(options(r#"{"consent":"granted","visitorCookie":"shop.vid","activityCookie":"shop_seen"}"#));
    wait(SOON).await;
    assert!(is_visitor_id(&cookie("shop.vid").unwrap()) && cookie("shop_seen").is_some());
    assert_eq!(told("cookies"), true);
    outcome(|settle| revoke(&settle)).await;
    assert_eq!((cookie("shop.vid"), cookie("shop_seen")), (None, None));
    assert_eq!(cookie("visitor_id"), Some("customer-7".into()));
    put("visitor_id", "; Max-Age=0");
}
