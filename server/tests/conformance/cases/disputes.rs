//! Two words on one order: the first stays, is disputed, and the shop's own word decides.

use visitflow_server::ledger::kinds::{Fact, Kind, Order};

use crate::facts::{bought, fact, order, shop_order};
use crate::world::{Browser, World};

const ITEMS: &str = r#"[{"sku":"a","price":"10.00"}]"#;

/// What a browser says of order 1.
fn claim(world: &World, amount: &str, currency: &str, items: Option<&str>) -> Fact {
    let order =
        Order { currency: currency.into(), items: items.map(ToOwned::to_owned), ..bought("1", amount) };
    fact(Kind::Order(order), world.now)
}

/// Source, items and whether it is disputed, of each order.
async fn stored(world: &World) -> Vec<String> {
    let words = "source || ' ' || currency || CASE WHEN disputed THEN ' disputed' ELSE '' END";
    world.texts(&format!("SELECT {words} FROM orders ORDER BY id")).await
}

pub(crate) async fn another_claim_with_other_words_disputes_the_first(world: &World) {
    let others = [
        ("0.01", "EUR", Some(ITEMS)),
        ("10.00", "USD", Some(ITEMS)),
        ("10.00", "EUR", Some(r#"[{"sku":"b","price":"10.00"}]"#)),
        ("10.00", "EUR", Some("[]")),
    ];
    for (number, (amount, currency, items)) in others.into_iter().enumerate() {
        let numbered = |claim: Fact| match claim.kind {
            Kind::Order(order) => fact(Kind::Order(Order { id: format!("#{number}"), ..order }), world.now),
            _ => claim,
        };
        let (ann, bob) = (Browser::new(), Browser::new());
        world.send(&ann, numbered(claim(world, "10.00", "EUR", Some(ITEMS))), world.now).await;
        world.send(&bob, numbered(claim(world, amount, currency, items)), world.now).await;
    }
    assert_eq!(stored(world).await, ["browser EUR disputed"; 4]);
    let first = "SELECT COUNT(*) FROM orders WHERE CAST(amount AS numeric) = 10 AND items IS NOT NULL";
    assert_eq!(world.number(first).await, 4);
}

pub(crate) async fn the_same_words_again_dispute_nothing(world: &World) {
    let spelt_otherwise = r#"[ {"price": "10.00", "sku": "a"} ]"#;
    for (amount, items) in [("10.00", ITEMS), ("10.00", ITEMS), ("10", spelt_otherwise), ("10.0", ITEMS)] {
        world.send(&Browser::new(), claim(world, amount, "EUR", Some(items)), world.now).await;
    }
    world.send(&Browser::new(), claim(world, "10.00", "EUR", None), world.now).await;
    let array = vec![claim(world, "10.00", "EUR", Some(ITEMS)), claim(world, "10", "EUR", Some(ITEMS))];
    world.send_all(&Browser::new(), array, world.now).await;
    assert_eq!(stored(world).await, ["browser EUR"]);
}

pub(crate) async fn within_one_array_the_first_is_disputed(world: &World) {
    let facts = vec![
        order("1", "10.00", world.now),
        order("1", "11.00", world.now),
        order("2", "10.00", world.now),
        order("2", "10.0", world.now),
        order("3", "10.00", world.now),
        order("3", "11.00", world.now),
        shop_order("3", "12.00", world.now),
        order("3", "13.00", world.now),
    ];
    world.send_all(&Browser::new(), facts, world.now).await;
    assert_eq!(stored(world).await, ["browser EUR disputed", "browser EUR", "api EUR"]);
}

pub(crate) async fn the_shops_own_word_ends_a_dispute_for_good(world: &World) {
    let (ann, bob, shop) = (Browser::new(), Browser::new(), Browser::new());
    world.send(&ann, order("1", "0.01", world.now), world.now).await;
    world.send(&bob, order("1", "100.00", world.now), world.now).await;
    assert_eq!(stored(world).await, ["browser EUR disputed"]);
    world.send(&shop, shop_order("1", "100.00", world.now), world.now).await;
    world.send(&ann, order("1", "0.01", world.now), world.now).await;
    assert_eq!(stored(world).await, ["api EUR"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM orders WHERE CAST(amount AS numeric) = 100").await, 1);

    // All of it at once, on an order that is stored already.
    world.send(&ann, order("2", "0.01", world.now), world.now).await;
    let facts = vec![order("2", "0.02", world.now), shop_order("2", "5", world.now)];
    world.send_all(&shop, facts, world.now).await;
    assert_eq!(stored(world).await, ["api EUR", "api EUR"]);
}

pub(crate) async fn a_dispute_that_is_replayed_is_the_same_dispute(world: &World) {
    for _ in 0..2 {
        world.send(&Browser::new(), order("1", "1.00", world.now), world.now).await;
        world.send(&Browser::new(), order("1", "2.00", world.now), world.now).await;
    }
    assert_eq!(stored(world).await, ["browser EUR disputed"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM orders WHERE CAST(amount AS numeric) = 1").await, 1);
}
