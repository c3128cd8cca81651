//! Disclosure: everything that is stored of a visitor, and nothing of anybody else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use visitflow_server::contract::disclosure::{Cursor, Page, ROWS_OF_PAGE, VISITS_OF_PAGE};
use visitflow_server::lifecycle::Right;
use visitflow_server::session::visit::VisitorId;

use super::erasure::{leaves_traces, rows};
use super::many::visits;
use crate::facts::{event, order, refund};
use crate::world::{Browser, HOUR, TTL, World};

/// What the pages hold, as the database has it.
#[derive(Default)]
struct Told {
    pages: Vec<Page>,
}

impl Told {
    /// The rows of a table.
    fn rows(&self, table: &str) -> Vec<&Map<String, Value>> {
        let mut rows = Vec::new();
        for page in &self.pages {
            match table {
                "visits" => rows.extend(&page.visits),
                "orders" => rows.extend(&page.orders),
                "refunds" => rows.extend(&page.refunds),
                _ => {}
            }
            let within = page.visits.iter().filter_map(|visit| visit.get(table)?.as_array());
            rows.extend(within.flatten().filter_map(Value::as_object));
        }
        rows
    }

    /// Their ids, sorted.
    fn ids(&self, table: &str) -> Vec<String> {
        let id = |row: &&Map<String, Value>| {
            row.get("id").or(row.get("session")).and_then(Value::as_str).map(str::to_owned)
        };
        let mut ids: Vec<String> = self.rows(table).iter().filter_map(id).collect();
        ids.sort();
        ids
    }
}

async fn tell(world: &World, visitor: VisitorId) -> Told {
    world.settle().await;
    let disclosures = world.place().disclosures();
    let (mut told, mut next) = (Told::default(), None);
    loop {
        let page = disclosures.page(visitor, next, TTL).await.unwrap();
        next = page.next.as_ref().map(Cursor::text).map(|text| Cursor::parse(&text).unwrap());
        told.pages.push(page);
        if next.is_none() {
            return told;
        }
    }
}

/// The ids of a table's rows that a condition holds for, sorted.
async fn stored(world: &World, id: &str, table: &str, which: &str) -> Vec<String> {
    let mut ids = world.texts(&format!("SELECT {id} FROM {table} WHERE {which}")).await;
    ids.sort();
    ids
}

pub(crate) async fn all_that_is_stored_of_a_visitor_is_told_and_nothing_of_others(world: &World) {
    let (ann, bob) = (Browser::new(), Browser::new());
    leaves_traces(world, &ann, "ann-1").await;
    leaves_traces(world, &bob, "bob-1").await;
    let told = tell(world, ann.visitor).await;
    assert_eq!(told.pages.len(), 1);
    let of_ann = format!("visitor_id = '{}'", ann.visitor);
    let of_visits = format!("visit_id IN (SELECT id FROM sessions WHERE {of_ann})");
    let tables = [
        ("visits", "sessions", "id", &of_ann),
        ("page_views", "page_views", "id", &of_visits),
        ("events", "events", "id", &of_visits),
        ("orders", "orders", "id", &of_ann),
        ("refunds", "refunds", "id", &of_ann),
        ("sessions", "session_tokens", "tag", &of_visits),
    ];
    for (name, table, id, which) in tables {
        let ids = told.ids(name);
        assert!(!ids.is_empty(), "{name}");
        assert_eq!(ids, stored(world, id, table, which).await, "{name}");
    }
    let text = serde_json::to_string(&told.pages).unwrap();
    assert!(text.contains(&format!("\"visitor_id\":\"{}\"", ann.visitor)));
    assert!(text.contains("u_1"), "the user that the visits were linked to");
    assert!(!text.contains(&bob.visitor.to_string()) && !text.contains("bob-1"));
}

pub(crate) async fn every_column_of_what_is_told_is_told_but_for_hashes(world: &World) {
    let ann = Browser::new();
    leaves_traces(world, &ann, "ann-1").await;
    let told = tell(world, ann.visitor).await;
    // What the place in the answer says, what only this software needs, and how often the facts are there.
    let tables = [
        ("visits", "sessions", &["visitor_id", "page_views", "events"][..]),
        ("page_views", "page_views", &["visit_id", "id_time"]),
        ("events", "events", &["visit_id", "id_time"]),
        ("orders", "orders", &["visit_id", "visitor_id"]),
        ("refunds", "refunds", &["visit_id", "visitor_id"]),
        ("sessions", "session_tokens", &["visit_id", "secret_hash", "generation", "changed_at"]),
    ];
    for (name, table, left_out) in tables {
        let query = match world.place().is_postgres() {
            true => format!(
                "SELECT column_name::text FROM information_schema.columns \
                 WHERE table_name = '{table}' AND table_schema = current_schema()"
            ),
            false => format!("SELECT name FROM pragma_table_info('{table}')"),
        };
        let columns: BTreeSet<String> = world.texts(&query).await.into_iter().collect();
        let columns: BTreeSet<&str> =
            columns.iter().map(|name| if name == "tag" { "session" } else { name }).collect();
        let belongs = ["page_views", "events", "orders", "refunds", "sessions"];
        for row in told.rows(name) {
            let fields =
                row.iter().filter(|(field, value)| !(value.is_array() && belongs.contains(&&***field)));
            let fields: BTreeSet<&str> = fields.map(|(field, _)| &**field).collect();
            let expected = columns.iter().copied().filter(|name| !left_out.contains(name)).collect();
            assert_eq!(fields, expected, "{name}");
        }
    }
}

pub(crate) async fn what_is_told_is_the_same_in_every_database(world: &World) {
    let (ann, shop, now) = (Browser::new(), Browser::new(), world.now);
    world.send_all(&ann, vec![event("seen", now)], now).await;
    world.send(&ann, order("A-1", "9.90", now), now).await;
    world.send(&shop, refund("R-1", "A-1", "20.0000", now), now).await;
    let told = tell(world, ann.visitor).await;
    let at = visitflow_server::clock::rfc3339(now);
    let visit = told.rows("visits")[0];
    assert_eq!((&visit["started_at"], &visit["ended_at"]), (&Value::from(&*at), &Value::Null));
    let order = told.rows("orders")[0];
    let words = ["amount", "currency", "source", "created_at"].map(|field| order[field].as_str().unwrap());
    assert_eq!(words, ["9.9", "EUR", "browser", &at]);
    assert_eq!(order["disputed"], false);
    assert!(order["items"].is_null() || order["items"].is_array());
    assert_eq!(told.rows("refunds")[0]["amount"], "20");
    assert!(told.rows("events")[0]["props"].is_null() || told.rows("events")[0]["props"].is_object());
    assert_eq!(told.rows("sessions")[0]["created_at"], *at);
}

pub(crate) async fn an_order_of_no_visit_is_told_too(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    world.send(&ann, order("A-1", "9.90", now), now).await;
    world.send(&Browser::new(), refund("R-1", "A-1", "1", now), now).await;
    let told = tell(world, ann.visitor).await;
    assert_eq!((told.pages[0].orders.len(), told.pages[0].refunds.len()), (1, 1));
    assert!(told.pages[0].visits.is_empty());
}

pub(crate) async fn a_visitor_with_very_much_is_told_page_by_page(world: &World) {
    let (ann, bob) = (Browser::new(), Browser::new());
    visits(world, ann.visitor, VISITS_OF_PAGE + 50, 2, world.now).await;
    visits(world, ann.visitor, 1, 2 * ROWS_OF_PAGE + 500, world.now - 50 * HOUR).await;
    visits(world, bob.visitor, 20, 2, world.now).await;
    let orders = (0..30).map(|n| order(&format!("A-{n:02}"), "1", world.now - n)).collect();
    world.send_all(&ann, orders, world.now).await;
    let told = tell(world, ann.visitor).await;
    assert!(told.pages.len() >= 4, "{}", told.pages.len());
    let of_ann = format!("visitor_id = '{}'", ann.visitor);
    let of_visits = format!("visit_id IN (SELECT id FROM sessions WHERE {of_ann})");
    assert_eq!(told.ids("page_views"), stored(world, "id", "page_views", &of_visits).await);
    assert_eq!(told.ids("orders"), stored(world, "id", "orders", &of_ann).await);
    let mut visits = told.ids("visits");
    visits.dedup(); // one that is cut goes on in the next page
    assert_eq!(visits, stored(world, "id", "sessions", &of_ann).await);
    for page in &told.pages {
        let facts = page.visits.iter().filter_map(|visit| visit["page_views"].as_array()).map(Vec::len);
        assert!(facts.sum::<usize>() <= ROWS_OF_PAGE && page.visits.len() <= VISITS_OF_PAGE);
    }
}

pub(crate) async fn disclosure_of_an_erased_visitor_is_empty(world: &World) {
    let (ann, root) = (Browser::new(), Browser::new());
    leaves_traces(world, &ann, "ann-1").await;
    world.erase(&root, ann.visitor, Right::Admin, world.now + 1).await;
    let told = tell(world, ann.visitor).await;
    let of_stranger = tell(world, Browser::new().visitor).await;
    for told in [told, of_stranger] {
        let page = &told.pages[0];
        assert!(page.visits.is_empty() && page.orders.is_empty() && page.refunds.is_empty());
    }
    assert_eq!(rows(world).await, 0);
}
