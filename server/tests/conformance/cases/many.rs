//! Visitors who have more than one batch may touch: what is theirs is given a user, and erased, in pieces.

use std::pin::pin;

use futures_util::future::{Either, select};
use uuid::Uuid;
use visitflow_server::contract::erasure::{AskedBy, Erasure, Piece};
use visitflow_server::database::batch::{Batch, Committed, Taken};
use visitflow_server::database::erasure::{FACTS_AT_ONCE, ROWS_AT_ONCE};
use visitflow_server::database::store::Store;
use visitflow_server::ledger::commands::{Command, Link, SignIn};
use visitflow_server::ledger::{LINKED_MOST, LINKS_OF_BATCH};
use visitflow_server::lifecycle::Right;
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::visit::VisitorId;
use visitflow_server::session::{Millis, uuid_v7};
use visitflow_server::session_cache::local::Local;

use super::erasure::rows;
use crate::world::{Browser, HOUR, MINUTE, Said, TTL, World};

/// Stores rows as they are.
async fn insert(world: &World, into: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.map(|row| format!("({row})")).collect();
    for some in rows.chunks(1_000) {
        world.place().execute(&format!("INSERT INTO {into} VALUES {}", some.join(", "))).await;
    }
}

/// Stores ended visits of a visitor, a second apart until an instant, each with so many page views.
pub(super) async fn visits(
    world: &World,
    visitor: VisitorId,
    count: usize,
    page_views: usize,
    until: Millis,
) {
    let ended: Vec<(Uuid, Millis)> =
        (0..count as Millis).map(|n| until - 1_000 * n).map(|at| (uuid_v7(at), at)).collect();
    let columns = "sessions (id, site, visitor_id, started_at, last_activity, ended_at, page_views)";
    let row = |(id, at): &(Uuid, Millis)| {
        format!("'{id}', 'shop.example', '{visitor}', {at}, {at}, {at}, {page_views}")
    };
    insert(world, columns, ended.iter().map(row)).await;
    let views = ended.iter().flat_map(|visit| std::iter::repeat_n(*visit, page_views));
    if world.place().is_postgres() {
        let columns = "page_views (id_time, id, site, visit_id, occurred_at, received_at, url, path)";
        let row = |(visit, at)| format!("{at}, '{}', 's', '{visit}', {at}, {at}, '', ''", uuid_v7(at));
        insert(world, columns, views.map(row)).await;
    } else {
        let columns = "page_views (id, site, visit_id, occurred_at, received_at, url, path)";
        let row = |(visit, at)| format!("'{}', 's', '{visit}', {at}, {at}, '', ''", uuid_v7(at));
        insert(world, columns, views.map(row)).await;
    }
}

/// How many visits of a visitor have this user; '' is none.
async fn of_user(world: &World, visitor: VisitorId, user: &str) -> i64 {
    let visits = "SELECT COUNT(*) FROM sessions WHERE visitor_id =";
    world.number(&format!("{visits} '{visitor}' AND COALESCE(user_id, '') = '{user}'")).await
}

/// The store without a server that would go on with what a batch has left: as one that is killed then.
fn store(world: &World) -> Store {
    world.place().open(7, world.now).storage.store
}

async fn commits(store: &mut Store, commands: &[Command], now: Millis) -> Committed {
    let local = Local::new(TTL);
    store.commit(Batch { commands, taken: Taken::Again(&[]), activity: &local, ttl: TTL, now }).await.unwrap()
}

/// A sign-in with the cookie that the browser has.
fn sign_in(browser: &Browser, user: &str, now: Millis) -> Command {
    let presented = browser.proof();
    let candidate = SessionToken::rotate(presented.tag).unwrap().proof();
    let user = user.into();
    SignIn { now, presented: Some(presented), candidate, user, verified: None, visit: true }.into()
}

pub(crate) async fn a_sign_in_gives_each_of_many_earlier_visits_its_user(world: &World) {
    let (ann, bob) = (Browser::new(), Browser::new());
    let many = 2 * LINKED_MOST + 176;
    world.view(&ann, world.now).await;
    visits(world, ann.visitor, many, 0, world.now - HOUR).await;
    visits(world, ann.visitor, 3, 0, world.now + HOUR).await;
    visits(world, bob.visitor, 80, 0, world.now - HOUR).await;
    visits(world, ann.visitor, 100, 0, world.now - 9 * HOUR).await;
    let set = format!("started_at < {} AND visitor_id = '{}'", world.now - 2 * HOUR, ann.visitor);
    world.place().execute(&format!("UPDATE sessions SET user_id = 'u_0' WHERE {set}")).await;

    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    assert_eq!(of_user(world, ann.visitor, "u_1").await, many as i64 + 1);
    assert_eq!(of_user(world, ann.visitor, "u_0").await, 100, "a visit's user is set once");
    assert_eq!(of_user(world, ann.visitor, "").await, 3, "those that began later");
    assert_eq!(of_user(world, bob.visitor, "").await, 80);
    assert_eq!(world.view(&ann, world.now + 2).await, Said::Kept);
}

pub(crate) async fn a_batch_gives_a_bounded_number_of_visits_their_user(world: &World) {
    let visitors: Vec<VisitorId> = (0..LINKS_OF_BATCH + 2).map(|_| Browser::new().visitor).collect();
    for visitor in &visitors {
        visits(world, *visitor, LINKED_MOST + 1, 0, world.now).await;
    }
    let link = |visitor: &VisitorId| Link { until: world.now, visitor: *visitor, user_id: "u_1".to_owned() };
    let mut commands: Vec<Command> = visitors.iter().map(link).map(Command::from).collect();
    let (mut store, mut linked) = (store(world), Vec::new());
    while !commands.is_empty() {
        let left = commits(&mut store, &commands, world.now).await.left;
        linked.push(world.number("SELECT COUNT(*) FROM sessions WHERE user_id = 'u_1'").await as usize);
        commands = left.into_iter().map(|(_, command)| command).collect();
    }
    let at_once = LINKS_OF_BATCH * LINKED_MOST;
    assert_eq!(linked[0], at_once);
    assert!(linked.windows(2).all(|two| two[1] - two[0] <= at_once), "{linked:?}");
    assert_eq!(linked.last(), Some(&(visitors.len() * (LINKED_MOST + 1))));
}

pub(crate) async fn a_sign_in_that_was_cut_off_is_finished_by_the_next(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    visits(world, ann.visitor, 200, 0, world.now - HOUR).await;
    let cut_off = commits(&mut store(world), &[sign_in(&ann, "u_1", world.now + 1)], world.now + 1).await;
    assert_eq!(cut_off.left.len(), 1);
    let left = of_user(world, ann.visitor, "").await;
    assert!((1..200).contains(&left), "{left}");
    world.restart(world.now + 2).await;
    ann.lose_cookie(); // its answer was lost
    world.start(&ann, world.now + 3).await;
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 4).await, Said::Fresh);
    assert_eq!(of_user(world, ann.visitor, "u_1").await, 201);
}

pub(crate) async fn a_sign_in_that_is_applied_again_goes_on_where_it_was_cut_off(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    visits(world, ann.visitor, 200, 0, world.now - HOUR).await;
    let (mut store, command) = (store(world), sign_in(&ann, "u_1", world.now + 1));
    let mut applied = 0;
    while !commits(&mut store, std::slice::from_ref(&command), world.now + 1).await.left.is_empty() {
        applied += 1;
    }
    assert!(applied > 1, "{applied}");
    assert_eq!(of_user(world, ann.visitor, "u_1").await, 201);
}

pub(crate) async fn another_user_takes_nothing_of_a_sign_in_that_goes_on(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    visits(world, ann.visitor, 200, 0, world.now - HOUR).await;
    let mut store = store(world);
    let begun = commits(&mut store, &[sign_in(&ann, "u_1", world.now + 1)], world.now + 1).await;
    world.restart(world.now + 2).await;
    let again = Browser::of(ann.visitor);
    world.start(&again, world.now + 2).await;
    assert_eq!(world.sign_in(&again, "u_2", world.now + 3).await, Said::Fresh);
    let left: Vec<Command> = begun.left.into_iter().map(|(_, command)| command).collect();
    assert!(commits(&mut store, &left, world.now + 4).await.left.is_empty());
    assert_eq!(of_user(world, ann.visitor, "u_1").await, 201);
    assert_eq!(of_user(world, ann.visitor, "u_2").await, 1, "a visit of its own");
}

pub(crate) async fn others_are_served_between_the_pieces_of_a_sign_in_and_of_an_erasure(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    visits(world, ann.visitor, 12 * LINKED_MOST, 0, world.now - HOUR).await;
    let signed_in = world.sign_in(&ann, "u_1", world.now + 1);
    assert_eq!(first_of(signed_in, world).await, Said::Fresh);
    assert_eq!(of_user(world, ann.visitor, "").await, 0);
    let erased = world.erase_as_it_is(&root, ann.visitor, Right::Admin, world.now + 2);
    assert_eq!(first_of(erased, world).await, Said::Left);
    assert_eq!((world.visits().await, world.page_views().await), (2, 2), "those of the others");
}

/// What a long request is told. The page view of somebody that comes right after it is answered before it.
async fn first_of(long: impl Future<Output = Said>, world: &World) -> Said {
    let bob = Browser::new();
    let (long, view) = (pin!(long), pin!(world.view(&bob, world.now + 2)));
    match select(long, view).await {
        Either::Right((said, long)) => {
            assert_eq!(said, Said::Fresh);
            long.await
        }
        Either::Left((said, _)) => panic!("the others waited until it was told {said:?}"),
    }
}

// ---- erasure

pub(crate) async fn a_visitor_with_many_visits_leaves_no_row(world: &World) {
    let (ann, bob, root) = (Browser::new(), Browser::new(), Browser::new());
    visits(world, bob.visitor, 3, 1, world.now - HOUR).await;
    visits(world, ann.visitor, 2 * ROWS_AT_ONCE + 200, 2, world.now - HOUR).await;
    let theirs = |n: usize| format!("'shop.example', '{n}', '{}', '1', 'EUR'", ann.visitor);
    let count = ROWS_AT_ONCE + 100;
    let orders = "orders (site, id, visitor_id, amount, currency, source, created_at, received_at)";
    insert(world, orders, (0..count).map(|n| format!("{}, 'api', 0, 0", theirs(n)))).await;
    let refunds = "refunds (site, id, visitor_id, amount, currency, refund_of, created_at, received_at)";
    insert(world, refunds, (0..count).map(|n| format!("{}, '{n}', 0, 0", theirs(n)))).await;
    let sites = (0..count).map(|n| format!("'{n}.example', '{}', '{}'", ann.visitor, Uuid::nil()));
    insert(world, "visitors (site, visitor_id, visit_id)", sites).await;
    let of_ann = rows(world).await - 6;
    assert_eq!(of_ann as usize, 3 * (2 * ROWS_AT_ONCE + 200) + 3 * count);

    assert_eq!(world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await, Said::Left);
    assert_eq!(rows(world).await, 6);
    let log = world.texts("SELECT asked_by || ' ' || row_count || ' ' || erased_at FROM erasures").await;
    assert_eq!(log, [format!("admin {of_ann} {}", world.now + 1)]);
}

pub(crate) async fn a_visit_with_many_facts_leaves_no_row(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    visits(world, ann.visitor, 1, 2 * FACTS_AT_ONCE + 500, world.now).await;
    visits(world, ann.visitor, 3, 1, world.now - 100 * HOUR).await;
    // A visit that counts facts which are not there any more.
    world.place().execute("UPDATE sessions SET events = 5000 WHERE page_views = 1").await;
    let of_ann = rows(world).await;
    world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await;
    assert_eq!(rows(world).await, 0);
    assert_eq!(world.texts("SELECT row_count FROM erasures").await, [of_ann.to_string()]);
}

/// Erases one piece of a visitor.
async fn erase_piece(store: &mut Store, visitor: VisitorId, by: AskedBy, now: Millis) -> (u64, bool) {
    match store.erase(&Erasure { visitor, by, now }, 0).await.unwrap() {
        Piece::Done { rows, last, .. } => (rows, last),
        Piece::NotTheirs => panic!("it is theirs"),
    }
}

pub(crate) async fn each_piece_of_an_erasure_is_bounded(world: &World) {
    let ann = Browser::new();
    visits(world, ann.visitor, ROWS_AT_ONCE + 200, 2, world.now).await;
    visits(world, ann.visitor, 1, 2 * FACTS_AT_ONCE + 500, world.now - 50 * HOUR).await;
    let (mut store, mut pieces, mut done) = (store(world), Vec::new(), false);
    while !done {
        let (rows, last) = erase_piece(&mut store, ann.visitor, AskedBy::Key, world.now).await;
        pieces.push(rows as usize);
        done = last;
    }
    assert!(pieces.iter().all(|rows| *rows <= ROWS_AT_ONCE + FACTS_AT_ONCE), "{pieces:?}");
    assert!(pieces.len() > 4, "{pieces:?}");
    assert_eq!(rows(world).await, 0);
}

pub(crate) async fn an_erasure_that_was_cut_off_takes_nothing_new_and_is_finished_by_the_next(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    visits(world, ann.visitor, ROWS_AT_ONCE + 200, 1, world.now - HOUR).await;
    let by = AskedBy::Visitor { key: ann.key().map(|key| key.hash()) };
    let (_, last) = erase_piece(&mut store(world), ann.visitor, by, world.now + 1).await;
    assert!(!last);
    world.restart(world.now + 2).await;
    let left = rows(world).await;
    assert!(left > 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM visitor_keys").await, 1, "it goes with the last piece");
    assert!(!world.is_live(&ann, world.now + 2).await, "its sessions have ended with the first piece");
    let anew = Browser::of(ann.visitor);
    for browser in [&ann, &anew] {
        world.view(browser, world.now + 3).await;
        world.start(browser, world.now + 3).await;
    }
    assert_eq!(rows(world).await, left, "nothing new of the visitor is stored");
    assert_eq!(world.number("SELECT COUNT(*) FROM erasures").await, 0);

    assert_eq!(world.erase(&ann, ann.visitor, Right::Own, world.now + MINUTE).await, Said::Cleared);
    assert_eq!(rows(world).await, 0);
    assert_eq!(world.texts("SELECT row_count FROM erasures").await, [left.to_string()]);
}

pub(crate) async fn a_browser_that_did_not_hear_of_its_erasure_may_ask_again_and_erases_nobody_else(
    world: &World,
) {
    let (ann, bob) = (Browser::new(), Browser::new());
    world.meet(&ann, world.now).await;
    world.meet(&bob, world.now).await;
    world.view(&ann, world.now).await;
    world.view(&bob, world.now).await;
    let unheard = ann.copy();
    assert_eq!(world.erase(&ann, ann.visitor, Right::Own, world.now + 1).await, Said::Cleared);
    assert_eq!(world.erase(&unheard, bob.visitor, Right::Own, world.now + 2).await, Said::NotTheirs);
    assert_eq!(world.page_views().await, 1);
    assert_eq!(world.erase(&unheard, ann.visitor, Right::Own, world.now + 2).await, Said::Cleared);
    assert_eq!(world.texts("SELECT row_count FROM erasures").await.len(), 1, "nothing was left to erase");
    let since = world.texts("SELECT erased_at FROM erased_visitors").await;
    assert_eq!(since, [(world.now + 1).to_string()], "it is not refused for longer");
}
