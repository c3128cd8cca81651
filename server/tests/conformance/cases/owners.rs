//! The sessions of a user: which there are, and how the user ends them from another one.

use futures_util::future::join_all;
use visitflow_server::ledger::ENDED_MOST;
use visitflow_server::resolve::LISTED_MAX;
use visitflow_server::session::record::SignedIn;
use visitflow_server::session::token::Tag;

use crate::world::{Browser, MINUTE, Said, TTL, World, eventually};

/// Visits, in the order in which they began: when each ended, 0 for one that goes on.
const ENDS: &str = "SELECT COALESCE(ended_at, 0) FROM sessions ORDER BY started_at, id";

fn tag(browser: &Browser) -> Tag {
    browser.proof().tag
}

/// A browser that has seen a page, and in which the user has signed in.
async fn signed_in(world: &World, user: &str, now: i64) -> Browser {
    let browser = Browser::new();
    world.view(&browser, now).await;
    assert_eq!(world.sign_in(&browser, user, now).await, Said::Fresh);
    browser
}

/// The user's sessions by their names, as they are told.
async fn listed(world: &World, user: &str, now: i64) -> Vec<Tag> {
    let sessions = world.sessions_of(user, None, now).await.unwrap();
    sessions.into_iter().map(|record| record.tag).collect()
}

pub(crate) async fn a_user_has_the_sessions_that_are_live(world: &World) {
    let now = world.now;
    let [first, second, ended, left] = [
        signed_in(world, "u_1", now).await,
        signed_in(world, "u_1", now + 1).await,
        signed_in(world, "u_1", now + 2).await,
        signed_in(world, "u_1", now + 3).await,
    ];
    signed_in(world, "u_2", now + 3).await;
    world.end(&ended, now + 4).await;
    world.sign_out(&left, now + 4).await;
    assert_eq!(listed(world, "u_1", now + 5).await, [tag(&second), tag(&first)]);
    assert_eq!(world.ping(&first, now + 20 * MINUTE).await, Said::Kept);
    let later = now + 25 * MINUTE;
    assert_eq!(listed(world, "u_1", later).await, [tag(&first), tag(&second)], "what it did last counts");
    assert_eq!(listed(world, "u_1", now + TTL.idle_ms + 2).await, [tag(&first)], "one is over");
    assert_eq!(listed(world, "u_3", later).await, []);
}

pub(crate) async fn the_sessions_that_are_told_are_bounded(world: &World) {
    let browsers: Vec<Browser> = (0..LISTED_MAX + 3).map(|_| Browser::new()).collect();
    join_all(browsers.iter().map(|browser| world.sign_in(browser, "u_1", world.now))).await;
    assert_eq!(listed(world, "u_1", world.now).await.len(), LISTED_MAX);
}

pub(crate) async fn the_device_of_a_sign_in_is_kept_until_the_sign_out(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let device = Some("Firefox on Linux".to_owned());
    let user = SignedIn { device: device.clone(), ..SignedIn::from("u_1") };
    assert_eq!(world.sign_in_as(&ann, user, world.now + 1).await, Said::Fresh);
    world.restart(world.now + 2).await;
    let told = world.sessions_of("u_1", None, world.now + 2).await.unwrap();
    assert_eq!(told.iter().map(|record| &record.device).collect::<Vec<_>>(), [&device]);
    assert_eq!(world.sign_out(&ann, world.now + 3).await, Said::Fresh);
    assert_eq!(world.texts("SELECT device FROM session_tokens").await, [""]);
}

pub(crate) async fn a_session_is_ended_by_its_tag(world: &World) {
    let now = world.now;
    let (here, there) = (signed_in(world, "u_1", now).await, signed_in(world, "u_1", now + 1).await);
    let stranger = signed_in(world, "u_2", now + 2).await;
    assert_eq!(world.end_one(&here, "u_1", tag(&there), now + 3).await, Said::Left);
    assert!(!world.is_live(&there, now + 3).await);
    assert_eq!(world.ping(&there, now + 4).await, Said::Expired);
    assert_eq!(listed(world, "u_1", now + 4).await, [tag(&here)]);
    for none_of_theirs in [tag(&there), tag(&stranger), tag(&Browser::with_a_bogus_cookie())] {
        assert_eq!(world.end_one(&here, "u_1", none_of_theirs, now + 4).await, Said::Missing);
    }
    assert!(world.is_live(&stranger, now + 5).await);
    assert_eq!(world.texts(ENDS).await, ["0".to_owned(), (now + 3).to_string(), "0".to_owned()]);
    assert_eq!(world.end_one(&here, "u_1", tag(&here), now + 5).await, Said::Cleared);
    assert_eq!(listed(world, "u_1", now + 6).await, []);
}

pub(crate) async fn all_sessions_but_one_are_ended(world: &World) {
    let now = world.now;
    let here = signed_in(world, "u_1", now).await;
    let others = [signed_in(world, "u_1", now + 1).await, signed_in(world, "u_1", now + 2).await];
    let without_visit = Browser::new();
    world.sign_in_without_visit(&without_visit, "u_1", now + 2).await;
    let stranger = signed_in(world, "u_2", now + 3).await;
    assert_eq!(world.end_others(&here, "u_1", now + 4).await, Said::Left);
    for dead in others.iter().chain([&without_visit]) {
        assert!(!world.is_live(dead, now + 4).await);
    }
    assert!(world.is_live(&here, now + 4).await && world.is_live(&stranger, now + 4).await);
    let ended = (now + 4).to_string();
    assert_eq!(world.texts(ENDS).await, ["0", &*ended, &*ended, "0"]);
    world.restart(now + 5).await;
    assert_eq!(listed(world, "u_1", now + 5).await, [tag(&here)]);
    assert_eq!(world.end_all_of("u_1", None, now + 6).await, Said::Left);
    assert_eq!(listed(world, "u_1", now + 7).await, []);
    assert!(world.is_live(&stranger, now + 7).await);
}

pub(crate) async fn a_visit_ends_with_the_last_of_its_sessions(world: &World) {
    let now = world.now;
    let ann = signed_in(world, "u_1", now).await;
    let other = Browser::of(ann.visitor);
    assert_eq!(world.sign_in(&other, "u_1", now).await, Said::Fresh);
    assert_eq!(world.view(&other, now + 1).await, Said::Kept);
    assert_eq!(world.visits().await, 1);
    assert_eq!(world.end_one(&ann, "u_1", tag(&other), now + 2).await, Said::Left);
    assert_eq!(world.texts(ENDS).await, ["0"], "a session of it lives");
    assert_eq!(world.end_all_of("u_1", None, now + 3).await, Said::Left);
    assert_eq!(world.texts(ENDS).await, [(now + 3).to_string()]);
}

pub(crate) async fn a_key_for_one_site_sees_and_ends_only_sessions_of_that_site(world: &World) {
    let now = world.now;
    let (here, there) = (Browser::new(), Browser::new());
    for (browser, site) in [(&here, "here.example"), (&there, "there.example")] {
        world.start_on(browser, Some(site), now).await;
        world.sign_in(browser, "u_1", now).await;
    }
    let without_visit = Browser::new();
    world.sign_in_without_visit(&without_visit, "u_1", now).await;
    let site = Some("here.example");
    let seen = world.sessions_of("u_1", site, now + 1).await.unwrap();
    assert_eq!(seen.iter().map(|record| record.tag).collect::<Vec<_>>(), [tag(&here)]);
    for unseen in [&there, &without_visit] {
        assert_eq!(world.end_by_key("u_1", tag(unseen), site, now + 1).await, Said::Missing);
    }
    assert_eq!(world.end_all_of("u_1", site, now + 2).await, Said::Left);
    assert_eq!(listed(world, "u_1", now + 3).await.len(), 2);
    assert_eq!(world.end_by_key("u_1", tag(&there), Some("there.example"), now + 4).await, Said::Left);
    assert_eq!(listed(world, "u_1", now + 5).await, [tag(&without_visit)]);
}

pub(crate) async fn a_session_that_was_rotated_meanwhile_ends_no_other(world: &World) {
    let now = world.now;
    let (here, there) = (signed_in(world, "u_1", now).await, signed_in(world, "u_1", now).await);
    let before = here.copy();
    assert_eq!(world.sign_in(&here, "u_1", now + 1).await, Said::Fresh);
    assert_eq!(world.end_one(&before, "u_1", tag(&there), now + 2).await, Said::Rotated);
    assert_eq!(world.end_others(&before, "u_1", now + 2).await, Said::Rotated);
    assert_eq!(world.end_others(&there, "u_2", now + 2).await, Said::Rotated, "it is not that user's");
    assert_eq!(listed(world, "u_1", now + 3).await.len(), 2);
}

pub(crate) async fn a_user_with_many_sessions_keeps_one_of_them(world: &World) {
    let many = 3 * ENDED_MOST + 5;
    let browsers: Vec<Browser> = (0..many).map(|_| Browser::new()).collect();
    join_all(browsers.iter().map(|browser| world.sign_in(browser, "u_1", world.now))).await;
    assert_eq!(world.live_tokens().await, i64::try_from(many).unwrap());
    let kept = &browsers[many / 2];
    assert_eq!(world.end_others(kept, "u_1", world.now + 1).await, Said::Left);
    assert_eq!(world.live_tokens().await, 1);
    assert!(world.is_live(kept, world.now + 2).await);
    assert!(!world.is_live(&browsers[0], world.now + 2).await);
}

pub(crate) async fn a_sign_in_and_the_end_of_all_sessions_at_once_leave_none_or_that_one(world: &World) {
    let browsers: Vec<Browser> = (0..20).map(|_| Browser::new()).collect();
    let sign_ins = join_all(browsers.iter().map(|browser| world.sign_in(browser, "u_1", world.now)));
    futures_util::future::join(sign_ins, world.end_all_of("u_1", None, world.now)).await;
    let live = world.live_tokens().await;
    assert_eq!(listed(world, "u_1", world.now).await.len(), usize::try_from(live).unwrap());
    let listed = listed(world, "u_1", world.now).await;
    // A browser whose session was over before its answer was written has no cookie.
    for browser in browsers.iter().filter(|browser| browser.cookie().is_some()) {
        assert_eq!(world.is_live(browser, world.now).await, listed.contains(&tag(browser)));
    }
}

pub(crate) async fn the_sessions_of_a_user_end_on_every_server(world: &World) {
    let other = world.second().await;
    let now = world.now;
    let (here, there) = (signed_in(world, "u_1", now).await, signed_in(&other, "u_1", now).await);
    let third = signed_in(world, "u_1", now).await;
    assert_eq!(other.ping(&third, now).await, Said::Kept, "the other has a copy of it");
    assert_eq!(listed(world, "u_1", now).await.len(), 3);
    assert_eq!(world.end_one(&here, "u_1", tag(&third), now + 1).await, Said::Left);
    let dies = async |browser: &Browser| {
        let dead = async || {
            other.tick(now + 2);
            !other.is_live(browser, now + 2).await
        };
        eventually("the end of a session", dead).await;
    };
    dies(&third).await;
    assert_eq!(world.end_others(&here, "u_1", now + 2).await, Said::Left);
    dies(&there).await;
    assert_eq!(listed(&other, "u_1", now + 3).await, [tag(&here)]);
}

/// While the database is away.
pub(crate) async fn the_sessions_of_a_user_are_neither_told_nor_ended(world: &World) {
    let (here, there) = (Browser::new(), Browser::new());
    for browser in [&here, &there] {
        assert_eq!(world.sign_in(browser, "u_1", world.now).await, Said::Fresh);
    }
    assert!(world.sessions_of("u_1", None, world.now + 1).await.is_err());
    assert_eq!(world.end_one(&here, "u_1", tag(&there), world.now + 1).await, Said::Unavailable);
    assert_eq!(world.end_others(&here, "u_1", world.now + 1).await, Said::Unavailable);
    assert_eq!(world.live_tokens().await, 2, "when it is back");
    assert!(world.is_live(&there, world.now + 2).await);
}
