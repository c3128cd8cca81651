//! Which site a visit is of.

use crate::facts::{anonymous, event, on, view};
use crate::world::{Browser, Said, World};

pub(crate) async fn the_first_fact_sets_the_site_that_the_start_only_guessed(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    world.send(&ann, on("blog.example", view(world.now)), world.now).await;
    let visits = world.texts("SELECT site || ' ' || entry_url FROM sessions").await;
    assert_eq!(visits, ["blog.example https://shop.example/a"]);
    assert_eq!(world.texts("SELECT site FROM visitors").await, ["blog.example"]);
}

pub(crate) async fn a_request_that_names_no_site_joins_the_live_visit_whatever_its_site(world: &World) {
    let ann = Browser::new();
    world.send(&ann, on("blog.example", view(world.now)), world.now).await;
    assert_eq!(world.start(&Browser::of(ann.visitor), world.now).await, Said::Fresh);
    world.send(&Browser::of(ann.visitor), event("play", world.now), world.now).await;
    assert_eq!(world.texts("SELECT site FROM sessions").await, ["blog.example"]);
    assert_eq!(world.texts("SELECT site FROM events").await, ["blog.example"]);
    assert_eq!(world.tokens().await, 3);
}

pub(crate) async fn a_visit_that_was_only_started_takes_the_site_of_its_first_fact_from_any_tab(
    world: &World,
) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let other_tab = Browser::of(ann.visitor);
    world.send(&other_tab, on("blog.example", view(world.now)), world.now).await;
    assert_eq!(world.texts("SELECT site FROM sessions").await, ["blog.example"]);
    assert_eq!(world.texts("SELECT site FROM visitors").await, ["blog.example"]);
}

pub(crate) async fn another_site_is_another_visit(world: &World) {
    let ann = Browser::new();
    world.send(&ann, on("blog.example", view(world.now)), world.now).await;
    let there = Browser::of(ann.visitor);
    world.send(&there, on("shop.example", view(world.now + 1)), world.now + 1).await;
    let sites = world.texts("SELECT site || page_views FROM sessions ORDER BY site").await;
    assert_eq!(sites, ["blog.example1", "shop.example1"]);
}

pub(crate) async fn a_visit_with_a_fact_keeps_its_site(world: &World) {
    let ann = Browser::new();
    world.send(&ann, on("blog.example", view(world.now)), world.now).await;
    world.send(&ann, on("shop.example", view(world.now)), world.now).await;
    assert_eq!(world.texts("SELECT site || page_views FROM sessions").await, ["blog.example2"]);
    assert_eq!(
        world.texts("SELECT site FROM page_views ORDER BY site").await,
        ["blog.example", "shop.example"]
    );
}

pub(crate) async fn an_anonymous_view_has_no_visit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    assert_eq!(world.send(&ann, anonymous(view(world.now)), world.now).await, Said::Left);
    assert_eq!(world.send(&Browser::new(), anonymous(view(world.now)), world.now).await, Said::Left);
    assert_eq!(world.number("SELECT COUNT(*) FROM page_views WHERE visit_id IS NULL").await, 2);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["0"]);
    assert_eq!(world.tokens().await, 1);
}
