//! Facts that arrive when the session they were of is long idle.

use crate::facts::{event, on, view};
use crate::world::{Browser, HOUR, MINUTE, Said, World};

const VISITS: &str = "SELECT started_at || ' ' || last_activity || ' ' || COALESCE(ended_at, 0) || ' ' || page_views \
                      FROM sessions ORDER BY started_at";

pub(crate) async fn a_late_view_belongs_to_the_visit_that_covers_it(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let later = world.now + 3 * HOUR;
    assert_eq!(world.send(&ann, view(world.now + 29 * MINUTE), later).await, Said::Left);
    assert_eq!(world.texts("SELECT page_views FROM sessions").await, ["2"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM page_views WHERE visit_id IS NULL").await, 0);
}

pub(crate) async fn a_late_view_that_no_visit_covers_makes_a_closed_one(world: &World) {
    let (ann, at) = (Browser::new(), world.now - 3 * HOUR);
    assert_eq!(world.send(&ann, view(at), world.now).await, Said::Left);
    assert_eq!(world.texts(VISITS).await, [format!("{at} {at} {at} 1")]);
    assert_eq!(world.tokens().await, 0);
}

pub(crate) async fn an_array_of_late_views_makes_one_closed_visit(world: &World) {
    let (ann, first) = (Browser::new(), world.now - 3 * HOUR);
    let views = (0..5).map(|minute| view(first + minute * MINUTE)).collect();
    assert_eq!(world.send_all(&ann, views, world.now).await, (0, Said::Left));
    let last = first + 4 * MINUTE;
    assert_eq!(world.texts(VISITS).await, [format!("{first} {last} {last} 5")]);
    assert_eq!(world.tokens().await, 0);
}

pub(crate) async fn a_late_view_extends_neither_session_nor_visit(world: &World) {
    let ann = Browser::new();
    world.start(&ann, world.now).await;
    let (at, late) = (world.now + MINUTE, world.now - HOUR);
    assert_eq!(world.send(&ann, view(late), at).await, Said::Left);
    assert_eq!(
        world.texts(VISITS).await,
        [format!("{late} {late} {late} 1"), format!("{0} {0} 0 0", world.now)]
    );
    assert_eq!(world.ping(&ann, world.now + 30 * MINUTE).await, Said::Expired);
}

pub(crate) async fn a_late_view_lengthens_no_visit_that_was_ended_on_request(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let ended = world.now + 10 * MINUTE;
    world.end(&ann, ended).await;
    let (within, beyond) = (world.now + 5 * MINUTE, ended + 1);
    let later = world.now + 3 * HOUR;
    world.send_all(&ann, vec![view(within), view(beyond)], later).await;
    let first = format!("{} {within} {ended} 2", world.now);
    assert_eq!(world.texts(VISITS).await, [first, format!("{beyond} {beyond} {beyond} 1")]);
}

pub(crate) async fn late_and_recent_facts_of_one_array_go_their_own_ways(world: &World) {
    let (ann, late) = (Browser::new(), world.now - 2 * HOUR);
    let facts = vec![view(late), event("play", late + MINUTE), view(world.now)];
    assert_eq!(world.send_all(&ann, facts, world.now).await.1, Said::Fresh);
    let last = late + MINUTE;
    assert_eq!(
        world.texts(VISITS).await,
        [format!("{late} {last} {last} 1"), format!("{0} {0} 0 1", world.now)]
    );
}

/// Where each visit is, when it began, how many views it has.
const OF_SITES: &str =
    "SELECT site || ' ' || started_at || ' ' || page_views FROM sessions ORDER BY site, started_at";

pub(crate) async fn late_views_of_many_sites_and_times_find_their_own_visits(world: &World) {
    let ann = Browser::new();
    let site = |number: i64| format!("s{number}.example");
    let began = |number: i64, visit: i64| world.now + visit * HOUR + number * MINUTE;
    let mut expected = Vec::new();
    for number in 0..4 {
        for visit in 0..3 {
            let at = began(number, visit);
            world.send(&Browser::of(ann.visitor), on(&site(number), view(at)), at).await;
            expected.push(format!("{} {at} 2", site(number)));
        }
    }
    let later = world.now + 10 * HOUR;
    let late = (0..4).flat_map(|number| (0..3).map(move |visit| (number, visit)));
    let views = late.map(|(number, visit)| on(&site(number), view(began(number, visit) + 20 * MINUTE)));
    world.send_all(&ann, views.collect(), later).await;
    assert_eq!(world.texts(OF_SITES).await, expected);
}

pub(crate) async fn late_views_that_make_visits_are_joined_by_later_ones(world: &World) {
    let ann = Browser::new();
    let views = |minute| -> Vec<_> {
        let at = world.now - 2 * HOUR + minute * MINUTE;
        (0..50).map(|number| on(&format!("s{number:02}.example"), view(at))).collect()
    };
    let both = [views(0), views(10)].concat();
    world.send_all(&ann, both, world.now).await;
    world.send_all(&ann, views(20), world.now).await;
    let began = world.now - 2 * HOUR;
    let expected: Vec<String> = (0..50).map(|number| format!("s{number:02}.example {began} 3")).collect();
    assert_eq!(world.texts(OF_SITES).await, expected);
}
