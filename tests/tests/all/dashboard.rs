//! The dashboard in a browser: what it shows of what is stored, and what it says when it cannot.

use serde_json::json;
use visitflow_testkit::browser::Browser;
use visitflow_testkit::patience::{comes, page_views_are, until};
use visitflow_testkit::recorder::Recorder;
use visitflow_testkit::scene::Scene;
use visitflow_testkit::{Server, fact_id, password_of};

/// An admin before an empty server, signed in.
async fn signed_in() -> Scene {
    let server = Server::with().admin("root").start().await;
    let scene = Scene::on(Browser::open().await, server).await;
    scene.open("/dashboard").await;
    sign_in(&scene.browser).await;
    scene.browser.find("total-visits").await;
    scene
}

async fn sign_in(browser: &Browser) {
    browser.type_into("dash-username", "root").await;
    browser.type_into("dash-password", &password_of("root")).await;
    browser.click("dash-sign-in").await;
}

/// The part of the board that holds the element with this `data-testid` comes to this state.
async fn part_is(browser: &Browser, test_id: &str, state: &str) {
    let expression = format!(
        "document.querySelector('[data-testid=\"{test_id}\"]')?.closest('.board [data-state]')?.dataset.state ?? null"
    );
    comes(test_id, json!(state), async || browser.evaluate(&expression).await).await;
}

async fn text(browser: &Browser, selector: &str) -> String {
    let text = browser.evaluate(&format!("document.querySelector('{selector}')?.innerText ?? ''")).await;
    text.as_str().expect("a text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_panel_fails_and_recovers_by_itself() {
    let scene = signed_in().await;
    let Scene { browser, witness, server } = &scene;
    server.visitor().view("/shoes").await.expect(204);
    for (report, test_id) in
        [("pages", "top-pages"), ("timeseries", "chart"), ("live", "live"), ("overview", "total-visits")]
    {
        let path = format!("/api/metrics/{report}");
        witness.fail(&path, 503);
        scene.open("/dashboard").await;
        part_is(browser, test_id, "failed").await;
        part_is(browser, "referrers", "ready").await;
        let said = text(browser, ".trouble:not([hidden])").await;
        assert!(said.contains("The server is busy") && said.contains("Next try in"), "{report}: {said}");
        let failed = browser.evaluate("document.querySelectorAll('[data-state=failed]').length").await;
        assert_eq!(failed, 1, "{report}");
        witness.mend(&path);
        part_is(browser, test_id, "ready").await;
    }
    assert_eq!(browser.value("total-visits", "1").await, "1");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loading_the_dashboard_requests_the_list_of_sites_once() {
    let scene = signed_in().await;
    let Scene { browser, witness, server } = &scene;
    server.visitor().view("/shoes").await.expect(204);
    let asked = async |report: &str| {
        scene.page_asks().await;
        let path = format!("/api/metrics/{report}?");
        witness.seen().iter().filter(|seen| seen.path.starts_with(&path)).count()
    };
    let (sites, overviews) = (asked("sites").await, asked("overview").await);
    scene.open("/dashboard").await;
    for test_id in ["total-visits", "chart", "live", "top-pages", "referrers"] {
        part_is(browser, test_id, "ready").await;
    }
    assert_eq!(asked("sites").await, sites + 1);
    assert!(asked("overview").await >= overviews + 2, "of this period, and of the one before");
    let overview = server.overview(&server.add_key("reports").await, "").await;
    assert!(overview.get("sites").is_none(), "{overview}");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_not_shown_as_live_until_it_is_back() {
    let scene = signed_in().await;
    let Scene { browser, witness, server } = &scene;
    server.visitor().view("/shoes").await.expect(204);
    scene.open("/dashboard").await;
    part_is(browser, "live", "ready").await;
    let lit = "getComputedStyle(document.querySelector('.pulse')).animationName";
    assert_eq!(browser.evaluate(lit).await, "pulse");
    witness.cut(true);
    part_is(browser, "live", "stale").await;
    assert_eq!(browser.evaluate(lit).await, "none");
    let said = text(browser, ".live-panel .trouble").await;
    assert!(said.contains("Not updated since") && said.contains("cannot be reached"), "{said}");
    assert_eq!(browser.value("active-sessions", "1").await, "1", "what was known stays");
    witness.cut(false);
    part_is(browser, "live", "ready").await;
    assert_eq!(browser.evaluate(lit).await, "pulse");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_not_shown_as_live() {
    let scene = signed_in().await;
    let Scene { browser, witness, .. } = &scene;
    part_is(browser, "live", "ready").await;
    witness.hold("/api/metrics/live");
    part_is(browser, "live", "stale").await;
    witness.release();
    part_is(browser, "live", "ready").await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_ended_shows_the_sign_in_form() {
    let scene = signed_in().await;
    let Scene { browser, server, .. } = &scene;
    // A new password ends all sessions of that user.
    server.add_user("root", true).await;
    browser.find("dash-username").await;
    assert_eq!(text(browser, ".form-error").await, "Your session has ended. Please sign in again.");
    sign_in(browser).await;
    browser.find("total-visits").await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_whose_cookie_is_dropped_says_what_to_do() {
    let scene = Scene::on(Browser::open().await, Server::with().admin("root").start().await).await;
    let Scene { browser, witness, .. } = &scene;
    let port = witness.address().rsplit(':').next().expect("a port");
    browser.open_page(&format!("http://stats.test:{port}/dashboard")).await;
    sign_in(browser).await;
    browser.find("cookie-dropped").await;
    let said = text(browser, "[data-testid=cookie-dropped]").await;
    assert!(said.contains("https://stats.test/dashboard") && said.contains("TLS proxy"), "{said}");
    // Users who are not admins get that message instead of this one.
    scene.server.add_user("alice", false).await;
    scene.open("/dashboard").await;
    browser.type_into("dash-username", "alice").await;
    browser.type_into("dash-password", &password_of("alice")).await;
    browser.click("dash-sign-in").await;
    browser.find("forbidden").await;
    scene.close().await;
}

/// 20 sites, long names everywhere, the greatest order, two scripts.
async fn fill_with_long_texts(server: &Server) {
    let label = "a-label-of-a-host-that-is-as-long-as-a-label-may-be-63-letters";
    let long_host = format!("{label}.{label}.{label}.example");
    let long_path = format!("/{}", "a".repeat(1_900));
    let mut pages: Vec<String> = (0..20).map(|number| format!("https://site-{number}.example/")).collect();
    pages.extend([
        format!("https://{long_host}/"),
        format!("https://shop.example{long_path}"),
        "https://shop.example/%D7%A9%D7%9C%D7%95%D7%9D/%D7%A2%D7%95%D7%9C%D7%9D".to_owned(),
        "https://xn--9dbne9b.co.il/".to_owned(),
    ]);
    for url in pages {
        let visitor = server.visitor();
        let referrer = format!("https://{long_host}/");
        let view = json!({"id": fact_id(), "visitor_id": visitor.id, "url": url, "referrer": referrer});
        visitor.send_view(&view).await.expect(204);
    }
    let buyer = server.visitor();
    buyer.view("/checkout").await.expect(204);
    for (currency, amount) in [("EUR", "999999999999.99"), ("USD", "999999999999.99"), ("SEK", "1")] {
        for number in 0..3 {
            buyer.order(&format!("{currency}-{number}"), amount, currency).await.expect(204);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_makes_the_page_wider_than_its_window() {
    let scene = signed_in().await;
    let Scene { browser, server, .. } = &scene;
    fill_with_long_texts(server).await;
    for width in [320, 390, 768, 1440] {
        browser.set_width(width).await;
        scene.open("/dashboard").await;
        for test_id in ["total-visits", "chart", "live", "top-pages", "referrers"] {
            part_is(browser, test_id, "ready").await;
        }
        let wide = "[...document.querySelectorAll('.board *')].filter((element) =>
            !element.closest('.name, .visually-hidden, .series-table, svg') && element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => element.outerHTML.slice(0, 80))";
        assert_eq!(browser.evaluate(wide).await, json!([]), "at {width}");
        let fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(browser.evaluate(fits).await, true, "at {width}");
        browser.keep_screenshot(&format!("long-texts-{width}")).await;
    }
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_currency_has_figures_of_its_own() {
    let scene = signed_in().await;
    let Scene { browser, server, .. } = &scene;
    let buyer = server.visitor();
    buyer.view("/checkout").await.expect(204);
    for (id, amount, currency) in [("1", "10", "EUR"), ("2", "30", "USD"), ("3", "50", "USD")] {
        buyer.order(id, amount, currency).await.expect(204);
    }
    scene.open("/dashboard?currency=EUR").await;
    for (figure, value) in [
        ("orders", "1"),
        ("revenue", "10"),
        ("average-order-value", "10"),
        ("orders-EUR", "1"),
        ("revenue-EUR", "10"),
        ("orders-USD", "2"),
        ("revenue-USD", "80"),
        ("average-order-value-USD", "40"),
    ] {
        assert_eq!(browser.value(figure, value).await, value, "{figure}");
    }
    let names = "[...document.querySelectorAll('.figure:not([hidden]) .code')].map((code) => code.textContent).filter(Boolean)";
    assert_eq!(browser.evaluate(names).await, json!(["EUR", "EUR", "EUR"]));
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_shown_as_people_read_them() {
    let scene = signed_in().await;
    let Scene { browser, server, .. } = &scene;
    let visits = [
        ("/caf%C3%A9", "https://xn--mnchen-3ya.de/"),
        ("/%E2%80%AEabc", "https://xn--l-7sba6dbr.com/"), // a control, and Cyrillic beside Latin
        ("/a%2Fb", "https://xn--80ak6aa92e.com/"),        // Cyrillic that looks like apple.com
    ];
    for (path, referrer) in visits {
        let visitor = server.visitor();
        let mut view = visitor.page_view(path);
        view["referrer"] = referrer.into();
        visitor.send_view(&view).await.expect(204);
    }
    scene.open("/dashboard").await;
    part_is(browser, "top-pages", "ready").await;
    part_is(browser, "referrers", "ready").await;
    let names = |list: &str| {
        format!(
            "[...document.querySelectorAll('[data-testid={list}] .name')].map((name) => name.textContent).sort()"
        )
    };
    assert_eq!(browser.evaluate(&names("top-pages")).await, json!(["/%E2%80%AEabc", "/a%2Fb", "/café"]));
    let hosts = json!(["münchen.de", "xn--80ak6aa92e.com", "xn--l-7sba6dbr.com"]);
    assert_eq!(browser.evaluate(&names("referrers")).await, hosts);
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_tag_that_the_dashboard_shows_works_on_a_page() {
    let shop = Recorder::before("127.0.0.1:9".to_owned()).await; // it serves pages alone
    let server = Server::with().admin("root").flag("--allowed-origin", shop.origin()).start().await;
    let scene = Scene::on(Browser::open().await, server).await;
    let Scene { browser, server, .. } = &scene;
    scene.open("/dashboard").await;
    sign_in(browser).await;
    browser.find("empty").await;
    let tag = text(browser, "[data-testid=tag]").await;
    shop.serve_html("/shop", &format!("<!doctype html><head><title>A shop</title>{tag}</head><body></body>"));
    browser.open_page(&format!("{}/shop", shop.origin())).await;
    page_views_are(server, 1).await;
    server.assert_visits(1);
    scene.open("/dashboard").await;
    assert_eq!(browser.value("page-views", "1").await, "1");
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_board_says_whose_facts_were_refused() {
    let scene = signed_in().await;
    let Scene { browser, witness, .. } = &scene;
    let hostile = "https://a\"><img src=x onerror=alert(1)>\u{202E}";
    let refused = json!({"refused": [
        {"origin": "https://shop.example", "requests": 12, "last_at": "2026-01-02T03:04:05Z"},
        {"origin": hostile, "requests": 1, "last_at": "2026-01-02T03:04:05Z"},
    ]});
    witness.serve_html("/api/metrics/refused", &refused.to_string());
    scene.open("/dashboard").await;
    until("it is said", async || text(browser, "[data-testid=refused]").await.contains("refused")).await;
    let said = text(browser, "[data-testid=refused]").await;
    assert!(said.contains("Facts from https://shop.example were refused (12 requests"), "{said}");
    assert!(said.contains("--allowed-origin https://shop.example"), "{said}");
    assert_eq!(said.matches("--allowed-origin").count(), 1, "{said}");
    assert!(said.contains("\\u{202e}"), "{said}");
    assert_eq!(browser.evaluate("document.querySelectorAll('.notice img').length").await, 0);
    // It tells nothing any more, and the page goes on.
    witness.fail("/api/metrics/refused", 404);
    until("nothing is said", async || text(browser, "[data-testid=refused]").await.is_empty()).await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_board_fills_by_itself() {
    let scene = signed_in().await;
    let Scene { browser, server, .. } = &scene;
    browser.find("empty").await;
    server.visitor().view("/shoes").await.expect(204);
    assert_eq!(browser.value("total-visits", "1").await, "1");
    part_is(browser, "top-pages", "ready").await;
    until("the pages are listed", async || text(browser, "[data-testid=top-pages]").await.contains("/shoes"))
        .await;
    scene.close().await;
}
