//! Clients that keep the server waiting: each wait ends.

use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use visitflow_testkit::Server;
use visitflow_testkit::patience::until;
use visitflow_testkit::secure::Secure;
use visitflow_testkit::setup::Setup;

/// Longer than any wait of these servers, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const BIG_BYTES: usize = 32 << 20;

fn impatient() -> Setup {
    Server::with().flag("--idle-timeout", "1s")
}

/// A folder with a file that no socket's buffers hold.
fn big_file() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("big.js"), vec![b' '; BIG_BYTES]).expect("a file");
    folder
}

async fn connections(server: &Server) -> u32 {
    let text = server.ask_admin("/metrics").await.expect(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix("visitflow_connections "));
    line.expect("the figure").parse().expect("a number")
}

/// Reads until the server closes.
async fn closes(mut stream: impl AsyncReadExt + Unpin) {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the server closes"); // or resets
}

async fn request(address: &str, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut stream = socket.connect(address.parse().expect("an address")).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream
}

#[tokio::test]
async fn a_client_that_reads_no_answer_loses_its_connection() {
    let folder = big_file();
    let server = impatient().flag("--www", &folder.path().to_string_lossy()).start().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(request(&server.address(), "/big.js").await);
    }
    until("all are served", async || connections(&server).await == 3).await;
    until("the server gives them up", async || connections(&server).await == 0).await;
}

#[tokio::test]
async fn a_client_that_reads_gets_all_of_a_large_answer() {
    let folder = big_file();
    let server = impatient().flag("--www", &folder.path().to_string_lossy()).start().await;
    let answer = server.visitor().get("/big.js").send().await.expect(200);
    assert_eq!(answer.body.len(), BIG_BYTES);
}

#[tokio::test]
async fn a_connection_that_sends_too_little_is_closed() {
    let server = impatient().start().await;
    let host = server.address();
    let heads = ["", "G", "GET / HTTP/1.1\r\nHost: x\r\n", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"];
    for said in heads {
        for address in [&host, server.admin_origin().trim_start_matches("http://")] {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(said.as_bytes()).await.expect("some bytes");
            closes(stream).await;
        }
    }
}

#[tokio::test]
async fn a_handshake_or_a_preface_that_does_not_come_ends_the_connection() {
    let secure = Secure::start(impatient()).await;
    for said in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = TcpStream::connect(secure.server.address()).await.expect("a connection");
        stream.write_all(said).await.expect("some bytes");
        closes(stream).await;
    }
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        let mut stream = secure.connect("h2").await;
        stream.write_all(said).await.expect("some bytes");
        closes(stream).await;
    }
}

#[tokio::test]
async fn an_http_2_client_that_grants_no_window_loses_its_connection() {
    let secure = Secure::start(impatient()).await;
    for window in [0, 1] {
        let (send, mut connection) = secure.http2(window).await;
        let mut pings = connection.ping_pong().expect("pings");
        let connection = tokio::spawn(connection);
        let mut send = send.ready().await.expect("a stream");
        let get = hyper::Request::get("https://127.0.0.1/nothing").body(()).expect("a request");
        let (response, _) = send.send_request(get, true).expect("a stream");
        let _unread = response.await.expect("a head").into_body();
        // The client lives: it answers every ping, and sends some.
        let alive = tokio::spawn(async move { while pings.ping(h2::Ping::opaque()).await.is_ok() {} });
        let _ = timeout(PATIENCE, connection).await.expect("the server closes");
        alive.abort();
    }
}

#[tokio::test]
async fn an_http_2_connection_without_requests_ends() {
    let secure = Secure::start(impatient()).await;
    let (_send, connection) = secure.http2(65_535).await;
    let _ = timeout(PATIENCE, connection).await.expect("the server closes");
}

/// What a client receives that sends the head of a page view, the beginning of its body, and then a byte every half a
/// second, if at all, until the server closes.
async fn half_a_body(server: &Server, goes_on: bool) -> String {
    let stream = TcpStream::connect(server.address()).await.expect("a connection");
    let (mut answer, mut body) = stream.into_split();
    let head = "POST /api/telemetry/page_view HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
    body.write_all(head.as_bytes()).await.expect("a beginning");
    let sending = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        while goes_on && body.write_all(b" ").await.is_ok() {
            ticks.tick().await;
        }
        body // dropped, it would say that no more comes
    });
    let mut heard = Vec::new();
    let read = timeout(PATIENCE, answer.read_to_end(&mut heard)).await.expect("the server closes");
    sending.abort();
    read.expect("an answer before the end");
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn a_body_that_does_not_come_whole_within_ten_seconds_is_answered_408() {
    let (server, begun) = (Server::start().await, Instant::now());
    for heard in <[String; 2]>::from(tokio::join!(half_a_body(&server, false), half_a_body(&server, true))) {
        assert!(heard.starts_with("HTTP/1.1 408 ") && heard.contains("body-timeout"), "{heard}");
    }
    assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_body_that_does_not_come_whole_over_http_2_is_answered_408() {
    let secure = Secure::start(Server::with()).await;
    let (send, connection) = secure.http2(65_535).await;
    tokio::spawn(connection);
    let mut send = send.ready().await.expect("a stream");
    let post = || {
        let request = hyper::Request::post("https://127.0.0.1/api/telemetry/page_view");
        request.header("content-type", "application/json").body(()).expect("a request")
    };
    let (response, mut half) = send.send_request(post(), false).expect("a stream");
    half.send_data("{".into(), false).expect("a beginning");
    let head = timeout(PATIENCE, response).await.expect("an answer").expect("an answer");
    assert_eq!(head.status(), 408);
    // The others on the connection go on.
    let mut send = send.ready().await.expect("a stream");
    let (response, mut whole) = send.send_request(post(), false).expect("a stream");
    whole.send_data("{}".into(), true).expect("a body");
    assert_eq!(timeout(PATIENCE, response).await.expect("an answer").expect("an answer").status(), 400);
}
