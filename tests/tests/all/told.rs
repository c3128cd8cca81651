//! Options and calls of the client in a browser: `before`, `query`, `exclude`, `confirm`, `ignoreMe`, elements.

use serde_json::json;
use visitflow_testkit::browser::Engine;
use visitflow_testkit::in_engines;
use visitflow_testkit::patience::{comes, page_views_are};
use visitflow_testkit::scene::{Scene, measured};

in_engines! {
    what_a_page_changes_or_leaves_out_is_as_it_says
    a_page_waits_until_an_event_is_stored
    a_browser_that_is_ignored_is_not_measured
    elements_declare_events
}

async fn what_a_page_changes_or_leaves_out_is_as_it_says(engine: Engine) {
    const HEAD: &str = "<head><script>function masked(fact) {
        fact.title = fact.title && 'masked';
        return fact;
    }</script>";
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let options = "data-before=\"masked\" data-query=\"page\" data-exclude=\"/admin/**\" data-consent";
    let page = measured("").replace("data-consent", options).replace("<head>", HEAD);
    for path in ["/admin", "/shop"] {
        witness.serve_html(path, &page);
    }
    scene.open("/admin").await;
    browser.run("document.body.click()").await;
    scene.page_asks().await;
    browser.resolve("visitflow.flush()").await;
    server.assert_visits(0);
    scene.open("/shop?page=2&name=ada&utm_source=news").await;
    page_views_are(server, 1).await;
    let told = browser.resolve("visitflow.event('play', {}, { confirm: true })").await;
    assert_eq!(told, json!(null));
    let seen = server
        .texts("SELECT url || ' ' || COALESCE(title, '') || ' ' || COALESCE(referrer, '') FROM page_views");
    assert_eq!(seen, [format!("{}/shop?page=2&utm_source=news masked ", witness.origin())]);
    server.assert_visits(1);
    scene.close().await;
}

async fn a_page_waits_until_an_event_is_stored(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    scene.serve_measured("/shop", "");
    scene.open("/shop").await;
    assert_eq!(browser.resolve("visitflow.event('play', {}, { confirm: true })").await, json!(null));
    assert_eq!(server.number("SELECT COUNT(*) FROM events"), 1);
    let order = "visitflow.order({ id: 'A1', amount: 'many', currency: 'EUR' }, { confirm: true }).catch(({ message }) => message)";
    let refused = browser.resolve(order).await;
    assert!(refused.as_str().is_some_and(|error| error.contains("amount")), "{refused}");
    browser.run("visitflow.event('a'); visitflow.event('b')").await;
    browser.resolve("visitflow.flush()").await;
    assert_eq!(server.number("SELECT COUNT(*) FROM events"), 3);
    scene.close().await;
}

async fn a_browser_that_is_ignored_is_not_measured(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    scene.serve_measured("/shop", "");
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    browser.resolve("visitflow.ignoreMe()").await;
    assert_eq!(browser.evaluate("document.cookie").await, "visitflow_ignore=1");
    browser.run("history.pushState(null, '', '/more'); visitflow.event('play')").await;
    scene.open("/shop").await;
    browser.run("visitflow.grant(); visitflow.event('play')").await;
    scene.page_asks().await;
    browser.resolve("visitflow.flush()").await;
    assert_eq!(browser.evaluate("document.cookie").await, "visitflow_ignore=1");
    assert_eq!(server.number("SELECT COUNT(*) FROM events"), 0);
    page_views_are(server, 1).await;
    browser.resolve("visitflow.ignoreMe(false)").await;
    scene.open("/shop").await;
    page_views_are(server, 2).await;
    scene.close().await;
}

async fn elements_declare_events(engine: Engine) {
    const BODY: &str =
        "<button data-visitflow-event=\"signup\" data-visitflow-prop-plan=\"pro\"><b>go</b></button>
        <section data-visitflow-view=\"pricing\">seen</section>
        <div style=\"height: 5000px\"></div><section data-visitflow-view=\"below\">not seen</section>";
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let asks = measured(BODY).replace("data-consent", "data-capture=\"elements\" data-consent");
    witness.serve_html("/shop", &asks);
    scene.open("/shop").await;
    let events = || server.texts("SELECT name || ' ' || COALESCE(props, '') FROM events ORDER BY name, id");
    comes("the section is seen", 1, async || events().len()).await;
    browser.run("document.querySelector('b').click()").await;
    browser.resolve("visitflow.flush()").await;
    assert_eq!(events(), ["pricing ", r#"signup {"plan":"pro"}"#]);
    scene.close().await;
}
