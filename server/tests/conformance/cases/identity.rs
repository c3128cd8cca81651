//! Whose session a token is, for those who ask.

use crate::world::{Browser, HOUR, MINUTE, Said, TTL, World};

const LAST: &str = "SELECT last_activity FROM sessions ORDER BY started_at";

pub(crate) async fn a_live_token_is_identified_with_its_user(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.identify(&ann, true, world.now).await, None);
    world.view(&ann, world.now).await;
    let (record, _) = world.identify(&ann, true, world.now + 1).await.unwrap();
    assert_eq!((record.user_id, record.signed_in_at), (None, None));
    world.sign_in(&ann, "u_1", world.now + 2).await;
    let (record, said) = world.identify(&ann, true, world.now + 3).await.unwrap();
    assert_eq!((record.user_id.as_deref(), record.signed_in_at), (Some("u_1"), Some(world.now + 2)));
    assert_eq!((record.tag, record.created_at, said), (ann.proof().tag, world.now, Said::Left));
    world.sign_out(&ann, world.now + 4).await;
    let (record, _) = world.identify(&ann, true, world.now + 5).await.unwrap();
    assert_eq!((record.user_id, record.signed_in_at), (None, None));
}

pub(crate) async fn a_rotated_or_ended_token_identifies_nobody(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let before = ann.copy();
    world.sign_in(&ann, "u_1", world.now + 1).await;
    assert_eq!(world.identify(&before, true, world.now + 1).await, None, "though its facts still have grace");
    let signed_in = ann.copy();
    world.end(&ann, world.now + 2).await;
    assert_eq!(world.identify(&signed_in, true, world.now + 2).await, None);
}

pub(crate) async fn a_backend_that_asks_keeps_a_user_signed_in_and_no_visit_alive(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let mut at = world.now;
    for _ in 0..6 {
        at += 20 * MINUTE;
        let (record, _) = world.identify(&ann, true, at).await.unwrap();
        assert_eq!(record.last_activity, at);
    }
    world.sweep(at).await;
    assert_eq!(world.texts(LAST).await, [(world.now + 1).to_string()]);
    assert_eq!(world.view(&ann, at + 1).await, Said::Kept, "the same session");
    assert_eq!(world.texts(LAST).await, [world.now + 1, at + 1].map(|at| at.to_string()), "another visit");
    assert_eq!(world.user(&ann, at + 1).await.as_deref(), Some("u_1"));
}

pub(crate) async fn asking_without_touch_keeps_nobody_signed_in(world: &World) {
    let ann = Browser::new();
    world.sign_in_without_visit(&ann, "u_1", world.now).await;
    assert!(world.identify(&ann, false, world.now + 20 * MINUTE).await.is_some());
    assert_eq!(world.identify(&ann, false, world.now + TTL.idle_ms).await, None);
}

pub(crate) async fn asking_keeps_no_anonymous_session_alive(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    assert!(world.identify(&ann, true, world.now + 20 * MINUTE).await.is_some());
    assert_eq!(world.identify(&ann, true, world.now + TTL.idle_ms).await, None);
}

pub(crate) async fn asking_moves_no_absolute_limit(world: &World) {
    let ann = Browser::new();
    world.sign_in_without_visit(&ann, "u_1", world.now).await;
    let mut at = world.now;
    while at < world.now + TTL.max_ms - HOUR / 2 {
        at += 29 * MINUTE;
        assert!(world.identify(&ann, true, at).await.is_some());
    }
    assert_eq!(world.identify(&ann, true, world.now + TTL.max_ms).await, None);
}

pub(crate) async fn the_cookie_of_a_user_is_given_anew_once_a_minute(world: &World) {
    let ann = Browser::new();
    let minute = (world.now / MINUTE + 1) * MINUTE;
    world.sign_in_without_visit(&ann, "u_1", minute).await;
    let told = async |at| {
        world.is_caught_up(minute + at);
        world.identify(&ann, true, minute + at).await.unwrap().1
    };
    assert_eq!(told(1).await, Said::Left);
    assert_eq!(told(MINUTE - 1).await, Said::Left);
    assert_eq!(told(MINUTE).await, Said::Kept);
    assert_eq!(told(MINUTE + 1).await, Said::Left);
    assert_eq!(told(3 * MINUTE).await, Said::Kept);
    // So seldom that no copy is fresh.
    assert_eq!(told(3 * MINUTE + 25_000).await, Said::Left);
    assert_eq!(told(3 * MINUTE + 50_000).await, Said::Left);
    assert_eq!(told(4 * MINUTE + 15_000).await, Said::Kept);
}
