//! What is answered while the database is away, where that differs.

use visitflow_server::ledger::command::{Command, Outcome};
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::uuid_v7;

use crate::facts::{fact, page};
use crate::world::{Browser, Said, World};

pub(crate) async fn a_start_is_promised(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.start(&ann, world.now).await, Said::Fresh);
    assert_eq!(world.ping(&ann, world.now + 1).await, Said::Kept);
    assert_eq!(world.place().spooled(0), 1, "a ping is no command");
    world.settle().await;
    assert_eq!(world.ping(&ann, world.now + 2).await, Said::Kept);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_twin_is_not_told(world: &World) {
    let (ann, id) = (Browser::new(), uuid_v7(world.now));
    for _ in 0..2 {
        assert_eq!(world.send_all(&ann, vec![fact(page(id), world.now)], world.now).await.0, 0);
    }
    assert_eq!(world.page_views().await, 1);
}

pub(crate) async fn a_session_that_a_twin_was_promised_is_withdrawn(world: &World) {
    let (ann, bob, id) = (Browser::new(), Browser::new(), uuid_v7(world.now));
    for browser in [&ann, &bob] {
        assert_eq!(world.send(browser, fact(page(id), world.now), world.now).await, Said::Fresh);
        assert!(world.is_live(browser, world.now).await);
    }
    world.settle().await;
    assert!(world.is_live(&ann, world.now).await);
    assert!(!world.is_live(&bob, world.now).await);
    assert_eq!(world.tokens().await, 1);
}

pub(crate) async fn a_replayed_sign_in_has_lost(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let offer = SessionToken::rotate(ann.cookie().unwrap().tag()).unwrap().proof();
    let (now, presented) = (world.now + 1, ann.proof());
    let sign_in = Command::SignOut { now, presented, offer };
    assert!(world.commit(sign_in.clone()).await.issued);
    assert_eq!(world.commit(sign_in).await, Outcome { lost: true, ..Outcome::default() });
}

pub(crate) async fn a_sign_in_by_password_is_refused(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    assert_eq!(world.sign_in_by_password(&ann, "u_1", "hash", world.now).await, Said::Unavailable);
    assert!(world.is_live(&ann, world.now).await);
    assert_eq!(world.texts("SELECT generation FROM session_tokens").await, ["1"]);
}

pub(crate) async fn what_was_acknowledged_survives_a_restart(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.view(&ann, world.now).await;
    world.restart_as_it_is(world.now).await;
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["1"]);
    assert!(world.is_live(&ann, world.now).await);
}
