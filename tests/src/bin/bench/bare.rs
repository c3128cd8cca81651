//! The limit: an HTTP server that reads the body and answers 204, on as many threads as the other.

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::process::{Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::net::unix::pipe::Receiver;
use visitflow_testkit::process::Process;

/// This program, in the role of the bare server.
pub(crate) const SUBCOMMAND: &str = "bare-server";

/// Serves until it is killed; the first line that it prints is its address.
pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            // A client that goes away is no event here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Starts one; returns it with its address.
pub(crate) async fn start() -> (Process, String) {
    let (write, read) = pipe();
    let mut command = Command::new(std::env::current_exe().expect("a running program has a path"));
    command.arg(SUBCOMMAND).stdin(Stdio::null()).stdout(write);
    let process = Process::start(&mut command);
    drop(command);
    let mut line = String::new();
    BufReader::new(read).read_line(&mut line).await.expect("an address");
    (process, line.trim().to_owned())
}

fn pipe() -> (Stdio, Receiver) {
    let (read, write) = std::io::pipe().expect("a pipe");
    let read = Receiver::from_owned_fd(read.into()).expect("a pipe can be read");
    (write.into(), read)
}
