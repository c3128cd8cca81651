//! What is answered while the database is away, where that differs.

use futures_util::future::join_all;
use visitflow_server::clock;
use visitflow_server::contract::erasure::ERASED_KEPT_MS;
use visitflow_server::ingest::BATCH_MAX;
use visitflow_server::ledger::commands::{End, Facts, SignOut, end, sign_out};
use visitflow_server::ledger::kinds::Run;
use visitflow_server::session::record::{END_COUNTS, PROVISIONAL_MAX, ROTATION_COUNTS};
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::uuid_v7;
use visitflow_testkit::proxy::Mode;

use crate::facts::{anonymous, event, fact, order, page, view};
use crate::world::{Browser, HOST, HOUR, MINUTE, Said, World, eventually};

const GENERATION: &str = "SELECT generation FROM session_tokens";

pub(crate) async fn a_start_is_provisional(world: &World) {
    let ann = Browser::new();
    assert_eq!(world.start(&ann, world.now).await, Said::Fresh);
    assert_eq!(world.ping(&ann, world.now + 1).await, Said::Kept);
    assert_eq!(world.place().spooled(0), 1, "a ping is no command");
    world.settle().await;
    assert_eq!(world.ping(&ann, world.now + 2).await, Said::Kept);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_spooled_duplicate_is_not_reported_as_one(world: &World) {
    let (ann, id) = (Browser::new(), uuid_v7(world.now));
    for _ in 0..2 {
        assert_eq!(world.send_all(&ann, vec![fact(page(id), world.now)], world.now).await.0, 0);
    }
    assert_eq!(world.page_views().await, 1);
}

pub(crate) async fn a_provisional_session_of_a_duplicate_is_withdrawn(world: &World) {
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

pub(crate) async fn a_server_started_later_also_withdraws_a_duplicate_s_provisional_session(world: &World) {
    let (ann, bob, id) = (Browser::new(), Browser::new(), uuid_v7(world.now));
    for browser in [&ann, &bob] {
        assert_eq!(world.send(browser, fact(page(id), world.now), world.now).await, Said::Fresh);
    }
    world.restart_as_it_is(world.now).await;
    world.settle().await;
    eventually("a live session", async || world.is_live(&ann, world.now).await).await;
    eventually("the end of a session", async || !world.is_live(&bob, world.now).await).await;
    assert_eq!(world.live_tokens().await, 1);
}

pub(crate) async fn a_replayed_sign_in_has_lost(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let candidate = SessionToken::rotate(ann.cookie().unwrap().tag()).unwrap().proof();
    let (now, presented) = (world.now + 1, ann.proof());
    let sign_in = SignOut { now, presented, candidate };
    assert_eq!(world.commit(sign_in.clone()).await, sign_out::Outcome::Done);
    assert_eq!(world.commit(sign_in).await, sign_out::Outcome::Lost);
}

pub(crate) async fn a_sign_in_by_password_is_refused(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    assert_eq!(world.sign_in_by_password(&ann, "u_1", "hash", world.now).await, Said::Unavailable);
    assert!(world.is_live(&ann, world.now).await);
    assert_eq!(world.texts(GENERATION).await, ["1"]);
}

/// The first part of the spool binds the session to its visit; the second, which rotates and ends
/// sessions, stays where it is for a while.
pub(crate) async fn a_replay_undoes_no_later_provisional_change(world: &World) {
    let (ann, bob, now) = (Browser::new(), Browser::new(), world.now);
    for browser in [&ann, &bob] {
        assert_eq!(world.sign_in(browser, "u_1", now).await, Said::Fresh);
        assert_eq!(world.view(browser, now).await, Said::Kept);
    }
    let (ann_before, bob_before) = (ann.copy(), bob.copy());
    let nobody = Browser::new();
    join_all((4..BATCH_MAX).map(|_| world.send(&nobody, anonymous(view(now)), now))).await;
    assert_eq!(world.sign_out(&ann, now + 1).await, Said::Fresh);
    assert_eq!(world.end(&bob, now + 1).await, Said::Cleared);
    world.place().fail_at_events_named("stop").await;
    world.send(&nobody, anonymous(event("stop", now)), now).await;

    world.place().line(0, Mode::Pass);
    eventually("the first part", async || world.place().spooled(0) == 3).await;
    assert!(world.is_live(&ann, now + 2).await);
    assert!(!world.is_live(&ann_before, now + 2).await);
    assert!(!world.is_live(&bob_before, now + 2).await);

    // Between two tries: each locks what the other is about to.
    world.place().execute("SELECT begin_batch(NULL); DROP TRIGGER fail ON events").await;
    world.settle().await;
    assert!(world.is_live(&ann, now + 2).await);
    assert!(!world.is_live(&ann_before, now + 2).await);
    assert!(!world.is_live(&bob_before, now + 2).await);
    assert_eq!(world.ping(&ann, now + 3).await, Said::Kept);
    let tokens = "SELECT generation || ' ' || COALESCE(ended_at, 0) FROM session_tokens ORDER BY ended_at";
    assert_eq!(
        world.texts(tokens).await,
        [format!("{} {}", 2 + END_COUNTS, now + 1), format!("{} 0", 2 + ROTATION_COUNTS)]
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM sessions WHERE page_views = 1").await, 2);
}

/// A session that a second server has signed in, and a copy of its old cookie. The first server has
/// not heard of it.
pub(crate) async fn signed_in_elsewhere(world: &World) -> (World, Browser, Browser) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let (other, old) = (world.second().await, ann.copy());
    assert_eq!(other.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    (other, ann, old)
}

/// The session lives, everywhere, as the second server left it.
pub(crate) async fn lives_as_signed_in(world: &World, other: &World, ann: &Browser) {
    world.settle().await;
    for server in [world, other] {
        // The database is asked again a moment after the spool is empty.
        eventually("a live session", async || server.is_live(ann, world.now + 9).await).await;
        assert_eq!(server.user(ann, world.now + 9).await.as_deref(), Some("u_1"));
    }
}

pub(crate) async fn a_rotation_that_came_too_late_leaves_the_session_to_the_winner(world: &World) {
    let (other, ann, old) = signed_in_elsewhere(world).await;
    let mut presented = old.proof();
    for later in 2..4 {
        let candidate = SessionToken::rotate(presented.tag).unwrap().proof();
        let sign_out = SignOut { now: world.now + later, presented, candidate };
        assert_eq!(world.commit(sign_out).await, sign_out::Outcome::Done);
        presented = candidate;
    }
    lives_as_signed_in(world, &other, &ann).await;
    assert_eq!(world.texts(GENERATION).await, [(1 + ROTATION_COUNTS + 2 * PROVISIONAL_MAX).to_string()]);
}

pub(crate) async fn an_end_that_came_too_late_leaves_the_session_to_the_winner(world: &World) {
    let (other, ann, old) = signed_in_elsewhere(world).await;
    let end = End { now: world.now + 2, presented: old.proof() };
    assert_eq!(world.commit(end).await, end::Outcome::Done);
    lives_as_signed_in(world, &other, &ann).await;
    assert_eq!(world.texts(GENERATION).await, [(1 + ROTATION_COUNTS + 2 * PROVISIONAL_MAX).to_string()]);
}

/// A session that the database has as u_1's, and that the first server, which reaches Redis alone, has rotated
/// twice since; and a second server, which reaches both.
async fn provisional_in_redis(world: &World) -> (World, Browser) {
    let ann = Browser::new();
    world.sign_in(&ann, "u_1", world.now).await;
    let other = world.second().await;
    assert_eq!(world.sign_out(&ann, world.now + 1).await, Said::Fresh);
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 2).await, Said::Fresh);
    assert!(other.identify(&ann, true, clock::now()).await.is_some(), "the other hears of it from Redis");
    (other, ann)
}

pub(crate) async fn an_end_is_later_than_all_provisional_changes(world: &World) {
    let (other, ann) = provisional_in_redis(world).await;
    assert_eq!(other.end_all_of("u_1", None, clock::now()).await, Said::Left);
    let is_dead_everywhere = async || {
        for server in [&other, world] {
            let dead = async || server.identify(&ann, true, clock::now()).await.is_none();
            eventually("the end of a provisional session", dead).await;
        }
    };
    is_dead_everywhere().await;
    world.settle().await;
    is_dead_everywhere().await;
    assert_eq!(world.live_tokens().await, 0);
}

/// Whether the token is live, as both servers have it after a while.
async fn is_live_everywhere(servers: [&World; 2], browser: &Browser, expected: bool) {
    for server in servers {
        let agrees = async || server.is_live(browser, clock::now()).await == expected;
        eventually(if expected { "a live session" } else { "the end of a session" }, agrees).await;
    }
}

pub(crate) async fn what_is_provisional_on_another_server_is_ended_or_refused(world: &World) {
    let (other, ann) = provisional_in_redis(world).await;
    let now = clock::now();
    assert_eq!(other.sign_in(&ann, "u_2", now).await, Said::Unavailable);
    assert_eq!(other.forget(&ann, now).await, Said::Unavailable);
    assert_eq!(other.end_others(&ann, "u_1", now).await, Said::Unavailable);
    assert!(other.identify(&ann, true, clock::now()).await.is_some());
    assert_eq!(other.end(&ann.copy(), now).await, Said::Cleared);
    is_live_everywhere([world, &other], &ann, false).await;

    // One that somebody with a key names.
    let zoe = Browser::new();
    assert_eq!(world.sign_in(&zoe, "u_3", now).await, Said::Fresh);
    assert!(other.identify(&zoe, true, clock::now()).await.is_some());
    let tag = zoe.proof().tag;
    assert_eq!(other.end_by_key("u_1", tag, None, now).await, Said::Missing, "of another user");
    assert_eq!(other.end_by_key("u_3", tag, None, now).await, Said::Left);
    is_live_everywhere([world, &other], &zoe, false).await;

    // One that the database has never heard of.
    let bob = Browser::new();
    assert_eq!(world.view(&bob, now).await, Said::Fresh);
    assert!(other.identify(&bob, true, clock::now()).await.is_some());
    assert_eq!(other.sign_out(&bob.copy(), now).await, Said::Cleared);
    is_live_everywhere([world, &other], &bob, false).await;

    world.settle().await;
    for browser in [&ann, &zoe, &bob] {
        is_live_everywhere([world, &other], browser, false).await;
    }
    assert_eq!((world.live_tokens().await, world.visits().await, world.page_views().await), (0, 1, 1));
}

pub(crate) async fn a_provisional_sign_in_ends_with_all_sessions_of_its_user(world: &World) {
    let (other, now) = (world.second().await, clock::now());
    let signed_in = async |user: &str, has_visit: bool, now| {
        let browser = Browser::new();
        if has_visit {
            assert_eq!(world.start(&browser, now).await, Said::Fresh);
        }
        assert_eq!(world.sign_in(&browser, user, now).await, Said::Fresh);
        browser
    };
    let end = [signed_in("u_1", true, now).await, signed_in("u_1", false, now).await];
    let ends_here = signed_in("u_2", true, now).await;
    let bound = signed_in("u_2", false, now).await;
    assert_eq!(world.view(&bound, now).await, Said::Kept);
    let live = [signed_in("u_2", false, now).await, signed_in("u_3", true, now).await];
    assert_eq!(other.end_all_of("u_1", None, now + 1).await, Said::Left);
    assert_eq!(other.end_all_of("u_2", Some(HOST), now + 1).await, Said::Left);
    assert_eq!(other.end_all_of("u_3", Some("elsewhere.example"), now + 1).await, Said::Left);
    let later = [signed_in("u_1", true, now + 2).await, signed_in("u_2", true, now + 2).await];
    world.settle().await;
    for browser in end.iter().chain([&ends_here, &bound]) {
        is_live_everywhere([world, &other], browser, false).await;
    }
    for browser in live.iter().chain(&later) {
        is_live_everywhere([world, &other], browser, true).await;
    }
    let linked = "SELECT user_id FROM sessions ORDER BY user_id, started_at";
    assert_eq!(
        world.texts(linked).await,
        ["u_1", "u_1", "u_2", "u_2", "u_2", "u_3"],
        "the visits are the users'"
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM user_endings WHERE LENGTH(user_hash) = 32").await, 3);
    world.sweep(now + ERASED_KEPT_MS).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM user_endings").await, 3);
    world.sweep(now + ERASED_KEPT_MS + 2).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM user_endings").await, 0);
}

pub(crate) async fn a_provisional_change_that_is_not_confirmed_is_forgotten_everywhere(world: &World) {
    let ann = Browser::new();
    world.sign_in(&ann, "u_1", world.now).await;
    let (other, first) = (world.second().await, ann.proof());
    assert_eq!(world.sign_out(&ann, world.now + 1).await, Said::Fresh);
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 2).await, Said::Fresh);
    assert!(other.identify(&ann, true, clock::now()).await.is_some(), "the other hears of it from Redis");
    // A request that was judged before that reaches the database first.
    let stored = SessionToken::rotate(first.tag).unwrap();
    let sign_out = SignOut { now: world.now + 3, presented: first, candidate: stored.proof() };
    assert_eq!(other.commit(sign_out).await, sign_out::Outcome::Done);
    world.settle().await;
    is_live_everywhere([world, &other], &ann, false).await;
    is_live_everywhere([world, &other], &Browser::with_cookie(stored), true).await;
}

/// Two servers without the database change the same sessions in turn; the server of this number is back first.
async fn changed_in_turn(world: &World, back_first: usize) {
    let (ann, zoe, bob, nobody) = (Browser::new(), Browser::new(), Browser::new(), Browser::new());
    for (browser, user) in [(&ann, "u_1"), (&zoe, "u_2")] {
        assert_eq!(world.sign_in(browser, user, world.now).await, Said::Fresh);
    }
    let (other, now) = (world.second().await, world.now);
    world.place().line(1, Mode::Refuse);
    let ends = async |server: &World, browser: &Browser| {
        assert!(server.identify(browser, true, clock::now()).await.is_some(), "it hears from Redis");
        assert_eq!(server.end(&browser.copy(), now + 3).await, Said::Cleared);
    };
    assert_eq!(world.sign_out(&ann, now + 1).await, Said::Fresh);
    assert_eq!(other.sign_in(&ann, "u_1", now + 2).await, Said::Fresh);
    assert_eq!(other.sign_in(&ann, "u_1", now + 3).await, Said::Fresh);
    assert_eq!(world.sign_in(&zoe, "u_2", now + 1).await, Said::Fresh);
    ends(&other, &zoe).await;
    assert_eq!(world.view(&bob, now + 1).await, Said::Fresh);
    ends(&other, &bob).await;
    let yan = Browser::new();
    assert_eq!(world.sign_in(&yan, "u_4", now + 1).await, Said::Fresh);
    assert_eq!(world.view(&yan, now + 1).await, Said::Kept, "its replay binds the session to a visit");
    let yan_before = yan.copy();
    assert!(other.identify(&yan, true, clock::now()).await.is_some());
    assert_eq!(other.sign_out(&yan, now + 2).await, Said::Fresh);

    let servers = [world, &other];
    let first = servers[back_first];
    first.send(&nobody, anonymous(event("first", now)), now).await;
    world.place().line(back_first, Mode::Pass);
    let stored = async || world.place().texts("SELECT name FROM events").await == ["first"];
    eventually("the first replay", stored).await;
    is_live_everywhere(servers, &yan, true).await;
    is_live_everywhere(servers, &yan_before, false).await;
    world.place().line(1 - back_first, Mode::Pass);
    for server in 0..2 {
        eventually("an empty spool", async || world.place().spooled(server) == 0).await;
    }
    for browser in [&ann, &yan] {
        is_live_everywhere(servers, browser, true).await;
    }
    for browser in [&zoe, &bob, &yan_before] {
        is_live_everywhere(servers, browser, false).await;
    }
    assert_eq!((world.live_tokens().await, world.visits().await, world.page_views().await), (2, 2, 2));
}

pub(crate) async fn provisional_changes_of_two_servers_are_confirmed_if_the_earlier_is_back_first(
    world: &World,
) {
    changed_in_turn(world, 0).await;
}

pub(crate) async fn provisional_changes_of_two_servers_are_confirmed_if_the_later_is_back_first(
    world: &World,
) {
    changed_in_turn(world, 1).await;
}

/// A server that is cut off knows of activity; another finds the session idle meanwhile.
pub(crate) async fn a_session_that_was_found_idle_elsewhere_has_ended_everywhere(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    assert_eq!(world.start(&ann, now).await, Said::Fresh);
    let other = world.second().await;
    assert_eq!(world.ping(&ann, now + 20 * MINUTE).await, Said::Kept);
    other.sweep(now + 40 * MINUTE).await;
    assert_eq!(world.live_tokens().await, 0);
    assert!(world.is_live(&ann, now + 41 * MINUTE).await, "it cannot know");
    world.settle().await;
    world.sweep(now + 42 * MINUTE).await;
    for server in [world, &other] {
        let is_dead = async || !server.is_live(&ann, now + 43 * MINUTE).await;
        eventually("the end of a session", is_dead).await;
    }
}

pub(crate) async fn what_was_acknowledged_survives_a_restart(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.view(&ann, world.now).await;
    world.restart_as_it_is(world.now).await;
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["1"]);
    assert!(world.is_live(&ann, world.now).await);
}

pub(crate) async fn after_a_restart_no_store_tells_of_a_session(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.restart_as_it_is(world.now + 1).await;
    assert_eq!(world.ping(&ann, world.now + 2).await, Said::Unavailable);
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 2).await, Said::Unavailable);
    assert_eq!(world.sign_out(&ann, world.now + 2).await, Said::Unavailable);
    assert_eq!(world.forget(&ann, world.now + 2).await, Said::Unavailable);
    assert_eq!(world.view(&ann, world.now + 3).await, Said::Left, "stored, and judged at the replay");
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["1"]);
    assert_eq!(world.tokens().await, 1);
    eventually("a live session", async || world.is_live(&ann, world.now + 4).await).await;
}

pub(crate) async fn as_many_visits_are_told_as_may_turn_out_to_begin(world: &World) {
    let (ann, late) = (Browser::new(), world.now - HOUR);
    let command = |facts| {
        let context = world.context(&ann, &SessionToken::issue().unwrap(), world.now);
        Facts { context, runs: vec![Run { visitor: Some(ann.visitor), facts }] }
    };
    for _ in 0..2 {
        let facts = vec![view(late), view(world.now), event("play", world.now), view(late)];
        assert_eq!(world.commit(command(facts)).await.attached.begun, 2, "the late views are of one visit");
    }
    assert_eq!(
        world.commit(command(vec![anonymous(view(late)), order("1", "1", late)])).await.attached.begun,
        0
    );
    world.settle().await;
    assert_eq!(world.visits().await, 2);
}
