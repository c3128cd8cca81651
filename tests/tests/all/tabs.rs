//! Tabs that meet, sleep and lose the network.

use serde_json::json;
use thirtyfour::WindowHandle;
use visitflow_testkit::browser::Engine;
use visitflow_testkit::in_engines;
use visitflow_testkit::patience::{comes, counts, page_views_are, until};
use visitflow_testkit::reading::count;
use visitflow_testkit::recorder::Seen;
use visitflow_testkit::scene::{IDLE_MS, Scene};

in_engines! {
    two_tabs_that_act_at_once_after_the_session_has_expired_are_one_new_visit
    a_tab_that_wakes_after_expiry_starts_before_it_tells
    views_without_a_network_arrive_once_when_it_is_back
    consent_taken_back_in_another_tab_silences_this_one
}

/// Opens a page in a new tab, and switches to it.
async fn open_tab(scene: &Scene, path: &str) -> WindowHandle {
    let tab = scene.browser.driver.new_tab().await.expect("a tab");
    go_to(scene, &tab).await;
    scene.open(path).await;
    tab
}

async fn go_to(scene: &Scene, tab: &WindowHandle) {
    scene.browser.driver.switch_to_window(tab.clone()).await.expect("the tab is there");
}

async fn two_tabs_that_act_at_once_after_the_session_has_expired_are_one_new_visit(engine: Engine) {
    const TIMES: i64 = 5;
    let mut scene = Scene::of(engine).await;
    // Both tabs act at the same moment.
    let act = "<script>
        const act = () => visitflow.event('act');
        const tabs = new BroadcastChannel('tabs');
        tabs.onmessage = act;
        const actTogether = () => { tabs.postMessage(0); act(); };
        const letTimePass = (ms) => {
            document.cookie = `last_activity=${Date.now() - ms}; Max-Age=3600; Path=/; Secure; SameSite=Lax`;
        };</script>";
    scene.serve_measured("/shop", act);
    let first = scene.browser.driver.window().await.expect("a window");
    scene.open("/shop").await;
    page_views_are(&scene.server, 1).await;
    scene.settles().await;
    open_tab(&scene, "/shop").await;
    page_views_are(&scene.server, 2).await;
    scene.settles().await;
    scene.server.assert_visits(1);
    let starts = scene.witness.count("/api/session/start");
    go_to(&scene, &first).await;
    for time in 1..=TIMES {
        scene.half_an_hour_passes().await;
        scene.browser.run(&format!("letTimePass({IDLE_MS}); actTogether();")).await;
        counts(&scene.server, "SELECT COUNT(*) FROM events", 2 * time).await;
        scene.settles().await;
        scene.server.assert_visits(1 + time);
    }
    let mixed = "SELECT COUNT(*) FROM (SELECT visit_id FROM events GROUP BY visit_id HAVING COUNT(*) = 2)";
    assert_eq!(scene.server.number(mixed), TIMES, "both acted in the new visit");
    let starts = scene.witness.count("/api/session/start") - starts;
    // Elsewhere tabs see each other's cookies a moment late: there both may start, and the server joins.
    let most = if engine == Engine::Chromium { TIMES } else { 2 * TIMES };
    assert!((TIMES..=most).contains(&count(starts)), "and one of them started it: {starts}");
    scene.close().await;
}

async fn a_tab_that_wakes_after_expiry_starts_before_it_tells(engine: Engine) {
    let mut scene = Scene::of(engine).await;
    scene.serve_measured("/shop", "");
    scene.open("/shop").await;
    page_views_are(&scene.server, 1).await;
    scene.settles().await;
    scene.half_an_hour_passes().await;
    let old = "SELECT last_activity FROM sessions ORDER BY started_at LIMIT 1";
    let slept = scene.server.number(old);
    let asked = scene.witness.api().len();
    let wake = format!(
        "const now = Date.now; Date.now = () => now() + {IDLE_MS};
         document.dispatchEvent(new Event('visibilitychange', {{ bubbles: true }}));
         history.pushState(null, '', '/shop/2');"
    );
    scene.browser.run(&wake).await;
    page_views_are(&scene.server, 2).await;
    scene.everything_is_sent("after").await;
    let told: Vec<String> = scene.witness.api()[asked..].iter().map(Seen::line).collect();
    assert_eq!(told[0], "POST /api/session/start", "{told:?}");
    let starts = told.iter().filter(|line| line.ends_with("/start")).count();
    assert_eq!(starts, 1, "{told:?}");
    scene.server.assert_visits(2);
    let visits = "SELECT COUNT(DISTINCT visit_id) FROM page_views";
    assert_eq!(scene.server.number(visits), 2);
    assert_eq!(scene.server.number(old), slept, "the old visit is not revived");
    scene.close().await;
}

async fn views_without_a_network_arrive_once_when_it_is_back(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.serve_measured("/shop", "");
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    scene.settles().await;
    // Chromium can be set offline, and then fires the page's events. For the other browsers the connection is cut, and
    // the test fires these events.
    let set_offline = async |offline: bool| {
        if engine == Engine::Chromium {
            browser.set_offline(offline).await;
            comes("online", json!(!offline), async || browser.evaluate("navigator.onLine").await).await;
        } else {
            witness.cut(offline);
            let event = if offline { "offline" } else { "online" };
            browser.run(&format!("dispatchEvent(new Event('{event}'))")).await;
        }
    };
    set_offline(true).await;
    for time in 1..=3 {
        browser.run(&format!("history.pushState(null, '', '/shop/{time}')")).await;
        // A route is a view once it has stood for a moment.
        comes("it waits", json!(time), async || scene.snapshot().await["queued"].clone()).await;
    }
    server.assert_page_views(1);
    set_offline(false).await;
    page_views_are(server, 4).await;
    scene.everything_is_sent("after").await;
    let paths = server.texts("SELECT path FROM page_views ORDER BY path");
    assert_eq!(paths, ["/shop", "/shop/1", "/shop/2", "/shop/3"]);
    let told = scene.snapshot().await;
    assert_eq!((&told["sent"], &told["dropped"]), (&json!(5), &json!(0)), "{told}");
    server.assert_visits(1);
    scene.close().await;
}

async fn consent_taken_back_in_another_tab_silences_this_one(engine: Engine) {
    let scene = Scene::of(engine).await;
    let Scene { browser, witness, server } = &scene;
    scene.serve_measured("/shop", "");
    let first = browser.driver.window().await.expect("a window");
    scene.open("/shop").await;
    page_views_are(server, 1).await;
    scene.settles().await;
    open_tab(&scene, "/shop").await;
    page_views_are(server, 2).await;
    browser.resolve("visitflow.revoke()").await;
    counts(server, "SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NULL", 0).await;

    go_to(&scene, &first).await;
    comes("denied", json!("denied"), async || scene.snapshot().await["consent"].clone()).await;
    until("the cookies are gone", async || {
        browser.driver.get_all_cookies().await.expect("the cookies").is_empty()
    })
    .await;
    let said = witness.api_requests();
    browser
        .run(
            "history.pushState(null, '', '/shop/2'); visitflow.event('late'); visitflow.pageView('/late');
             for (const name of ['click', 'scroll', 'focus', 'online']) dispatchEvent(new Event(name));",
        )
        .await;
    scene.page_asks().await;
    // It is hidden as well: the last moment at which a page can send.
    witness.serve_html("/away", "");
    scene.open("/away").await;
    scene.page_asks().await;
    assert_eq!(witness.api_requests(), said, "nothing more is sent");
    let kept = "[document.cookie, localStorage.length, sessionStorage.length]";
    assert_eq!(browser.evaluate(kept).await, json!(["", 0, 0]));
    assert_eq!(server.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL"), 0);
    server.assert_page_views(2);
    server.assert_visits(1);
    scene.close().await;
}
