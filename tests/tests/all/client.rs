//! The client in a real browser, when things go wrong.

use std::time::{Duration, Instant};
use visitflow_e2e::Server;
use visitflow_e2e::browser::Browser;
use visitflow_e2e::machine::PATIENCE;
use visitflow_e2e::proxy::{Mode, Proxy};

/// Page views after the landing page.
const VIEWS: i64 = 1_000;

/// How often the server is killed.
const KILLS: i64 = 5;

/// Reports pages as fast as the client delivers, so that it never has to give one up. (A browser lets
/// a page change its address 200 times in some seconds and no more.)
const WALK: &str = "window.walked = 0;
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    (async () => {
        while (!window.visitflow?.snapshot) await pause();
        while (window.walked < arguments[0]) {
            while ((await visitflow.snapshot()).queued > 150) await pause();
            visitflow.pageView('?page=' + ++window.walked);
        }
    })();";

async fn snapshot(browser: &Browser) -> serde_json::Value {
    browser.evaluate("window.visitflow?.snapshot?.() ?? {}").await
}

/// Waits for something that the browser brings about.
async fn until(what: &str, browser: &Browser, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}: not in time; {}", snapshot(browser).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_page_views_survive_five_kills_and_a_network_that_drops() {
    let mut server = Server::start().await;
    let line = Proxy::to(server.address()).await;
    let browser = Browser::open().await;
    browser.open_page(&format!("http://{}/demo", line.address())).await;
    browser.click("consent-accept").await;
    browser.driver.execute(WALK, vec![VIEWS.into()]).await.expect("the walk");

    let stored = "SELECT COUNT(*) FROM page_views";
    for kill in 1..=KILLS {
        until("page views", &browser, async || server.number(stored) >= kill * VIEWS / (KILLS + 2)).await;
        server.kill().await;
        let waiting = async || snapshot(&browser).await["queued"].as_i64() > Some(10);
        until("facts that wait", &browser, waiting).await;
        server.restart().await;
    }
    until("page views", &browser, async || server.number(stored) >= (KILLS + 1) * VIEWS / (KILLS + 2)).await;
    line.set(Mode::Refuse);
    until("facts that wait", &browser, async || snapshot(&browser).await["queued"].as_i64() > Some(10)).await;
    line.set(Mode::Pass);

    until("all page views", &browser, async || server.number(stored) > VIEWS).await;
    until("all confirmed", &browser, async || snapshot(&browser).await["queued"] == 0).await;
    let told = snapshot(&browser).await;
    assert_eq!(told["sent"], VIEWS + 1, "{told}");
    assert_eq!(told["dropped"], 0, "{told}");
    server.assert_page_views(VIEWS + 1);
    assert_eq!(server.number("SELECT COUNT(DISTINCT url) FROM page_views"), VIEWS + 1);
    server.assert_visits(1);
    let kept = "Object.keys(localStorage).filter((key) => key.startsWith('visitflow:')).length";
    assert_eq!(browser.evaluate(kept).await, 0, "nothing is kept any more");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_that_open_at_once_are_one_visit() {
    const TIMES: i64 = 50;
    let server = Server::start().await;
    let browser = Browser::open().await;
    // The shop remembers the decision: each page that opens from now on is measured at once.
    browser.open_page(&format!("{}/demo", server.origin())).await;
    browser.click("consent-accept").await;
    until("the first", &browser, async || server.number("SELECT COUNT(*) FROM page_views") == 1).await;
    browser.open_page(&format!("{}/visitflow.js", server.origin())).await;
    let first = browser.driver.window().await.expect("a window");
    for time in 1..=TIMES {
        browser.driver.delete_all_cookies().await.expect("no cookies");
        let open = "window.open('/demo', '_blank', 'noopener'); window.open('/demo', '_blank', 'noopener');";
        browser.driver.execute(open, Vec::new()).await.expect("two tabs");
        until("two views", &browser, async || {
            server.number("SELECT COUNT(*) FROM page_views") == 1 + 2 * time
        })
        .await;
        server.assert_visits(1 + time);
        for window in browser.driver.windows().await.expect("the windows") {
            if window != first {
                browser.driver.switch_to_window(window).await.expect("a tab");
                browser.driver.close_window().await.expect("it closes");
            }
        }
        browser.driver.switch_to_window(first.clone()).await.expect("the first window");
    }
    browser.close().await;
}
