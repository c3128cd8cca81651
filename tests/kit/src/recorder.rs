//! A witness between a browser and the server: it passes every request on and notes it.
//!
//! It can do more, so that a test needs nobody else on the way: serve pages of its own beside the
//! server's, speak TLS, hold requests back, and be a line that is cut.
//!
//! One thing it changes: a browser under automation says `webdriver` of itself and would not be
//! counted as a person, so that word is left out of what is passed on.

mod line;
mod seen;

pub use seen::Seen;

use crate::browser::Engine;
use crate::certificate;
use line::Line;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A page that the witness serves itself.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its text.
    pub html: String,
    /// Its `Content-Security-Policy`.
    pub policy: Option<String>,
    /// Its status, where that is not 200.
    pub status: Option<u16>,
}

/// An HTTP proxy on a port of its own; dropping it closes the door.
#[derive(Debug)]
pub struct Recorder {
    origin: String,
    line: Arc<Line>,
    /// Its end ends the thread: the door is open while a test waits for something else.
    _end: oneshot::Sender<()>,
}

impl Recorder {
    /// Stands in front of a server (`host:port`).
    pub async fn before(server: String) -> Self {
        Self::start(server, false).await
    }

    /// Stands in front of a server in the way that this engine can be measured: with TLS where
    /// `Secure` cookies need it.
    pub async fn facing(engine: Engine, server: String) -> Self {
        Self::start(server, !engine.trusts_loopback()).await
    }

    async fn start(server: String, tls: bool) -> Self {
        let line = Arc::new(Line::to(server, tls));
        let (end, ended) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let acceptor = tls.then(certificate::acceptor);
        let mine = line.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let _ = tell.send(listener.local_addr().expect("an address"));
                tokio::select! {
                    () = line::serve(mine, listener, acceptor) => {}
                    _ = ended => {}
                }
            });
        });
        let address = told.await.expect("a free port");
        let scheme = if tls { "https" } else { "http" };
        Self { origin: format!("{scheme}://{address}"), line, _end: end }
    }

    /// What the browser calls.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// `host:port` of what the browser calls.
    #[must_use]
    pub fn address(&self) -> &str {
        self.origin.split_once("//").map_or("", |(_, address)| address)
    }

    /// Serves a page at a path, whatever the server has there.
    pub fn serve(&self, path: &str, page: Page) {
        self.line.pages().insert(path.to_owned(), page);
    }

    /// Serves a page of this text.
    pub fn serve_html(&self, path: &str, html: &str) {
        self.serve(path, Page { html: html.to_owned(), ..Page::default() });
    }

    /// Answers a path with this status and nothing more, whatever the server has there.
    pub fn fail(&self, path: &str, status: u16) {
        self.serve(path, Page { status: Some(status), ..Page::default() });
    }

    /// Lets the server answer a path again.
    pub fn mend(&self, path: &str) {
        self.line.pages().remove(path);
    }

    /// Runs a script in every page before any other, as one that a page's policy allows.
    pub fn run_first(&self, script: &str) {
        *self.line.first() = Some(script.to_owned());
    }

    /// Holds back requests whose path contains this, until [`Self::release`].
    pub fn hold(&self, part: &str) {
        self.line.held.send_modify(|held| held.push(part.to_owned()));
    }

    /// Lets all requests pass.
    pub fn release(&self) {
        self.line.held.send_modify(Vec::clear);
    }

    /// Cuts the line, or mends it: requests meanwhile are noted, and their connection breaks.
    pub fn cut(&self, cut: bool) {
        self.line.is_cut.store(cut, Ordering::SeqCst);
    }

    /// Everything that was asked so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.line.seen().clone()
    }

    /// The same as `METHOD /path`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }

    /// Every request to the API so far.
    #[must_use]
    pub fn api(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path.starts_with("/api")).collect()
    }

    /// The same as `METHOD /path`.
    #[must_use]
    pub fn api_requests(&self) -> Vec<String> {
        self.api().iter().map(Seen::line).collect()
    }

    /// How many requests there were to a path so far.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }

    /// How many requests there were, by path.
    #[must_use]
    pub fn by_path(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for seen in self.seen() {
            *counts.entry(seen.path).or_default() += 1;
        }
        counts
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seen = self.api();
            let told = seen[seen.len().saturating_sub(20)..].iter();
            let lines: Vec<String> =
                told.map(|seen| format!("{} {:?} {:.200}", seen.line(), seen.status, seen.body)).collect();
            eprintln!("what the API was asked last:\n{}", lines.join("\n"));
        }
    }
}
