//! Requests that meet.

use futures_util::future::{join, join_all};

use visitflow_server::session::record::ROTATION_COUNTS;

use crate::facts::view;
use crate::world::{Browser, MINUTE, Said, TTL, World};

pub(crate) async fn twenty_starts_of_one_visitor_at_once_are_one_visit(world: &World) {
    let ann = Browser::new();
    let jars: Vec<Browser> = (0..20).map(|_| Browser::of(ann.visitor)).collect();
    let said = join_all(jars.iter().map(|jar| world.start(jar, world.now))).await;
    assert!(said.iter().all(|said| *said == Said::Fresh), "{said:?}");
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.tokens().await, 20);
}

pub(crate) async fn a_hundred_sign_ins_on_one_token_have_one_winner(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let jars: Vec<Browser> = (0..100).map(|_| ann.copy()).collect();
    let said = join_all(jars.iter().map(|jar| world.sign_in(jar, "u_1", world.now + 1))).await;
    assert_eq!(said.iter().filter(|said| **said == Said::Fresh).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|said| **said == Said::Rotated).count(), 99, "{said:?}");
    assert_eq!(
        world.texts("SELECT generation FROM session_tokens").await,
        [(1 + ROTATION_COUNTS).to_string()]
    );
    let winner = jars.iter().zip(&said).find(|(_, said)| **said == Said::Fresh).unwrap().0;
    assert!(world.is_live(winner, world.now + MINUTE).await);
    assert!(!world.is_live(&ann, world.now + MINUTE).await);
}

pub(crate) async fn a_view_in_flight_over_a_sign_in_is_stored_and_sets_no_cookie(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let in_flight = ann.copy();
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    assert_eq!(world.view(&in_flight, world.now + 2).await, Said::Left);
    assert_eq!(world.number("SELECT page_views FROM sessions").await, 2);
    assert_eq!(world.tokens().await, 1);
}

pub(crate) async fn a_sign_in_among_views_leaves_one_visit_and_one_live_token(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let jars: Vec<Browser> = (0..20).map(|_| ann.copy()).collect();
    let at = world.now + 1;
    let views = join_all(jars.iter().map(|jar| world.view(jar, at)));
    let (signed_in, views) = join(world.sign_in(&ann, "u_1", at), views).await;
    assert_eq!(signed_in, Said::Fresh);
    assert!(views.iter().all(|said| matches!(said, Said::Kept | Said::Left)), "{views:?}");
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["20"]);
    assert_eq!(world.live_tokens().await, 1);
    assert!(world.is_live(&ann, at).await);
}

pub(crate) async fn views_that_carry_the_secret_before_a_sign_in_are_of_its_visit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let old = ann.copy();
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    for later in 2..5 {
        assert_eq!(world.view(&old, world.now + later).await, Said::Left);
    }
    assert_eq!(world.texts("SELECT user_id || page_views FROM sessions").await, ["u_13"]);
    assert_eq!(world.live_tokens().await, 1);
    assert!(world.is_live(&ann, world.now + 5).await);
}

pub(crate) async fn a_fact_in_flight_of_a_session_without_a_visit_has_none(world: &World) {
    let ann = Browser::new();
    world.sign_in(&ann, "u_1", world.now).await;
    let old = ann.copy();
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    assert_eq!(world.view(&old, world.now + 2).await, Said::Left);
    assert_eq!(world.number("SELECT COUNT(*) FROM page_views WHERE visit_id IS NULL").await, 1);
    assert_eq!(world.visits().await, 0);
}

pub(crate) async fn a_rotated_token_has_a_minute_of_grace(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let old = ann.copy();
    world.sign_in(&ann, "u_1", world.now).await;
    let last = world.now + MINUTE - 1;
    assert_eq!(world.start(&old, last).await, Said::Expired);
    assert_eq!(world.sign_in(&old, "u_2", last).await, Said::Rotated);
    assert_eq!(world.sign_out(&old, last).await, Said::Left);
    assert_eq!(world.end(&old, last).await, Said::Left);
    assert_eq!(world.view(&old, last).await, Said::Left);
    assert_eq!(world.view(&old, last + 1).await, Said::Fresh, "the secret is forgotten");
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.tokens().await, 2);
}

pub(crate) async fn an_end_among_views_and_pings_revives_nothing(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let jars: Vec<Browser> = (0..20).map(|_| ann.copy()).collect();
    let at = world.now + 1;
    let views = join_all(jars.iter().map(|jar| world.view(jar, at)));
    let pings = join_all(jars.iter().map(|jar| world.ping(jar, at)));
    let ends = join_all(jars.iter().take(3).map(|jar| world.end(jar, at)));
    join(views, join(pings, ends)).await;
    let late: Vec<Browser> = (0..5).map(|_| ann.copy()).collect();
    for jar in &late {
        assert_eq!(world.ping(jar, at).await, Said::Expired);
        assert_eq!(world.view(jar, at).await, Said::Left);
    }
    assert_eq!(world.live_tokens().await, 0);
    assert_eq!(world.tokens().await, 1);
    assert_eq!(world.texts("SELECT page_views FROM sessions WHERE ended_at IS NOT NULL").await, ["25"]);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_fact_in_flight_at_an_end_is_stored_and_sets_no_cookie(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let in_flight = ann.copy();
    assert_eq!(world.end(&ann, world.now + 10).await, Said::Cleared);
    assert_eq!(world.ping(&in_flight, world.now + 11).await, Said::Expired);
    assert_eq!(world.send(&in_flight, view(world.now + 9), world.now + 11).await, Said::Left);
    assert_eq!(world.end(&in_flight, world.now + 12).await, Said::Left);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["2"]);
    assert_eq!(world.number("SELECT ended_at FROM sessions").await, world.now + 10);
}

pub(crate) async fn an_end_then_a_start_is_a_new_visit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let with_old_cookie = ann.copy();
    assert_eq!(world.end(&ann, world.now + 1_000).await, Said::Cleared);
    assert_eq!(world.start(&ann, world.now + 1_001).await, Said::Fresh);
    assert_eq!(world.end(&ann, world.now + 2_000).await, Said::Cleared);
    assert_eq!(world.start(&with_old_cookie, world.now + 2_001).await, Said::Fresh);
    let ends = "SELECT COALESCE(ended_at, 0) FROM sessions ORDER BY started_at";
    let expected = [world.now + 1_000, world.now + 2_000, 0].map(|at| at.to_string());
    assert_eq!(world.texts(ends).await, expected);
}

pub(crate) async fn a_start_in_flight_at_an_end_begins_nothing(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let in_flight = ann.copy();
    world.end(&ann, world.now + 5).await;
    assert_eq!(world.start(&in_flight, world.now + 5).await, Said::Expired);
    assert_eq!(world.tokens().await, 1);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn first_views_at_once_of_a_session_without_a_visit_share_one(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.sign_in(&ann, "u_1", world.now).await, Said::Fresh);
    let jars: Vec<Browser> = (0..10).map(|_| ann.copy()).collect();
    let said = join_all(jars.iter().map(|jar| world.view(jar, world.now))).await;
    assert!(said.iter().all(|said| *said == Said::Kept), "{said:?}");
    assert_eq!(world.texts("SELECT user_id || page_views FROM sessions").await, ["u_110"]);
    assert_eq!(world.tokens().await, 1);
}

pub(crate) async fn a_sign_out_among_sign_ins_leaves_one_live_token(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let jars: Vec<Browser> = (0..10).map(|_| ann.copy()).collect();
    let (ins, outs) = jars.split_at(5);
    let ins = join_all(ins.iter().map(|jar| world.sign_in(jar, "u_1", world.now + 1)));
    let outs = join_all(outs.iter().map(|jar| world.sign_out(jar, world.now + 1)));
    join(ins, outs).await;
    assert_eq!(
        world.texts("SELECT generation FROM session_tokens").await,
        [(1 + ROTATION_COUNTS).to_string()]
    );
    let mut live = 0;
    for jar in &jars {
        live += usize::from(world.is_live(jar, world.now + TTL.idle_ms / 2).await);
    }
    assert_eq!(live, 1);
}
