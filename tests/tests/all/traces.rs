//! After an erasure no byte of what identified the visitor is left: in no file of the server, also not where
//! SQLite has deleted something, and in no key of Redis.

use serde_json::{Value, json};
use std::fs;
use visitflow_testkit::{Postgres, Redis, Server, Visitor, fact_id};

/// A text to search for, and its description.
type Planted = Vec<(&'static str, Vec<u8>)>;

/// A visit with much that names or singles out the visitor. The texts are found nowhere else.
async fn leaves_traces(visitor: &Visitor, mark: &str) {
    visitor.start().await.expect(200);
    let view = |number: u32| {
        let mut view = visitor.page_view(&format!("/{mark}-path-{number}"));
        view["title"] = json!(format!("{mark} title {number}"));
        view["referrer"] = json!(format!("https://{mark}.example/from"));
        view
    };
    visitor.send_view(&json!((0..40).map(view).collect::<Vec<Value>>())).await.expect(204);
    let event = json!({"id": fact_id(), "visitor_id": visitor.id, "name": format!("{mark}-event"),
        "props": {"said": format!("{mark}-prop")}, "url": "https://shop.example/"});
    visitor.post("/api/telemetry/event", &event).send().await.expect(204);
    visitor.order(&format!("{mark}-order"), "9.90", "EUR").await.expect(204);
}

/// Others, before and after: so that rows of the visitor lie among theirs, and pages were split.
async fn crowd(server: &Server) {
    for _ in 0..20 {
        let visitor = server.visitor();
        visitor.start().await.expect(200);
        let views: Vec<Value> = (0..30).map(|n| visitor.page_view(&format!("/{n}"))).collect();
        visitor.send_view(&json!(views)).await.expect(204);
    }
}

/// What is stored of the visitor that must be found nowhere afterwards.
fn planted(server: &Server, visitor: &Visitor, mark: &str) -> Planted {
    let of_visitor = format!("WHERE visitor_id = '{}'", visitor.id);
    let visit = server.texts(&format!("SELECT CAST(id AS TEXT) FROM sessions {of_visitor}")).remove(0);
    let views = "SELECT CAST(id AS TEXT) FROM page_views WHERE path LIKE";
    let mut planted = vec![
        ("the visitor's id", visitor.id.clone().into_bytes()),
        ("what the visitor did", mark.as_bytes().to_vec()),
        ("the visit's id", visit.into_bytes()),
    ];
    for view in server.texts(&format!("{views} '%{mark}%'")) {
        planted.push(("a page view's id", view.into_bytes()));
    }
    planted
}

/// Bytes as a text, in which they are found fast.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The server's files: their names, and what they hold.
fn files(server: &Server) -> Vec<(String, String)> {
    let entries = fs::read_dir(server.directory()).expect("the server's directory");
    let file = |entry: fs::DirEntry| {
        (entry.file_name().to_string_lossy().into_owned(), text(&fs::read(entry.path()).expect("a file")))
    };
    entries.map(|entry| file(entry.expect("an entry"))).collect()
}

/// The names of the files that hold it.
fn with<'f>(files: &'f [(String, String)], needle: &[u8]) -> Vec<&'f str> {
    let needle = text(needle);
    files.iter().filter(|(_, held)| held.contains(&needle)).map(|(name, _)| &**name).collect()
}

#[track_caller]
fn assert_no_trace(server: &Server, planted: &Planted) {
    let files = files(server);
    for (what, needle) in planted {
        assert_eq!(with(&files, needle), [""; 0], "{what}");
    }
}

#[tokio::test]
async fn after_an_erasure_no_file_holds_a_trace_of_the_visitor() {
    let server = Server::with().user("alice").start().await;
    crowd(&server).await;
    let ada = server.visitor();
    let mark = "planted-of-ada";
    leaves_traces(&ada, mark).await;
    ada.log_in("alice").await.expect(200);
    crowd(&server).await;
    let mut planted = planted(&server, &ada, mark);
    let hash =
        server.texts(&format!("SELECT HEX(key_hash) FROM visitor_keys WHERE visitor_id = '{}'", ada.id));
    let byte = |place: usize| u8::from_str_radix(&hash[0][place..place + 2], 16).expect("a byte");
    planted.push(("the hash of the key", (0..64).step_by(2).map(byte).collect()));
    let before = files(&server);
    for (what, needle) in &planted {
        assert_ne!(with(&before, needle), [""; 0], "{what} is stored at first");
    }
    ada.erase().await.expect(204);
    assert_no_trace(&server, &planted);
    server.assert_page_views(2 * 20 * 30);
}

#[tokio::test]
async fn after_an_erasure_neither_the_spool_nor_redis_holds_a_trace_of_the_visitor() {
    let (mut postgres, redis) = (Postgres::start().await, Redis::start().await);
    let server = Server::with().postgres(&postgres).redis_url(&redis.url()).start().await;
    server.says(1, "Redis is up to date and is used").await;
    let (ada, bob) = (server.visitor(), server.visitor());
    ada.start().await.expect(200);
    postgres.kill();
    let mark = "planted-of-ada";
    bob.view("/").await.expect(204);
    leaves_traces(&ada, mark).await;
    assert_ne!(with(&files(&server), mark.as_bytes()), [""; 0], "it waits in the spool");
    postgres.restart().await;
    server.says(1, "the database is back").await;
    let planted = planted(&server, &ada, mark);
    let visit = planted[2].1.clone();
    let in_redis = async |needle: &[u8]| {
        let needle = String::from_utf8_lossy(needle).into_owned();
        let keys = redis.command(&["KEYS", "*"]).await;
        let keys: Vec<&str> = keys.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut found = false;
        for key in &keys {
            found |= format!("{key} {:?}", redis.command(&["HGETALL", key]).await).contains(&needle);
        }
        (keys.len(), found)
    };
    ada.ping().await.expect(204);
    assert!(in_redis(&visit).await.1, "Redis has the session's visit");
    ada.erase().await.expect(204);
    assert_no_trace(&server, &planted);
    for (what, needle) in &planted {
        let (keys, found) = in_redis(needle).await;
        assert!(keys > 0 && !found, "Redis holds {what}");
    }
}
