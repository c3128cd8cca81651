//! `GET /api/privacy/visitor`: who may read what is stored about a visitor, and what is returned.

use serde_json::{Value, json};
use visitflow_testkit::{Answer, Postgres, Server, Visitor};

const PATH: &str = "/api/privacy/visitor";

/// Asks for the data of the visitor that the browser's cookie names.
async fn own(visitor: &Visitor) -> Answer {
    visitor.get(PATH).header("sec-fetch-site", "same-origin").send().await
}

/// Asks for the data of anybody.
async fn of(visitor: &Visitor, id: &str) -> Answer {
    visitor.get(&format!("{PATH}?visitor_id={id}")).send().await
}

async fn leaves_traces(visitor: &Visitor) {
    visitor.start().await.expect(200);
    visitor.view("/shoes").await.expect(204);
    visitor.event("seen").await.expect(204);
    visitor.order("A-1", "9.90", "EUR").await.expect(204);
    visitor.log_in("alice").await.expect(200);
}

#[tokio::test]
async fn a_browser_with_the_key_reads_everything_but_hashes_of_secrets() {
    let server = Server::with().user("alice").start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    leaves_traces(&ada).await;
    bob.view("/secret-of-bob").await.expect(204);
    let answer = own(&ada).await.expect(200).expect_no_cookie();
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let told = answer.json();
    assert_eq!((&told["visitor_id"], &told["next"]), (&json!(ada.id), &Value::Null));
    let [visit] = told["visits"].as_array().expect("visits").as_slice() else { panic!("{told}") };
    assert_eq!(visit["site"], "shop.example");
    assert_eq!(visit["page_views"][0]["path"], "/shoes");
    assert_eq!(visit["events"][0]["name"], "seen");
    assert_eq!(visit["orders"][0]["amount"], "9.9");
    assert_eq!(visit["sessions"].as_array().map(Vec::len), Some(1));
    let user = visit["user_id"].as_str().expect("the user of the visit");
    assert!(user.starts_with("u_"), "{user}");
    let text = answer.text();
    let (token, key) = (ada.token(), ada.cookie("visitor_key").expect("a key"));
    let secret = token.split('.').nth(1).expect("a secret");
    for hidden in [secret, &key, "hash", "secret-of-bob", &bob.id] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    // The key is what counts: a session need not be live.
    ada.end().await.expect(204);
    own(&ada).await.expect(200);
    of(&ada, &ada.id).await.expect(200);
    server.assert_visits(2);
}

#[tokio::test]
async fn without_the_visitor_s_key_nobody_is_told_anything() {
    let server = Server::with().user("alice").start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    leaves_traces(&ada).await;
    bob.view("/").await.expect(204);
    let keyless = ada.without_session();
    keyless.view("/").await.expect(204);
    let refused = own(&keyless).await.expect_problem(403, "forbidden").expect_no_cookie();
    assert!(refused.text().contains("Ask the site's owner"), "{}", refused.text());
    // With a session and a key of another visitor, the answer is the same as for an unknown id.
    let (stranger, others) = (server.visitor().id, of(&bob, &ada.id).await.expect_problem(403, "forbidden"));
    assert_eq!(of(&bob, &stranger).await.expect(403).text(), others.text());
    assert_eq!(others.text(), refused.text());
    keyless.set_cookie("visitor_key", &bob.cookie("visitor_key").expect("a key"));
    own(&keyless).await.expect_problem(403, "forbidden");
    // A signed-in user is not an admin.
    of(&ada, &bob.id).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn an_admin_and_a_key_with_the_scope_erase_are_told_of_anybody() {
    let server = Server::with().admin("root").user("alice").start().await;
    let (ada, root) = (server.visitor(), server.visitor());
    leaves_traces(&ada).await;
    root.log_in_to_dashboard("root").await.expect(200);
    let told = of(&root, &ada.id).await.expect(200).json();
    assert_eq!(told["visits"].as_array().map(Vec::len), Some(1));
    let eraser = server.run(&["key", "add", "eraser", "--scope", "erase"], "").await.trim().to_owned();
    let facts = server.add_key("facts").await;
    let nobody = server.visitor();
    let by_key = async |key: &str, query: &str| {
        nobody.get(&format!("{PATH}{query}")).cookie("").bearer(key).send().await
    };
    let ada_by_id = format!("?visitor_id={}", ada.id);
    assert_eq!(by_key(&eraser, &ada_by_id).await.expect(200).json(), told);
    by_key(&facts, &ada_by_id).await.expect_problem(403, "forbidden");
    by_key(&eraser, "").await.expect_problem(400, "invalid-query");
    let unknown = by_key(&eraser, &format!("?visitor_id={}", nobody.id)).await.expect(200).json();
    assert_eq!(unknown["visits"], json!([]));
}

#[tokio::test]
async fn a_query_that_is_misspelt_is_refused() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    for query in ["?visitor_id=ada", "?visitor=x", "?after=", "?after=x", "?limit=1"] {
        ada.get(&format!("{PATH}{query}")).send().await.expect_problem(400, "invalid-query");
    }
    let unnamed = ada.get(PATH).cookie("").send().await;
    unnamed.expect_problem(400, "invalid-query");
}

#[tokio::test]
async fn rows_beyond_one_page_are_on_the_next() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    for _ in 0..25 {
        let views: Vec<Value> = (0..100).map(|_| ada.page_view("/")).collect();
        ada.send_view(&json!(views)).await.expect(204);
    }
    let (mut ids, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = ada.get(&format!("{PATH}{next}")).send().await.expect(200).json();
        let visits = page["visits"].as_array().expect("visits");
        let views = visits.iter().filter_map(|visit| visit["page_views"].as_array()).flatten();
        ids.extend(views.map(|view| view["id"].to_string()));
        pages += 1;
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("?after={cursor}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), pages), (2_500, 2));
}

#[tokio::test]
async fn while_the_database_is_away_no_partial_disclosure_is_returned() {
    let mut postgres = Postgres::start().await;
    let server = Server::with().postgres(&postgres).user("alice").start().await;
    let ada = server.visitor();
    leaves_traces(&ada).await;
    own(&ada).await.expect(200);
    postgres.kill();
    ada.view("/spooled").await.expect(204);
    let answer = own(&ada).await.expect_problem(503, "unavailable").expect_no_cookie();
    assert!(answer.header("retry-after").is_some());
    postgres.restart().await;
    server.says(1, "the database is back").await;
    let told = own(&ada).await.expect(200).json();
    assert_eq!(told["visits"][0]["page_views"].as_array().map(Vec::len), Some(2));
}
