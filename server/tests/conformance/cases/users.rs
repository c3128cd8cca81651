//! Whose a visit is, and what becomes of sessions whose user is disabled.

use visitflow_server::contract::accounts::Role;
use visitflow_server::database::accounts::Accounts;

use crate::world::{Browser, Said, World, eventually};

const USERS: &str = "SELECT COALESCE(user_id, '-') FROM sessions ORDER BY started_at";

pub(crate) async fn a_sign_in_gives_earlier_anonymous_visits_their_user(world: &World) {
    let (ann, stranger) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.end(&ann, world.now + 1).await;
    world.view(&stranger, world.now + 2).await;
    world.view(&ann, world.now + 3).await;
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 4).await, Said::Fresh);
    assert_eq!(world.texts(USERS).await, ["u_1", "-", "u_1"]);
}

pub(crate) async fn a_sign_in_leaves_visits_of_others_alone(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    world.end(&ann, world.now + 2).await;
    world.view(&ann, world.now + 3).await;
    world.sign_in(&ann, "u_2", world.now + 4).await;
    assert_eq!(world.texts(USERS).await, ["u_1", "u_2"]);
}

pub(crate) async fn another_user_begins_another_visit(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    world.sign_in(&ann, "u_2", world.now + 2).await;
    assert_eq!(world.view(&ann, world.now + 3).await, Said::Kept);
    let visits = "SELECT user_id || ' ' || page_views || ' ' || COALESCE(ended_at, 0) FROM sessions ORDER BY started_at";
    let ended = world.now + 2;
    assert_eq!(world.texts(visits).await, [format!("u_1 1 {ended}"), "u_2 1 0".to_owned()]);
}

pub(crate) async fn a_sign_out_keeps_the_visit(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    assert_eq!(world.user(&ann, world.now + 1).await.as_deref(), Some("u_1"));
    assert_eq!(world.sign_out(&ann, world.now + 2).await, Said::Fresh);
    assert_eq!(world.user(&ann, world.now + 2).await, None);
    assert_eq!(world.view(&ann, world.now + 3).await, Said::Kept);
    assert_eq!(world.texts("SELECT user_id || page_views FROM sessions").await, ["u_12"]);
}

pub(crate) async fn a_sign_in_without_visit_leaves_the_visit_anonymous(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    assert_eq!(world.sign_in_without_visit(&ann, "u_1", world.now + 1).await, Said::Fresh);
    assert_eq!(world.user(&ann, world.now + 1).await.as_deref(), Some("u_1"));
    assert_eq!(world.texts(USERS).await, ["-"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM session_tokens WHERE visit_id IS NULL").await, 1);
}

pub(crate) async fn a_session_that_was_signed_in_elsewhere_joins_and_names_the_visit(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let other = Browser::of(ann.visitor);
    assert_eq!(world.sign_in(&other, "u_1", world.now + 1).await, Said::Fresh);
    assert_eq!(world.start(&other, world.now + 2).await, Said::Kept);
    assert_eq!(world.texts(USERS).await, ["u_1"]);
    assert_eq!(world.live_tokens().await, 2);
}

pub(crate) async fn what_a_sign_in_did_not_finish_is_finished_when_its_user_comes_back(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    world.end(&ann, world.now + 1).await;
    world.view(&ann, world.now + 2).await;
    world.sign_in(&ann, "u_1", world.now + 3).await;
    assert_eq!(world.texts(USERS).await, ["u_1", "u_1"]);
    // As a server leaves it that was killed between two pieces.
    world
        .place()
        .execute(&format!("UPDATE sessions SET user_id = NULL WHERE started_at = {}", world.now))
        .await;
    world.restart(world.now + 4).await;
    let later = Browser::of(ann.visitor);
    assert_eq!(world.sign_in(&later, "u_1", world.now + 5).await, Said::Fresh);
    assert_eq!(world.view(&later, world.now + 6).await, Said::Kept);
    assert_eq!(world.texts(USERS).await, ["u_1", "u_1"]);
}

async fn accounts(world: &World) -> Accounts {
    let accounts = Accounts::open(&world.place().database()).await.unwrap();
    accounts.put_user("u_1", "ann", "hash", Role::User, world.now).await.unwrap();
    accounts
}

/// Two sessions of u_1 and one of u_2, all stored.
async fn sessions(world: &World) -> [Browser; 3] {
    let browsers = [Browser::new(), Browser::new(), Browser::new()];
    for (browser, user) in browsers.iter().zip(["u_1", "u_1", "u_2"]) {
        assert_eq!(world.sign_in(browser, user, world.now).await, Said::Fresh);
    }
    assert_eq!(world.live_tokens().await, 3);
    browsers
}

/// Waits until a server that does its housekeeping knows.
async fn only_the_last_lives(world: &World, browsers: &[Browser; 3]) {
    let known = async || {
        world.tick(world.now + 2);
        let mut live = [false; 3];
        for (browser, live) in browsers.iter().zip(&mut live) {
            *live = world.is_live(browser, world.now + 2).await;
        }
        live == [false, false, true]
    };
    eventually("the end of two sessions", known).await;
    assert_eq!(world.ping(&browsers[0], world.now + 3).await, Said::Expired);
    assert_eq!(world.ping(&browsers[2], world.now + 3).await, Said::Kept);
}

pub(crate) async fn disabling_a_user_ends_all_sessions_of_that_user(world: &World) {
    let (accounts, browsers) = (accounts(world).await, sessions(world).await);
    assert!(accounts.disable_user("ann", world.now + 1).await.unwrap());
    only_the_last_lives(world, &browsers).await;
}

pub(crate) async fn changing_a_password_ends_all_sessions_of_that_user(world: &World) {
    let (accounts, browsers) = (accounts(world).await, sessions(world).await);
    assert!(!accounts.put_user("u_9", "ann", "other hash", Role::User, world.now + 1).await.unwrap());
    only_the_last_lives(world, &browsers).await;
}

pub(crate) async fn removing_a_user_ends_all_sessions_of_that_user(world: &World) {
    let (accounts, browsers) = (accounts(world).await, sessions(world).await);
    assert!(accounts.remove_user("ann", world.now + 1).await.unwrap());
    assert!(!accounts.remove_user("ann", world.now + 1).await.unwrap());
    assert_eq!(accounts.account("ann").await.unwrap(), None);
    only_the_last_lives(world, &browsers).await;
}

pub(crate) async fn a_user_who_is_enabled_is_as_before(world: &World) {
    let accounts = accounts(world).await;
    let before = accounts.users().await.unwrap();
    assert!(accounts.disable_user("ann", world.now + 1).await.unwrap());
    assert_eq!(accounts.users().await.unwrap()[0].disabled_at, Some(world.now + 1));
    assert!(accounts.enable_user("ann").await.unwrap());
    assert_eq!(accounts.users().await.unwrap(), before);
    assert!(!accounts.account("ann").await.unwrap().unwrap().disabled);
    assert!(!accounts.enable_user("bob").await.unwrap());
}

pub(crate) async fn who_changes_the_password_is_the_only_one_left(world: &World) {
    let (accounts, [here, there, other]) = (accounts(world).await, sessions(world).await);
    let before = here.copy();
    let now = world.now + 1;
    assert_eq!(world.change_password(&here, "u_1", ["hash", "new hash"], now).await, Said::Fresh);
    assert_eq!(accounts.account_of("u_1").await.unwrap().unwrap().password_hash, "new hash");
    assert_eq!(world.user(&here, now).await.as_deref(), Some("u_1"));
    for dead in [&before, &there] {
        assert!(!world.is_live(dead, now).await);
    }
    assert!(world.is_live(&other, now).await);
    let late = world.sign_in_by_password(&Browser::new(), "u_1", "hash", now + 1).await;
    assert_eq!(late, Said::Stale, "the old password is over");
    assert_eq!(world.live_tokens().await, 2);
}

pub(crate) async fn a_password_is_changed_by_the_present_one_and_a_live_session_of_its_user(world: &World) {
    let (accounts, [here, there, other]) = (accounts(world).await, sessions(world).await);
    let (now, before) = (world.now + 1, here.copy());
    let change = async |browser: &Browser, user: &str, old: &str| {
        world.change_password(browser, user, [old, "new hash"], now).await
    };
    assert_eq!(change(&here, "u_1", "other hash").await, Said::Stale);
    assert_eq!(change(&other, "u_1", "hash").await, Said::Rotated);
    assert_eq!(world.sign_in(&here, "u_1", now).await, Said::Fresh);
    assert_eq!(change(&before, "u_1", "hash").await, Said::Rotated);
    assert_eq!(accounts.account_of("u_1").await.unwrap().unwrap().password_hash, "hash");
    // Of two at once one has verified what is no password any more.
    let both = futures_util::future::join(change(&here, "u_1", "hash"), change(&there, "u_1", "hash")).await;
    let fresh = [both.0, both.1].iter().filter(|said| **said == Said::Fresh).count();
    assert_eq!(fresh, 1, "{both:?}");
    assert_eq!(world.live_tokens().await, 2, "that one, and the other user's");
}

/// While the database is away.
pub(crate) async fn a_change_of_password_is_refused(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.sign_in(&ann, "u_1", world.now).await, Said::Fresh);
    let changed = world.change_password(&ann, "u_1", ["hash", "new hash"], world.now + 1).await;
    assert_eq!(changed, Said::Unavailable);
    assert!(world.is_live(&ann, world.now + 2).await);
}

pub(crate) async fn a_sign_in_whose_password_was_changed_meanwhile_is_stale(world: &World) {
    let accounts = accounts(world).await;
    let signs_in = async |hash| world.sign_in_by_password(&Browser::new(), "u_1", hash, world.now).await;
    assert_eq!(signs_in("hash").await, Said::Fresh);
    accounts.put_user("u_9", "ann", "other hash", Role::User, world.now).await.unwrap();
    assert_eq!(signs_in("hash").await, Said::Stale);
    assert_eq!(signs_in("other hash").await, Said::Fresh);
    assert!(accounts.disable_user("ann", world.now).await.unwrap());
    assert_eq!(signs_in("other hash").await, Said::Stale);
    assert_eq!(world.tokens().await, 2);
}
