//! Facts: what they carry, and how they reach the server once.

use super::*;

#[wasm_bindgen_test]
async fn ids_are_of_version_7_and_grow() {
    open(GRANTED).await;
    for name in ["a", "b", "c"] {
        event(name.into(), None, now());
        go("pushState", name);
        wait(6 * SOON).await;
    }
    wait(SOON).await;
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
            r#"{{"claimed":{claimed},"visitor":"{ADA}","path":"/api/telemetry/event","at":{},"body":{{"id":"x","name":"left"}}}}"#,
            now() - 90_000.0
        )
    };
    put("visitor_id", ADA);
    keep(
        "e",
        r#"{"claimed":1,"visitor":"v_of-another","path":"/api/telemetry/event","at":1,"body":{"id":"z","name":"another visitor's"}}"#,
    );
    keep("a", &line(now() - 61_000.0));
    keep("b", &line(now() - 1_000.0));
    keep("c", "of another version");
    keep(
        "d",
        &format!(
            r#"{{"claimed":1,"visitor":"{ADA}","path":"/api/telemetry/event","at":{},"body":{{"id":"y","name":"forgotten"}}}}"#,
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
async fn a_page_that_answers_in_the_servers_place_empties_no_queue_and_is_complained_of_once() {
    open(GRANTED).await;
    answer("/api/telemetry/event", "[[200], [200], [204]]");
    event("waits".into(), None, now());
    wait(SOON).await;
    assert_eq!((told("queued"), told("dropped")), (1.into(), 0.into()));
    assert!(kept().contains("waits"));
    online();
    wait(SOON).await;
    assert_eq!(complaint(), "");
    online();
    wait(SOON).await;
    assert_eq!(told("queued"), 0);
    answer("/api/telemetry/event", "[[200], [200], [200], [200]]");
    event("again".into(), None, now());
    for _ in 0..4 {
        wait(SOON).await;
        online();
    }
    assert_eq!(complaint().matches("none of visitflow's").count(), 1);
}
