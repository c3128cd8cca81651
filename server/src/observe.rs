//! What the server tells its operator: counters and histograms in the Prometheus text format.
//!
//! Invariant: no label holds anything that a visitor sent.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::session::Millis;

/// Why a request was answered 204 without being stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Drop {
    /// The user agent is a robot's.
    Bot,
    /// The browser says that it is driven by a program.
    Webdriver,
    /// The page was loaded in case somebody opens it.
    Prerender,
    /// The browser asks not to be tracked, and a start would track.
    Gpc,
}

/// What was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Stored {
    /// A page view.
    PageView,
    /// An event.
    Event,
    /// An order.
    Order,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: Drop,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    kind: Stored,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: u16,
}

/// The server's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Status, Counter>,
    request_seconds: Histogram,
    dropped: Family<Reason, Counter>,
    facts: Family<What, Counter>,
    twins: Counter,
    commit_seconds: Histogram,
    commit_commands: Histogram,
    connections: Gauge,
    sessions: Gauge,
    queue: Gauge,
    dead_letters: Counter,
    spool_commands: Gauge,
    spool_bytes: Gauge,
    spool_age: Gauge<f64, AtomicU64>,
}

const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const SIZES: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("visitflow");
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Histogram::new(SECONDS),
            dropped: Family::default(),
            facts: Family::default(),
            twins: Counter::<u64, AtomicU64>::default(),
            commit_seconds: Histogram::new(SECONDS),
            commit_commands: Histogram::new(SIZES),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            queue: Gauge::default(),
            dead_letters: Counter::default(),
            spool_commands: Gauge::default(),
            spool_bytes: Gauge::default(),
            spool_age: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Answers by status", metrics.requests.clone());
        registry.register_with_unit(
            "request",
            "Time to answer",
            Unit::Seconds,
            metrics.request_seconds.clone(),
        );
        registry.register(
            "dropped",
            "Requests answered 204 and not stored, by reason",
            metrics.dropped.clone(),
        );
        registry.register("facts", "Facts accepted, twins included, by kind", metrics.facts.clone());
        registry.register("twins", "Facts that had been stored before", metrics.twins.clone());
        registry.register_with_unit(
            "commit",
            "Time of a commit",
            Unit::Seconds,
            metrics.commit_seconds.clone(),
        );
        registry.register("commit_commands", "Commands in a commit", metrics.commit_commands.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("sessions", "Sessions in memory", metrics.sessions.clone());
        registry.register("queue", "Commands that wait for the writer", metrics.queue.clone());
        registry.register("dead_letters", "Commands that the store refused", metrics.dead_letters.clone());
        registry.register("spool_commands", "Commands in the spool", metrics.spool_commands.clone());
        registry.register_with_unit("spool", "Size of the spool", Unit::Bytes, metrics.spool_bytes.clone());
        registry.register_with_unit(
            "spool_age",
            "Age of the oldest command in the spool when it was last looked at",
            Unit::Seconds,
            metrics.spool_age.clone(),
        );
        Arc::new(Self { registry, ..metrics })
    }

    /// An answer was written.
    pub fn answered(&self, status: u16, took: Duration) {
        self.requests.get_or_create(&Status { status }).inc();
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// A request was answered 204 and not stored.
    pub fn dropped(&self, reason: Drop) {
        self.dropped.get_or_create(&Reason { reason }).inc();
    }

    /// Facts were stored, some of them for the second time.
    pub fn stored(&self, kind: Stored, facts: u64, twins: u64) {
        self.facts.get_or_create(&What { kind }).inc_by(facts);
        self.twins.inc_by(twins);
    }

    /// The writer committed.
    pub fn committed(&self, commands: usize, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch holds hundreds")]
        self.commit_commands.observe(commands as f64);
    }

    /// A command was set aside.
    pub fn set_aside(&self) {
        self.dead_letters.inc();
    }

    /// The spool holds so many commands of so many bytes.
    pub fn spool(&self, commands: u64, bytes: u64) {
        self.spool_commands.set(i64::try_from(commands).unwrap_or(i64::MAX));
        self.spool_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        if commands == 0 {
            self.spool_age.set(0.0);
        }
    }

    /// The oldest command in the spool has waited so long.
    pub fn spool_age(&self, age: Millis) {
        #[expect(clippy::cast_precision_loss, reason = "years of milliseconds fit")]
        self.spool_age.set(age as f64 / 1_000.0);
    }

    /// A connection was opened; the guard notes its end.
    #[must_use]
    pub fn connection(self: &Arc<Self>) -> ConnectionGuard {
        self.connections.inc();
        ConnectionGuard(Arc::clone(self))
    }

    /// The text for Prometheus.
    #[must_use]
    pub fn text(&self, sessions: usize, queue: usize) -> String {
        self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        self.queue.set(i64::try_from(queue).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// Counts a connection as open while it lives.
#[derive(Debug)]
pub struct ConnectionGuard(Arc<Metrics>);

impl std::ops::Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}
