//! Sessions whose user has asked to be remembered: the long limits are theirs, and of no visit.

use visitflow_server::session::record::SignedIn;

use crate::world::{Browser, HOUR, MINUTE, Said, TTL, World};

fn remembered(user: &str) -> SignedIn {
    SignedIn { remember: true, ..SignedIn::from(user) }
}

/// A browser that has seen a page, whose user is remembered.
async fn signed_in(world: &World) -> Browser {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    assert_eq!(world.sign_in_as(&ann, remembered("u_1"), world.now).await, Said::Fresh);
    ann
}

pub(crate) async fn who_is_remembered_comes_back_days_later_as_the_same_user(world: &World) {
    let ann = signed_in(world).await;
    let later = world.now + TTL.remember_idle_ms - MINUTE;
    assert_eq!(world.view(&ann, later).await, Said::Kept);
    assert_eq!(world.user(&ann, later).await.as_deref(), Some("u_1"));
    let visits = "SELECT user_id || ' ' || page_views FROM sessions ORDER BY started_at";
    assert_eq!(world.texts(visits).await, ["u_1 1", "u_1 1"], "a visit has the short limit");
    assert_eq!(world.ping(&ann, later + TTL.remember_idle_ms - 1).await, Said::Kept, "it slides");
}

pub(crate) async fn who_is_remembered_is_so_until_the_long_limits(world: &World) {
    let (idle, busy) = (signed_in(world).await, signed_in(world).await);
    assert_eq!(world.ping(&idle, world.now + TTL.remember_idle_ms).await, Said::Expired);
    let mut at = world.now;
    while at + TTL.remember_idle_ms < world.now + TTL.remember_max_ms {
        at += TTL.remember_idle_ms - 1;
        assert_eq!(world.ping(&busy, at).await, Said::Kept);
    }
    assert_eq!(world.ping(&busy, world.now + TTL.remember_max_ms - 1).await, Said::Kept);
    assert_eq!(world.ping(&busy, world.now + TTL.remember_max_ms).await, Said::Expired);
}

pub(crate) async fn a_sweep_ends_who_is_remembered_at_the_long_limit(world: &World) {
    let ann = signed_in(world).await;
    world.settle().await;
    world.sweep(world.now + 2 * TTL.max_ms).await;
    assert_eq!(world.live_tokens().await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 0);
    let later = world.now + TTL.remember_idle_ms - HOUR;
    assert!(world.is_live(&ann, later).await);
    world.sweep(world.now + TTL.remember_idle_ms + HOUR).await;
    let ended = world.now + TTL.remember_idle_ms;
    assert_eq!(world.texts("SELECT ended_at FROM session_tokens").await, [ended.to_string()]);
}

pub(crate) async fn who_is_remembered_is_so_after_a_restart(world: &World) {
    let ann = signed_in(world).await;
    let later = world.now + 10 * 24 * HOUR;
    world.restart(later).await;
    assert_eq!(world.ping(&ann, later).await, Said::Kept);
    assert_eq!(world.user(&ann, later).await.as_deref(), Some("u_1"));
}

pub(crate) async fn a_sign_out_and_a_sign_in_without_remember_restore_the_short_limits(world: &World) {
    for leaves in [true, false] {
        let ann = signed_in(world).await;
        // Older than the short absolute limit: it begins anew.
        let later = world.now + 2 * TTL.max_ms;
        let said = match leaves {
            true => world.sign_out(&ann, later).await,
            false => world.sign_in(&ann, "u_1", later).await,
        };
        assert_eq!(said, Said::Fresh);
        assert!(world.is_live(&ann, later + TTL.idle_ms - 1).await);
        assert_eq!(world.ping(&ann, later + TTL.idle_ms).await, Said::Expired);
    }
}

pub(crate) async fn idle_copies_of_remembered_sessions_are_dropped_unless_embedded(world: &World) {
    let ann = signed_in(world).await;
    assert!(world.held() > 0);
    world.sweep(world.now + HOUR).await;
    let complete = world.place().backend == crate::backend::Backend::Embedded;
    assert_eq!(world.held(), usize::from(complete));
    assert_eq!(world.ping(&ann, world.now + HOUR).await, Said::Kept);
}
