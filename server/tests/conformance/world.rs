//! A server over a backend. What browsers do with it is in `steps`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use visitflow_server::clock;
use visitflow_server::database::error::StoreError;
use visitflow_server::ingest::{Ingest, Writer};
use visitflow_server::ledger::commands::Awaited;
use visitflow_server::ledger::context::Context;
use visitflow_server::lifecycle::Lifecycle;
use visitflow_server::observe::Metrics;
use visitflow_server::resolve::Sessions;
use visitflow_server::session::record::Record;
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::{Caller, Millis, Ttl};
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::proxy::Mode;

use crate::backend::{Backend, Opened, Place};
pub(crate) use crate::browser::{Browser, Said};

pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const TTL: Ttl = Ttl::DEFAULT;

/// Sessions that are only in the process use no clock but the instants that they are given.
const FIXED: Millis = 1_790_000_000_000;

/// How often a condition is checked.
const POLL: Duration = Duration::from_millis(5);

/// A server over a backend.
#[derive(Debug)]
pub(crate) struct World {
    /// When a case begins.
    pub now: Millis,
    place: Arc<Place>,
    server: usize,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    lifecycle: Arc<Lifecycle>,
    writer: Writer,
}

impl Running {
    /// Waits until Redis is up to date, which needs the database too.
    async fn trusts_redis(&self, place: &Place) {
        let sessions = &self.lifecycle.sessions;
        let trusts = async || sessions.redis().is_some_and(|redis| redis.is_trusted());
        if place.backend.has_redis() {
            eventually("a trusted Redis", trusts).await;
        }
    }
}

impl World {
    /// One server on empty stores.
    pub(crate) async fn new(backend: Backend) -> Self {
        let place = Arc::new(Place::new(backend).await);
        // Redis is brought up to date by the real clock.
        let now = if backend == Backend::Embedded { FIXED } else { clock::now() };
        Self::on(place, 0, now).await
    }

    /// A second server on the same stores.
    pub(crate) async fn second(&self) -> Self {
        self.settle().await;
        Self::on(Arc::clone(&self.place), 1, self.now).await
    }

    async fn on(place: Arc<Place>, server: usize, now: Millis) -> Self {
        let running = run(&place, server, now).await;
        running.trusts_redis(&place).await;
        let running = Mutex::new(Some(running));
        Self { now, place, server, running }
    }

    /// Stops the server when it has written everything, and starts it again at an instant.
    pub(crate) async fn restart(&self, now: Millis) {
        self.settle().await;
        let running = self.stop_and_run(now).await;
        running.trusts_redis(&self.place).await;
        *self.running.lock().unwrap() = Some(running);
    }

    /// The same, while what is away stays away.
    pub(crate) async fn restart_as_it_is(&self, now: Millis) {
        let running = self.stop_and_run(now).await;
        *self.running.lock().unwrap() = Some(running);
    }

    async fn stop_and_run(&self, now: Millis) -> Running {
        let running = self.running.lock().unwrap().take().unwrap();
        running.lifecycle.ingest.stop().await;
        tokio::task::spawn_blocking(|| running.writer.join()).await.unwrap();
        drop(running.lifecycle);
        run(&self.place, self.server, now).await
    }

    pub(crate) fn lifecycle(&self) -> Arc<Lifecycle> {
        Arc::clone(&self.running.lock().unwrap().as_ref().unwrap().lifecycle)
    }

    /// Hands a command to the writer, as a replay does.
    pub(crate) async fn commit<C: Awaited>(&self, command: C) -> C::Outcome {
        self.acts();
        self.lifecycle().ingest.commit(command).await.unwrap()
    }

    /// The context of a request without a session, with a candidate token.
    pub(crate) fn context(&self, browser: &Browser, candidate: &SessionToken, now: Millis) -> Context {
        Context {
            now,
            caller: Caller::Nothing,
            candidate: Some(candidate.proof()),
            visitor: Some(browser.visitor),
            key: None,
            site: Some(HOST.into()),
        }
    }

    // ---- what the server knows

    /// Whether the browser's session is live.
    pub(crate) async fn is_live(&self, browser: &Browser, now: Millis) -> bool {
        let Some(token) = browser.cookie() else { return false };
        self.lifecycle().sessions.is_current(token.proof(), now).await
    }

    /// The user of the browser's session.
    pub(crate) async fn user(&self, browser: &Browser, now: Millis) -> Option<String> {
        self.lifecycle().sessions.user(browser.proof(), now).await.unwrap()
    }

    /// Whose session the browser's token is, and what is done with its cookie.
    pub(crate) async fn identify(
        &self,
        browser: &Browser,
        slides: bool,
        now: Millis,
    ) -> Option<(Record, Said)> {
        self.acts();
        let token = browser.cookie()?;
        let (record, cookie) = self.lifecycle().identify(token.clone(), slides, now).await.unwrap()?;
        Some((record, browser.takes(Ok(cookie), Some(&token))))
    }

    /// The live sessions of a user; with a site, those of its visits.
    pub(crate) async fn sessions_of(
        &self,
        user: &str,
        site: Option<&str>,
        now: Millis,
    ) -> Result<Vec<Record>, StoreError> {
        self.acts();
        self.lifecycle().sessions.of_user(user, site, now).await
    }

    /// How many sessions this process has copies of.
    pub(crate) fn held(&self) -> usize {
        self.lifecycle().sessions.local.len()
    }

    // ---- what time brings

    /// What a server does every second.
    pub(crate) fn tick(&self, now: Millis) {
        self.lifecycle().ingest.tick(now);
    }

    /// As after a tick: every change until then has been read.
    pub(crate) fn is_caught_up(&self, now: Millis) {
        self.lifecycle().sessions.caught_up_with_database(now);
    }

    /// What a server does every thirty seconds.
    pub(crate) async fn sweep(&self, now: Millis) {
        self.settle().await;
        // A server that has just emptied its spool sweeps at the next opportunity only.
        self.place
            .execute("INSERT INTO retired_secrets (secret_hash, tag, retired_at) VALUES ('', '', 0)")
            .await;
        let swept = async || {
            // It fails as long as the connection is being made.
            self.lifecycle().ingest.sweep(now).await.is_ok()
                && self.number("SELECT COUNT(*) FROM retired_secrets WHERE tag = ''").await == 0
        };
        eventually("a sweep", swept).await;
    }

    // ---- what is stored

    /// Lets the database come back and take what waits in the spool.
    pub(crate) async fn settle(&self) {
        if self.place.backend.is_away() {
            self.place.line(0, Mode::Pass);
            eventually("an empty spool", async || self.place.spooled(self.server) == 0).await;
        }
    }

    /// The stores themselves.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        let texts = self.texts(query).await;
        texts.first().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{query}: {texts:?}"))
    }

    /// The first column of a query as texts, NULL as an empty text.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        self.settle().await;
        self.place.texts(query).await
    }

    pub(crate) async fn visits(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM sessions").await
    }

    pub(crate) async fn page_views(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM page_views").await
    }

    pub(crate) async fn events(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM events").await
    }

    pub(crate) async fn tokens(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM session_tokens").await
    }

    pub(crate) async fn live_tokens(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM session_tokens WHERE ended_at IS NULL").await
    }

    /// A case acts from here on.
    pub(crate) fn acts(&self) {
        if self.place.backend.is_away() {
            self.place.line(0, Mode::Refuse);
        }
    }
}

/// The host that requests are sent to: the site of last resort.
pub(crate) const HOST: &str = "shop.example";

async fn run(place: &Place, server: usize, now: Millis) -> Running {
    let Opened { storage, lookup, known } = place.open(server, now);
    let sessions = match place.redis() {
        Some(url) => Sessions::with_redis(TTL, lookup, &url).unwrap(),
        None => Arc::new(Sessions::new(TTL, lookup)),
    };
    sessions.fill(known, now);
    let (ingest, writer) = Ingest::start(storage, Arc::clone(&sessions), Metrics::new()).unwrap();
    Running { lifecycle: Arc::new(Lifecycle { sessions, ingest }), writer }
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}: not in time");
        tokio::time::sleep(POLL).await;
    }
}
