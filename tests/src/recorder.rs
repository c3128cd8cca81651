//! A witness between a browser and the server: it passes every byte on and notes every request.

use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Bytes = Arc<Mutex<Vec<Vec<u8>>>>;

/// A TCP proxy on a port of its own; dropping it closes the door.
#[derive(Debug)]
pub struct Recorder {
    address: String,
    /// What each connection sent, from its first byte on.
    sent: Bytes,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Stands in front of a server (`host:port`).
    ///
    /// # Panics
    ///
    /// No port is free.
    pub async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let sent = Bytes::default();
        let task = tokio::spawn(serve(listener, server, sent.clone()));
        Self { address, sent, task }
    }

    /// What the browser calls.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, as `METHOD /path`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let text = sent.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        text.flat_map(|text| text.split("\r\n").filter_map(request_line).collect::<Vec<_>>()).collect()
    }

    /// Every request to the API so far.
    #[must_use]
    pub fn api_requests(&self) -> Vec<String> {
        self.requests().into_iter().filter(|request| request.contains(" /api")).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A body without a line's end runs into the next request's first line: so the line is searched
/// for the method from behind.
fn request_line(line: &str) -> Option<String> {
    let (head, path) = line.strip_suffix(" HTTP/1.1")?.rsplit_once(' ')?;
    let methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"];
    let method = methods.into_iter().find(|method| head.ends_with(method))?;
    Some(format!("{method} {path}"))
}

async fn serve(listener: TcpListener, server: String, sent: Bytes) {
    while let Ok((browser, _)) = listener.accept().await {
        // One that cannot be connected is closed, as the server itself would do.
        if let Ok(upstream) = TcpStream::connect(&server).await {
            tokio::spawn(pass(browser, upstream, sent.clone()));
        }
    }
}

async fn pass(browser: TcpStream, server: TcpStream, sent: Bytes) {
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        // A browser that has gone wants no answer.
        let _ = copy(&mut from_server, &mut to_browser).await;
    });
    let mine = {
        let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(Vec::new());
        sent.len() - 1
    };
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from_browser.read(&mut buffer).await {
        sent.lock().unwrap_or_else(PoisonError::into_inner)[mine].extend_from_slice(&buffer[..length]);
        if to_server.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    drop(to_server);
    let _ = back.await;
}

#[cfg(test)]
mod tests {
    use super::request_line;

    #[test]
    fn a_request_line_is_found_behind_a_body() {
        assert_eq!(request_line("GET /a HTTP/1.1").as_deref(), Some("GET /a"));
        assert_eq!(request_line("{\"a\":1}POST /api HTTP/1.1").as_deref(), Some("POST /api"));
        assert_eq!(request_line("Host: GET"), None);
    }
}
