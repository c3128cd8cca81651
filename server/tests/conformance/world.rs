//! A server over a backend, and what browsers do with it.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use uuid::Uuid;
use visitflow_server::clock;
use visitflow_server::database::error::StoreError;
use visitflow_server::ingest::{Ingest, Writer};
use visitflow_server::ledger::command::{Command, Context, Ending, Fact, Outcome, Run, Which};
use visitflow_server::lifecycle::{Cookie, Cookies, Hit, Lifecycle, Page, Refusal, Right};
use visitflow_server::observe::Metrics;
use visitflow_server::resolve::Sessions;
use visitflow_server::session::record::{Record, SignedIn};
use visitflow_server::session::token::{Proof, SessionToken, Tag};
use visitflow_server::session::visit::VisitorId;
use visitflow_server::session::visitor_key::VisitorKey;
use visitflow_server::session::{Caller, Millis, Ttl};
use visitflow_server::throttle::budget::Allowance;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::proxy::Mode;

use crate::backend::{Backend, Opened, Place};
use crate::facts::view;

pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const TTL: Ttl = Ttl::DEFAULT;

/// Sessions that are only in the process use no clock but the instants that they are given.
const FIXED: Millis = 1_790_000_000_000;

/// How often a condition is checked.
const POLL: Duration = Duration::from_millis(5);

/// The answer to a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// No `Set-Cookie`.
    Left,
    /// The cookie that it sent is set again.
    Kept,
    /// A new cookie.
    Fresh,
    /// The cookie is deleted.
    Cleared,
    /// 401.
    Expired,
    /// 409.
    Rotated,
    /// 401 after a sign-in with a password that was changed meanwhile.
    Stale,
    /// 403: the visitor is somebody else's.
    NotTheirs,
    /// 404: the user has no such session.
    Missing,
    /// 503.
    Unavailable,
}

/// A visitor with a cookie jar. It may send several requests at once: each has the cookies that are in the jar when it is
/// sent.
#[derive(Debug)]
pub(crate) struct Browser {
    pub visitor: VisitorId,
    jar: Mutex<Option<SessionToken>>,
    key: Mutex<Option<VisitorKey>>,
    /// How often an answer has set the key.
    keys_set: AtomicUsize,
}

impl Browser {
    /// A new visitor.
    pub(crate) fn new() -> Self {
        Self::of(format!("v_{}", Uuid::new_v4()).parse().unwrap())
    }

    /// Another cookie jar of a visitor.
    pub(crate) fn of(visitor: VisitorId) -> Self {
        Self { visitor, jar: Mutex::default(), key: Mutex::default(), keys_set: AtomicUsize::new(0) }
    }

    /// A new visitor with the cookie of a session that was never issued.
    pub(crate) fn with_a_bogus_cookie() -> Self {
        Self::with_cookie(SessionToken::issue().unwrap())
    }

    /// A new visitor with this session cookie.
    pub(crate) fn with_cookie(token: SessionToken) -> Self {
        let browser = Self::new();
        *browser.jar.lock().unwrap() = Some(token);
        browser
    }

    /// The session cookie.
    pub(crate) fn cookie(&self) -> Option<SessionToken> {
        self.jar.lock().unwrap().clone()
    }

    /// The session cookie of a browser that has one.
    pub(crate) fn proof(&self) -> Proof {
        self.cookie().unwrap().proof()
    }

    /// A browser of the same visitor with the same cookies.
    pub(crate) fn copy(&self) -> Self {
        self.copy_as(self.visitor)
    }

    /// A browser of another visitor with the same cookies otherwise.
    pub(crate) fn copy_as(&self, visitor: VisitorId) -> Self {
        let (jar, key) = (Mutex::new(self.cookie()), Mutex::new(self.key()));
        Self { jar, key, ..Self::of(visitor) }
    }

    /// The visitor's key.
    pub(crate) fn key(&self) -> Option<VisitorKey> {
        self.key.lock().unwrap().clone()
    }

    /// How often an answer has set the key.
    pub(crate) fn keys_set(&self) -> usize {
        self.keys_set.load(Relaxed)
    }

    /// The session cookie is gone, the visitor's is not.
    pub(crate) fn lose_cookie(&self) {
        *self.jar.lock().unwrap() = None;
    }

    fn takes_all(&self, answer: Result<Cookies, Refusal>, carried: Option<&SessionToken>) -> Said {
        let session = answer.map(|Cookies { session, key }| {
            if key.is_some() {
                *self.key.lock().unwrap() = key;
                self.keys_set.fetch_add(1, Relaxed);
            }
            session
        });
        self.takes(session, carried)
    }

    fn takes(&self, answer: Result<Cookie, Refusal>, carried: Option<&SessionToken>) -> Said {
        let mut jar = self.jar.lock().unwrap();
        match answer {
            Ok(Cookie::Leave) => Said::Left,
            Ok(Cookie::Clear) => {
                *jar = None;
                Said::Cleared
            }
            Ok(Cookie::Set(token, _)) => {
                let kept = carried.is_some_and(|carried| carried.proof() == token.proof());
                *jar = Some(token);
                if kept { Said::Kept } else { Said::Fresh }
            }
            Err(Refusal::Expired) => Said::Expired,
            Err(Refusal::Rotated) => Said::Rotated,
            Err(Refusal::Stale) => Said::Stale,
            Err(Refusal::NotTheirs) => Said::NotTheirs,
            Err(Refusal::Missing) => Said::Missing,
            Err(Refusal::Store(_) | Refusal::TooMany(_)) => Said::Unavailable,
        }
    }
}

/// [`Refusal`] does not know where randomness comes from.
#[derive(Debug)]
struct Failure(Refusal);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        panic!("{error}")
    }
}

fn candidate() -> Result<Option<SessionToken>, Failure> {
    Ok(Some(SessionToken::issue()?))
}

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

    fn lifecycle(&self) -> Arc<Lifecycle> {
        Arc::clone(&self.running.lock().unwrap().as_ref().unwrap().lifecycle)
    }

    // ---- what browsers do

    pub(crate) async fn start(&self, browser: &Browser, now: Millis) -> Said {
        self.start_on(browser, None, now).await
    }

    pub(crate) async fn start_on(&self, browser: &Browser, site: Option<&str>, now: Millis) -> Said {
        self.acts();
        self.starts(browser, site, now).await
    }

    /// A start while the database is there, which gives a new visitor its key.
    pub(crate) async fn meet(&self, browser: &Browser, now: Millis) -> Said {
        self.settle().await;
        self.starts(browser, None, now).await
    }

    async fn starts(&self, browser: &Browser, site: Option<&str>, now: Millis) -> Said {
        let carried = browser.cookie();
        let page = Page { site: site.map(str::to_owned), ..Page::default() };
        let allowance = Allowance::unlimited();
        let started = self.lifecycle().start(hit(browser, now), page, allowance, candidate).await;
        let started = started.map(|(_, cookies)| cookies).map_err(|failure: Failure| failure.0);
        browser.takes_all(started, carried.as_ref())
    }

    /// A page view at `now`.
    pub(crate) async fn view(&self, browser: &Browser, now: Millis) -> Said {
        self.send(browser, view(now), now).await
    }

    pub(crate) async fn send(&self, browser: &Browser, fact: Fact, now: Millis) -> Said {
        self.send_all(browser, vec![fact], now).await.1
    }

    /// Sends an array. Returns how many of its items had been stored before, and the answer.
    pub(crate) async fn send_all(&self, browser: &Browser, facts: Vec<Fact>, now: Millis) -> (u32, Said) {
        self.acts();
        let carried = browser.cookie();
        let runs = vec![Run { visitor: Some(browser.visitor), facts }];
        let allowance = Allowance::unlimited();
        match self.lifecycle().facts(hit(browser, now), runs, allowance, candidate).await {
            Ok((outcome, cookies)) => (outcome.duplicates, browser.takes_all(Ok(cookies), carried.as_ref())),
            Err(Failure(refusal)) => (0, browser.takes(Err(refusal), carried.as_ref())),
        }
    }

    /// Sends an array that names no visitor.
    pub(crate) async fn send_nameless(&self, browser: &Browser, facts: Vec<Fact>, now: Millis) -> Said {
        self.acts();
        let hit = Hit { visitor: None, key_of: None, ..hit(browser, now) };
        let runs = vec![Run { visitor: None, facts }];
        let sent = self.lifecycle().facts(hit, runs, Allowance::unlimited(), candidate).await;
        let answer = sent.map(|(_, cookies)| cookies).map_err(|failure: Failure| failure.0);
        browser.takes_all(answer, browser.cookie().as_ref())
    }

    pub(crate) async fn ping(&self, browser: &Browser, now: Millis) -> Said {
        self.ping_about(browser, None, now).await
    }

    /// A ping with engagement: page view, milliseconds, per cent.
    pub(crate) async fn ping_about(
        &self,
        browser: &Browser,
        about: Option<(Uuid, i64, i64)>,
        now: Millis,
    ) -> Said {
        self.acts();
        let carried = browser.cookie();
        browser.takes(self.lifecycle().ping(hit(browser, now), about).await, carried.as_ref())
    }

    pub(crate) async fn sign_in(&self, browser: &Browser, user: &str, now: Millis) -> Said {
        self.signs_in(browser, user.into(), None, true, now).await
    }

    /// A sign-in with device and `remember`.
    pub(crate) async fn sign_in_as(&self, browser: &Browser, user: SignedIn, now: Millis) -> Said {
        self.signs_in(browser, user, None, true, now).await
    }

    /// A sign-in without a visit.
    pub(crate) async fn sign_in_without_visit(&self, browser: &Browser, user: &str, now: Millis) -> Said {
        self.signs_in(browser, user.into(), None, false, now).await
    }

    /// A sign-in after a password with this hash was verified.
    pub(crate) async fn sign_in_by_password(
        &self,
        browser: &Browser,
        user: &str,
        hash: &str,
        now: Millis,
    ) -> Said {
        self.signs_in(browser, user.into(), Some(hash.to_owned()), true, now).await
    }

    async fn signs_in(
        &self,
        browser: &Browser,
        user: SignedIn,
        verified: Option<String>,
        visit: bool,
        now: Millis,
    ) -> Said {
        self.acts();
        let carried = browser.cookie();
        let hit = hit(browser, now);
        let allowance = Allowance::unlimited();
        let signed_in = self.lifecycle().sign_in::<Failure>(hit, user, verified, visit, allowance).await;
        browser.takes(signed_in.map_err(|failure| failure.0), carried.as_ref())
    }

    /// Changes the user's password, after one with this hash was verified.
    pub(crate) async fn change_password(
        &self,
        browser: &Browser,
        user: &str,
        hashes: [&str; 2],
        now: Millis,
    ) -> Said {
        self.acts();
        let [old, new] = hashes.map(str::to_owned);
        let presented = browser.proof();
        let changed =
            self.lifecycle().change_password::<Failure>(now, presented, user.to_owned(), old, new).await;
        browser.takes(changed.map_err(|failure| failure.0), None)
    }

    pub(crate) async fn sign_out(&self, browser: &Browser, now: Millis) -> Said {
        self.acts();
        let carried = browser.cookie();
        let signed_out = self.lifecycle().sign_out::<Failure>(hit(browser, now)).await;
        browser.takes(signed_out.map_err(|failure| failure.0), carried.as_ref())
    }

    pub(crate) async fn end(&self, browser: &Browser, now: Millis) -> Said {
        self.acts();
        let carried = browser.cookie();
        browser.takes(self.lifecycle().end(hit(browser, now)).await, carried.as_ref())
    }

    /// Withdraws consent.
    pub(crate) async fn forget(&self, browser: &Browser, now: Millis) -> Said {
        self.acts();
        let carried = browser.cookie();
        let forgotten = self.lifecycle().forget::<Failure>(hit(browser, now)).await;
        browser.takes(forgotten.map_err(|failure| failure.0), carried.as_ref())
    }

    /// Ends a session of the user, from another one.
    pub(crate) async fn end_one(&self, browser: &Browser, user: &str, tag: Tag, now: Millis) -> Said {
        let asking = Some(browser.proof());
        self.ends(browser, ending(user, asking, Which::One(tag), None, now)).await
    }

    /// Ends all sessions of the user except the asking one.
    pub(crate) async fn end_others(&self, browser: &Browser, user: &str, now: Millis) -> Said {
        let asking = browser.proof();
        let which = Which::AllBut(Some(asking.tag));
        self.ends(browser, ending(user, Some(asking), which, None, now)).await
    }

    /// Ends a session of the user, by an API key that may be for one site.
    pub(crate) async fn end_by_key(&self, user: &str, tag: Tag, site: Option<&str>, now: Millis) -> Said {
        self.ends(&Browser::new(), ending(user, None, Which::One(tag), site, now)).await
    }

    /// Ends all sessions of the user, by an API key that may be for one site.
    pub(crate) async fn end_all_of(&self, user: &str, site: Option<&str>, now: Millis) -> Said {
        self.ends(&Browser::new(), ending(user, None, Which::AllBut(None), site, now)).await
    }

    async fn ends(&self, browser: &Browser, ending: Ending) -> Said {
        self.acts();
        browser.takes(self.lifecycle().end_sessions(ending).await, None)
    }

    /// Erases a visitor, when the database is there and the spool is empty.
    pub(crate) async fn erase(&self, browser: &Browser, whom: VisitorId, right: Right, now: Millis) -> Said {
        let mut said = Said::Unavailable;
        eventually("an erasure", async || {
            self.settle().await;
            said = self.erase_as_it_is(browser, whom, right, now).await;
            said != Said::Unavailable
        })
        .await;
        said
    }

    /// Erases a visitor, while what is away stays away.
    pub(crate) async fn erase_as_it_is(
        &self,
        browser: &Browser,
        whom: VisitorId,
        right: Right,
        now: Millis,
    ) -> Said {
        let carried = browser.cookie();
        let erased = self.lifecycle().erase(hit(browser, now), whom, right).await;
        browser.takes(erased, carried.as_ref())
    }

    /// Hands a command to the writer, as a replay does.
    pub(crate) async fn commit(&self, command: Command) -> Outcome {
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
            self.lifecycle().ingest.sweep(now).await.unwrap();
            self.number("SELECT COUNT(*) FROM retired_secrets WHERE tag = ''").await == 0
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
    fn acts(&self) {
        if self.place.backend.is_away() {
            self.place.line(0, Mode::Refuse);
        }
    }
}

/// The host that requests are sent to: the site of last resort.
pub(crate) const HOST: &str = "shop.example";

fn hit(browser: &Browser, now: Millis) -> Hit {
    let visitor = Some(browser.visitor);
    let (token, key) = (browser.cookie(), browser.key());
    Hit { now, token, visitor, key_of: visitor, key, site: Some(HOST.into()) }
}

fn ending(user: &str, asking: Option<Proof>, which: Which, site: Option<&str>, now: Millis) -> Ending {
    Ending { now, user_id: user.to_owned(), asking, which, site: site.map(str::to_owned) }
}

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
