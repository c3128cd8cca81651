//! Whether a client has closed its connection. During a request HTTP/1.1 reads nothing, so it does not notice that, and
//! facts are stored anyway. A report, which only its client needs, checks it here.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncWrite, Interest, Join};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How often it is checked.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A connection as HTTP uses it.
pub type Watched = Join<OwnedReadHalf, Shared>;

/// The half that is written to, and checked.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<OwnedWriteHalf>>);

/// A connection, and the handle for checking it.
#[must_use]
pub fn watched(stream: TcpStream) -> (Watched, Shared) {
    let (read, write) = stream.into_split();
    let shared = Shared(Arc::new(Mutex::new(write)));
    (tokio::io::join(read, shared.clone()), shared)
}

impl Shared {
    /// Waits until the client has closed the connection, or its half of it.
    pub async fn gone(&self) {
        while !self.is_closed() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn is_closed(&self) -> bool {
        let half = self.half();
        // This uses what the operating system knows already; nothing is read.
        let ready = half.as_ref().ready(Interest::READABLE).now_or_never();
        matches!(ready, Some(Ok(ready)) if ready.is_read_closed())
    }

    fn half(&self) -> MutexGuard<'_, OwnedWriteHalf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut *self.half()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut *self.half()).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut *self.half()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut *self.half()).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_has_gone_when_it_has_closed_and_not_when_it_has_sent_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut served, shared) = watched(listener.accept().await.unwrap().0);
        assert!(!shared.is_closed());
        client.write_all(b"more").await.unwrap();
        served.write_all(b"answer").await.unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        assert!(!shared.is_closed(), "what waits to be read is no end");
        drop(client);
        shared.gone().await;
        let mut rest = Vec::new();
        served.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"more", "looking takes nothing away");
    }
}
