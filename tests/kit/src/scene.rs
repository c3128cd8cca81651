//! A browser, a witness, a server: what a test of real pages needs.

use crate::Server;
use crate::browser::{Browser, Engine};
use crate::patience::{comes, counts};
use crate::recorder::Recorder;
use serde_json::Value;

/// All three; dropping it ends them.
#[derive(Debug)]
pub struct Scene {
    /// The browser.
    pub browser: Browser,
    /// Who stands between them.
    pub witness: Recorder,
    /// The server.
    pub server: Server,
}

impl Scene {
    /// A browser of this engine before a server with the default flags.
    pub async fn of(engine: Engine) -> Self {
        Self::on(Browser::of(engine).await, Server::start().await).await
    }

    /// This browser before this server.
    pub async fn on(browser: Browser, server: Server) -> Self {
        let witness = Recorder::facing(browser.engine, server.address()).await;
        Self { browser, witness, server }
    }

    /// Loads a page by its path.
    pub async fn open(&self, path: &str) {
        self.browser.open_page(&format!("{}{path}", self.witness.origin())).await;
    }

    /// Serves a page with the client in its head, for a visitor who consents.
    pub fn serve_measured(&self, path: &str, body: &str) {
        self.witness.serve_html(path, &measured(body));
    }

    /// The client's account of itself.
    pub async fn snapshot(&self) -> Value {
        self.browser.resolve("window.visitflow?.snapshot?.() ?? {}").await
    }

    /// Waits until the client has nothing left to send.
    pub async fn settles(&self) {
        let left = async || self.snapshot().await["queued"].clone();
        comes("facts that wait", Value::from(0), left).await;
    }

    /// Lets the page send an event of a name that was not used before, and waits until it is stored.
    /// Facts are sent one after the other, so whatever the client still had to send came before.
    pub async fn everything_is_sent(&self, event: &str) {
        self.browser.run(&format!("window.visitflow.event('{event}')")).await;
        let stored = format!("SELECT COUNT(*) FROM events WHERE name = '{event}'");
        counts(&self.server, &stored, 1).await;
        self.settles().await;
    }

    /// A request of the page itself, to its end: what the page asked before it has been seen.
    pub async fn page_asks(&self) {
        self.witness.serve_html("/asked-by-the-page", "");
        self.browser.resolve("fetch('/asked-by-the-page').then((answer) => answer.text())").await;
    }

    /// Half an hour and a minute pass for the server: every session is idle by now. It is killed
    /// and comes back, for nobody can move the clock of one that runs.
    pub async fn half_an_hour_passes(&mut self) {
        self.server.kill().await;
        self.server.age(IDLE_MS);
        self.server.restart().await;
    }

    /// Ends the browser.
    pub async fn close(self) {
        self.browser.close().await;
    }
}

/// Longer than the idle limit, in ms.
pub const IDLE_MS: i64 = 31 * 60_000;

/// A page with the client in its head, for a visitor who consents.
#[must_use]
pub fn measured(body: &str) -> String {
    format!(
        "<!doctype html><html><head><title>A page</title><link rel=\"icon\" href=\"data:,\">\
         <script src=\"/visitflow.js\" data-consent=\"granted\"></script></head><body>{body}</body></html>"
    )
}

/// One test of a function for each engine: `fact::in_chromium` and so on.
#[macro_export]
macro_rules! in_engines {
    ($($fact:ident: $($test:ident $engine:ident),+;)+) => {$(
        mod $fact {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$fact($crate::browser::Engine::$engine).await;
            })+
        }
    )+};
    ($($fact:ident)+) => {
        $crate::in_engines! {
            $($fact: in_chromium Chromium, in_firefox Firefox, in_webkit WebKit;)+
        }
    };
}
