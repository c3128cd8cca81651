//! One connection: the limits of HTTP, and of every wait for the client.
//!
//! Invariant: every wait for a client has a limit. A connection is *quiet* while the server works on no request of it:
//! the client has yet to send a request (or the rest of its head, or the preface of HTTP/2), or has yet to read the
//! answer. A quiet connection is asked to end after [`Line::idle`], and closed if it is still open after the same time
//! again. The body of a request ([`crate::http::body`]) and the TLS handshake have limits of their own.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::http::reply::Reply;

/// Largest head of a request in bytes: cookies and a long address fit. HTTP/1.1: the bytes of the
/// request line and the fields; HTTP/2: as RFC 9113 §6.5.2 counts.
const HEAD_BYTES: usize = 32 * 1024;

/// Most header fields of a request of HTTP/1.1. HTTP/2 sends each cookie in a field of its own.
const HEADERS: usize = 64;

/// Most streams of an HTTP/2 connection at once.
const STREAMS: u32 = 128;

/// How long an HTTP/2 stream may take, from its head to the end of its answer. A client that reads
/// one stream and gives another no window loses the other one after this time.
const STREAM_PATIENCE: Duration = Duration::from_secs(120);

/// How old an HTTP/2 connection may become, busy or not; clients open another.
const AGE: Duration = Duration::from_secs(3_600);

/// What serves a connection.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// `--idle-timeout`
    pub(super) idle: Duration,
    /// Changes when the server drains.
    pub(super) draining: watch::Receiver<()>,
}

impl Line {
    /// The first byte of a connection. None if the client sends nothing for long, or until the server drains: browsers open
    /// some connections in advance.
    pub(super) async fn first_byte(&mut self, stream: &TcpStream) -> Option<u8> {
        let mut byte = [0];
        tokio::select! {
            peeked = stream.peek(&mut byte) => peeked.is_ok_and(|bytes| bytes > 0).then_some(byte[0]),
            _ = self.draining.changed() => None,
            () = tokio::time::sleep(self.idle) => None,
        }
    }

    /// Serves HTTP/1.1 until the connection ends.
    pub(super) async fn http1<A, F>(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        answer: A,
    ) where
        A: Fn(Request<Incoming>) -> F,
        F: Future<Output = Reply> + Send + 'static,
    {
        let activity = Arc::new(Activity::begin());
        let service = service_fn(|request| activity.work(answer(request)));
        let connection = http1::Builder::new()
            .half_close(true)
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle)
            .max_header_size(HEAD_BYTES)
            .max_headers(HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        self.attend(connection, http1::Connection::graceful_shutdown, &activity, Duration::MAX).await;
    }

    /// Serves HTTP/2 until the connection ends.
    pub(super) async fn http2<A, F>(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        answer: A,
    ) where
        A: Fn(Request<Incoming>) -> F,
        F: Future<Output = Reply> + Send + 'static,
    {
        let activity = Arc::new(Activity::begin());
        let service = service_fn(|request| activity.work(answer(request)));
        let connection = http2::Builder::new(Streams { patience: STREAM_PATIENCE })
            .timer(TokioTimer::new())
            .max_header_list_size(HEAD_BYTES as u32 + 1) // h2 refuses what reaches its limit
            .max_concurrent_streams(STREAMS)
            .serve_connection(TokioIo::new(stream), service);
        self.attend(connection, http2::Connection::graceful_shutdown, &activity, AGE).await;
    }

    /// Serves a connection; `end` asks it to end after the running requests.
    async fn attend<C>(mut self, connection: C, end: fn(Pin<&mut C>), activity: &Activity, age: Duration)
    where
        C: Future<Output = hyper::Result<()>>,
    {
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => Some(ended),
            () = activity.quiet_for(self.idle) => None,
            () = tokio::time::sleep(age) => None,
            _ = self.draining.changed() => None,
        };
        let ended = match ended {
            Some(ended) => Some(ended),
            None => {
                end(connection.as_mut());
                activity.note();
                tokio::select! {
                    ended = &mut connection => Some(ended),
                    () = activity.quiet_for(self.idle) => None,
                    () = tokio::time::sleep(self.idle + STREAM_PATIENCE) => None,
                }
            }
        };
        match ended {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "connection closed"),
            None => tracing::debug!("connection closed, because its client neither sent nor read anything"),
        }
    }
}

/// What the server is doing for a connection.
#[derive(Debug)]
struct Activity(Mutex<Requests>);

#[derive(Debug)]
struct Requests {
    in_work: usize,
    /// When the last answer was ready, or the connection began.
    quiet_since: Instant,
}

impl Activity {
    fn begin() -> Self {
        Self(Mutex::new(Requests { in_work: 0, quiet_since: Instant::now() }))
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the quiet time from now.
    fn note(&self) {
        self.requests().quiet_since = Instant::now();
    }

    /// Works on a request; the connection is not quiet meanwhile.
    fn work<F>(self: &Arc<Self>, answer: F) -> impl Future<Output = Result<Reply, Infallible>> + use<F>
    where
        F: Future<Output = Reply>,
    {
        self.requests().in_work += 1;
        let work = Work(Arc::clone(self));
        async move {
            let _work = work;
            Ok(answer.await)
        }
    }

    /// Waits until the connection has been quiet for so long.
    async fn quiet_for(&self, length: Duration) {
        loop {
            let since = {
                let requests = self.requests();
                if requests.in_work == 0 { requests.quiet_since } else { Instant::now() }
            };
            if since.elapsed() >= length {
                return;
            }
            tokio::time::sleep_until(since + length).await;
        }
    }
}

/// A running request.
struct Work(Arc<Activity>);

impl Drop for Work {
    fn drop(&mut self) {
        let mut requests = self.0.requests();
        requests.in_work -= 1;
        requests.quiet_since = Instant::now();
    }
}

/// Runs the streams of an HTTP/2 connection, each for a bounded time; one that is dropped is reset.
#[derive(Clone, Copy, Debug)]
struct Streams {
    patience: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(tokio::time::timeout(self.patience, stream));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_connection_is_quiet_while_no_request_is_in_work() {
        let activity = Arc::new(Activity::begin());
        activity.quiet_for(MOMENT).await;
        let (answer, answered) = tokio::sync::oneshot::channel::<Reply>();
        let work = activity.work(async move { answered.await.unwrap() });
        let early = tokio::time::timeout(10 * MOMENT, activity.quiet_for(MOMENT)).await;
        assert!(early.is_err(), "a request is in work");
        answer.send(Reply::default()).unwrap();
        work.await.unwrap();
        activity.quiet_for(MOMENT).await;
    }

    #[tokio::test]
    async fn a_stream_that_does_not_end_is_dropped() {
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        Streams { patience: MOMENT }.execute(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        assert!(dropped.await.is_err());
    }
}
