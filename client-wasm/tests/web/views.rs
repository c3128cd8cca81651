//! Views: what is one, and what it says.

use super::*;

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
async fn a_page_back_from_the_cache_is_a_view() {
    open(GRANTED).await;
    restore();
    wait(SOON).await;
    assert_eq!(urls(), "/landing /landing");
}

#[wasm_bindgen_test]
async fn a_page_back_from_the_cache_that_counts_its_views_itself_is_none() {
    open(r#"{"consent":"granted","autoPageViews":false}"#).await;
    restore();
    wait(SOON).await;
    assert_eq!(paths(), "start");
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
async fn a_page_that_counts_its_views_itself_is_told_of_consent_and_counts_none() {
    open(r#"{"consent":"granted","autoPageViews":false}"#).await;
    go("pushState", "/shoes");
    page_view(&format!("{}/shoes", origin()), now());
    grant();
    wait(SOON).await;
    assert_eq!(urls(), "/shoes");
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
