//! One run of wrk, and what it took.

use crate::scripts::Hit;
use crate::targets::{Kind, Target};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::process::Command;
use visitflow_testkit::process::{cpu_seconds, resident_kib};

/// Connections of wrk; that many requests may be in flight when it ends.
const CONNECTIONS: i64 = 64;

/// How long a run takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length(pub(crate) Duration);

/// What a run took, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) kind: Kind,
    pub(crate) hit: &'static str,
    pub(crate) round: usize,
    pub(crate) per_second: f64,
    /// Answers that were neither 2xx nor 3xx, and requests without an answer.
    pub(crate) failures: i64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU seconds for 100,000 requests.
    pub(crate) server_cpu: f64,
    /// Of PostgreSQL with all its processes, and of Redis.
    pub(crate) store_cpu: Option<(f64, f64)>,
    /// Rows that were stored, and requests that were acknowledged.
    pub(crate) rows: Option<(i64, i64)>,
    pub(crate) resident_kib: u64,
}

impl Outcome {
    /// Nothing failed, and what is stored is what was acknowledged or in flight.
    pub(crate) fn is_sound(&self) -> bool {
        self.failures == 0
            && self.rows.is_none_or(|(stored, acked)| (0..=CONNECTIONS).contains(&(stored - acked)))
    }

    /// For the terminal.
    pub(crate) fn line(&self) -> String {
        let stores = self.store_cpu.map_or(String::new(), |(postgres, redis)| {
            format!(", postgres {postgres:.2} s, redis {redis:.2} s")
        });
        let rows =
            self.rows.map_or(String::new(), |(stored, acked)| format!(", stored {stored} of {acked} acked"));
        format!(
            "{:<9} {:<9} round {}: {:>7.0}/s, {} failed, p50 {:.2} ms, p99 {:.2} ms, \
             CPU per 100,000: server {:.2} s{stores}{rows}, {} KiB",
            self.hit,
            self.kind.name(),
            self.round,
            self.per_second,
            self.failures,
            self.p50_ms,
            self.p99_ms,
            self.server_cpu,
            self.resident_kib
        )
    }
}

/// CPU seconds so far.
struct Used {
    server: f64,
    stores: Option<(f64, f64)>,
}

impl Used {
    fn by(target: &Target) -> Self {
        let stores = target.stores();
        Self {
            server: cpu_seconds(target.pid()),
            stores: stores.map(|(postgres, redis)| (cpu_seconds(postgres), cpu_seconds(redis))),
        }
    }
}

/// Runs wrk against the target.
pub(crate) async fn measure(target: &Target, hit: Hit, round: usize, length: Length) -> Outcome {
    static SEED: AtomicU32 = AtomicU32::new(0);
    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    let script = target.scripts.script(hit, seed);
    let rows_before = hit.table.and_then(|table| target.rows(table));
    let before = Used::by(target);
    let figures = wrk(target, &script.to_string_lossy(), length).await;
    let after = Used::by(target);
    let [requests, micros, refused, broken, p50, p99] = figures;
    let acked = requests - refused;
    let stored = stored(target, hit, rows_before, acked).await;
    let per = |seconds: f64| seconds / float(requests.max(1)) * 100_000.0;
    Outcome {
        kind: target.kind,
        hit: hit.name,
        round,
        per_second: float(requests) / (float(micros.max(1)) / 1e6),
        failures: refused + broken,
        p50_ms: float(p50) / 1e3,
        p99_ms: float(p99) / 1e3,
        server_cpu: per(after.server - before.server),
        store_cpu: before
            .stores
            .zip(after.stores)
            .map(|(before, after)| (per(after.0 - before.0), per(after.1 - before.1))),
        rows: stored.map(|stored| (stored, acked)),
        resident_kib: resident_kib(target.pid()).unwrap_or_default(),
    }
}

/// The rows that the run has added; a store that follows later has a few seconds to do so.
async fn stored(target: &Target, hit: Hit, before: Option<i64>, acked: i64) -> Option<i64> {
    let (table, before) = (hit.table?, before?);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let stored = target.rows(table)? - before;
        if stored >= acked || Instant::now() > deadline {
            return Some(stored);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn wrk(target: &Target, script: &str, length: Length) -> [i64; 6] {
    let mut command = Command::new("wrk");
    command
        .args(["-t2", &format!("-c{CONNECTIONS}"), &format!("-d{}s", length.0.as_secs()), "-s", script])
        .arg(format!("http://{}/", target.address()))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let limit = length.0 + Duration::from_secs(60);
    let output = tokio::time::timeout(limit, command.output()).await;
    let output = output.expect("wrk ends in time").expect("wrk runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix("figures "));
    let numbers: Option<Vec<i64>> = line.map(|line| line.split(' ').flat_map(str::parse).collect());
    match numbers.map(TryInto::try_into) {
        Some(Ok(figures)) => figures,
        _ => panic!("wrk: {said}\n{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn float(number: i64) -> f64 {
    // Counts here stay far below 2^53.
    number as f64
}
