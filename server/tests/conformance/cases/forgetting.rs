//! Consent is withdrawn: measuring ends, and who is signed in stays so.

use futures_util::future::{join, join_all};
use visitflow_server::ledger::commands::{Facts, Forget, Start, forget};
use visitflow_server::ledger::context::Context;
use visitflow_server::ledger::kinds::Run;
use visitflow_server::session::Caller;
use visitflow_server::session::record::ROTATION_COUNTS;
use visitflow_server::session::token::SessionToken;

use super::servers::dies;
use crate::facts::view;
use crate::world::{Browser, MINUTE, Said, TTL, World};

/// Page views and end of each visit.
const VISITS: &str = "SELECT page_views || ' ' || COALESCE(ended_at, 0) FROM sessions ORDER BY started_at";

/// User, visit and end of each session.
const SESSIONS: &str = "SELECT COALESCE(user_id, '-') || ' ' || CASE WHEN visit_id IS NULL THEN 'none' ELSE 'visit' END \
                        || ' ' || COALESCE(ended_at, 0) FROM session_tokens";

/// Somebody who was measured from `now` on, is signed in, and has withdrawn consent at `now + 2`. With what
/// the browser held before.
async fn withdrawn(world: &World) -> (Browser, Browser) {
    let ann = Browser::new();
    assert_eq!(world.view(&ann, world.now).await, Said::Fresh);
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    let before = ann.copy();
    assert_eq!(world.forget(&ann, world.now + 2).await, Said::Fresh);
    (ann, before)
}

pub(crate) async fn who_withdraws_consent_stays_signed_in_and_the_visit_ends(world: &World) {
    let (ann, before) = withdrawn(world).await;
    assert_eq!(world.user(&ann, world.now + 3).await.as_deref(), Some("u_1"));
    assert!(!world.is_live(&before, world.now + 3).await);
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2)]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
}

pub(crate) async fn a_session_without_a_user_ends_when_consent_is_withdrawn(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    assert_eq!(world.forget(&ann, world.now + 2).await, Said::Cleared);
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2)]);
    assert_eq!(world.live_tokens().await, 0);
}

pub(crate) async fn there_is_nothing_to_forget_without_a_live_session(world: &World) {
    let (ann, nobody) = (Browser::new(), Browser::new());
    assert_eq!(world.forget(&nobody, world.now).await, Said::Cleared);
    world.view(&ann, world.now).await;
    assert_eq!(world.forget(&ann, world.now + TTL.idle_ms).await, Said::Cleared);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["1"]);
}

pub(crate) async fn a_fact_in_flight_at_a_withdrawal_reaches_the_ended_visit_and_begins_nothing(
    world: &World,
) {
    let (ann, in_flight) = withdrawn(world).await;
    let last = world.now + 2 + MINUTE - 1;
    assert_eq!(world.view(&in_flight, world.now + 3).await, Said::Left);
    assert_eq!(world.view(&in_flight, last).await, Said::Left);
    assert_eq!(world.start(&in_flight, last).await, Said::Expired);
    assert_eq!(world.ping(&in_flight, last).await, Said::Expired);
    assert_eq!(world.forget(&in_flight, last).await, Said::Left);
    assert_eq!(world.texts(VISITS).await, [format!("3 {}", world.now + 2)]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
    assert_eq!(world.user(&ann, last).await.as_deref(), Some("u_1"));
}

pub(crate) async fn consent_given_anew_begins_another_visit_in_the_same_session(world: &World) {
    let (ann, in_flight) = withdrawn(world).await;
    assert_eq!(world.view(&ann, world.now + 3).await, Said::Kept);
    assert_eq!(world.view(&in_flight, world.now + 4).await, Said::Left, "it is of the first visit");
    assert_eq!(world.texts(VISITS).await, [format!("2 {}", world.now + 2), "1 0".into()]);
    assert_eq!(world.texts("SELECT user_id FROM sessions").await, ["u_1", "u_1"]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 visit 0"]);
}

pub(crate) async fn a_start_after_a_withdrawal_begins_another_visit(world: &World) {
    let (ann, _) = withdrawn(world).await;
    assert_eq!(world.start(&ann, world.now + 3).await, Said::Kept);
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2), "0 0".into()]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 visit 0"]);
}

pub(crate) async fn a_sign_in_and_a_sign_out_after_a_withdrawal_begin_no_visit(world: &World) {
    let (ann, _) = withdrawn(world).await;
    assert_eq!(world.ping(&ann, world.now + 3).await, Said::Kept);
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 4).await, Said::Fresh);
    assert_eq!(world.sign_in(&ann, "u_2", world.now + 5).await, Said::Fresh);
    assert_eq!(world.sign_out(&ann, world.now + 6).await, Said::Fresh);
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2)]);
    assert_eq!(world.texts(SESSIONS).await, ["- none 0"]);
}

pub(crate) async fn a_visit_goes_on_with_its_other_sessions(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let other_jar = Browser::of(ann.visitor);
    assert_eq!(world.view(&other_jar, world.now).await, Said::Fresh);
    world.sign_in(&ann, "u_1", world.now + 1).await;
    assert_eq!(world.forget(&ann, world.now + 2).await, Said::Fresh);
    assert_eq!(world.texts(VISITS).await, ["2 0"]);
    assert_eq!(world.forget(&other_jar, world.now + 3).await, Said::Cleared);
    assert_eq!(world.texts(VISITS).await, [format!("2 {}", world.now + 3)]);
}

pub(crate) async fn withdrawals_at_once_have_one_winner(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let jars: Vec<Browser> = (0..20).map(|_| ann.copy()).collect();
    let said = join_all(jars.iter().map(|jar| world.forget(jar, world.now + 2))).await;
    assert_eq!(said.iter().filter(|said| **said == Said::Fresh).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|said| **said == Said::Left).count(), 19, "{said:?}");
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2)]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
}

pub(crate) async fn a_withdrawal_in_flight_over_a_sign_in_ends_the_visit_and_nobodys_session(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let in_flight = ann.copy();
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    assert_eq!(world.forget(&in_flight, world.now + 2).await, Said::Left, "the newer cookie may be there");
    assert_eq!(world.view(&in_flight, world.now + 3).await, Said::Left);
    assert_eq!(world.texts(VISITS).await, [format!("2 {}", world.now + 2)]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
    assert_eq!(world.user(&ann, world.now + 4).await.as_deref(), Some("u_1"));
}

/// Twenty views, ten pings and one other step of the session meet a withdrawal: whichever comes first.
async fn meet(world: &World, ann: &Browser, other: impl Future<Output = Said>) {
    let at = world.now + 2;
    let jars: Vec<Browser> = (0..20).map(|_| ann.copy()).collect();
    let views = join_all(jars.iter().map(|jar| world.view(jar, at)));
    let pings = join_all(jars.iter().take(10).map(|jar| world.ping(jar, at)));
    let withdrawing = ann.copy();
    join(join(views, pings), join(world.forget(&withdrawing, at), other)).await;
    assert_eq!(world.texts(VISITS).await, [format!("20 {at}")]);
    assert_eq!(
        world
            .number("SELECT COUNT(*) FROM session_tokens WHERE visit_id IS NOT NULL AND ended_at IS NULL")
            .await,
        0
    );
}

pub(crate) async fn a_withdrawal_among_views_and_a_sign_in_leaves_one_ended_visit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let jar = ann.copy();
    meet(world, &ann, world.sign_in(&jar, "u_1", world.now + 2)).await;
}

pub(crate) async fn a_withdrawal_among_views_and_a_sign_out_leaves_one_ended_visit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let jar = ann.copy();
    meet(world, &ann, world.sign_out(&jar, world.now + 2)).await;
    assert_eq!(world.live_tokens().await, 1);
}

/// What a request brings that was judged before the withdrawal, and comes to the store behind it.
fn judged_before(world: &World, before: &Browser, visit_id: Option<&str>, now: i64) -> Context {
    let visit_id = visit_id.map(|id| id.parse().unwrap());
    let caller = Caller::Live { token: before.proof(), visit_id };
    let nobody = SessionToken::issue().unwrap();
    Context { caller, candidate: None, ..world.context(before, &nobody, now) }
}

pub(crate) async fn requests_judged_before_a_withdrawal_begin_no_visit_after_it(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.sign_in(&ann, "u_1", world.now).await, Said::Fresh);
    let before = ann.copy();
    assert_eq!(world.forget(&ann, world.now + 1).await, Said::Fresh);
    let context = judged_before(world, &before, None, world.now + 1);
    let runs = vec![Run { visitor: Some(ann.visitor), facts: vec![view(world.now)] }];
    world.commit(Facts { context: context.clone(), runs }).await;
    world.commit(Start { context, site: None, url: None, referrer: None }).await;
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.visits().await, 0);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
}

pub(crate) async fn a_view_judged_before_a_withdrawal_reaches_its_visit_however_long_that_was_idle(
    world: &World,
) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now).await;
    let later = world.now + 40 * MINUTE;
    for at in [later - 20 * MINUTE, later] {
        assert!(world.identify(&ann, true, at).await.is_some());
    }
    let before = ann.copy();
    assert_eq!(world.forget(&ann, later).await, Said::Fresh);
    let visit_id = world.texts("SELECT id FROM sessions").await;
    let context = judged_before(world, &before, Some(&visit_id[0]), later);
    let runs = vec![Run { visitor: Some(ann.visitor), facts: vec![view(later)] }];
    world.commit(Facts { context, runs }).await;
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["2"]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
}

pub(crate) async fn a_replayed_withdrawal_changes_nothing(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let candidate = SessionToken::rotate(ann.proof().tag).unwrap();
    let command = Forget { now: world.now + 2, presented: ann.proof(), candidate: candidate.proof() };
    for _ in 0..2 {
        world.commit(command.clone()).await;
    }
    let generation = "SELECT generation FROM session_tokens";
    assert_eq!(world.texts(generation).await, [(1 + 2 * ROTATION_COUNTS).to_string()]);
    // Consent was given anew meanwhile.
    let context = Context {
        caller: Caller::Live { token: candidate.proof(), visit_id: None },
        candidate: None,
        ..world.context(&ann, &candidate, world.now + 3)
    };
    world.commit(Start { context, site: None, url: None, referrer: None }).await;
    world.commit(command).await;
    assert_eq!(world.texts(generation).await, [(2 + 2 * ROTATION_COUNTS).to_string()]);
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2), "0 0".into()]);
}

pub(crate) async fn who_is_not_measured_stays_signed_in_up_to_the_absolute_limit(world: &World) {
    let (ann, _) = withdrawn(world).await;
    let mut at = world.now;
    while at < world.now + TTL.max_ms - 29 * MINUTE {
        at += 20 * MINUTE;
        let (record, _) = world.identify(&ann, true, at).await.unwrap();
        assert_eq!(record.user_id.as_deref(), Some("u_1"));
        assert_eq!((record.created_at, record.signed_in_at), (world.now, Some(world.now + 1)));
    }
    assert_eq!(world.identify(&ann, true, world.now + TTL.max_ms).await, None);
    world.sweep(at).await;
    assert_eq!(world.texts(VISITS).await, [format!("1 {}", world.now + 2)]);
}

pub(crate) async fn a_fact_in_flight_at_a_withdrawal_finds_its_visit_after_a_restart(world: &World) {
    let (ann, in_flight) = withdrawn(world).await;
    world.view(&ann, world.now + 3).await;
    world.restart(world.now + 4).await;
    assert_eq!(world.view(&in_flight, world.now + 5).await, Said::Left);
    assert_eq!(world.texts(VISITS).await, [format!("2 {}", world.now + 2), "1 0".into()]);
    assert_eq!(world.user(&ann, world.now + 6).await.as_deref(), Some("u_1"));
}

pub(crate) async fn a_withdrawal_on_one_server_is_one_on_the_other(world: &World) {
    let (other, ann) = (world.second().await, Browser::new());
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let in_flight = ann.copy();
    assert_eq!(other.ping(&in_flight, world.now + 1).await, Said::Kept, "the other has a copy of it");
    assert_eq!(world.forget(&ann, world.now + 2).await, Said::Fresh);
    // Whether it has heard of it or not.
    other.view(&in_flight, world.now + 2).await;
    dies(&other, &in_flight, world.now + 3).await;
    assert_eq!(other.view(&in_flight, world.now + 3).await, Said::Left);
    assert_eq!(world.texts(VISITS).await, [format!("3 {}", world.now + 2)]);
    assert_eq!(other.user(&ann, world.now + 4).await.as_deref(), Some("u_1"));
    assert_eq!(other.view(&ann, world.now + 4).await, Said::Kept);
    assert_eq!(world.texts(VISITS).await, [format!("3 {}", world.now + 2), "1 0".into()]);
}

pub(crate) async fn a_withdrawal_that_came_too_late_leaves_the_session_to_the_winner(world: &World) {
    let (other, ann, old) = super::away::signed_in_elsewhere(world).await;
    let candidate = SessionToken::rotate(old.proof().tag).unwrap().proof();
    let forget = Forget { now: world.now + 2, presented: old.proof(), candidate };
    assert_eq!(
        world.commit(forget).await,
        forget::Outcome::Ended,
        "a session without a user, as far as is known"
    );
    super::away::lives_as_signed_in(world, &other, &ann).await;
    assert_eq!(world.texts(VISITS).await, [format!("0 {}", world.now + 2)]);
    assert_eq!(world.texts(SESSIONS).await, ["u_1 none 0"]);
}
