//! Guesses of passwords, many at once.

use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::{Answer, Server, password_of};

/// A sign-in that came over a proxy from this address.
async fn guess(server: &Server, address: &str, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password, "visit": false});
    let request = server.visitor().post("/api/auth/login", &body).as_json();
    request.header("x-forwarded-for", address).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_on_one_account_wait_for_each_other_and_its_owner_for_one_of_them() {
    let server = Arc::new(Server::with().admin("root").start().await);
    let begun = Instant::now();
    let mut flood = JoinSet::new();
    for n in 0..100 {
        // From several addresses of one subscriber (one /64), which count as one.
        let address = format!("2001:db8:1:2::{n:x}");
        let server = Arc::clone(&server);
        flood.spawn(async move { guess(&server, &address, "root", &format!("wrong-guess-{n}")).await });
    }
    let mut statuses = Vec::new();
    let until = tokio::time::sleep(Duration::from_secs(4));
    tokio::pin!(until);
    loop {
        tokio::select! {
            answer = flood.join_next() => match answer {
                Some(answer) => statuses.push(answer.expect("an answer")),
                None => break,
            },
            () = &mut until => break,
        }
    }
    let judged = statuses.iter().filter(|answer| answer.status == 401).count();
    let pauses = |guesses: u32| (0..guesses).map(|n| 0.1 * f64::from(1 << n)).sum::<f64>();
    assert!(pauses(6) > 4.5, "the twelfth waits for longer");
    assert!((5..=11).contains(&judged), "{judged} guesses in {:?}", begun.elapsed());
    for answer in statuses.iter().filter(|answer| answer.status != 401) {
        assert!(answer.status == 429 && answer.header("retry-after").is_some(), "{}", answer.text());
    }
    assert!(statuses.len() > 80, "who would wait too long is told at once: {}", statuses.len());

    let came = Instant::now();
    guess(&server, "198.51.100.7", "root", &password_of("root")).await.expect(200);
    assert!(came.elapsed() < Duration::from_secs(5) + PATIENCE / 4, "{:?}", came.elapsed());
    flood.abort_all();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_from_one_address_keeps_nobody_waiting() {
    let server = Arc::new(Server::with().admin("root").start().await);
    let mut flood = JoinSet::new();
    for n in 0..400 {
        let (server, name) = (Arc::clone(&server), format!("user{n}"));
        flood.spawn(async move { guess(&server, "203.0.113.9", &name, "wrong-password").await.status });
    }
    // It has begun.
    assert_eq!(flood.join_next().await.expect("an answer").expect("an answer"), 401);
    guess(&server, "198.51.100.7", "root", &password_of("root")).await.expect(200);
    let mut before = 0;
    while let Some(answer) = flood.try_join_next() {
        before += u32::from(answer.expect("an answer") == 401);
    }
    assert!(before < 200, "{before} guesses of the flood were judged before");
    flood.abort_all();
}
