//! What is sent or applied twice.

use futures_util::future::join_all;
use visitflow_server::ledger::commands::{End, Facts, SignIn, SignOut, Start, sign_in, sign_out};
use visitflow_server::ledger::context::Context;
use visitflow_server::ledger::kinds::Run;
use visitflow_server::session::record::{END_COUNTS, ROTATION_COUNTS};
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::{Caller, uuid_v7};

use crate::facts::{event, fact, on, order, page, view};
use crate::world::{Browser, Said, World};

pub(crate) async fn a_duplicate_is_stored_once_and_starts_nothing(world: &World) {
    let id = uuid_v7(world.now);
    let duplicate = || fact(page(id), world.now);
    assert_eq!(world.send(&Browser::new(), duplicate(), world.now).await, Said::Fresh);
    world.send_all(&Browser::new(), vec![duplicate(), duplicate()], world.now).await;
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.tokens().await, 1);
}

pub(crate) async fn duplicates_are_counted(world: &World) {
    let (ann, id) = (Browser::new(), uuid_v7(world.now));
    let facts = || {
        let played = event("play", world.now);
        vec![fact(page(id), world.now), fact(page(id), world.now), played.clone(), played]
    };
    assert_eq!(world.send_all(&ann, facts(), world.now).await.0, 2);
    assert_eq!(world.send_all(&ann, facts(), world.now).await.0, 3, "the events are others");
    let orders = || vec![order("1", "10.00", world.now)];
    assert_eq!(world.send_all(&ann, orders(), world.now).await.0, 0);
    assert_eq!(world.send_all(&ann, orders(), world.now).await.0, 1);
}

pub(crate) async fn a_duplicate_sets_no_cookie(world: &World) {
    let id = uuid_v7(world.now);
    world.send(&Browser::new(), fact(page(id), world.now), world.now).await;
    let bob = Browser::new();
    assert_eq!(world.send(&bob, fact(page(id), world.now), world.now).await, Said::Left);
    assert!(bob.cookie().is_none());
}

pub(crate) async fn a_view_that_is_resent_within_its_session_is_one_view(world: &World) {
    let (ann, id) = (Browser::new(), uuid_v7(world.now));
    world.start(&ann, world.now).await;
    for later in 0..3 {
        assert_eq!(world.send(&ann, fact(page(id), world.now), world.now + later).await, Said::Kept);
    }
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.number("SELECT page_views FROM sessions").await, 1);
}

pub(crate) async fn duplicates_within_an_array_are_stored_once(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    let (seen, again, played) = (page(uuid_v7(now)), page(uuid_v7(now)), event("play", now));
    let facts =
        vec![fact(seen.clone(), now), played.clone(), fact(seen.clone(), now), played, fact(again, now)];
    assert_eq!(world.send_all(&ann, facts, now).await.1, Said::Fresh);
    assert_eq!(world.page_views().await, 2);
    assert_eq!(world.events().await, 1);
    assert_eq!(world.number("SELECT page_views + 10 * events FROM sessions").await, 12);
}

pub(crate) async fn duplicates_of_requests_at_once_are_stored_once(world: &World) {
    let (now, id) = (world.now, uuid_v7(world.now));
    let browsers: Vec<Browser> = (0..20).map(|_| Browser::new()).collect();
    join_all(browsers.iter().map(|browser| world.send(browser, fact(page(id), now), now))).await;
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.tokens().await, 1);
}

pub(crate) async fn the_same_id_on_another_site_is_another_fact(world: &World) {
    let (ann, id) = (Browser::new(), uuid_v7(world.now));
    for site in ["blog.example", "shop.example", "blog.example"] {
        world.send(&ann, on(site, fact(page(id), world.now)), world.now).await;
    }
    assert_eq!(
        world.texts("SELECT site FROM page_views ORDER BY site").await,
        ["blog.example", "shop.example"]
    );
}

pub(crate) async fn a_replayed_start_is_one_session(world: &World) {
    let (ann, token) = (Browser::new(), SessionToken::issue().unwrap());
    let context = world.context(&ann, &token, world.now);
    let start = Start { context, site: None, url: None, referrer: None };
    for _ in 0..2 {
        assert!(world.commit(start.clone()).await.attached.issued);
    }
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.tokens().await, 1);
}

/// A sign-in on the session of a browser, as a command.
async fn sign_in_of(world: &World, ann: &Browser) -> (SignIn, SessionToken) {
    world.start(ann, world.now).await;
    let candidate = SessionToken::rotate(ann.cookie().unwrap().tag()).unwrap();
    let command = SignIn {
        now: world.now + 1,
        presented: Some(ann.proof()),
        candidate: candidate.proof(),
        user: "u_1".into(),
        verified: None,
        visit: true,
    };
    (command, candidate)
}

const RECORDS: &str = "SELECT generation || ' ' || COALESCE(user_id, '') || ' ' || COALESCE(ended_at, 0) \
                       FROM session_tokens ORDER BY generation";

pub(crate) async fn a_replayed_sign_in_changes_nothing(world: &World) {
    let ann = Browser::new();
    let (command, _) = sign_in_of(world, &ann).await;
    world.commit(command.clone()).await;
    world.commit(command).await;
    assert_eq!(world.texts(RECORDS).await, [format!("{} u_1 0", 1 + ROTATION_COUNTS)]);
    assert_eq!(world.texts("SELECT user_id FROM sessions").await, ["u_1"]);
}

pub(crate) async fn a_replayed_first_sign_in_is_one_session(world: &World) {
    let candidate = SessionToken::issue().unwrap().proof();
    let command = SignIn {
        now: world.now,
        presented: None,
        candidate,
        user: "u_1".into(),
        verified: None,
        visit: true,
    };
    for _ in 0..2 {
        assert_eq!(world.commit(command.clone()).await, sign_in::Outcome::Done { begun: 0 });
    }
    assert_eq!(world.texts(RECORDS).await, ["1 u_1 0"]);
    assert_eq!(world.visits().await, 0);
}

pub(crate) async fn a_replayed_sign_out_changes_nothing(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let candidate = SessionToken::rotate(ann.cookie().unwrap().tag()).unwrap().proof();
    let command = SignOut { now: world.now + 2, presented: ann.proof(), candidate };
    world.commit(command.clone()).await;
    world.commit(command).await;
    assert_eq!(world.texts(RECORDS).await, [format!("{}  0", 1 + 2 * ROTATION_COUNTS)]);
}

pub(crate) async fn a_replayed_end_changes_nothing(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let command = End { now: world.now + 7, presented: ann.proof() };
    world.commit(command.clone()).await;
    world.commit(command).await;
    let ended = (world.now + 7).to_string();
    assert_eq!(world.texts("SELECT ended_at FROM sessions").await, std::slice::from_ref(&ended));
    assert_eq!(world.texts(RECORDS).await, [format!("{}  {ended}", 1 + END_COUNTS)]);
}

pub(crate) async fn facts_of_an_unknown_session_and_of_no_visitor_begin_no_visit(world: &World) {
    let (ann, token) = (Browser::new(), SessionToken::issue().unwrap());
    let caller = Caller::Live { token: token.proof(), visit_id: None };
    let context =
        Context { caller, candidate: None, visitor: None, ..world.context(&ann, &token, world.now) };
    for at in [world.now, world.now + 1] {
        let runs = vec![Run { visitor: None, facts: vec![view(at), event("play", at)] }];
        world.commit(Facts { context: context.clone(), runs }).await;
    }
    let start = Start { context, site: None, url: None, referrer: None };
    world.commit(start).await;
    assert_eq!(world.page_views().await, 2);
    assert_eq!(world.number("SELECT COUNT(*) FROM events WHERE visit_id IS NULL").await, 2);
    assert_eq!(world.visits().await + world.tokens().await, 0);
}

pub(crate) async fn a_replay_is_answered_as_the_first_time(world: &World) {
    let ann = Browser::new();
    let (command, rotated) = sign_in_of(world, &ann).await;
    let done = sign_in::Outcome::Done { begun: 0 };
    assert_eq!(world.commit(command.clone()).await, done);
    assert_eq!(world.commit(command).await, done);
    let candidate = SessionToken::rotate(rotated.tag()).unwrap().proof();
    let command = SignOut { now: world.now + 2, presented: rotated.proof(), candidate };
    assert_eq!(world.commit(command.clone()).await, sign_out::Outcome::Done);
    assert_eq!(world.commit(command).await, sign_out::Outcome::Done);
    let candidate = SessionToken::rotate(rotated.tag()).unwrap().proof();
    let command = SignOut { now: world.now + 3, presented: rotated.proof(), candidate };
    assert_eq!(world.commit(command).await, sign_out::Outcome::Lost, "another's rotation is no replay");
}
