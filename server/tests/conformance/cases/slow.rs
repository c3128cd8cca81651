//! Facts for which Postgres takes too long.

use crate::facts::event;
use crate::world::{Browser, Said, World, eventually};

/// Waits until everything of the spool is stored or set aside. The slow event is the only dead letter.
async fn only_the_slow_event_is_set_aside(world: &World) {
    eventually("an empty spool", async || world.place().spooled(0) == 0).await;
    let letters = "SELECT command LIKE '%slow%' FROM dead_letters";
    assert_eq!(world.texts(letters).await, ["t"]);
    assert_eq!(world.events().await, 0);
}

/// A browser with a visit, whose slow event waits in the spool.
async fn browser_with_a_slow_event(world: &World) -> Browser {
    let ann = Browser::new();
    assert_eq!(world.view(&ann, world.now).await, Said::Fresh);
    world.place().slow_down_events_named("slow").await;
    assert_eq!(world.send(&ann, event("slow", world.now), world.now).await, Said::Kept);
    ann
}

pub(crate) async fn a_fact_that_is_too_slow_is_set_aside_and_holds_up_nobody(world: &World) {
    let (ann, bob) = (browser_with_a_slow_event(world).await, Browser::new());
    assert_eq!(world.view(&bob, world.now).await, Said::Fresh);
    for browser in [&bob, &bob, &ann] {
        assert_eq!(world.view(browser, world.now).await, Said::Kept);
    }
    only_the_slow_event_is_set_aside(world).await;
    assert_eq!(world.page_views().await, 5);
    assert_eq!(world.visits().await, 2);
}

pub(crate) async fn a_server_that_starts_with_a_fact_that_is_too_slow_sets_it_aside(world: &World) {
    let (ann, bob) = (browser_with_a_slow_event(world).await, Browser::new());
    assert_eq!(world.view(&bob, world.now).await, Said::Fresh);
    // The slow one is at the head of the spool, and has not been tried three times.
    world.restart_as_it_is(world.now).await;
    assert_ne!(world.view(&bob, world.now).await, Said::Unavailable);
    only_the_slow_event_is_set_aside(world).await;
    assert_eq!(world.page_views().await, 3);
    assert_ne!(world.view(&ann, world.now).await, Said::Unavailable);
    eventually("the view after", async || world.page_views().await == 4).await;
}
