//! A browser at an example that measures visits.

use serde_json::json;
use thirtyfour::prelude::*;
use visitflow_testkit::Server;
use visitflow_testkit::browser::Browser;
use visitflow_testkit::patience::{comes, counts, page_views_are};
use visitflow_testkit::recorder::Recorder;

/// The cookies of a visitor who has consented.
pub(super) const OURS: &[&str] = &["last_activity", "session_id", "visitor_id", "visitor_key"];

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

    /// The page views have these titles, each the name of its page before that of the site.
    pub(super) fn assert_titles(&self, names: &[&str]) {
        assert_eq!(self.titles(), names);
    }

    /// The same where a framework may set the title after the view was sent: such a view has none.
    pub(super) fn assert_no_other_titles(&self, names: &[&str]) {
        let titles = self.titles();
        let fits = |(title, name): (&String, &&str)| title.is_empty() || title == name;
        assert!(titles.len() == names.len() && titles.iter().zip(names).all(fits), "{titles:?}");
    }

    fn titles(&self) -> Vec<String> {
        let titles = self.server.texts("SELECT title FROM page_views ORDER BY occurred_at, id");
        titles.iter().map(|title| title.split(" - ").next().unwrap_or("").to_owned()).collect()
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

    pub(super) async fn close(self) {
        self.browser.close().await;
    }
}
