//! Views: what is one, and what it says.

use super::*;

/// Longer than an address has to stand to be a view.
const MOMENT: u32 = 360;

#[wasm_bindgen_test]
async fn each_route_is_one_view() {
    for navigation in [true, false] {
        if !navigation {
            without_navigation();
        }
        open(GRANTED).await;
        assert_eq!(own(), !has_navigation(), "history is wrapped where there is no other way");
        for (kind, to) in [
            ("pushState", "/shoes"),
            ("pushState", "/shoes"),
            ("replaceState", "/shoes?sort=up"),
            ("replaceState", "/boots"),
        ] {
            go(kind, to);
            wait(MOMENT).await;
        }
        back();
        wait(MOMENT + SOON).await;
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
    wait(MOMENT + SOON).await;
    assert_eq!(sequences(), "1 2");
    start(options(GRANTED)); // another page, the same visit
    wait(SOON).await;
    assert_eq!(sequences(), "1 2 3");
    put("last_activity", &(now() - 1_900_000.0).to_string());
    go("pushState", "/boots");
    wait(MOMENT + SOON).await;
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
    wait(MOMENT + SOON).await;
    assert_eq!(urls(), "/landing /virtual /shoes");
}

fn titles() -> String {
    let all = sent();
    let views = all.split(r#""path":"/api/telemetry/page_view""#).skip(1);
    let title = |view: &str| {
        let told = view.split(r#""title":""#).nth(1)?;
        Some(told.split('"').next()?.to_owned())
    };
    views.map(|view| title(view).unwrap_or("none".into())).collect::<Vec<_>>().join(" ")
}

#[wasm_bindgen_test]
async fn each_view_has_the_title_of_its_own_page() {
    for navigation in [true, false] {
        if !navigation {
            without_navigation();
        }
        fresh();
        entitle("Landing");
        start(options(GRANTED));
        for page in ["Shoes", "Boots", "Hats"] {
            go("pushState", &format!("/{page}"));
            wait(SOON).await;
            entitle(page); // as a router does once it has rendered
            wait(MOMENT).await;
        }
        assert_eq!(titles(), "Landing Shoes Boots Hats");
        back();
        wait(SOON).await;
        entitle("Boots");
        wait(MOMENT).await;
        restore();
        wait(SOON).await;
        assert_eq!(
            titles(),
            "Landing Shoes Boots Hats Boots Boots",
            "and the one from the back/forward cache its own"
        );
        outcome(|settle| revoke(&settle)).await;
    }
    entitle("");
    with_navigation();
}

#[wasm_bindgen_test]
async fn a_title_that_comes_too_late_is_not_that_of_the_next_page() {
    fresh();
    entitle("Landing");
    start(options(GRANTED));
    go("pushState", "/shoes");
    wait(MOMENT + SOON).await;
    entitle("Shoes"); // its view has gone
    go("pushState", "/boots");
    wait(MOMENT + SOON).await;
    assert_eq!((urls().as_str(), titles().as_str()), ("/landing /shoes /boots", "Landing none none"));
    entitle("");
}

#[wasm_bindgen_test]
async fn an_address_that_is_replaced_all_the_time_is_a_view_once_it_stands() {
    open(GRANTED).await;
    for at in 0..40 {
        go("replaceState", &format!("/map/@50.{at}"));
        wait(5).await;
    }
    wait(MOMENT + SOON).await;
    assert_eq!(urls(), "/landing /map/@50.39");
}

#[wasm_bindgen_test]
async fn a_route_that_has_not_stood_yet_counts_when_the_page_is_left() {
    open(GRANTED).await;
    go("pushState", "/shoes");
    leave();
    assert_eq!(last().matches("/shoes").count(), 1, "{}", last());
}
