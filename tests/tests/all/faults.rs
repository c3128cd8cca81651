//! What happens when the server dies.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use visitflow_testkit::Server;
use visitflow_testkit::load::{Load, turn};
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::reading::count;

const CONNECTIONS: usize = 64;
const PAGE_VIEWS: usize = 10_000;

async fn kill_in_the_middle_loses_nothing(kill_at: usize) {
    let _turn = turn().await;
    let mut server = Server::start().await;
    let load = Load::of(&server, CONNECTIONS, PAGE_VIEWS).await;
    load.reaches(kill_at).await;
    server.kill().await;
    let mut shares = load.ends().await;
    let left: usize = shares.iter().map(|share| share.left.len()).sum();
    assert!(left > 0, "the kill came in the middle");
    server.restart().await;
    server.assert_acknowledged_are_stored_once(&shares).await;
    for share in &shares {
        share.visitors[0].ping().await.expect(204);
    }
    // Nobody knows which of these were stored before the kill.
    server.send_again(&mut shares).await;
    let key = server.add_key("judge").await;
    server.assert_exact(&shares, &key).await;
    server.assert_page_views(count(PAGE_VIEWS));
    server.assert_visits(count(CONNECTIONS));
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_early_in_ten_thousand_page_views_loses_no_acknowledged_one() {
    kill_in_the_middle_loses_nothing(1_500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_half_way_through_ten_thousand_page_views_loses_no_acknowledged_one() {
    kill_in_the_middle_loses_nothing(5_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_late_in_ten_thousand_page_views_loses_no_acknowledged_one() {
    kill_in_the_middle_loses_nothing(8_500).await;
}

#[tokio::test]
async fn sessions_sign_ins_and_ends_survive_kill_9() {
    let mut server = Server::with().user("alice").admin("root").start().await;
    let (ada, bob, eve, root) = (server.visitor(), server.visitor(), server.visitor(), server.visitor());
    ada.start().await.expect(200);
    bob.start().await.expect(200);
    let bob_before = bob.snapshot();
    bob.log_in("alice").await.expect(200);
    eve.start().await.expect(200);
    let eve_before = eve.snapshot();
    eve.end().await.expect(204);
    root.log_in_to_dashboard("root").await.expect(200);
    server.kill().await;
    server.restart().await;
    ada.ping().await.expect(204);
    bob.ping().await.expect(204);
    root.get("/api/metrics/overview").send().await.expect(200);
    for dead in [&bob_before, &eve_before] {
        dead.ping().await.expect_problem(401, "session-expired");
    }
    assert_eq!(ada.start().await.expect(200).json()["session"], "resumed");
    server.assert_visits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_drains_and_loses_nothing() {
    let _turn = turn().await;
    let mut server = Server::start().await;
    let load = Load::of(&server, CONNECTIONS, PAGE_VIEWS).await;
    load.reaches(2_000).await;
    let status = server.terminate().await;
    let shares = load.ends().await;
    assert!(status.success(), "{status}: {}", server.log());
    server.assert_acknowledged_are_stored_once(&shares).await;
    server.restart().await;
    for share in &shares {
        share.visitors[0].ping().await.expect(204);
    }
}

#[tokio::test]
async fn a_request_in_flight_at_sigterm_is_answered() {
    let mut server = Server::start().await;
    let ada = server.visitor();
    let body = ada.page_view("/in-flight").to_string();
    let (first, second) = body.split_at(20);
    let head = format!(
        "POST /api/telemetry/page_view HTTP/1.1\r\nHost: {}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) \
         Gecko/20100101 Firefox/140.0\r\nContent-Length: {}\r\n\r\n{first}",
        server.address(),
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("half a request");
    // The server has read the head when a later connection has been answered.
    ada.get("/nothing").send().await.expect(404);
    let address = server.address();
    let finish = async {
        // The listener closes first: from then on the server is draining.
        while TcpStream::connect(&address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stream.write_all(second.as_bytes()).await.expect("the other half");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (status, answer) = tokio::join!(server.terminate(), finish);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer:?}");
    assert!(status.success(), "{status}");
    server.assert_page_views(1);
}

#[tokio::test]
async fn a_silent_or_half_sent_request_does_not_delay_the_shutdown() {
    let mut server = Server::with().flag("--drain", "1s").start().await;
    let _silent = TcpStream::connect(server.address()).await.expect("a connection");
    let mut half = TcpStream::connect(server.address()).await.expect("a connection");
    half.write_all(b"POST /api/session/ping HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .await
        .expect("half a request");
    server.visitor().view("/").await.expect(204);
    let status = tokio::time::timeout(PATIENCE, server.terminate()).await.expect("an end");
    assert!(status.success(), "{status}: {}", server.log());
    server.assert_page_views(1);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nothing() {
    // Every write to this file fails for want of space.
    let server = Server::with().log_to("/dev/full").flag("--log", "trace").start().await;
    let visitor = server.visitor();
    for _ in 0..20 {
        visitor.view("/").await.expect(204);
    }
    server.ask_admin("/readyz").await.expect(200);
    server.assert_page_views(20);
}
