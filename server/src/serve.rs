//! The listeners: accept, TLS, caps on connections, time limits, graceful drain.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::app::App;
use crate::clock;
use crate::config::Serve;
use crate::http::client_ip;
use crate::http::reply::Reply;
use crate::service;

/// Open connections in total.
const CONNECTIONS: usize = 20_000;

/// Open connections of one address (of IPv6: one /64); this machine and trusted proxies are exempt.
const CONNECTIONS_PER_ADDRESS: usize = 8_000;

/// How long a request's head may take, and how long a connection may idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Largest head of a request in bytes: cookies and a long address fit.
const HEAD_BYTES: usize = 32 * 1024;

/// Most headers of a request.
const HEADERS: usize = 64;

/// How often it is noticed what other processes changed.
const TICK_EVERY: Duration = Duration::from_secs(1);

/// Every so many ticks, what slid is written and what has expired is ended.
const TICKS_PER_SWEEP: u32 = 30;

/// File descriptors kept free for the database, its readers and the admin listener.
const FILES_RESERVED: usize = 128;

/// How long to wait after an accept that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// The two listeners, bound.
#[derive(Debug)]
pub struct Listeners {
    public: TcpListener,
    admin: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another with {flag}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot use the certificate of --tls-cert and the key of --tls-key: {0}")]
    Tls(String),
}

impl Listeners {
    /// Binds both addresses and reads the certificate.
    ///
    /// # Errors
    /// When an address is taken, or the certificate cannot be used.
    pub async fn bind(config: &Serve) -> Result<Self, ListenError> {
        let tls = match (&config.tls_cert, &config.tls_key) {
            (Some(cert), Some(key)) => Some(Arc::new(tls(cert, key).map_err(ListenError::Tls)?)),
            _ => None,
        };
        let bind = async |address, flag| {
            TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, flag, source })
        };
        Ok(Self {
            public: bind(config.listen, "--listen").await?,
            admin: bind(config.admin_listen, "--admin-listen").await?,
            tls,
        })
    }

    /// The bound addresses: public, admin.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.admin.local_addr()?))
    }
}

/// Reads a certificate chain and its key.
///
/// # Errors
/// A sentence that names the file.
pub fn tls(cert: &std::path::Path, key: &std::path::Path) -> Result<ServerConfig, String> {
    let named =
        |path: &std::path::Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| named(cert, &error))?;
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .map_err(|error| named(cert, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Serves until `shutdown`, then lets what is in flight finish within the drain limit. Everything
/// that was acknowledged is durable already; the caller stops the writer for the rest.
pub async fn run(app: Arc<App>, listeners: Listeners, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let (turns, counts) = (Arc::new(Semaphore::new(most_connections())), Arc::new(PerAddress::default()));
    let (drain, draining) = watch::channel(());
    let mut tasks = JoinSet::new();
    let mut ticks = 0;
    let mut tick = tokio::time::interval(TICK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listeners.public.accept() => {
                let Some((stream, peer)) = accepted_or_pause(accepted).await else { continue };
                let Some(guard) = counts.admit(peer.ip(), &turns, &app) else { continue };
                let (app, watcher, tls) = (Arc::clone(&app), graceful.watcher(), listeners.tls.clone());
                let draining = draining.clone();
                tasks.spawn(async move {
                    let _guard = guard;
                    if speaks(&stream, draining).await {
                        public(app, stream, peer.ip(), tls, watcher).await;
                    }
                });
            }
            accepted = listeners.admin.accept() => {
                let Some((stream, _)) = accepted_or_pause(accepted).await else { continue };
                let (app, watcher, draining) = (Arc::clone(&app), graceful.watcher(), draining.clone());
                tasks.spawn(async move {
                    let answer = service_fn(move |request: Request<Incoming>| {
                        let app = Arc::clone(&app);
                        async move { Ok::<Reply, Infallible>(service::answer_admin(app, request).await) }
                    });
                    if speaks(&stream, draining).await {
                        connection(stream, false, answer, watcher).await;
                    }
                });
            }
            _ = tick.tick() => {
                let app = Arc::clone(&app);
                let sweeps = ticks % TICKS_PER_SWEEP == 0;
                ticks = ticks.wrapping_add(1);
                tasks.spawn(async move { housekeep(&app, sweeps).await });
            }
            Some(_) = tasks.join_next() => {} // a connection that ended leaves no trace
        }
    }
    drop((listeners, drain));
    tracing::info!("draining");
    if tokio::time::timeout(app.config.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections outlived the drain limit and were closed");
    }
    tasks.shutdown().await;
}

/// Waits for the first byte of a connection. One that says nothing for long, or until the server
/// drains (browsers open some in advance), is closed.
async fn speaks(stream: &TcpStream, mut draining: watch::Receiver<()>) -> bool {
    let mut byte = [0];
    tokio::select! {
        peeked = stream.peek(&mut byte) => peeked.is_ok_and(|bytes| bytes > 0),
        _ = draining.changed() => false,
        () = tokio::time::sleep(HEAD_PATIENCE) => false,
    }
}

async fn housekeep(app: &App, sweeps: bool) {
    let now = clock::now();
    app.lifecycle.ingest.tick(now);
    if !sweeps {
        return;
    }
    app.throttle.forget_quiet(now);
    if let Err(error) = app.lifecycle.ingest.sweep(now).await {
        tracing::warn!(%error, "could not write what has slid or expired");
    }
}

/// As many connections as the system has file descriptors for, up to [`CONNECTIONS`].
fn most_connections() -> usize {
    let wanted = CONNECTIONS + FILES_RESERVED;
    let files = rlimit::increase_nofile_limit(wanted as u64)
        .map_or(1_024, |files| usize::try_from(files).unwrap_or(wanted));
    let connections = files.min(wanted).saturating_sub(FILES_RESERVED).max(16);
    if connections < CONNECTIONS / 4 {
        tracing::warn!(
            connections,
            "the limit of open files allows fewer connections; raise it with ulimit -n or LimitNOFILE"
        );
    }
    connections
}

async fn public(
    app: Arc<App>,
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let secured = tls.is_some();
    let answer = service_fn(move |request: Request<Incoming>| {
        let app = Arc::clone(&app);
        async move { Ok::<Reply, Infallible>(service::answer(app, request, peer, secured).await) }
    });
    let _ = stream.set_nodelay(true); // an answer is one packet; without it, it only comes later
    match tls {
        None => connection(stream, false, answer, watcher).await,
        Some(config) => {
            match tokio::time::timeout(HANDSHAKE_PATIENCE, TlsAcceptor::from(config).accept(stream)).await {
                Ok(Ok(stream)) => {
                    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    connection(stream, h2, answer, watcher).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        }
    }
}

async fn connection<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    h2: bool,
    answer: S,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: hyper::service::Service<Request<Incoming>, Response = Reply, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(128)
        .keep_alive_interval(HEAD_PATIENCE)
        .keep_alive_timeout(HANDSHAKE_PATIENCE);
    // The version is known, and not guessed from the first bytes: guessing knows no time limit.
    let builder = if h2 { builder.http2_only() } else { builder.http1_only() };
    let connection = builder.serve_connection(TokioIo::new(stream), answer).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection closed");
    }
}

/// An accept that fails (no file descriptors left, say) is tried again after a moment.
async fn accepted_or_pause(
    accepted: std::io::Result<(TcpStream, SocketAddr)>,
) -> Option<(TcpStream, SocketAddr)> {
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

/// Counts the open connections of each address.
#[derive(Debug, Default)]
struct PerAddress(Mutex<HashMap<IpAddr, usize>>);

/// Counts one connection as open while it lives.
#[derive(Debug)]
struct Admitted {
    counts: Arc<PerAddress>,
    peer: IpAddr,
    _turn: tokio::sync::OwnedSemaphorePermit,
    _metric: crate::observe::ConnectionGuard,
}

impl PerAddress {
    fn admit(self: &Arc<Self>, peer: IpAddr, turns: &Arc<Semaphore>, app: &App) -> Option<Admitted> {
        let turn = Arc::clone(turns).try_acquire_owned().ok()?;
        let peer = peer.to_canonical();
        let exempt = peer.is_loopback() || client_ip::is_trusted(peer, &app.config.trusted_proxies);
        let peer = client_ip::network(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS && !exempt {
            return None;
        }
        *count += 1;
        Some(Admitted { counts: Arc::clone(self), peer, _turn: turn, _metric: app.metrics.connection() })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}
