//! A browser at an example that measures visits.

use serde_json::json;
use thirtyfour::prelude::*;
use visitflow_testkit::Server;
use visitflow_testkit::browser::Browser;
use visitflow_testkit::patience::{comes, counts, page_views_are};
use visitflow_testkit::recorder::Recorder;

/// The cookies of a visitor who has consented.
pub(super) const OURS: &[&str] = &["last_activity", "session_id", "visitor_id", "visitor_key"];

/// The pages of a visitor who looks around, consents and walks on.
const WALK: &[&str] = &["Home", "About", "Home", "About", "About", "About", "Not found", "About"];

/// Before a page is hydrated, its links load the next page. SvelteKit takes scrolling over once it follows links.
const IS_HYDRATED: &str = "document.querySelector('#__nuxt') ? window.useNuxtApp?.().isHydrating === false
    : !Object.keys(window).some((name) => name.startsWith('__sveltekit')) || history.scrollRestoration === 'manual'";

/// A server, and a witness of what it is asked.
pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) witness: Recorder,
    pub(super) browser: Browser,
}

impl Stage {
    pub(super) async fn before(server: Server) -> Self {
        let witness = Recorder::before(server.address()).await;
        Self { server, witness, browser: Browser::open().await }
    }

    pub(super) async fn element(&self, css: &str) -> WebElement {
        self.browser.find_by(css).await
    }

    pub(super) async fn click(&self, css: &str) {
        self.element(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Waits until the page's heading is this.
    pub(super) async fn shows(&self, heading: &str) {
        let now = "document.querySelector('h1')?.textContent";
        comes("the heading", json!(heading), async || self.browser.evaluate(now).await).await;
    }

    pub(super) async fn cookies(&self) -> Vec<String> {
        let cookies = self.browser.driver.get_all_cookies().await.expect("the cookies");
        let mut names: Vec<String> = cookies.into_iter().map(|cookie| cookie.name).collect();
        names.sort();
        names
    }

    pub(super) async fn until_cookies_are(&self, expected: &[&str]) {
        let expected = expected.iter().map(ToString::to_string).collect();
        comes("the cookies", expected, async || self.cookies().await).await;
    }

    /// Neither cookie nor storage nor WebAssembly, and nothing asked of visitflow but its script.
    pub(super) async fn assert_silence(&self) {
        assert_eq!(self.cookies().await, [""; 0]);
        // Routers keep in sessionStorage how far a page was scrolled.
        let kept = "[...Object.keys(localStorage), ...Object.keys(sessionStorage).filter((key) => key.includes('visitflow'))]";
        assert_eq!(self.browser.evaluate(kept).await, json!([]));
        let wasm =
            "performance.getEntriesByType('resource').filter(({ name }) => name.includes('.wasm')).length";
        assert_eq!(self.browser.evaluate(wasm).await, 0);
        let mut asked = self.witness.requests();
        asked.retain(|request| request.contains("/api/") || request.contains("/visitflow-"));
        assert_eq!(asked, [""; 0]);
        self.server.assert_visits(0);
    }

    /// Waits until the server has these page views, in this order, and no others.
    pub(super) async fn counted(&self, urls: &[&str]) {
        page_views_are(&self.server, urls.len() as i64).await;
        assert_eq!(self.server.texts("SELECT url FROM page_views ORDER BY occurred_at, id"), urls);
    }

    /// Notes what each page writes to the console from now on: warnings and errors, and what nobody caught.
    pub(super) async fn hears_the_console(&self) {
        const NOTE: &str = "window.said = [];
            for (const level of ['warn', 'error']) {
                const write = console[level];
                console[level] = (...all) => { said.push(all.map(String).join(' ')); write.apply(console, all); };
            }
            addEventListener('error', ({ message }) => said.push(message));
            addEventListener('unhandledrejection', ({ reason }) => said.push(String(reason)));";
        self.browser.run_before_pages(NOTE).await;
    }

    /// What this page has written to the console.
    pub(super) async fn assert_nothing_was_said(&self) {
        assert_eq!(self.browser.evaluate("window.said").await, json!([]));
    }

    /// The views of the visitor who has walked on have the titles of their pages. A page with the title of the page
    /// before may have none: nobody can tell whether it has set its own.
    pub(super) fn assert_titles(&self) {
        self.assert_titled(|n| n > 0 && WALK[n - 1] == WALK[n]);
    }

    /// The same where pages are fetched after the address has changed: a view that was sent before has none.
    pub(super) fn assert_no_other_titles(&self) {
        self.assert_titled(|_| true);
    }

    fn assert_titled(&self, may_lack: impl Fn(usize) -> bool) {
        let titles = self.server.texts("SELECT title FROM page_views ORDER BY occurred_at, id");
        // A title is the name of its page before that of the site.
        let found: Vec<&str> = titles.iter().map(|title| title.split(" - ").next().unwrap_or("")).collect();
        let fits = |n: usize| found[n] == WALK[n] || (found[n].is_empty() && may_lack(n));
        assert!(found.len() == WALK.len() && (0..WALK.len()).all(fits), "{found:?}, not {WALK:?}");
    }

    /// Accepts by the banner. A page that a server has rendered may not listen yet, so a visitor presses again.
    async fn accepts(&self) {
        const PRESS: &str = "((button) => button?.checkVisibility() ? button.click() : 'gone')\
            (document.querySelector('#accept'))";
        let pressed = async || self.browser.evaluate(PRESS).await;
        comes("the banner", json!("gone"), pressed).await;
    }

    /// Sends the event, and waits until it has arrived: what else was to come before is there, too.
    pub(super) async fn plays(&self) {
        self.click("#play").await;
        counts(&self.server, "SELECT COUNT(*) FROM events WHERE name = 'play'", 1).await;
    }

    /// A visitor of a site with the pages `/` and `/about`, who looks around and then consents.
    pub(super) async fn looks_around_and_consents(&self, origin: &str) {
        let (home, about) = (format!("{origin}/"), format!("{origin}/about"));
        self.browser.open_page(&home).await;
        self.shows("Home").await;
        comes("hydration", json!(true), async || self.browser.evaluate(IS_HYDRATED).await).await;
        self.click("a[href='/about']").await;
        self.shows("About").await;
        self.click("a[href='/']").await;
        self.shows("Home").await;
        self.element("#accept").await;
        self.assert_silence().await;

        self.accepts().await;
        self.counted(&[&home]).await;
        self.click("a[href='/about']").await;
        self.shows("About").await;
        self.counted(&[&home, &about]).await;
        self.browser.driver.back().await.expect("one page back");
        self.shows("Home").await;
        self.plays().await;
        self.counted(&[&home, &about, &home]).await;
        self.server.assert_visits(1);
    }

    /// The same visitor afterwards: forward, to another query, by a redirect, to a page that does not exist, and back.
    /// Each address counts once.
    pub(super) async fn walks_on(&self, origin: &str) {
        let (home, about) = (format!("{origin}/"), format!("{origin}/about"));
        let (tab, nowhere) = (format!("{origin}/about?tab=2"), format!("{origin}/nowhere"));
        let mut views = vec![home.as_str(), &about, &home];
        self.browser.driver.forward().await.expect("one page forward");
        self.shows("About").await;
        views.push(&about);
        self.counted(&views).await;
        self.click("a[href='/about?tab=2']").await;
        views.push(&tab);
        self.counted(&views).await;
        self.click("a[href='/old']").await;
        views.push(&about);
        self.counted(&views).await;
        self.click("a[href='/nowhere']").await;
        self.shows("Not found").await;
        views.push(&nowhere);
        self.counted(&views).await;
        self.browser.driver.back().await.expect("one page back");
        self.shows("About").await;
        views.push(&about);
        self.counted(&views).await;
        self.server.assert_visits(1);
    }

    /// Notes from now on whether a page shows this element at any moment.
    pub(super) async fn watches_for(&self, css: &str) {
        let watch = format!(
            "window.seen = false;
            new MutationObserver(() => {{ seen ||= Boolean(document.querySelector('{css}')?.checkVisibility()); }})
                .observe(document, {{ attributes: true, childList: true, subtree: true }});"
        );
        self.browser.run_before_pages(&watch).await;
    }

    pub(super) async fn assert_never_seen(&self) {
        assert_eq!(self.browser.evaluate("window.seen").await, json!(false));
    }

    pub(super) async fn close(self) {
        self.browser.close().await;
    }
}
