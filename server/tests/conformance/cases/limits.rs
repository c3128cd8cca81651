//! The idle limit, the absolute limit, and what outlives the process.

use futures_util::future::join_all;
use visitflow_server::database::batch::SWEEP_DELAY_MS;
use visitflow_server::ledger::commands::{Facts, Start};
use visitflow_server::ledger::kinds::{Fact, Run};
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::uuid_v7;

use crate::facts::{event, fact, on, order, page, view};
use crate::world::{Browser, HOUR, MINUTE, Said, TTL, World};

pub(crate) async fn a_session_lives_until_the_idle_limit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    assert_eq!(world.ping(&ann, world.now + TTL.idle_ms - 1).await, Said::Kept);
}

pub(crate) async fn a_session_is_over_at_the_idle_limit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let at = world.now + TTL.idle_ms;
    assert_eq!(world.ping(&ann, at).await, Said::Expired);
    assert_eq!(world.view(&ann, at).await, Said::Fresh);
    assert_eq!(world.visits().await, 2);
}

pub(crate) async fn activity_moves_the_idle_limit(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let later = world.now + TTL.idle_ms - 1;
    assert_eq!(world.view(&ann, later).await, Said::Kept);
    assert_eq!(world.view(&ann, later + TTL.idle_ms - 1).await, Said::Kept);
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.page_views().await, 3);
}

/// Pings from `now` on until just before the absolute limit.
async fn pings_on(world: &World, ann: &Browser) {
    let mut at = world.now;
    while at < world.now + TTL.max_ms - TTL.idle_ms {
        at += 29 * MINUTE;
        assert_eq!(world.ping(ann, at).await, Said::Kept);
    }
    assert_eq!(world.ping(ann, world.now + TTL.max_ms - 1).await, Said::Kept);
}

pub(crate) async fn pings_do_not_move_the_absolute_limit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    pings_on(world, &ann).await;
    assert_eq!(world.ping(&ann, world.now + TTL.max_ms).await, Said::Expired);
}

pub(crate) async fn a_view_after_the_absolute_limit_goes_on_with_its_visit_in_a_new_session(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    pings_on(world, &ann).await;
    assert_eq!(world.view(&ann, world.now + TTL.max_ms).await, Said::Fresh);
    assert_eq!(world.visits().await, 1, "it was never idle");
}

pub(crate) async fn a_ping_starts_nothing(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.ping(&ann, world.now).await, Said::Expired);
    assert_eq!(world.tokens().await + world.visits().await, 0);
}

pub(crate) async fn a_browser_that_lost_its_cookie_joins_its_live_visit(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    ann.lose_cookie();
    assert_eq!(world.view(&ann, world.now + 10 * MINUTE).await, Said::Fresh);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["2"]);
    assert_eq!(world.tokens().await, 2);
}

pub(crate) async fn expired_sessions_and_visits_are_ended_where_their_activity_ended(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let last = world.now + 5 * MINUTE;
    assert_eq!(world.ping(&ann, last).await, Said::Kept);
    let after = last + TTL.idle_ms + SWEEP_DELAY_MS;
    world.sweep(after).await;
    assert_eq!(world.number("SELECT ended_at FROM sessions").await, last);
    assert_eq!(world.number("SELECT ended_at FROM session_tokens").await, last + TTL.idle_ms);
    assert_eq!(world.held(), 0);
    world.sweep(after + 25 * HOUR).await;
    assert_eq!(world.tokens().await, 0);
}

pub(crate) async fn a_sweep_ends_nothing_that_may_live(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.ping(&ann, world.now + 20 * MINUTE).await;
    world.sweep(world.now + 45 * MINUTE).await;
    assert_eq!(world.live_tokens().await, 1);
    assert_eq!(world.view(&ann, world.now + 45 * MINUTE).await, Said::Kept);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn sessions_survive_a_restart_with_their_latest_activity(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let later = world.now + 20 * MINUTE;
    assert_eq!(world.ping(&ann, later).await, Said::Kept);
    world.restart(later).await;
    assert_eq!(world.ping(&ann, later + 29 * MINUTE).await, Said::Kept);
}

pub(crate) async fn a_token_rotated_before_a_restart_stays_dead_and_keeps_its_grace(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let old = ann.copy();
    world.sign_in(&ann, "u_1", world.now).await;
    let later = world.now + 1_000;
    world.restart(later).await;
    assert_eq!(world.ping(&old, later).await, Said::Expired);
    assert_eq!(world.view(&old, later).await, Said::Left);
    assert_eq!(world.view(&ann, later).await, Said::Kept);
    assert_eq!(world.page_views().await, 2);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_flood_of_starts_leaves_bounded_memory(world: &World) {
    let browsers: Vec<Browser> = (0..300).map(|_| Browser::new()).collect();
    join_all(browsers.iter().map(|browser| world.start(browser, world.now))).await;
    assert_eq!(world.held(), 300);
    world.sweep(world.now + TTL.idle_ms).await;
    assert_eq!(world.held(), 0);
}

/// Facts of several visitors in one request without a session; how many visits began.
async fn begun(world: &World, runs: Vec<(&Browser, Vec<Fact>)>) -> u32 {
    let token = SessionToken::issue().unwrap();
    let context = world.context(runs[0].0, &token, world.now);
    let runs = runs.into_iter().map(|(browser, facts)| Run { visitor: Some(browser.visitor), facts });
    world.commit(Facts { context, runs: runs.collect() }).await.attached.begun
}

pub(crate) async fn visits_that_begin_are_told(world: &World) {
    let (ann, bob, now) = (Browser::new(), Browser::new(), world.now);
    let late = now - 5 * HOUR;
    let token = SessionToken::issue().unwrap();
    let context = world.context(&ann, &token, now);
    let start = Start { context, site: None, url: None, referrer: None };
    assert_eq!(world.commit(start.clone()).await.attached.begun, 1);
    assert_eq!(world.commit(start).await.attached.begun, 0, "a replay begins nothing");
    assert_eq!(begun(world, vec![(&ann, vec![view(now), event("play", now)])]).await, 0, "joined");
    let alternating = vec![(&ann, vec![view(now)]), (&bob, vec![view(now)]), (&ann, vec![view(now)])];
    assert_eq!(begun(world, alternating).await, 1);
    let hosts = vec![on("a.test", view(late)), on("b.test", view(late)), on("a.test", view(late + MINUTE))];
    assert_eq!(begun(world, vec![(&ann, hosts)]).await, 2);
    assert_eq!(begun(world, vec![(&ann, vec![order("1", "10.00", now)])]).await, 0);
    let duplicate = fact(page(uuid_v7(now)), now);
    assert_eq!(begun(world, vec![(&Browser::new(), vec![duplicate.clone()])]).await, 1);
    assert_eq!(begun(world, vec![(&Browser::new(), vec![duplicate])]).await, 0);
}
