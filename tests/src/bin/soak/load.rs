//! Senders of page views with known ids: each is somebody after the other with a browser.

use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use visitflow_testkit::{Server, Visitor};

/// Senders at once.
pub(crate) const SENDERS: u32 = 64;

/// What a sender has done.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Ids that were answered with 204.
    pub(crate) acknowledged: Vec<String>,
    /// Everybody whose page view was sent; the last is who was there at the end.
    pub(crate) visitors: Vec<Visitor>,
    /// What was sent without an answer, with whoever sent it.
    pub(crate) unanswered: Vec<(Visitor, Value)>,
    /// Answers that were not 204, in words.
    pub(crate) refused: Vec<String>,
    /// How long each answer took.
    pub(crate) took: Vec<Duration>,
}

impl Sent {
    /// Sends it and notes what came of it; false when no good answer came.
    pub(crate) async fn send(&mut self, visitor: &Visitor, view: Value) -> bool {
        let start = Instant::now();
        let answer = visitor.post("/api/telemetry/page_view", &view).try_send().await;
        self.took.push(start.elapsed());
        match answer {
            Ok(answer) if answer.status == 204 => {
                self.acknowledged.push(view["id"].as_str().unwrap_or_default().to_owned());
                return true;
            }
            Ok(answer) => self.refused.push(format!("{} {}", answer.status, answer.text())),
            Err(_) => {}
        }
        self.unanswered.push((visitor.clone(), view));
        false
    }

    /// Adds what another has done.
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.visitors.extend(other.visitors);
        self.unanswered.extend(other.unanswered);
        self.refused.extend(other.refused);
        self.took.extend(other.took);
    }
}

/// How a load sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// All together in a second; none: as fast as answers come.
    pub(crate) per_second: Option<u32>,
    /// Page views after which a sender becomes somebody else.
    pub(crate) views_per_visitor: usize,
    /// Whether a page view without a good answer is the sender's last.
    pub(crate) until_failure: bool,
}

/// A running load.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    senders: Vec<JoinHandle<Sent>>,
}

impl Load {
    /// Begins to send.
    pub(crate) fn start(server: &Server, manner: Manner) -> Self {
        let (stop, stopped) = watch::channel(false);
        let stranger = server.visitor();
        let senders = (0..SENDERS)
            .map(|n| tokio::spawn(send(stranger.stranger(), n, manner, stopped.clone())))
            .collect();
        Self { stop, senders }
    }

    /// Stops it and waits for the answers.
    pub(crate) async fn end(self) -> Sent {
        let _ = self.stop.send(true);
        let mut all = Sent::default();
        for sender in self.senders {
            all.add(sender.await.expect("a sender ends"));
        }
        all
    }
}

async fn send(mut visitor: Visitor, n: u32, manner: Manner, stopped: watch::Receiver<bool>) -> Sent {
    let mut sent = Sent::default();
    let period = manner.per_second.map(|rate| Duration::from_secs(1) * SENDERS / rate);
    // The senders take turns within a period.
    let mut ticks = period.map(|period| {
        let mut ticks = tokio::time::interval_at(Instant::now() + period * n / SENDERS, period);
        // Requests that could not be sent while an answer took long are sent afterwards, so that the rate is kept.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        ticks
    });
    let mut views = 0;
    while !*stopped.borrow() {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        if views == manner.views_per_visitor {
            (visitor, views) = (visitor.stranger(), 0);
        }
        if views == 0 {
            sent.visitors.push(visitor.clone());
        }
        views += 1;
        let view = visitor.page_view("/soak");
        if !sent.send(&visitor, view).await && manner.until_failure {
            break;
        }
    }
    sent
}
