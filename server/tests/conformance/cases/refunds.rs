//! Refunds: facts of their own, beside the orders that they are of.

use visitflow_server::ledger::kinds::{Kind, Refund};

use crate::facts::{fact, on, order, paid_back, refund, shop_order};
use crate::world::{Browser, World};

/// Number, order, and whose it is.
async fn refunds(world: &World) -> Vec<String> {
    let whose = "CASE WHEN visit_id IS NULL THEN ' nobody' ELSE ' visit' END || COALESCE(' ' || user_id, '')";
    world.texts(&format!("SELECT id || ' of ' || refund_of || {whose} FROM refunds ORDER BY site, id")).await
}

pub(crate) async fn a_refund_leaves_its_order_as_it_is_and_has_its_visit(world: &World) {
    let (ann, shop) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.sign_in(&ann, "u_1", world.now).await;
    world.send(&ann, order("7", "50.00", world.now), world.now).await;
    world.send(&shop, refund("R1", "7", "20.00", world.now), world.now).await;
    assert_eq!(refunds(world).await, ["R1 of 7 visit u_1"]);
    assert_eq!(world.texts("SELECT id || ' ' || source FROM orders").await, ["7 browser"]);
    assert_eq!(world.number("SELECT COUNT(*) FROM orders WHERE CAST(amount AS numeric) = 50").await, 1);
    let of_ann = format!("SELECT COUNT(*) FROM refunds WHERE visitor_id = '{}'", ann.visitor);
    assert_eq!(world.number(&of_ann).await, 1);
    assert_eq!(world.visits().await, 1);
}

pub(crate) async fn a_refund_may_come_before_its_order(world: &World) {
    let (ann, shop) = (Browser::new(), Browser::new());
    world.view(&ann, world.now).await;
    world.send(&shop, refund("R1", "7", "20.00", world.now), world.now).await;
    assert_eq!(refunds(world).await, ["R1 of 7 nobody"]);
    world.send(&ann, order("7", "50.00", world.now), world.now).await;
    assert_eq!(refunds(world).await, ["R1 of 7 visit"]);
    // In one array, in either order.
    let facts = vec![
        refund("R2", "8", "1", world.now),
        shop_order("8", "5", world.now),
        shop_order("9", "5", world.now),
        refund("R3", "9", "1", world.now),
    ];
    world.send_all(&ann, facts, world.now).await;
    assert_eq!(refunds(world).await, ["R1 of 7 visit", "R2 of 8 visit", "R3 of 9 visit"]);
}

pub(crate) async fn a_refund_counts_once_and_an_order_has_as_many_as_it_needs(world: &World) {
    let shop = Browser::new();
    world.send(&shop, shop_order("7", "50.00", world.now), world.now).await;
    for _ in 0..2 {
        // Under the order's own number, and under others.
        for id in ["7", "R1", "R2"] {
            world.send(&shop, refund(id, "7", "10.00", world.now), world.now).await;
        }
    }
    let francs = Refund { currency: "CHF".into(), ..paid_back("R3", "7", "3") };
    let twice = vec![fact(Kind::Refund(francs.clone()), world.now), fact(Kind::Refund(francs), world.now)];
    world.send_all(&shop, twice, world.now).await;
    world.send(&shop, on("other.example", refund("R1", "7", "4", world.now)), world.now).await;
    let all = ["R1 of 7 nobody", "7 of 7 nobody", "R1 of 7 nobody", "R2 of 7 nobody", "R3 of 7 nobody"];
    assert_eq!(refunds(world).await, all, "the other site comes first");
    assert_eq!(world.number("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(world.texts("SELECT currency FROM refunds WHERE id = 'R3'").await, ["CHF"]);
}

pub(crate) async fn a_refund_has_the_visitor_and_user_that_the_shop_names_until_its_order_is_stored(
    world: &World,
) {
    let (ann, shop) = (Browser::new(), Browser::new());
    let named = Refund { user_id: Some("u_9".into()), ..paid_back("R1", "7", "1") };
    world.send(&ann, fact(Kind::Refund(named), world.now), world.now).await;
    let of_ann = format!("SELECT COUNT(*) FROM refunds WHERE visitor_id = '{}'", ann.visitor);
    assert_eq!(world.number(&of_ann).await, 1);
    world.send(&shop, refund("R2", "8", "1", world.now), world.now).await;
    assert_eq!(refunds(world).await, ["R1 of 7 nobody u_9", "R2 of 8 nobody"]);
    assert_eq!(world.visits().await + world.tokens().await, 0, "a refund begins nothing");
}
