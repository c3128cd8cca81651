//! What real pages do, and what once lost a view, a title or an order.

use serde_json::json;
use visitflow_testkit::browser::Engine;
use visitflow_testkit::in_engines;
use visitflow_testkit::patience::{comes, counts, page_views_are, until};
use visitflow_testkit::recorder::Seen;
use visitflow_testkit::scene::{Scene, measured};

in_engines! {
    each_route_has_the_title_of_its_own_page
    what_is_told_before_consent_waits_touches_nothing_and_is_stored_once_it_is_given
    a_page_that_is_left_early_tells_no_secret_and_nobody_elses_identifier
    what_a_page_does_in_its_first_seconds_counts
    an_address_that_is_replaced_all_the_time_is_one_view
    a_referrer_that_is_too_long_costs_no_order
    a_page_that_answers_in_the_servers_place_gets_no_order
    a_frame_of_the_same_origin_is_a_part_of_its_page
    a_script_of_the_type_module_is_measured
}

const PAGE_VIEW: &str = "/api/telemetry/page_view";

/// What the loader fetches, and the last of it.
const CLIENT: &str = "/visitflow-";
const WEBASSEMBLY: &str = ".wasm";

const TITLES: &str = "SELECT path || ' ' || COALESCE(title, 'none') FROM page_views ORDER BY occurred_at";

async fn each_route_has_the_title_of_its_own_page(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    // A router sets the title once it has rendered.
    scene.serve_measured(
        "/a",
        "<script>const go = (to) => {
            history.pushState(null, '', '/' + to);
            setTimeout(() => (document.title = to), 60);
        };</script>",
    );
    scene.open("/a").await;
    page_views_are(server, 1).await;
    for (views, to) in (2..).zip(["b", "c", "d"]) {
        browser.run(&format!("go('{to}')")).await;
        page_views_are(server, views).await;
    }
    assert_eq!(server.texts(TITLES), ["/a A page", "/b b", "/c c", "/d d"]);
    scene.close().await;
}

async fn what_is_told_before_consent_waits_touches_nothing_and_is_stored_once_it_is_given(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    // Prototype.js 1.6 does this to arrays.
    let page = "<script>
        Array.prototype.toJSON = function () { return this[0]?.sku ? '[' + this.map((item) => JSON.stringify(item)) + ']' : this; };
        visitflow('order', { id: 'A-1', amount: 19.9 * 3, currency: 'EUR', items: [{ sku: 'a' }] });
        visitflow('event', 'play');
        window.decided = [];
        visitflow.onConsentChange((consent) => decided.push(consent));</script>";
    witness.serve_html("/thanks", &measured(page).replace("granted", "pending"));
    scene.open("/thanks").await;
    scene.page_asks().await;
    assert_eq!(witness.api_requests(), [] as [&str; 0]);
    assert!(!witness.seen().iter().any(|seen| seen.path.starts_with(CLIENT)), "nothing is fetched");
    let touched = "[document.cookie, localStorage.length, sessionStorage.length]";
    assert_eq!(browser.evaluate(touched).await, json!(["", 0, 0]));
    browser.run("visitflow.grant()").await;
    counts(server, "SELECT COUNT(*) FROM orders", 1).await;
    scene.everything_is_sent("after").await;
    assert_eq!(
        server.texts("SELECT id || ' ' || amount || ' ' || items FROM orders"),
        [r#"A-1 59.7 [{"sku":"a"}]"#]
    );
    assert_eq!(server.texts("SELECT name FROM events ORDER BY occurred_at"), ["play", "after"]);
    assert_eq!(browser.evaluate("decided.join()").await, "granted");
    server.assert_page_views(1);
    server.assert_visits(1);
    scene.close().await;
}

async fn a_page_that_is_left_early_tells_no_secret_and_nobody_elses_identifier(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    witness.serve_html("/landing", &measured("").replace("granted", "pending"));
    witness.serve_html("/away", "");
    witness.hold(CLIENT);
    scene.open("/landing#access_token=SECRET").await;
    browser
        .run(
            "document.cookie = 'visitor_id=98765; Path=/';
             visitflow.grant();
             const { now } = Date;
             Date.now = () => now() - 3600000;",
        )
        .await;
    scene.open("/away").await;
    page_views_are(server, 1).await;
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE url LIKE '%SECRET%'"), 0);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE occurred_at <= received_at"), 1);
    assert!(
        browser.evaluate("document.cookie").await.to_string().contains("visitor_id=98765"),
        "it is not ours"
    );
    server.assert_visits(1);
    witness.release();
    scene.close().await;
}

async fn what_a_page_does_in_its_first_seconds_counts(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    // A browser that is driven may not have the focus.
    scene.serve_measured("/shop", "<script>document.hasFocus = () => true</script>");
    witness.serve_html("/away", "");
    witness.hold(WEBASSEMBLY);
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    comes("the page was read", json!(true), async || browser.evaluate("performance.now() > 1500").await)
        .await;
    let stood = "performance.now() - (window.since ??= performance.now()) > 400";
    for route in ["/shop/1", "/shop/2"] {
        browser.run(&format!("history.pushState(null, '', '{route}'); window.since = undefined")).await;
        comes("it has stood", json!(true), async || browser.evaluate(stood).await).await;
    }
    scene.open("/away").await;
    page_views_are(server, 3).await;
    counts(server, "SELECT COUNT(*) FROM page_views WHERE path = '/shop' AND engaged_ms >= 1000", 1).await;
    assert_eq!(
        server.texts("SELECT path || ' ' || sequence FROM page_views ORDER BY sequence"),
        ["/shop 1", "/shop/1 2", "/shop/2 3"]
    );
    server.assert_visits(1);
    witness.release();
    scene.close().await;
}

async fn an_address_that_is_replaced_all_the_time_is_one_view(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    scene.serve_measured("/map", "");
    scene.open("/map").await;
    page_views_are(server, 1).await;
    scene.everything_is_sent("before").await;
    browser
        .resolve(
            "(async () => {
                for (let at = 0; at < 60; at++) {
                    history.replaceState(null, '', '/map/@50.' + at);
                    await new Promise((resolve) => setTimeout(resolve, 10));
                }
            })()",
        )
        .await;
    page_views_are(server, 2).await;
    scene.everything_is_sent("after").await;
    assert_eq!(server.texts("SELECT path FROM page_views ORDER BY occurred_at"), ["/map", "/map/@50.59"]);
    scene.close().await;
}

async fn a_referrer_that_is_too_long_costs_no_order(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let long = "history.replaceState(null, '', '/list/' + 'x'.repeat(2100)); location.href = '/product';";
    witness.serve_html(
        "/list",
        &format!("<meta name=\"referrer\" content=\"unsafe-url\"><script>{long}</script>"),
    );
    let order = "<script>visitflow('order', { id: 'A-1', amount: '5.00', currency: 'EUR' })</script>";
    scene.serve_measured("/product", order);
    scene.open("/list").await;
    page_views_are(server, 1).await;
    counts(server, "SELECT COUNT(*) FROM orders", 1).await;
    assert_eq!(browser.evaluate("document.referrer.length > 2048").await, true);
    assert_eq!(witness.api().iter().filter(|seen| seen.status == Some(400)).count(), 0);
    scene.close().await;
}

async fn a_page_that_answers_in_the_servers_place_gets_no_order(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    // A host's fallback page, a service worker.
    let page = "<script>
        const real = window.fetch;
        window.fetch = async () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } });
        visitflow('order', { id: 'A-1', amount: '5.00', currency: 'EUR' });</script>";
    scene.serve_measured("/shop", page);
    scene.open("/shop").await;
    comes("view and order wait", json!(2), async || scene.snapshot().await["queued"].clone()).await;
    let kept = "Object.keys(localStorage).filter((name) => name.startsWith('visitflow:')).length";
    comes("they are kept", json!(2), async || browser.evaluate(kept).await).await;
    assert_eq!(scene.snapshot().await["sent"], 0);
    browser.run("window.fetch = real; dispatchEvent(new Event('online'))").await;
    counts(server, "SELECT COUNT(*) FROM orders", 1).await;
    page_views_are(server, 1).await;
    scene.close().await;
}

async fn a_frame_of_the_same_origin_is_a_part_of_its_page(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { witness, server, .. } = &scene;
    scene.serve_measured("/shop", "<iframe src=\"/frame\"></iframe><iframe src=\"/asked-for\"></iframe>");
    scene.serve_measured("/frame", "<script>visitflow.event('in the frame')</script>");
    witness.serve_html("/asked-for", &measured("").replace("data-consent", "data-frames data-consent"));
    scene.open("/shop").await;
    counts(server, "SELECT COUNT(*) FROM events WHERE name = 'in the frame'", 1).await;
    page_views_are(server, 2).await;
    scene.everything_is_sent("after").await;
    assert_eq!(server.texts("SELECT path FROM page_views ORDER BY path"), ["/asked-for", "/shop"]);
    scene.close().await;
}

async fn a_script_of_the_type_module_is_measured(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    witness.serve_html("/shop", &measured("").replace("<script src", "<script type=\"module\" src"));
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    until("the client is there", async || browser.evaluate("!!window.visitflow?.snapshot").await == true)
        .await;
    assert_eq!(witness.api().iter().filter(|seen: &&Seen| seen.path == PAGE_VIEW).count(), 1);
    scene.close().await;
}
