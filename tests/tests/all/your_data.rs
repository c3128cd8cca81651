//! The page "your data", which a site can link: a visitor reads, keeps and erases what is stored.

use serde_json::json;
use visitflow_testkit::browser::Engine;
use visitflow_testkit::in_engines;
use visitflow_testkit::patience::{comes, page_views_are};
use visitflow_testkit::scene::Scene;

in_engines! {
    a_visitor_reads_and_erases_what_is_stored
    a_browser_that_cannot_prove_who_it_is_is_sent_to_the_site
}

async fn state_is(scene: &Scene, expected: &str) {
    let state = "document.querySelector('main').dataset.state ?? null";
    comes(expected, json!(expected), async || scene.browser.evaluate(state).await).await;
}

async fn a_visitor_reads_and_erases_what_is_stored(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    scene.serve_measured("/shoes", "");
    scene.open("/shoes").await;
    page_views_are(server, 1).await;
    scene.everything_is_sent("before").await;
    scene.open("/your-data").await;
    state_is(&scene, "ready").await;
    let told = browser.evaluate("document.querySelector('[data-testid=page_views]').textContent").await;
    assert!(told.as_str().is_some_and(|text| text.contains("/shoes")), "{told}");
    let saved = "new Promise((resolve) => {
        HTMLAnchorElement.prototype.click = () => {};
        URL.createObjectURL = (blob) => (resolve(blob.text()), '');
        document.querySelector('[data-testid=download]').click();
    }).then((text) => JSON.parse(text).visits[0].page_views[0].path)";
    assert_eq!(browser.resolve(saved).await, json!("/shoes"));

    browser.click("erase").await;
    browser.click("erase-no").await;
    state_is(&scene, "ready").await;
    browser.click("erase").await;
    browser.click("erase-yes").await;
    state_is(&scene, "erased").await;
    for table in ["page_views", "sessions", "visitors", "visitor_keys"] {
        assert_eq!(server.number(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    scene.open("/your-data").await;
    state_is(&scene, "refused").await;
    scene.close().await;
}

async fn a_browser_that_cannot_prove_who_it_is_is_sent_to_the_site(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    scene.serve_measured("/shoes", "");
    scene.open("/shoes").await;
    page_views_are(server, 1).await;
    scene.everything_is_sent("before").await;
    let kept = browser.evaluate("document.cookie").await;
    assert!(!kept.as_str().expect("cookies").contains("visitor_key"), "no script reads it: {kept}");
    browser.driver.delete_cookie("visitor_key").await.expect("the key is gone");
    scene.open("/your-data").await;
    state_is(&scene, "refused").await;
    let said = browser.evaluate("document.querySelector('[role=alert]').textContent").await;
    assert!(said.as_str().is_some_and(|text| text.contains("ask the owner of this site")), "{said}");
    scene.close().await;
}
