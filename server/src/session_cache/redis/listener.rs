//! The task that stays subscribed to the changes in Redis, and reports when Redis can be used again.
//!
//! It connects, begins an epoch, watches until something fails, reports that, waits, and begins again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redis::cmd;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::error::RedisError;
use super::notice::Notice;
use super::shared::Shared;
use super::subscriptions::{SubscriptionError, Subscriptions};
use super::url::Nodes;
use crate::clock;

/// How often Redis is pinged. The answer comes after the changes before it on the same
/// connection: so a copy is confirmed within [`TRUE_MS`](crate::resolve::TRUE_MS).
const PULSE: Duration = Duration::from_millis(400);

/// A Redis that has not answered for so long hangs.
const SILENCE: Duration = Duration::from_millis(1_500);

/// The shortest and the longest wait before another try.
const PAUSE_MS: (u64, u64) = (100, 2_000);

/// After the loss of a connection that lasted this long, the waits begin with the shortest again.
const HELD: Duration = Duration::from_secs(2);

/// Runs until the task is aborted.
pub(super) async fn run(nodes: Nodes, shared: Arc<Shared>) {
    let mut known = BTreeSet::new();
    let mut attempt = 0;
    loop {
        match begin(&nodes, &known, &shared).await {
            Ok(mut subscriptions) => {
                tracing::info!("Redis is connected");
                let since = Instant::now();
                known.clone_from(&subscriptions.masters);
                let wrong = watch(&mut subscriptions, &shared).await;
                shared.lose();
                tracing::warn!("Redis is not used for now: {wrong}");
                if since.elapsed() >= HELD {
                    attempt = 0;
                }
            }
            Err(error) if attempt == 0 => tracing::warn!("Redis is not used for now: {error}"),
            Err(error) => tracing::debug!("Redis is not used for now: {error}"),
        }
        sleep(pause(attempt, getrandom::u32().unwrap_or_default())).await;
        attempt += 1;
        shared.pool.renew();
    }
}

/// Subscribes first, then checks that commands arrive, then begins the epoch: every change after its
/// beginning is reported.
async fn begin(
    nodes: &Nodes,
    known: &BTreeSet<(String, u16)>,
    shared: &Arc<Shared>,
) -> Result<Subscriptions, RedisError> {
    let subscriptions = Subscriptions::open(nodes, known, shared).await?;
    shared.call(|mut link| async move { link.query(&cmd("PING")).await }).await?;
    shared.connect();
    Ok(subscriptions)
}

/// Why Redis is not to be trusted any more.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
    #[error("a call failed")]
    Call,
}

async fn watch(subscriptions: &mut Subscriptions, shared: &Shared) -> Wrong {
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut alive_at = Instant::now();
    loop {
        tokio::select! {
            error = subscriptions.failure() => return error.into(),
            () = shared.lost.notified() => {
                // Otherwise the failure is of the connection before this one.
                if !shared.is_connected() {
                    return Wrong::Call;
                }
            }
            _ = pulse.tick() => {
                let asked_at = clock::now();
                match subscriptions.pulse().await {
                    Ok(()) => {
                        alive_at = Instant::now();
                        shared.notify(Notice::CaughtUp(asked_at));
                    }
                    Err(SubscriptionError::Hangs) if alive_at.elapsed() < SILENCE => {}
                    Err(error) => return error.into(),
                }
            }
        }
    }
}

/// The longest wait doubles with each attempt; how much of it is waited is random, so that many servers do not
/// reconnect at the same time.
fn pause(attempt: u32, chance: u32) -> Duration {
    let (shortest, longest) = PAUSE_MS;
    let most = (shortest << attempt.min(10)).min(longest);
    Duration::from_millis(shortest + (most - shortest) * u64::from(chance) / u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_tenth_of_a_second_to_two() {
        let ms = |attempt, chance| pause(attempt, chance).as_millis();
        assert_eq!((ms(0, 0), ms(0, u32::MAX)), (100, 100));
        assert_eq!((ms(1, 0), ms(1, u32::MAX)), (100, 200));
        assert_eq!((ms(9, 0), ms(9, u32::MAX)), (100, 2_000));
        assert_eq!(ms(u32::MAX, u32::MAX), 2_000);
    }
}
