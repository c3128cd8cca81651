//! The client in a real browser, when things go wrong.

use std::collections::BTreeSet;
use visitflow_testkit::Server;
use visitflow_testkit::browser::Browser;
use visitflow_testkit::patience::{page_views_are, until};
use visitflow_testkit::proxy::{Mode, Proxy};
use visitflow_testkit::reading::count;
use visitflow_testkit::recorder::{Recorder, Seen};

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
            while (((await visitflow.snapshot()).queued ?? Infinity) > 150) await pause();
            visitflow.pageView('?page=' + ++window.walked);
        }
    })();";

async fn snapshot(browser: &Browser) -> serde_json::Value {
    browser.evaluate("window.visitflow?.snapshot?.() ?? {}").await
}

/// How facts were sent: the first attempt of each, and the later ones.
#[derive(Debug, Default)]
struct Ways {
    fetched: i64,
    beaconed: i64,
    fetched_again: i64,
    beaconed_again: i64,
}

impl Ways {
    fn of(requests: &[Seen]) -> Self {
        let mut ways = Self::default();
        let mut known = BTreeSet::new();
        for (request, fact) in
            requests.iter().flat_map(|seen| seen.facts().into_iter().map(move |fact| (seen, fact)))
        {
            let id = fact["id"].as_str().expect("a fact has an id").to_owned();
            let way = match (known.insert(id), request.is_beacon()) {
                (true, false) => &mut ways.fetched,
                (true, true) => &mut ways.beaconed,
                (false, false) => &mut ways.fetched_again,
                (false, true) => &mut ways.beaconed_again,
            };
            *way += 1;
        }
        ways
    }
}

/// What a page does that is left, and then lives on.
const HIDE: &str = "dispatchEvent(new PageTransitionEvent('pagehide'))";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_page_views_survive_five_kills_and_a_network_that_drops() {
    let mut server = Server::start().await;
    let line = Proxy::to(server.address()).await;
    let witness = Recorder::before(line.address().to_owned()).await;
    let browser = Browser::open().await;
    browser.open_page(&format!("{}/demo", witness.origin())).await;
    browser.click("consent-accept").await;
    browser.driver.execute(WALK, vec![VIEWS.into()]).await.expect("the walk");

    let stored = "SELECT COUNT(*) FROM page_views";
    let some_wait = async || snapshot(&browser).await["queued"].as_i64() > Some(10);
    for kill in 1..=KILLS {
        until("page views", async || server.number(stored) >= kill * VIEWS / (KILLS + 2)).await;
        server.kill().await;
        until("facts that wait", some_wait).await;
        // Beacons that do not arrive, and beacons whose facts are sent again by fetch.
        browser.run(HIDE).await;
        server.restart().await;
        browser.run(HIDE).await;
    }
    until("page views", async || server.number(stored) >= (KILLS + 1) * VIEWS / (KILLS + 2)).await;
    line.set(Mode::Refuse);
    until("facts that wait", some_wait).await;
    line.set(Mode::Pass);

    page_views_are(&server, VIEWS + 1).await;
    until("all confirmed", async || snapshot(&browser).await["queued"] == 0).await;
    let told = snapshot(&browser).await;
    assert_eq!(told["sent"], VIEWS + 1, "{told}");
    assert_eq!(told["dropped"], 0, "{told}");
    server.assert_page_views(VIEWS + 1);
    assert_eq!(server.number("SELECT COUNT(DISTINCT url) FROM page_views"), VIEWS + 1);
    server.assert_visits(1);
    let kept = "Object.keys(localStorage).filter((key) => key.startsWith('visitflow:')).length";
    assert_eq!(browser.evaluate(kept).await, 0, "nothing is kept any more");

    let requests = witness.api();
    let ways = Ways::of(&requests);
    println!("{} page views stored, each once: {ways:?}", VIEWS + 1);
    assert_eq!(ways.fetched + ways.beaconed, VIEWS + 1, "each fact had one first try");
    assert!(ways.fetched_again > 0 && ways.beaconed + ways.beaconed_again > 0, "{ways:?}");
    let tries: usize = requests.iter().map(|seen| seen.facts().len()).sum();
    let all = ways.fetched + ways.beaconed + ways.fetched_again + ways.beaconed_again;
    assert_eq!(count(tries), all, "{ways:?}");
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
    page_views_are(&server, 1).await;
    browser.open_page(&format!("{}/visitflow.js", server.origin())).await;
    let first = browser.driver.window().await.expect("a window");
    for time in 1..=TIMES {
        browser.driver.delete_all_cookies().await.expect("no cookies");
        let open = "window.open('/demo', '_blank', 'noopener'); window.open('/demo', '_blank', 'noopener');";
        browser.driver.execute(open, Vec::new()).await.expect("two tabs");
        page_views_are(&server, 1 + 2 * time).await;
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
