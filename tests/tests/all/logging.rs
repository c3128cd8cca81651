//! The log on stderr, if somebody reads it and if nobody does.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs::File;
use std::io::Read;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use visitflow_testkit::Server;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::patience::until;

/// Requests whose lines, at debug, are more than twice what the server buffers.
const MANY: usize = 8_000;

async fn dropped(server: &Server) -> f64 {
    let text = server.ask_admin("/metrics").await.expect(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix("visitflow_log_lines_dropped_total "));
    line.expect("a figure").parse().expect("a number")
}

/// Sends requests in one connection, each without waiting for the answer before; reads all answers.
async fn fill(server: &Server) {
    let before = dropped(server).await;
    let address = server.address();
    let stream = TcpStream::connect(&address).await.expect("a connection");
    let (mut answers, mut requests) = stream.into_split();
    let one = format!("GET /none HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let last = format!("GET /none HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let sent = [one.repeat(MANY - 1), last].concat();
    let sending = tokio::spawn(async move { requests.write_all(sent.as_bytes()).await });
    let mut read = Vec::new();
    let all = timeout(PATIENCE, answers.read_to_end(&mut read)).await;
    all.expect("answers in time").expect("answers");
    sending.await.expect("no panic").expect("requests");
    assert_eq!(String::from_utf8_lossy(&read).matches("HTTP/1.1 404 ").count(), MANY);
    assert!(dropped(server).await > before, "nothing is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_delays_no_request_and_no_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("stderr");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
    // Open for both, so that neither side waits for the other to open it.
    let mut reader = File::options().read(true).write(true).open(&pipe).expect("the pipe");
    let log = pipe.to_string_lossy().into_owned();
    let mut server = Server::with().log_to(&log).flag("--log", "debug").start().await;
    fill(&server).await;
    server.visitor().view("/").await.expect(204);

    // stderr is read again, and a line says how many lines are missing.
    let reading = tokio::task::spawn_blocking(move || {
        let (mut seen, mut chunk) = (Vec::new(), [0; 65_536]);
        while !String::from_utf8_lossy(&seen).contains("log lines were dropped") {
            let read = reader.read(&mut chunk).expect("a log");
            seen.extend_from_slice(&chunk[..read]);
            let kept = seen.len().saturating_sub(100_000);
            seen.drain(..kept);
        }
        reader
    });
    let reader = timeout(PATIENCE, reading).await;
    let _reader = reader.expect("the line in time").expect("a reader");

    fill(&server).await;
    server.assert_page_views(1);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_log_closed_by_its_reader_stops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("stderr");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe");
    let reader = File::options().read(true).write(true).open(&pipe).expect("the pipe");
    let log = pipe.to_string_lossy().into_owned();
    let mut server = Server::with().log_to(&log).flag("--log", "debug").start().await;
    drop(reader);
    server.visitor().view("/").await.expect(204);
    until("lines that are counted", async || dropped(&server).await > 0.0).await;
    server.visitor().view("/").await.expect(204);
    server.assert_page_views(2);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn why_the_server_does_not_start_is_the_last_line() {
    let server = Server::start().await;
    let taken = ["serve", "--listen", &server.address(), "--admin-listen", "127.0.0.1:0"];
    for form in ["text", "json"] {
        let said = server.fails(&[&taken[..], &["--log-format", form]].concat()).await;
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with("visitflow: cannot listen on") && last.contains("--listen"), "{said}");
    }
}
