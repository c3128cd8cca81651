//! Two servers on the same stores.

use futures_util::future::{join, join_all};
use visitflow_server::ledger::commands::{End, end};
use visitflow_server::resolve::TRUE_MS;
use visitflow_server::session::record::ROTATION_COUNTS;
use visitflow_server::session::uuid_v7;

use crate::facts::{fact, page};
use crate::world::{Browser, MINUTE, Said, TTL, World, eventually};

pub(crate) async fn a_session_of_one_server_lives_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    assert_eq!(other.view(&ann, world.now + 1).await, Said::Kept);
    assert_eq!(world.view(&ann, world.now + 2).await, Said::Kept);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["2"]);
}

/// Waits until the server, which does its housekeeping, takes the token for dead.
pub(crate) async fn dies(server: &World, browser: &Browser, now: i64) {
    let dead = async || {
        server.tick(now);
        !server.is_live(browser, now).await
    };
    eventually("the end of a token", dead).await;
}

pub(crate) async fn a_sign_in_on_one_server_kills_the_old_token_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    let old = ann.copy();
    assert_eq!(other.ping(&old, world.now).await, Said::Kept, "the other has a copy of it");
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    dies(&other, &old, world.now + 2).await;
    assert_eq!(other.view(&old, world.now + 3).await, Said::Left, "it has grace there too");
    assert_eq!(other.view(&ann, world.now + 3).await, Said::Kept);
    assert_eq!(other.user(&ann, world.now + 3).await.as_deref(), Some("u_1"));
}

pub(crate) async fn a_token_of_one_server_is_live_on_the_other_at_once(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    assert_eq!(other.ping(&ann, world.now).await, Said::Kept, "the other has a copy of it");
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let (session, _) = other.identify(&ann, true, world.now + 2).await.expect("a live session");
    assert_eq!(session.user_id.as_deref(), Some("u_1"));
    world.sign_out(&ann, world.now + 3).await;
    assert_eq!(other.view(&ann, world.now + 4).await, Said::Kept);
    world.sign_in(&ann, "u_1", world.now + 5).await;
    assert_eq!(other.end(&ann, world.now + 6).await, Said::Cleared);
    assert_eq!(world.live_tokens().await, 0);
}

pub(crate) async fn activity_on_one_server_keeps_a_session_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    let end = world.now + TTL.idle_ms;
    assert!(other.identify(&ann, false, end - 10_000).await.is_some(), "the other has a copy of it");
    assert_eq!(world.ping(&ann, end - 5_000).await, Said::Kept);
    world.sweep(end - 4_000).await;
    assert_eq!(other.view(&ann, end + 1).await, Said::Kept);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_change_whose_commit_came_late_is_noticed_by_the_other_server(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    assert_eq!(other.ping(&ann, world.now).await, Said::Kept, "the other has a copy of it");
    let end = End { now: world.now - 5 * MINUTE, presented: ann.proof() };
    assert_eq!(world.commit(end).await, end::Outcome::Done);
    dies(&other, &ann, world.now + 1).await;
}

pub(crate) async fn an_end_on_one_server_is_an_end_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    let in_flight = ann.copy();
    assert_eq!(other.ping(&in_flight, world.now).await, Said::Kept);
    assert_eq!(world.end(&ann, world.now + 1).await, Said::Cleared);
    dies(&other, &in_flight, world.now + 2).await;
    assert_eq!(other.start(&in_flight, world.now + 2).await, Said::Fresh);
    assert_eq!(world.visits().await, 2);
}

pub(crate) async fn a_session_that_ended_on_one_server_has_no_user_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now).await;
    let copy = ann.copy();
    assert!(other.identify(&copy, true, world.now).await.is_some());
    world.end(&ann, world.now + 1).await;
    // A second later a copy that nobody has confirmed since is not believed.
    assert_eq!(other.identify(&copy, true, world.now + 2 + TRUE_MS).await, None);
}

pub(crate) async fn starts_on_two_servers_at_once_join_one_visit(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    let jars: Vec<Browser> = (0..20).map(|_| Browser::of(ann.visitor)).collect();
    let (here, there) = jars.split_at(10);
    let here = join_all(here.iter().map(|jar| world.start(jar, world.now)));
    let there = join_all(there.iter().map(|jar| other.start(jar, world.now)));
    join(here, there).await;
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.tokens().await, 20);
}

pub(crate) async fn sign_ins_on_two_servers_have_one_winner(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    let jars: Vec<Browser> = (0..20).map(|_| ann.copy()).collect();
    let (here, there) = jars.split_at(10);
    let here = join_all(here.iter().map(|jar| world.sign_in(jar, "u_1", world.now + 1)));
    let there = join_all(there.iter().map(|jar| other.sign_in(jar, "u_1", world.now + 1)));
    let (here, there) = join(here, there).await;
    let said: Vec<Said> = here.into_iter().chain(there).collect();
    assert_eq!(said.iter().filter(|said| **said == Said::Fresh).count(), 1, "{said:?}");
    assert_eq!(
        world.texts("SELECT generation FROM session_tokens").await,
        [(1 + ROTATION_COUNTS).to_string()]
    );
}

pub(crate) async fn duplicates_on_two_servers_are_stored_once(world: &World) {
    let (other, id) = (world.second().await, uuid_v7(world.now));
    let (ann, bob) = (Browser::new(), Browser::new());
    let duplicate = || fact(page(id), world.now);
    join(world.send(&ann, duplicate(), world.now), other.send(&bob, duplicate(), world.now)).await;
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_sweep_on_one_server_spares_sessions_active_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.start(&ann, world.now).await;
    let later = world.now + 20 * MINUTE;
    assert_eq!(world.ping(&ann, later).await, Said::Kept);
    world.sweep(later).await; // each server writes what slid, every thirty seconds
    other.sweep(world.now + TTL.idle_ms + 5 * MINUTE).await;
    assert_eq!(world.live_tokens().await, 1);
    assert_eq!(other.ping(&ann, later + 29 * MINUTE).await, Said::Kept);
}
