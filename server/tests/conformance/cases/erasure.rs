//! Erasure: nothing of a visitor is left, and nothing comes back.

use visitflow_server::contract::erasure::ERASED_KEPT_MS;
use visitflow_server::ledger::Refused;
use visitflow_server::ledger::commands::{Facts, facts};
use visitflow_server::ledger::context::Context;
use visitflow_server::ledger::kinds::Run;
use visitflow_server::lifecycle::Right;
use visitflow_server::session::{Caller, uuid_v7};
use visitflow_testkit::proxy::Mode;

use crate::facts::{event, fact, on, order, page, refund, view};
use crate::world::{Browser, HOUR, MINUTE, Said, World, eventually};

/// How many rows are somebody's, in all tables together.
pub(super) async fn rows(world: &World) -> i64 {
    let tables = [
        "sessions",
        "visitors",
        "visitor_keys",
        "page_views",
        "events",
        "orders",
        "refunds",
        "dead_letters",
        "retired_secrets",
    ];
    let mut rows = world.number("SELECT COUNT(*) FROM session_tokens WHERE visit_id IS NOT NULL").await;
    for table in tables {
        rows += world.number(&format!("SELECT COUNT(*) FROM {table}")).await;
    }
    rows
}

/// Visits, views, an event, an order and its refunds, on two sites and of two days.
pub(super) async fn leaves_traces(world: &World, browser: &Browser, shop_order: &str) {
    let now = world.now;
    assert_eq!(world.start(browser, now).await, Said::Fresh);
    world.view(browser, now).await;
    world.sign_in(browser, "u_1", now).await;
    world.send_all(browser, vec![view(now - 20 * HOUR), event("seen", now)], now).await;
    world.send(browser, order(shop_order, "9.90", now), now).await;
    let shop = Browser::new();
    for partial in ["a", "b"] {
        let refund = refund(&format!("{shop_order}-{partial}"), shop_order, "1", now);
        world.send(&shop, refund, now).await;
    }
    let elsewhere = Browser::of(browser.visitor);
    world.send(&elsewhere, on("other.example", view(now)), now).await;
    world.ping(browser, now).await;
}

pub(crate) async fn an_erased_visitor_leaves_no_row_and_others_keep_theirs(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    world.place().refuse_events_named("no").await;
    leaves_traces(world, &bob, "bob-1").await;
    world.send(&bob, event("no", world.now), world.now).await;
    let of_bob = rows(world).await;
    leaves_traces(world, &ann, "ann-1").await;
    world.send(&ann, event("no", world.now), world.now).await;
    let of_both = rows(world).await;
    assert_eq!(of_both, 2 * of_bob, "they have done the same");

    assert_eq!(world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await, Said::Left);
    assert_eq!(rows(world).await, of_bob);
    let named = format!(
        "SELECT (SELECT COUNT(*) FROM sessions WHERE visitor_id = '{0}') \
         + (SELECT COUNT(*) FROM visitors WHERE visitor_id = '{0}') \
         + (SELECT COUNT(*) FROM orders WHERE visitor_id = '{0}' OR id = 'ann-1') \
         + (SELECT COUNT(*) FROM dead_letters WHERE command LIKE '%{0}%')",
        ann.visitor
    );
    assert_eq!(world.number(&named).await, 0);
    assert!(!world.is_live(&ann, world.now + 2).await);
    assert!(world.is_live(&bob, world.now + 2).await);
    let log = world.texts("SELECT asked_by || ' ' || row_count || ' ' || erased_at FROM erasures").await;
    assert_eq!(log, [format!("admin {} {}", of_both - of_bob, world.now + 1)]);
}

pub(crate) async fn late_facts_of_an_erased_visitor_are_refused(world: &World) {
    let (ann, root, now, id) = (Browser::new(), Browser::new(), world.now, uuid_v7(world.now));
    world.start(&ann, now).await;
    world.send(&ann, fact(page(id), now), now).await;
    world.erase(&root, ann.visitor, Right::Key, now + 1).await;
    // With the cookie that it had, with none, and with what it may get provisionally meanwhile.
    let stranger = Browser::of(ann.visitor);
    for browser in [&ann, &stranger] {
        world.send(browser, fact(page(id), now), now + 2).await;
        world.start(browser, now + 2).await;
        world.view(browser, now + 3).await;
        world.send_all(browser, vec![view(now - 6 * 24 * HOUR), event("late", now)], now + 4).await;
        world.send(browser, order("late", "1", now), now + 5).await;
        world.settle().await;
        assert!(!world.is_live(browser, now + 6).await);
    }
    assert_eq!(rows(world).await, 0);
    assert_eq!(world.live_tokens().await, 0);
}

pub(crate) async fn a_restart_forgets_no_erasure(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await;
    world.restart(world.now + 2).await;
    assert!(!world.is_live(&ann, world.now + 2).await);
    world.view(&ann, world.now + 3).await;
    assert_eq!(rows(world).await, 0);
}

pub(crate) async fn after_eight_days_an_erased_visitor_may_begin_anew(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.erase(&root, ann.visitor, Right::Admin, world.now).await;
    world.sweep(world.now + ERASED_KEPT_MS).await;
    world.view(&ann, world.now + ERASED_KEPT_MS).await;
    assert_eq!(rows(world).await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM erased_visitors").await, 1);
    let later = world.now + ERASED_KEPT_MS + MINUTE;
    world.sweep(later).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM erased_visitors").await, 0);
    assert_eq!(world.view(&Browser::of(ann.visitor), later).await, Said::Fresh);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_browser_erases_its_own_visitor_alone(world: &World) {
    let (ann, bob, eve) = (Browser::new(), Browser::new(), Browser::new());
    for browser in [&ann, &bob] {
        world.meet(browser, world.now).await;
        world.view(browser, world.now).await;
    }
    world.settle().await;
    assert_eq!(world.erase(&ann, bob.visitor, Right::Own, world.now + 1).await, Said::NotTheirs);
    assert_eq!(world.erase(&eve, bob.visitor, Right::Own, world.now + 1).await, Said::NotTheirs);
    assert_eq!(world.page_views().await, 2);
    assert_eq!(world.number("SELECT COUNT(*) FROM erasures").await, 0);
    assert_eq!(world.erase(&ann, ann.visitor, Right::Own, world.now + 2).await, Said::Cleared);
    assert_eq!(world.texts("SELECT visitor_id FROM sessions").await, [bob.visitor.to_string()]);
    assert_eq!(world.texts("SELECT asked_by FROM erasures").await, ["visitor"]);
    assert!(world.is_live(&bob, world.now + 3).await);
}

/// To know a visitor's id is enough to join its visit, and for nothing more.
pub(crate) async fn a_browser_without_the_visitors_key_erases_nothing(world: &World) {
    let (ann, bob, now) = (Browser::new(), Browser::new(), world.now);
    world.meet(&ann, now).await;
    world.meet(&bob, now).await;
    let (keyless, wrong) = (Browser::of(ann.visitor), bob.copy_as(ann.visitor));
    wrong.lose_cookie();
    for eve in [&keyless, &wrong] {
        world.view(eve, now + 1).await;
        assert_eq!(world.erase(eve, ann.visitor, Right::Own, now + 2).await, Said::NotTheirs);
    }
    assert_eq!((world.visits().await, world.page_views().await), (2, 2));
    assert_eq!(world.number("SELECT COUNT(*) FROM erased_visitors").await, 0);
    assert_eq!(world.erase(&ann, ann.visitor, Right::Own, now + 3).await, Said::Cleared);
    assert_eq!(world.texts("SELECT visitor_id FROM sessions").await, [bob.visitor.to_string()]);
}

/// Its session may have expired, or Global Privacy Control be on since.
pub(crate) async fn the_key_alone_is_enough_to_erase(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.meet(&ann, now).await;
    world.view(&ann, now).await;
    let elsewhere = ann.copy();
    elsewhere.lose_cookie();
    assert_eq!(world.erase(&elsewhere, ann.visitor, Right::Own, now + 1).await, Said::Left);
    assert_eq!(rows(world).await, 0);
    assert!(!world.is_live(&ann, now + 2).await);
}

/// Who withdraws consent to measuring stays signed in; to erase what was measured changes nothing of that.
pub(crate) async fn a_session_that_is_of_no_visit_of_the_visitor_goes_on_after_the_erasure(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.meet(&ann, now).await;
    world.view(&ann, now).await;
    world.sign_in(&ann, "u_1", now + 1).await;
    world.forget(&ann, now + 2).await;
    assert_eq!(world.erase(&ann, ann.visitor, Right::Own, now + 3).await, Said::Left);
    assert_eq!((world.visits().await, world.page_views().await), (0, 0));
    assert!(world.is_live(&ann, now + 4).await);
}

/// A dashboard's session has no visit, and so no visitor of its own.
pub(crate) async fn a_session_without_a_visit_erases_nobody(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.sign_in_without_visit(&root, "u_1", world.now).await;
    assert_eq!(world.erase(&root, ann.visitor, Right::Own, world.now + 1).await, Said::NotTheirs);
    assert_eq!(world.page_views().await, 1);
}

pub(crate) async fn erasing_again_or_an_unknown_visitor_changes_nothing(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.view(&bob, world.now).await;
    let of_both = rows(world).await;
    let nobody = Browser::new().visitor;
    for visitor in [nobody, ann.visitor, ann.visitor, nobody] {
        assert_eq!(world.erase(&root, visitor, Right::Admin, world.now + 1).await, Said::Left);
    }
    assert_eq!(rows(world).await, of_both / 2);
    let log = world.texts("SELECT row_count FROM erasures ORDER BY id").await;
    assert_eq!(log, ["0".to_owned(), (of_both / 2).to_string(), "0".into(), "0".into()]);
}

pub(crate) async fn a_fact_of_an_erased_visitor_is_refused_in_another_visitors_session(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    world.view(&bob, world.now).await;
    world.erase(&root, ann.visitor, Right::Admin, world.now).await;
    let mut kept = bob.copy();
    kept.visitor = ann.visitor;
    world.view(&kept, world.now + 1).await;
    world.view(&bob, world.now + 1).await;
    assert_eq!(world.page_views().await, 2);
    assert_eq!(world.texts("SELECT visitor_id FROM sessions").await, [bob.visitor.to_string()]);
}

/// It names nobody; what its session was is all that tells.
pub(crate) async fn a_nameless_fact_of_an_erased_visit_is_refused(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    let visit_id = world.texts("SELECT id FROM sessions").await.remove(0).parse().unwrap();
    world.erase(&root, ann.visitor, Right::Admin, world.now).await;
    let caller = Caller::Live { token: ann.proof(), visit_id: Some(visit_id) };
    let context = Context {
        now: world.now,
        caller,
        candidate: None,
        visitor: None,
        key: None,
        site: Some(crate::world::HOST.into()),
    };
    let facts = vec![view(world.now), order("nameless", "1", world.now)];
    world.commit(Facts { context, runs: vec![Run { visitor: None, facts }] }).await;
    assert_eq!(rows(world).await, 0);
}

/// A request that carries the cookie of the session and names nobody.
async fn nameless(world: &World, browser: &Browser, now: i64) {
    let facts = vec![view(now), event("seen", now), order("nameless", "1", now), view(now - HOUR)];
    assert_eq!(world.send_nameless(browser, facts, now).await, Said::Left, "no cookie is set");
    assert_eq!(rows(world).await, 0);
}

pub(crate) async fn a_fact_with_only_the_cookie_of_an_erased_session_is_refused(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await;
    world.settle().await;
    nameless(world, &ann, world.now + 2).await;
    let later = world.now + 10 * MINUTE;
    world.sweep(later).await;
    nameless(world, &ann, later).await; // the grace period is over
    world.restart(later + 1).await;
    nameless(world, &ann, later + 1).await;
    assert_eq!(world.live_tokens().await, 0);
    // The same browser with another visitor is somebody else.
    let anew = ann.copy_as(bob.visitor);
    world.view(&anew, later + 2).await;
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_fact_far_from_its_visit_is_erased_too(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    for browser in [&ann, &bob] {
        world.send_all(browser, vec![view(world.now), event("seen", world.now)], world.now).await;
    }
    world.settle().await;
    let far = world.now + 100 * HOUR;
    for table in ["page_views", "events"] {
        world.place().execute(&format!("UPDATE {table} SET occurred_at = {far}")).await;
    }
    world.erase(&root, ann.visitor, Right::Admin, world.now).await;
    assert_eq!((world.page_views().await, world.events().await), (1, 1));
}

pub(crate) async fn facts_refused_after_an_erasure_are_counted(world: &World) {
    let (ann, root, now) = (Browser::new(), Browser::new(), world.now);
    world.erase(&root, ann.visitor, Right::Admin, now).await;
    assert_eq!(world.start(&ann, now).await, Said::Left);
    assert_eq!(world.view(&ann, now).await, Said::Left);
    let context = world.context(&ann, &visitflow_server::session::token::SessionToken::issue().unwrap(), now);
    let runs = vec![Run { visitor: Some(ann.visitor), facts: vec![view(now), order("1", "1", now)] }];
    let refused = world.commit(Facts { context, runs }).await;
    let erased = Refused { erased: 2, of_other_sites: 0 };
    assert_eq!(refused, facts::Outcome { refused: erased, ..facts::Outcome::default() });
}

// ---- two servers

pub(crate) async fn an_erasure_on_one_server_is_one_on_the_other(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    let other = world.second().await;
    assert!(other.is_live(&ann, world.now).await);
    for _ in 0..20 {
        other.view(&ann, world.now).await;
    }
    world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await;
    // With what it remembers of the visit.
    other.view(&ann, world.now + 2).await;
    assert_eq!(rows(world).await, 0);
    let is_dead = async || {
        other.tick(world.now + 3);
        !other.is_live(&ann, world.now + 3).await
    };
    eventually("the end of the session on the other server", is_dead).await;
}

// ---- the database is away

pub(crate) async fn an_erasure_without_the_database_is_refused_and_does_nothing(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.meet(&ann, world.now).await;
    world.view(&ann, world.now).await;
    for (browser, right) in [(&root, Right::Admin), (&ann, Right::Own)] {
        // Its session is provisional, and has no visit yet that could be its visitor's.
        let said = world.erase_as_it_is(browser, ann.visitor, right, world.now).await;
        assert!(matches!(said, Said::Unavailable | Said::NotTheirs), "{said:?}");
    }
    assert_eq!((world.visits().await, world.page_views().await), (1, 1));
    assert_eq!(world.erase(&ann, ann.visitor, Right::Own, world.now + 1).await, Said::Cleared);
    assert_eq!(rows(world).await, 0);
}

pub(crate) async fn what_waits_in_a_spool_does_not_come_back_after_an_erasure_elsewhere(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    let other = world.second().await;
    for browser in [&ann, &bob] {
        world.start(browser, world.now).await;
        world.send_all(browser, vec![view(world.now), event("seen", world.now)], world.now).await;
        world.send(browser, order(&browser.visitor.to_string(), "1", world.now), world.now).await;
        world.sign_in(browser, "u_1", world.now).await;
        world.view(browser, world.now).await;
    }
    assert!(world.place().spooled(0) > 4);
    world.place().line(0, Mode::Refuse);
    let erased = other.erase_as_it_is(&root, ann.visitor, Right::Admin, world.now + 1).await;
    assert_eq!(erased, Said::Left);
    world.settle().await;
    assert_eq!(world.texts("SELECT visitor_id FROM sessions").await, [bob.visitor.to_string()]);
    assert_eq!((world.page_views().await, world.events().await), (2, 1));
    assert_eq!(world.texts("SELECT visitor_id FROM orders").await, [bob.visitor.to_string()]);
    assert!(!world.is_live(&ann, world.now + 2).await, "the provisional session is withdrawn");
    assert_eq!(world.live_tokens().await, 1);
}
