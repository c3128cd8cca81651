//! PostgreSQL, Redis or both are away for a while.

use crate::load::{Load, Manner};
use crate::questions::Questions;
use crate::stores::{Kind, Stand};
use crate::verdict::Verdict;
use std::time::{Duration, Instant};
use visitflow_testkit::patience::TRUE_WITHIN;

const MANNER: Manner = Manner { per_second: Some(2_000), views_per_visitor: 50, until_failure: false };

/// How long all is well before and after.
const MARGIN: Duration = Duration::from_secs(3);

/// Which of the stores is away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away {
    pub(crate) postgres: bool,
    pub(crate) redis: bool,
}

/// kill -9 of the stores under load, and their return after so long.
pub(crate) async fn run(away: Away, length: Duration) -> Verdict {
    let mut stand = Stand::start(Kind::Postgres).await;
    let questions = Questions::start(&stand.server).await;
    let load = Load::start(&stand.server, MANNER);
    tokio::time::sleep(MARGIN).await;
    let killed_at = Instant::now();
    let stores = stand.stores.as_mut().expect("this stand has stores");
    if away.redis {
        stores.redis.kill();
    }
    if away.postgres {
        stores.postgres.kill();
    }
    tokio::time::sleep(length).await;
    if away.redis {
        stores.redis.restart().await;
    }
    if away.postgres {
        stores.postgres.restart().await;
    }
    let back = Instant::now();
    tokio::time::sleep(MARGIN).await;
    let mut sent = load.end().await;
    let mut verdict = Verdict::default();
    let rate = sent.took.len() as f64 / (length + 2 * MARGIN).as_secs_f64();
    verdict.note(format!("outage of {} s; {rate:.0} page views a second", length.as_secs()));
    sent.took.sort();
    if let (Some(middle), Some(slowest)) = (sent.took.get(sent.took.len() / 2), sent.took.last()) {
        let (middle, slowest) = (middle.as_secs_f64() * 1e3, slowest.as_secs_f64() * 1e3);
        verdict.note(format!("answers: p50 {middle:.1} ms, slowest {slowest:.0} ms"));
    }
    verdict.expect(sent.unanswered.is_empty(), || {
        format!("{} page views were not acknowledged: {:?}", sent.unanswered.len(), sent.refused.first())
    });
    verdict.all_stored_after(&stand, &sent, back).await;
    let caught_up = Instant::now();
    tokio::time::sleep(MARGIN).await;
    let may_be_unknown = (away.postgres && away.redis).then_some((killed_at, caught_up + TRUE_WITHIN));
    questions.end().await.judge(may_be_unknown, &mut verdict);
    verdict.judge(&stand, &sent).await;
    verdict
}
