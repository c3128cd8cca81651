//! Visitors that send page views all at once, with known ids.

use crate::reading::count;
use crate::{Server, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::JoinHandle;

use crate::machine::PATIENCE;

/// Tests with a load that run at once: more would measure each other.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Senders of a steady load.
const STEADY: usize = 16;

/// In a steady load a sender becomes somebody else after so many page views: people come, too,
/// while something is broken.
const VIEWS_PER_VISITOR: usize = 20;

/// How long a sender of a steady load reads a page.
const READING: Duration = Duration::from_millis(20);

/// Waits for this test's turn among those with a load. Kept until the test ends.
///
/// # Panics
///
/// Never.
pub async fn turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.expect("nobody closes it")
}

/// A running load.
#[derive(Debug)]
pub struct Load {
    acknowledged: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    senders: Vec<JoinHandle<Share>>,
}

/// What became of one sender's page views. It ends with the first that has no good answer.
#[derive(Debug, Default)]
pub struct Share {
    /// Everybody who has sent something; the last is there still.
    pub visitors: Vec<Visitor>,
    /// The ids of what was answered with 204.
    pub acknowledged: Vec<String>,
    /// What had another answer or none, first, and what would have come after it.
    pub left: Vec<Value>,
    /// Answers other than 204, in words.
    pub refused: Vec<String>,
    /// How often a visitor who had a token was given another one.
    pub tokens_changed: usize,
    /// The longest wait for an answer.
    pub slowest: Duration,
}

impl Load {
    /// So many visitors who have started, and who send so many page views together.
    pub async fn of(server: &Server, visitors: usize, page_views: usize) -> Self {
        let mut load = Self::default();
        for n in 0..visitors {
            let visitor = server.visitor();
            visitor.start().await.expect(200);
            let share = page_views / visitors + usize::from(n < page_views % visitors);
            let mut views: Vec<Value> = (0..share).map(|_| visitor.page_view("/load")).collect();
            views.reverse();
            let mut sender = Sender::new(visitor.clone(), &load.acknowledged);
            sender.share.visitors.push(visitor);
            load.senders.push(tokio::spawn(sender.send_all(views)));
        }
        load
    }

    /// Senders that go on until the end of the load, each somebody after the other.
    #[must_use]
    pub fn steady(server: &Server) -> Self {
        let (mut load, stopped) = (Self::default(), watch::Sender::new(false));
        for _ in 0..STEADY {
            let sender = Sender::new(server.visitor(), &load.acknowledged);
            load.senders.push(tokio::spawn(sender.send_until(stopped.subscribe())));
        }
        load.stop = stopped;
        load
    }

    /// How many page views are acknowledged.
    #[must_use]
    pub fn count(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many page views are acknowledged.
    ///
    /// # Panics
    ///
    /// That takes too long.
    pub async fn reaches(&self, count: usize) {
        let wait = async {
            while self.count() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("page views are acknowledged");
    }

    /// Waits until so many more are acknowledged than now.
    pub async fn goes_on(&self, count: usize) {
        self.reaches(self.count() + count).await;
    }

    /// Stops a steady load, and waits for the last answers.
    ///
    /// # Panics
    ///
    /// A sender has panicked.
    pub async fn ends(self) -> Vec<Share> {
        self.stop.send_replace(true);
        let mut shares = Vec::new();
        for sender in self.senders {
            shares.push(sender.await.expect("a sender ends"));
        }
        shares
    }
}

impl Default for Load {
    fn default() -> Self {
        Self { acknowledged: Arc::default(), stop: watch::Sender::new(false), senders: Vec::new() }
    }
}

struct Sender {
    visitor: Visitor,
    total: Arc<AtomicUsize>,
    share: Share,
}

impl Sender {
    fn new(visitor: Visitor, total: &Arc<AtomicUsize>) -> Self {
        Self { visitor, total: total.clone(), share: Share::default() }
    }

    async fn send_all(mut self, mut views: Vec<Value>) -> Share {
        while let Some(view) = views.last() {
            if !self.send(view).await {
                break;
            }
            views.pop();
        }
        self.share.left = views;
        self.share
    }

    async fn send_until(mut self, stopped: watch::Receiver<bool>) -> Share {
        for n in 0.. {
            if *stopped.borrow() {
                break;
            }
            if n % VIEWS_PER_VISITOR == 0 {
                self.visitor = self.visitor.stranger();
                self.share.visitors.push(self.visitor.clone());
            }
            let view = self.visitor.page_view("/load");
            if !self.send(&view).await {
                self.share.left.push(view);
                break;
            }
            tokio::time::sleep(READING).await;
        }
        self.share
    }

    /// Sends it and notes what came of it; false when no good answer came.
    async fn send(&mut self, view: &Value) -> bool {
        let (before, start) = (self.visitor.session(), Instant::now());
        let answer = self.visitor.post("/api/telemetry/page_view", view).try_send().await;
        let share = &mut self.share;
        share.slowest = share.slowest.max(start.elapsed());
        share.tokens_changed += usize::from(before.is_some() && before != self.visitor.session());
        match answer {
            Ok(answer) if answer.status == 204 => {
                share.acknowledged.push(id_of(view));
                self.total.fetch_add(1, Ordering::Relaxed);
                true
            }
            Ok(answer) => {
                share.refused.push(format!("{} {}", answer.status, answer.text()));
                false
            }
            Err(_) => false,
        }
    }
}

fn id_of(view: &Value) -> String {
    view["id"].as_str().expect("an id").to_owned()
}

impl Server {
    /// Waits until everything that was acknowledged is stored, as what waits in the spool will be.
    ///
    /// # Panics
    ///
    /// Something is lost, or is stored twice.
    pub async fn assert_acknowledged_are_stored_once(&self, shares: &[Share]) {
        let acknowledged: BTreeSet<&String> = shares.iter().flat_map(|share| &share.acknowledged).collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stored = self.texts("SELECT id FROM page_views");
            let set: BTreeSet<&String> = stored.iter().collect();
            assert_eq!(set.len(), stored.len(), "no page view is stored twice");
            let missing = acknowledged.difference(&set).count();
            if missing == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "{missing} acknowledged page views are lost");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends again what had no good answer.
    pub async fn send_again(&self, shares: &mut [Share]) {
        for share in shares {
            for views in share.left.chunks(100) {
                share
                    .visitors
                    .last()
                    .expect("a sender is somebody")
                    .send_view(&Value::from(views))
                    .await
                    .expect(204);
            }
            share.acknowledged.extend(share.left.drain(..).map(|view| id_of(&view)));
        }
    }

    /// Waits until all is stored, and judges: every page view that was sent, once; for every
    /// visitor one visit; in the database and in the overview.
    ///
    /// # Panics
    ///
    /// It is otherwise.
    pub async fn assert_exact(&self, shares: &[Share], key: &str) {
        self.assert_acknowledged_are_stored_once(shares).await;
        let sent = count(shares.iter().map(|share| share.acknowledged.len()).sum());
        let visitors = count(shares.iter().map(|share| share.visitors.len()).sum());
        self.assert_page_views(sent);
        self.assert_visits(visitors);
        assert_eq!(self.number("SELECT CAST(SUM(page_views) AS bigint) FROM sessions"), sent);
        let overview = self.overview(key, "").await;
        for (name, exact) in [("page_views", sent), ("total_visits", visitors), ("unique_visitors", visitors)]
        {
            assert_eq!(overview[name], exact, "{name}: {overview}");
        }
    }
}

/// # Panics
///
/// A page view had another answer than 204, or none.
#[track_caller]
pub fn assert_all_were_answered(shares: &[Share]) {
    let refused: Vec<&String> = shares.iter().flat_map(|share| &share.refused).collect();
    assert_eq!(refused, [] as [&String; 0], "no page view is refused");
    let left: usize = shares.iter().map(|share| share.left.len()).sum();
    assert_eq!(left, 0, "page views without an answer");
}

/// The longest wait for an answer.
#[must_use]
pub fn slowest(shares: &[Share]) -> Duration {
    shares.iter().map(|share| share.slowest).max().unwrap_or_default()
}
