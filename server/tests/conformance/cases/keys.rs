//! The visitor's key: who is given one, and that only its hash is stored.

use futures_util::future::join_all;

use crate::facts::{event, order, view};
use crate::world::{Browser, HOUR, MINUTE, Said, World};

/// The keys that are stored, as bytes in hexadecimal.
async fn stored(world: &World) -> Vec<String> {
    let hex = if world.place().is_postgres() { "encode(key_hash, 'hex')" } else { "LOWER(HEX(key_hash))" };
    world.texts(&format!("SELECT {hex} FROM visitor_keys ORDER BY visitor_id")).await
}

/// What is stored of the key that a browser holds.
fn hash(browser: &Browser) -> String {
    browser.key().unwrap().hash().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn the_first_request_of_a_visitor_is_given_a_key_of_which_the_hash_is_stored(world: &World) {
    let (ann, bob, now) = (Browser::new(), Browser::new(), world.now);
    assert_eq!(world.start(&ann, now).await, Said::Fresh);
    assert_eq!(stored(world).await, [hash(&ann)]);
    world.view(&bob, now).await;
    let mut both = [(ann.visitor, hash(&ann)), (bob.visitor, hash(&bob))];
    both.sort();
    assert_eq!(stored(world).await, both.map(|(_, hash)| hash));
    // What follows within the visit sets it no more.
    world.view(&ann, now + 1).await;
    world.ping(&ann, now + 2).await;
    world.start(&ann, now + 3).await;
    world.view(&bob, now + 4).await;
    assert_eq!((ann.keys_set(), bob.keys_set()), (1, 1));
}

pub(crate) async fn who_knows_a_visitor_is_given_no_key_of_it(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.start(&ann, now).await;
    let before = stored(world).await;
    // In its visit, on another site, and in a visit of its own later.
    let eves = [(); 3].map(|()| Browser::of(ann.visitor));
    world.start(&eves[0], now + 1).await;
    world.start_on(&eves[1], Some("other.example"), now + 2).await;
    world.view(&eves[2], now + HOUR).await;
    assert_eq!(eves.map(|eve| eve.keys_set()), [0, 0, 0]);
    assert_eq!(stored(world).await, before, "Ann's is as it was");
}

pub(crate) async fn a_start_sets_the_right_key_again_and_no_wrong_one(world: &World) {
    let (ann, bob, now) = (Browser::new(), Browser::new(), world.now);
    world.start(&ann, now).await;
    world.start(&bob, now).await;
    let key = hash(&ann);
    world.start(&ann, now + HOUR).await;
    assert_eq!((ann.keys_set(), hash(&ann)), (2, key.clone()), "a year from now");
    let stranger = bob.copy_as(ann.visitor);
    stranger.lose_cookie();
    world.start(&stranger, now + 2 * HOUR).await;
    assert_eq!((stranger.keys_set(), hash(&stranger)), (0, hash(&bob)));
    assert!(stored(world).await.contains(&key));
}

/// Consent was withdrawn and given anew, and the old key is left: it would tell that both are one.
pub(crate) async fn a_browser_with_the_key_of_another_visitor_is_given_a_fresh_one(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.start(&ann, now).await;
    let anew = ann.copy_as(Browser::new().visitor);
    anew.lose_cookie();
    world.view(&anew, now + 1).await;
    assert_eq!(anew.keys_set(), 1);
    assert_ne!(hash(&anew), hash(&ann));
    assert_eq!(stored(world).await.len(), 2);
}

pub(crate) async fn first_requests_of_a_visitor_at_once_are_given_one_key(world: &World) {
    let visitor = Browser::new().visitor;
    let tabs: Vec<Browser> = (0..20).map(|_| Browser::of(visitor)).collect();
    join_all(tabs.iter().enumerate().map(async |(place, tab)| match place % 2 {
        0 => world.start(tab, world.now).await,
        _ => world.view(tab, world.now).await,
    }))
    .await;
    let given: Vec<&Browser> = tabs.iter().filter(|tab| tab.keys_set() > 0).collect();
    assert_eq!(given.len(), 1);
    assert_eq!(stored(world).await, [hash(given[0])]);
}

pub(crate) async fn a_session_that_signed_in_first_is_given_the_key_with_its_visit(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.sign_in(&ann, "u_1", now).await;
    assert!(ann.key().is_none());
    world.view(&ann, now + 1).await;
    assert_eq!(stored(world).await, [hash(&ann)]);
}

pub(crate) async fn facts_that_begin_no_live_visit_set_no_key(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.send(&ann, order("1", "9.90", now), now).await;
    world.send_all(&ann, vec![view(now - HOUR), event("late", now - 2 * HOUR)], now).await;
    world.send_nameless(&ann, vec![view(now)], now).await;
    assert_eq!(ann.keys_set(), 0);
    assert!(stored(world).await.is_empty());
}

/// Somebody else might come first who knows the id alone.
pub(crate) async fn a_visitor_that_has_something_stored_and_no_key_is_given_none(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.send_all(&ann, vec![view(now - HOUR)], now).await;
    let eve = Browser::of(ann.visitor);
    world.start(&eve, now + 1).await;
    world.view(&eve, now + HOUR).await;
    world.start(&ann, now + 2 * HOUR).await;
    assert_eq!((eve.keys_set(), ann.keys_set()), (0, 0));
    assert!(stored(world).await.is_empty());
}

pub(crate) async fn an_erased_visitor_has_no_key_and_is_given_none(world: &World) {
    let (ann, root, now) = (Browser::new(), Browser::new(), world.now);
    world.start(&ann, now).await;
    world.erase(&root, ann.visitor, visitflow_server::lifecycle::Right::Admin, now + 1).await;
    assert!(stored(world).await.is_empty());
    let anew = Browser::of(ann.visitor);
    world.start(&anew, now + 2).await;
    world.view(&anew, now + 3).await;
    assert_eq!(anew.keys_set(), 0);
    assert!(stored(world).await.is_empty());
}

// ---- two servers

pub(crate) async fn first_requests_on_two_servers_at_once_are_given_one_key(world: &World) {
    let other = world.second().await;
    let visitor = Browser::new().visitor;
    let tabs: Vec<Browser> = (0..20).map(|_| Browser::of(visitor)).collect();
    join_all(tabs.iter().enumerate().map(async |(place, tab)| match place % 2 {
        0 => world.start(tab, world.now).await,
        _ => other.view(tab, world.now).await,
    }))
    .await;
    assert_eq!(tabs.iter().map(Browser::keys_set).sum::<usize>(), 1);
    assert_eq!(stored(world).await.len(), 1);
}

// ---- the database is away

/// It could not be said whether the key is the visitor's.
pub(crate) async fn a_visitor_that_came_first_while_the_database_was_away_is_given_no_key(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    assert_eq!(world.start(&ann, now).await, Said::Fresh);
    world.view(&ann, now + 1).await;
    assert_eq!(ann.keys_set(), 0);
    assert!(stored(world).await.is_empty());
    world.meet(&ann, now + 31 * MINUTE).await;
    assert_eq!(ann.keys_set(), 0);
    assert!(stored(world).await.is_empty());
}
