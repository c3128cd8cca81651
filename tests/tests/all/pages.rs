//! Real pages: what browsers do with them, and what pages do to us.

use serde_json::json;
use visitflow_testkit::browser::{Browser, Engine};
use visitflow_testkit::patience::{comes, page_views_are, until};
use visitflow_testkit::recorder::{Page, Seen};
use visitflow_testkit::scene::{Scene, measured};
use visitflow_testkit::{Server, in_engines};

in_engines! {
    a_page_that_comes_back_from_the_back_forward_cache_is_one_view
    a_page_that_leaves_before_the_client_is_there_is_one_view
    a_view_does_not_wait_for_the_webassembly
    a_view_that_went_ahead_in_vain_goes_again
    consent_taken_back_while_a_view_goes_ahead_is_taken_back
    a_sandboxed_frame_harms_nobody
    without_cookies_it_is_one_start_and_one_visit
    a_page_that_may_not_run_webassembly_is_measured_all_the_same
    an_erasure_leaves_nothing_of_the_visitor
    links_and_forms_are_events_where_the_page_asks_for_them
    a_page_that_throws_in_what_it_wraps_is_not_made_worse
}

/// Notes every error that reaches the page.
const ERRORS: &str = "window.errors = [];
    addEventListener('error', ({ message }) => errors.push(message));
    addEventListener('unhandledrejection', ({ reason }) => errors.push(`unhandled: ${reason}`));";

async fn a_page_that_comes_back_from_the_back_forward_cache_is_one_view(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let restored = "<a data-testid=\"away\" href=\"/away\">away</a>
        <script>addEventListener('pageshow', ({ persisted }) => (window.restored = persisted));</script>";
    scene.serve_measured("/shop", restored);
    witness.serve_html("/away", "<p data-testid=\"there\">Away</p>");
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    scene.settles().await;
    for time in 1..=3 {
        // By script: Firefox keeps no page for later that its driver has clicked in.
        browser.run("document.querySelector('[data-testid=away]').click()").await;
        browser.find("there").await;
        browser.driver.back().await.expect("one page back");
        comes("restored", json!(true), async || browser.evaluate("window.restored ?? null").await).await;
        page_views_are(server, 1 + time).await;
        scene.everything_is_sent(&format!("after_{time}")).await;
        server.assert_page_views(1 + time);
        browser.run("window.restored = undefined").await;
    }
    assert_eq!(witness.count("/shop"), 1, "it was the cache each time");
    server.assert_visits(1);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_rendered_ahead_counts_when_it_is_shown() {
    let scene = Scene::of(Engine::Chromium).await;
    let Scene { browser, witness, server } = &scene;
    let rules = r#"{"prerender": [{"urls": ["/shown"], "eagerness": "immediate"}]}"#;
    let first = format!(
        "<!doctype html><html><head><link rel=\"icon\" href=\"data:,\"></head><body>
         <a data-testid=\"on\" href=\"/shown\">on</a><script type=\"speculationrules\">{rules}</script>"
    );
    witness.serve_html("/first", &first);
    // The page asks for something once the client had its chance.
    let ahead = "<p data-testid=\"shown\">Shown</p><script>
        addEventListener('load', () => fetch(`/ahead?${document.prerendering}`))</script>";
    scene.serve_measured("/shown", ahead);
    witness.serve_html("/ahead", "");
    scene.open("/first").await;
    until("the page was rendered ahead", async || witness.count("/ahead?true") == 1).await;
    assert_eq!(witness.api_requests(), [] as [&str; 0]);
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    assert_eq!(browser.evaluate("localStorage.length").await, 0);

    browser.click("on").await;
    browser.find("shown").await;
    page_views_are(server, 1).await;
    let activated = "performance.getEntriesByType('navigation')[0].activationStart > 0";
    assert_eq!(browser.evaluate(activated).await, true, "it was that page");
    scene.everything_is_sent("after").await;
    server.assert_page_views(1);
    server.assert_visits(1);
    assert_eq!(witness.count("/shown"), 1);
    scene.close().await;
}

/// What the loader fetches.
const CLIENT: &str = "/visitflow-";

/// What the WebAssembly is called.
const WEBASSEMBLY: &str = ".wasm";

const PAGE_VIEW: &str = "/api/telemetry/page_view";

async fn asked(scene: &Scene, part: &str) {
    let is_asked = async || scene.witness.seen().iter().any(|seen| seen.path.contains(part));
    until(&format!("{part} is asked for"), is_asked).await;
}

async fn a_page_that_leaves_before_the_client_is_there_is_one_view(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    // What is asked for before a page is loaded keeps some browsers from saying that it is.
    witness.serve_html("/landing", &measured("").replace("granted", "pending"));
    scene.serve_measured("/next", "");
    witness.serve_html("/away", "");
    witness.hold(CLIENT);
    scene.open("/landing").await;
    browser.run("visitflow.grant()").await;
    asked(&scene, CLIENT).await;
    assert_eq!(witness.api_requests(), [] as [&str; 0]);
    scene.open("/away").await;
    page_views_are(server, 1).await;
    witness.release();
    scene.open("/next").await;
    page_views_are(server, 2).await;
    scene.everything_is_sent("after").await;
    let paths = server.texts("SELECT path FROM page_views ORDER BY occurred_at");
    assert_eq!(paths, ["/landing", "/next"]);
    server.assert_visits(1);
    scene.close().await;
}

/// It begins the visit by itself, and its page view is complete.
async fn a_view_does_not_wait_for_the_webassembly(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.serve_measured("/landing", "");
    scene.serve_measured("/next", "");
    witness.hold(WEBASSEMBLY);
    scene.open("/landing").await;
    page_views_are(server, 1).await;
    let full = "SELECT COUNT(*) FROM page_views WHERE sequence = 1 AND title = 'A page' AND device LIKE '%viewport_width%'";
    assert_eq!(server.number(full), 1);
    until("the page has its answer", async || {
        browser.evaluate("document.cookie.includes('last_activity=')").await == true
    })
    .await;
    scene.open("/next").await;
    page_views_are(server, 2).await;
    witness.release();
    browser.run("history.pushState(null, '', '/third')").await;
    page_views_are(server, 3).await;
    scene.everything_is_sent("after").await;
    assert_eq!(
        server.texts("SELECT path || sequence FROM page_views ORDER BY sequence"),
        ["/landing1", "/next2", "/third3"]
    );
    assert_eq!(scene.snapshot().await["sent"], 3, "two views and an event, of this page");
    assert_eq!(witness.count("/api/session/start"), 1, "one renews the cookie: {:?}", witness.by_path());
    server.assert_visits(1);
    scene.close().await;
}

async fn a_view_that_went_ahead_in_vain_goes_again(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.serve_measured("/shop", "");
    witness.hold(PAGE_VIEW);
    scene.open("/shop").await;
    asked(&scene, PAGE_VIEW).await;
    comes("the client is loaded", json!(true), async || {
        browser
            .evaluate("performance.getEntriesByType('resource').some(({ name }) => name.endsWith('.wasm'))")
            .await
    })
    .await;
    witness.cut(true);
    witness.release();
    until("the client has taken over", async || scene.snapshot().await["queued"] == 1).await;
    witness.cut(false);
    browser.run("dispatchEvent(new Event('online'))").await;
    page_views_are(server, 1).await;
    scene.everything_is_sent("after").await;
    let told: Vec<String> =
        witness.api().iter().flat_map(Seen::facts).map(|fact| fact["id"].to_string()).collect();
    let ids = &told[..witness.count(PAGE_VIEW)];
    assert!(ids.len() > 1 && ids.iter().all(|id| *id == ids[0]), "{told:?}");
    assert_eq!(server.number("SELECT sequence FROM page_views"), 1);
    server.assert_page_views(1);
    server.assert_visits(1);
    scene.close().await;
}

async fn consent_taken_back_while_a_view_goes_ahead_is_taken_back(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.serve_measured("/shop", "");
    witness.hold(PAGE_VIEW);
    scene.open("/shop").await;
    asked(&scene, PAGE_VIEW).await;
    browser.resolve("visitflow.revoke()").await;
    comes("denied", json!("denied"), async || scene.snapshot().await["consent"].clone()).await;
    let kept = "[document.cookie, localStorage.length, sessionStorage.length]";
    assert_eq!(browser.evaluate(kept).await, json!(["", 0, 0]));
    witness.release();
    scene.page_asks().await;
    assert_eq!(browser.evaluate(kept).await, json!(["", 0, 0]), "its answer changes nothing");
    // If consent is given now, it is a new visitor with a new visit, and the page counts again.
    browser.run("visitflow.grant()").await;
    scene.everything_is_sent("after").await;
    server.assert_visits(2);
    server.assert_page_views(2);
    let second = "FROM page_views JOIN events USING (visit_id) WHERE title = 'A page'";
    assert_eq!(server.number(&format!("SELECT COUNT(*) {second}")), 1);
    scene.close().await;
}

/// Of the frame; without cookies, storage and an origin of its own it may try, but not for ever.
const TRIES: usize = 4;

async fn a_sandboxed_frame_harms_nobody(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let outer = format!(
        "<script>{ERRORS} window.told = []; addEventListener('message', ({{ data }}) => told.push(data));</script>
         <iframe sandbox=\"allow-scripts\" src=\"/frame\"></iframe>"
    );
    // The frame is busy: each view and each click is an occasion to try again.
    let act = "<script>addEventListener('load', async () => {
        for (let time = 0; time < 20; time++) {
            visitflow.pageView('?time=' + time);
            dispatchEvent(new Event('click'));
            await visitflow.snapshot();
            await fetch('/asked-by-the-frame?' + time, { mode: 'no-cors' });
        }
        parent.postMessage([errors, await visitflow.snapshot()], '*');
    });</script>";
    let frame = measured(act).replace("<head>", &format!("<head><script>{ERRORS}</script>"));
    witness.serve_html("/frame", &frame);
    witness.serve_html("/asked-by-the-frame", "");
    scene.serve_measured("/outer", &outer);
    scene.open("/outer").await;
    page_views_are(server, 1).await;
    comes("the frame is done", json!(1), async || browser.evaluate("told.length").await).await;
    let told = browser.evaluate("told[0]").await;
    assert_eq!(told[0], json!([]), "no error reaches the frame's page: {told}");
    assert_eq!(browser.evaluate("errors").await, json!([]), "nor the outer page");
    let of_frame = witness.api().into_iter().filter(|seen| seen.header("origin") == "null").count();
    assert!(of_frame <= TRIES, "{of_frame} requests: {:?}", witness.by_path());
    scene.everything_is_sent("after").await;
    assert_eq!(server.texts("SELECT DISTINCT path FROM page_views"), ["/outer"]);
    server.assert_page_views(1);
    server.assert_visits(1);
    scene.close().await;
}

async fn without_cookies_it_is_one_start_and_one_visit(engine: Engine) {
    let browser = Browser::without_cookies(engine).await;
    let scene = Scene::on(browser, Server::start().await).await;
    let Scene { browser, witness, server } = &scene;
    scene.serve_measured("/shop", &format!("<script>{ERRORS}</script>"));
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    for time in 1..=5 {
        browser.run(&format!("history.pushState(null, '', '/shop/{time}')")).await;
        browser.run("dispatchEvent(new Event('click'))").await;
        page_views_are(server, 1 + time).await;
    }
    scene.everything_is_sent("after").await;
    assert_eq!(browser.evaluate("document.cookie").await, "");
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    let told = scene.snapshot().await;
    assert_eq!(told["cookies"], false, "{told}");
    assert_eq!(witness.count("/api/session/start"), 1, "{:?}", witness.by_path());
    assert_eq!(browser.evaluate("errors").await, json!([]));
    server.assert_page_views(6);
    server.assert_visits(1);
    scene.close().await;
}

/// Where the page's policy forbids WebAssembly, the same Rust runs as JavaScript.
async fn a_page_that_may_not_run_webassembly_is_measured_all_the_same(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let html = measured(&format!("<script>{ERRORS}</script>"));
    let policy = "default-src 'self'; script-src 'self' 'unsafe-inline'".to_owned();
    witness.serve("/shop", Page { html, policy: Some(policy), ..Page::default() });
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    browser.run("history.pushState(null, '', '/shop/2')").await;
    page_views_are(server, 2).await;
    scene.everything_is_sent("after").await;
    let fallback = |seen: &Seen| seen.path.starts_with("/visitflow-fallback-");
    assert_eq!(witness.seen().iter().filter(|seen| fallback(seen)).count(), 1, "it is loaded then alone");
    assert_eq!(browser.evaluate("errors").await, json!([]));
    server.assert_visits(1);
    scene.close().await;
}

async fn an_erasure_leaves_nothing_of_the_visitor(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, server, .. } = &scene;
    scene.serve_measured("/shop", "");
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    scene.everything_is_sent("before").await;
    browser.resolve("visitflow.revoke({ erase: true })").await;
    for table in ["page_views", "events", "sessions", "visitors", "visitor_keys"] {
        assert_eq!(server.number(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM erasures"), 1);
    let kept = browser.evaluate("[document.cookie, localStorage.length]").await;
    assert_eq!(kept, json!(["", 0]));
    let cookies = browser.driver.get_all_cookies().await.expect("the cookies");
    assert!(cookies.is_empty(), "{cookies:?}");
    scene.close().await;
}

async fn links_and_forms_are_events_where_the_page_asks_for_them(engine: Engine) {
    const BODY: &str = "<a href=\"/price-list.pdf?for=alice\">prices</a>
        <a href=\"https://partner.example/shop?token=1#top\"><b>partner</b></a>
        <a href=\"/inside\">inside</a>
        <form id=\"subscribe\" action=\"/subscribe?by=form\"><input name=\"mail\" value=\"alice@example.com\"><button>go</button></form>
        <script>for (const name of ['click', 'submit']) document.addEventListener(name, (event) =>
            event.target.closest('button') || event.preventDefault());</script>";
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let tag = measured(BODY);
    let asks = tag.replace("data-consent", "data-capture=\"outbound downloads forms\" data-consent");
    witness.serve_html("/shop", &asks);
    witness.serve_html("/plain", &tag);
    let click = "for (const each of document.querySelectorAll('a, b, button')) each.click()";
    scene.open("/plain").await;
    page_views_are(server, 1).await;
    browser.run(click).await;
    scene.everything_is_sent("plain").await;
    scene.open("/shop").await;
    page_views_are(server, 2).await;
    comes("the rule is loaded", 1, async || {
        witness
            .seen()
            .iter()
            .filter(|seen| seen.path.starts_with("/visitflow-capture-") && seen.status.is_some())
            .count()
    })
    .await;
    scene.page_asks().await;
    browser.run(click).await;
    scene.everything_is_sent("after").await;
    let told = server.texts(
        "SELECT name || ' ' || COALESCE(props, '') FROM events WHERE props IS NOT NULL ORDER BY name, id",
    );
    let origin = witness.origin();
    let outbound = r#"outbound_link {"url":"https://partner.example/shop"}"#;
    let expected = [
        format!(r#"file_download {{"url":"{origin}/price-list.pdf"}}"#),
        format!(r#"form_submit {{"form":"subscribe","action":"{origin}/subscribe"}}"#),
        outbound.to_owned(), // once for the link, once for what is in it
        outbound.to_owned(),
    ];
    assert_eq!(told, expected);
    scene.close().await;
}

async fn a_page_that_throws_in_what_it_wraps_is_not_made_worse(engine: Engine) {
    const WRAPS: &str = "let calls = 0;
        const { fetch } = window;
        window.fetch = function (address, ...more) {
            if (/api/.test(address) && ++calls % 2 == 0) throw new Error('of the page: fetch');
            return fetch.call(this, address, ...more);
        };
        for (const name of ['pushState', 'replaceState']) {
            const original = history[name];
            history[name] = function (...all) {
                original.apply(this, all);
                throw new Error('of the page: ' + name);
            };
        }
        const fail = () => { throw new Error('of the page'); };
        navigator.sendBeacon = fail;
        Storage.prototype.setItem = fail;
        navigator.locks.request = fail;
        window.BroadcastChannel = fail;";
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    let head = format!("<head><script>{ERRORS} {WRAPS}</script>");
    witness.serve_html("/shop", &measured("").replace("<head>", &head));
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    scene.everything_is_sent("before").await; // the WebAssembly is there, which counts each route
    for time in 1..=5 {
        let thrown = format!(
            "(() => {{ try {{ history.pushState(null, '', '/shop/{time}') }} catch (error) {{ return error.message }} }})()"
        );
        assert_eq!(browser.evaluate(&thrown).await, "of the page: pushState", "its own error is its own");
        browser.run("dispatchEvent(new Event('click')); dispatchEvent(new Event('pagehide'));").await;
    }
    let moved = browser.evaluate("location.pathname").await;
    assert_eq!(moved, "/shop/5", "the page works");
    scene.everything_is_sent("after").await;
    let paths = server.texts("SELECT path FROM page_views ORDER BY path");
    assert_eq!(paths, ["/shop", "/shop/1", "/shop/2", "/shop/3", "/shop/4", "/shop/5"]);
    assert_eq!(browser.evaluate("errors").await, json!([]));
    server.assert_visits(1);
    scene.close().await;
}
