//! The metrics: counters and histograms in the Prometheus text format.
//!
//! | module | holds |
//! |---|---|
//! | this one | the server's metrics |
//! | `labels` | the values of their labels |
//! | `process` | figures of the process |
//! | `exposition` | the two text formats, of Prometheus and of OpenMetrics |
//!
//! Invariant: no label contains anything that a visitor sent.

mod exposition;
mod labels;
mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use self::exposition::Format;
pub use self::labels::{Breaker, Drop, Shed, Stored};
use self::process::Process;
use crate::session::Millis;

/// Figures that are read when the metrics are requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Sessions in memory.
    pub sessions: usize,
    /// Commands that wait for the writer.
    pub queue: usize,
    /// Redis, if there is one: its breaker, and whether it is trusted.
    pub redis: Option<(Breaker, bool)>,
    /// Lines of the log that were dropped since the process began.
    pub log_lines_dropped: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    kind: Shed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: Breaker,
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
struct By {
    by: &'static str,
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
    duplicates: Counter,
    starts_without_cookies: Counter,
    foreign_origin: Counter,
    commit_seconds: Histogram,
    commit_commands: Histogram,
    connections: Gauge,
    sessions: Gauge,
    queue: Gauge,
    dead_letters: Counter,
    erasures: Family<By, Counter>,
    spool_commands: Gauge,
    spool_bytes: Gauge,
    spool_age: Gauge<f64, AtomicU64>,
    shed: Family<Refused, Counter>,
    redis_breaker: Family<State, Gauge>,
    redis_trusted: Gauge,
    log_lines_dropped: Counter,
}

const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const SIZES: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

impl Metrics {
    /// All at zero, without figures of Redis.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::begin(false)
    }

    /// With figures of Redis. Without Redis they are left out, so that their absence raises no alarm.
    #[must_use]
    pub fn with_redis() -> Arc<Self> {
        Self::begin(true)
    }

    fn begin(redis: bool) -> Arc<Self> {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix("visitflow");
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Histogram::new(SECONDS),
            dropped: Family::default(),
            facts: Family::default(),
            duplicates: Counter::<u64, AtomicU64>::default(),
            starts_without_cookies: Counter::default(),
            foreign_origin: Counter::default(),
            commit_seconds: Histogram::new(SECONDS),
            commit_commands: Histogram::new(SIZES),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            queue: Gauge::default(),
            dead_letters: Counter::default(),
            erasures: Family::default(),
            spool_commands: Gauge::default(),
            spool_bytes: Gauge::default(),
            spool_age: Gauge::default(),
            shed: Family::default(),
            redis_breaker: Family::default(),
            redis_trusted: Gauge::default(),
            log_lines_dropped: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("build", "The version of this binary", build());
        registry.register("requests", "Answers, by status", metrics.requests.clone());
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
        registry.register("facts", "Facts accepted, duplicates included, by kind", metrics.facts.clone());
        registry.register(
            "duplicates",
            "Facts that were stored already (duplicates)",
            metrics.duplicates.clone(),
        );
        registry.register(
            "starts_without_cookies",
            "Starts of browsers that report that they keep no cookies",
            metrics.starts_without_cookies.clone(),
        );
        registry.register(
            "foreign_origin",
            "Requests and preflights refused because of their origin",
            metrics.foreign_origin.clone(),
        );
        registry.register_with_unit(
            "commit",
            "Duration of a commit in the database or the spool",
            Unit::Seconds,
            metrics.commit_seconds.clone(),
        );
        registry.register("commit_commands", "Commands in a commit", metrics.commit_commands.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("sessions", "Sessions in memory", metrics.sessions.clone());
        registry.register("queue", "Commands that wait for the writer", metrics.queue.clone());
        registry.register("dead_letters", "Commands that the database refused", metrics.dead_letters.clone());
        registry.register("erasures", "Visitors erased, by who requested it", metrics.erasures.clone());
        registry.register("spool_commands", "Commands in the spool", metrics.spool_commands.clone());
        registry.register_with_unit("spool", "Size of the spool", Unit::Bytes, metrics.spool_bytes.clone());
        registry.register_with_unit(
            "spool_age",
            "Age of the oldest command in the spool at the last check",
            Unit::Seconds,
            metrics.spool_age.clone(),
        );
        registry.register("shed", "Requests refused because of overload, by kind", metrics.shed.clone());
        registry.register(
            "log_lines_dropped",
            "Log lines that were dropped because nothing read stderr",
            metrics.log_lines_dropped.clone(),
        );
        // A rate needs the zero before the first count.
        for &kind in Shed::ALL {
            metrics.shed.get_or_create(&Refused { kind }).inc_by(0);
        }
        for &reason in Drop::ALL {
            metrics.dropped.get_or_create(&Reason { reason }).inc_by(0);
        }
        for &kind in Stored::ALL {
            metrics.facts.get_or_create(&What { kind }).inc_by(0);
        }
        if redis {
            registry.register(
                "redis_breaker",
                "1 for the state of the breaker for calls to Redis: closed (they are made), open (they fail at once), half_open (one is tried)",
                metrics.redis_breaker.clone(),
            );
            registry.register(
                "redis_trusted",
                "1 if sessions are looked up in Redis, 0 while they are looked up in the database",
                metrics.redis_trusted.clone(),
            );
        }
        Arc::new(Self { registry: all, ..metrics })
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
    pub fn stored(&self, kind: Stored, facts: u64, duplicates: u64) {
        self.facts.get_or_create(&What { kind }).inc_by(facts);
        self.duplicates.inc_by(duplicates);
    }

    /// A browser that keeps no cookies has started.
    pub fn started_without_cookies(&self) {
        self.starts_without_cookies.inc();
    }

    /// A request of a foreign origin was refused.
    pub fn refused_foreign_origin(&self) {
        self.foreign_origin.inc();
    }

    /// Something was refused, because too many commands wait.
    pub fn shed(&self, kind: Shed) {
        self.shed.get_or_create(&Refused { kind }).inc();
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

    /// A visitor was erased.
    pub fn erased(&self, by: &'static str) {
        self.erasures.get_or_create(&By { by }).inc();
    }

    /// So many facts and starts arrived after their visitor had been erased.
    pub fn late(&self, count: u32) {
        if count > 0 {
            self.dropped.get_or_create(&Reason { reason: Drop::Erased }).inc_by(count.into());
        }
    }

    /// So many facts and starts arrived whose site is not counted.
    pub fn of_other_sites(&self, count: u32) {
        if count > 0 {
            self.dropped.get_or_create(&Reason { reason: Drop::OtherSite }).inc_by(count.into());
        }
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

    /// The text of all metrics.
    #[must_use]
    pub fn text(&self, now: Now, format: Format) -> String {
        self.sessions.set(i64::try_from(now.sessions).unwrap_or(i64::MAX));
        self.queue.set(i64::try_from(now.queue).unwrap_or(i64::MAX));
        self.log_lines_dropped.inner().store(now.log_lines_dropped, Ordering::Relaxed);
        if let Some((breaker, trusted)) = now.redis {
            for &state in Breaker::ALL {
                self.redis_breaker.get_or_create(&State { state }).set(i64::from(state == breaker));
            }
            self.redis_trusted.set(i64::from(trusted));
        }
        exposition::write(&self.registry, format)
    }
}

/// The build. A packager may set `VISITFLOW_REVISION` for the compiler.
fn build() -> Info<Vec<(&'static str, &'static str)>> {
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    let revision = option_env!("VISITFLOW_REVISION").map(|revision| ("revision", revision));
    Info::new(version.into_iter().chain(revision).collect())
}

/// Counts a connection as open while it lives.
#[derive(Debug)]
pub struct ConnectionGuard(Arc<Metrics>);

impl std::ops::Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shed_is_counted_from_zero() {
        let metrics = Metrics::new();
        metrics.shed(Shed::Ping);
        let text = metrics.text(Now::default(), Format::Prometheus);
        for (kind, count) in [("report", 0), ("ping", 1), ("page_view", 0)] {
            assert!(text.contains(&format!("visitflow_shed_total{{kind=\"{kind}\"}} {count}\n")), "{text}");
        }
    }

    #[test]
    fn redis_is_spoken_of_only_where_there_is_one() {
        assert!(!Metrics::new().text(Now::default(), Format::Prometheus).contains("visitflow_redis"));
        let metrics = Metrics::with_redis();
        let text = metrics
            .text(Now { redis: Some((Breaker::HalfOpen, false)), ..Now::default() }, Format::Prometheus);
        for line in [
            "visitflow_redis_breaker{state=\"closed\"} 0",
            "visitflow_redis_breaker{state=\"open\"} 0",
            "visitflow_redis_breaker{state=\"half_open\"} 1",
            "visitflow_redis_trusted 0",
        ] {
            assert!(text.lines().any(|said| said == line), "{line}: {text}");
        }
        let text =
            metrics.text(Now { redis: Some((Breaker::Closed, true)), ..Now::default() }, Format::Prometheus);
        assert!(text.contains("visitflow_redis_trusted 1\n"), "{text}");
        assert!(text.contains("visitflow_redis_breaker{state=\"half_open\"} 0\n"), "{text}");
    }
}
