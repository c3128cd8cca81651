//! kill -9 of the server, again and again.

use crate::load::{Load, Manner, Sent};
use crate::stores::{Kind, Stand};
use crate::verdict::Verdict;
use std::time::{Duration, Instant};
use visitflow_testkit::random::Random;

const MANNER: Manner = Manner { per_second: None, views_per_visitor: 50, until_failure: true };

/// Each time: load for about a second, a kill at a random moment, and a restart. Each visitor then sends again what got no
/// answer.
pub(crate) async fn run(on: Kind, times: usize, seed: u64) -> Verdict {
    let mut stand = Stand::start(on).await;
    let mut random = Random(seed);
    let mut all = Sent::default();
    let mut slowest = Duration::ZERO;
    for n in 1..=times {
        let load = Load::start(&stand.server, MANNER);
        let moment = 500 + random.below(1_000);
        tokio::time::sleep(Duration::from_millis(u64::try_from(moment).unwrap_or(1_000))).await;
        stand.server.kill().await;
        let mut sent = load.end().await;
        let start = Instant::now();
        stand.server.restart().await;
        let ready = start.elapsed();
        slowest = slowest.max(ready);
        let (acknowledged, left) = (sent.acknowledged.len(), std::mem::take(&mut sent.unanswered));
        println!(
            "kill {n}: after {moment} ms and {acknowledged} acknowledged, {} without an answer, \
             ready again after {} ms",
            left.len(),
            ready.as_millis()
        );
        for (visitor, view) in left {
            sent.send(&visitor, view).await;
        }
        all.add(sent);
    }
    let mut verdict = Verdict::default();
    verdict.note(format!("{times} kills, slowest restart {} ms", slowest.as_millis()));
    verdict.all_stored_after(&stand, &all, Instant::now()).await;
    verdict.judge(&stand, &all).await;
    verdict
}
