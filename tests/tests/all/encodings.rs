//! Compressed bodies.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;
use visitflow_testkit::Server;
use visitflow_testkit::neighbour::Neighbour;
use visitflow_testkit::process::resident_kib;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn a_gzip_body_counts_like_a_plain_one() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    for coding in ["gzip", "GZIP", "x-gzip", "identity, gzip"] {
        let body = gzip(ada.page_view("/").to_string().as_bytes());
        let view = ada.post_bytes("/api/telemetry/page_view", body);
        view.header("content-encoding", coding).send().await.expect(204);
    }
    server.assert_page_views(4);
    let login = json!({"username": "alice", "password": visitflow_testkit::password_of("alice")}).to_string();
    let login = ada.post_bytes("/api/auth/login", gzip(login.as_bytes())).as_json();
    login.header("content-encoding", "gzip").send().await.expect(200);
    let erase = ada.erase_request(&ada.id).header("content-encoding", "gzip");
    erase.send().await.expect_problem(400, "malformed-body");
}

#[tokio::test]
async fn an_unknown_coding_is_told_which_is_known() {
    let server = Server::start().await;
    let ada = server.visitor();
    for path in crate::input::ENDPOINTS {
        for coding in ["br", "deflate", "zstd", "gzip, gzip", "nonsense", "K\u{f6}ln"] {
            let request = ada.post(path, &ada.page_view("/")).as_json().header("content-encoding", coding);
            let answer = request.send().await.expect_problem(415, "unsupported-encoding");
            assert_eq!(answer.header("accept-encoding"), Some("gzip"), "{path} {coding}");
        }
    }
    server.assert_page_views(0);
}

#[tokio::test]
async fn a_broken_gzip_body_is_malformed() {
    let server = Server::start().await;
    let ada = server.visitor();
    let whole = gzip(ada.page_view("/").to_string().as_bytes());
    for body in [&whole[..whole.len() - 1], &whole[..12], b"{}", b""] {
        let view = ada.post_bytes("/api/telemetry/page_view", body.to_vec());
        view.header("content-encoding", "gzip").send().await.expect_problem(400, "malformed-body");
    }
    server.assert_page_views(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gzip_bomb_is_too_large_and_takes_no_memory() {
    let server = Server::start().await;
    let neighbour = Neighbour::of(&server);
    let eve = server.visitor();
    // 60 KiB that become 60 MiB.
    let bomb = gzip(&vec![b' '; 60 << 20]);
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    let before = resident_kib(server.pid()).expect("it runs");
    for _ in 0..20 {
        let request = eve.post_bytes("/api/telemetry/page_view", bomb.clone());
        request.header("content-encoding", "gzip").send().await.expect_problem(413, "body-too-large");
    }
    let grown = resident_kib(server.pid()).expect("it runs").saturating_sub(before);
    assert!(grown < 30 << 10, "{grown} KiB");
    neighbour.assert_unharmed(&server).await;
}
