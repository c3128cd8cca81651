//! Orders: exact, once, and whose word counts.

use visitflow_server::ledger::kinds::{Kind, Order};

use crate::facts::{bought, fact, order, shop_order};
use crate::world::{Browser, MINUTE, Said, World};

/// An amount without the zeros that a database may add behind.
fn plain(amount: &str) -> &str {
    if amount.contains('.') { amount.trim_end_matches('0').trim_end_matches('.') } else { amount }
}

/// Amount, source and whether there is a visit.
async fn orders(world: &World) -> Vec<(String, String)> {
    let amounts = world.texts("SELECT amount FROM orders ORDER BY id").await;
    let visit = "CASE WHEN visit_id IS NULL THEN ' without' ELSE ' with' END";
    let sources = world.texts(&format!("SELECT source || {visit} FROM orders ORDER BY id")).await;
    amounts.iter().map(|amount| plain(amount).to_owned()).zip(sources).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(amount, source)| ((*amount).to_owned(), (*source).to_owned())).collect()
}

pub(crate) async fn an_order_starts_no_visit_and_counts_once(world: &World) {
    for amount in ["10.00", "99.00"] {
        let said = world.send(&Browser::new(), order("1", amount, world.now), world.now).await;
        assert_eq!(said, Said::Left);
    }
    assert_eq!(world.visits().await + world.tokens().await, 0);
    assert_eq!(orders(world).await, pairs(&[("10", "browser without")]));
}

pub(crate) async fn the_shops_own_word_replaces_the_browsers_and_not_the_other_way(world: &World) {
    let (ann, shop) = (Browser::new(), Browser::new());
    world.start(&ann, world.now).await;
    world.send(&ann, order("1", "10.00", world.now), world.now).await;
    world.send(&shop, shop_order("1", "12.00", world.now), world.now).await;
    world.send(&ann, order("1", "1.00", world.now), world.now).await;
    world.send(&shop, shop_order("1", "2.00", world.now), world.now).await;
    assert_eq!(orders(world).await, pairs(&[("12", "api with")]));
}

pub(crate) async fn within_one_array_the_shops_own_word_wins_in_either_order(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.start(&ann, now).await;
    let facts = vec![
        order("1", "10.00", now),
        shop_order("1", "12.00", now),
        order("1", "1.00", now),
        shop_order("2", "22.00", now),
        order("2", "20.00", now),
        order("3", "30.00", now),
        order("3", "31.00", now),
    ];
    world.send_all(&ann, facts, now).await;
    assert_eq!(orders(world).await, pairs(&[("12", "api with"), ("22", "api with"), ("30", "browser with")]));
}

pub(crate) async fn amounts_are_exact(world: &World) {
    let amounts = [
        "999999999999.9999",
        "-999999999999.9999",
        "123456789012",
        "0.0001",
        "-0.0001",
        "0",
        "-49.9",
        "0.1",
        "900719925474.0993", // no double has so many digits
    ];
    let all = amounts.iter().enumerate();
    let facts = all.map(|(index, amount)| order(&index.to_string(), amount, world.now)).collect();
    world.send_all(&Browser::new(), facts, world.now).await;
    let refused: [String; 0] = [];
    assert_eq!(world.texts("SELECT reason FROM dead_letters").await, refused);
    let stored = world.texts("SELECT amount FROM orders ORDER BY id").await;
    let stored: Vec<&str> = stored.iter().map(|amount| plain(amount)).collect();
    assert_eq!(stored, amounts);
}

pub(crate) async fn an_order_belongs_to_the_visit_of_its_session_and_extends_nothing(world: &World) {
    let ann = Browser::new();
    world.view(&ann, world.now).await;
    let last = world.now + 29 * MINUTE;
    world.send(&ann, order("1", "10.00", last), last).await;
    let visits = "SELECT page_views || ' ' || events FROM sessions";
    assert_eq!(world.texts(visits).await, ["1 0"]);
    assert_eq!(orders(world).await, pairs(&[("10", "browser with")]));
    assert_eq!(world.number("SELECT last_activity FROM sessions").await, world.now);
}

pub(crate) async fn an_order_of_the_shop_finds_its_visit_by_session_or_user(world: &World) {
    let (ann, shop) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now + 1).await;
    let at = world.now + 2;
    let told = [
        Order { session: Some(ann.proof().tag), ..bought("1", "1") },
        Order { user_id: Some("u_1".into()), ..bought("2", "2") },
        Order { user_id: Some("u_2".into()), ..bought("3", "3") },
    ];
    for order in told {
        let order = Order { from_api: true, ..order };
        world.send(&shop, fact(Kind::Order(order), at), at).await;
    }
    assert_eq!(orders(world).await, pairs(&[("1", "api with"), ("2", "api with"), ("3", "api without")]));
    assert_eq!(world.texts("SELECT user_id FROM orders ORDER BY id").await, ["u_1", "u_1", "u_2"]);
    assert_eq!(world.visits().await, 1);
}
