//! Facts that the database refuses.

use futures_util::future::join_all;

use crate::facts::{event, view};
use crate::world::{Browser, Said, World};

/// A hundred requests at once, so that they share commits; every tenth is refused.
async fn a_hundred(world: &World) -> Vec<Browser> {
    world.place().refuse_events_named("refused").await;
    let browsers: Vec<Browser> = (0..100).map(|_| Browser::new()).collect();
    let requests = browsers.iter().enumerate().map(async |(index, browser)| {
        let name = if index % 10 == 3 { "refused" } else { "fine" };
        world.send(browser, event(name, world.now), world.now).await
    });
    let said = join_all(requests).await;
    assert!(!said.contains(&Said::Unavailable), "what is set aside is kept, and so acknowledged: {said:?}");
    browsers
}

pub(crate) async fn a_refused_fact_is_set_aside_and_its_neighbours_are_stored(world: &World) {
    a_hundred(world).await;
    assert_eq!(world.events().await, 90);
    let letters = "SELECT COUNT(*) FROM dead_letters WHERE command LIKE '%refused%' AND reason <> ''";
    assert_eq!(world.number(letters).await, 10);
    assert_eq!(world.number("SELECT COUNT(*) FROM dead_letters").await, 10);
}

pub(crate) async fn a_refused_fact_leaves_neither_visit_nor_session(world: &World) {
    let browsers = a_hundred(world).await;
    assert_eq!(world.visits().await, 90);
    assert_eq!(world.tokens().await, 90);
    assert_eq!(world.held(), 90);
    let mut live = 0;
    for browser in &browsers {
        live += usize::from(world.is_live(browser, world.now).await);
    }
    assert_eq!(live, 90);
}

pub(crate) async fn a_refused_array_is_set_aside_whole(world: &World) {
    world.place().refuse_events_named("refused").await;
    let (ann, now) = (Browser::new(), world.now);
    world.start(&ann, now).await;
    world.send_all(&ann, vec![view(now), event("refused", now), view(now)], now).await;
    assert_eq!(world.view(&ann, now).await, Said::Kept);
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["1"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM dead_letters").await, 1);
}
