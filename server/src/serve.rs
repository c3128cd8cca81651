//! The listeners: accept, TLS, graceful drain.
//!
//! | module | holds |
//! |---|---|
//! | `admission` | how many connections may be open, in total and for each address |
//! | `connection` | one connection: the limits of HTTP, and of every wait for the client |
//! | [`tls`] | the certificate and its key, which may be read again |

mod admission;
mod connection;
pub mod tls;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use self::admission::{PerAddress, most_connections};
use self::connection::Line;
use self::tls::Tls;
use crate::app::App;
use crate::clock;
use crate::config::Serve;
use crate::http::hangup;
use crate::service;

/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// How often the changes of other processes are read: often enough that a session that they end is dead here within
/// [`TRUE_MS`](crate::resolve::TRUE_MS).
const TICK_EVERY: Duration = Duration::from_millis(500);

/// After so many ticks activity is written, and expired sessions and visits are ended.
const TICKS_PER_SWEEP: u32 = 60;

/// How long to wait after a failed accept.
const PAUSE: Duration = Duration::from_millis(50);

/// The two listeners, bound.
#[derive(Debug)]
pub struct Listeners {
    public: TcpListener,
    admin: TcpListener,
    tls: Option<Arc<Tls>>,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be used.
    #[error("cannot listen on {address}: {source}; choose another address with {flag}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// The error of the system.
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
            (Some(cert), Some(key)) => Some(Arc::new(Tls::read(cert, key).map_err(ListenError::Tls)?)),
            _ => None,
        };
        let bind = async |address, flag| {
            let bound = TcpListener::bind(&addresses(address)[..]).await;
            bound.map_err(|source| ListenError::Bind { address, flag, source })
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
    /// When the system does not return them.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.admin.local_addr()?))
    }

    /// The certificate and its key, if the server uses TLS.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }
}

/// The addresses to bind, of which the first possible one is used: on a system without IPv6, `::` means all addresses of
/// IPv4.
#[must_use]
pub fn addresses(address: SocketAddr) -> Vec<SocketAddr> {
    let all = address.is_ipv6() && address.ip().is_unspecified();
    let ipv4 = all.then(|| (Ipv4Addr::UNSPECIFIED, address.port()).into());
    [address].into_iter().chain(ipv4).collect()
}

/// Serves until `shutdown`, then lets running requests finish within the drain limit. Everything that was acknowledged
/// has been committed; the caller stops the writer for the rest.
pub async fn run(app: Arc<App>, listeners: Listeners, shutdown: impl Future<Output = ()>) {
    let (turns, counts) = (Arc::new(Semaphore::new(most_connections())), Arc::new(PerAddress::default()));
    let (drain, draining) = watch::channel(());
    let idle = app.config.idle_timeout;
    let (mut connections, mut chores) = (JoinSet::new(), JoinSet::new());
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
                let (app, tls) = (Arc::clone(&app), listeners.tls.as_deref().map(Tls::config));
                let line = Line { idle, draining: draining.clone() };
                connections.spawn(async move {
                    let _guard = guard;
                    public(app, stream, peer.ip(), tls, line).await;
                });
            }
            accepted = listeners.admin.accept() => {
                let Some((stream, _)) = accepted_or_pause(accepted).await else { continue };
                let app = Arc::clone(&app);
                let mut line = Line { idle, draining: draining.clone() };
                connections.spawn(async move {
                    if line.first_byte(&stream).await.is_some() {
                        line.http1(stream, move |request| service::answer_admin(Arc::clone(&app), request)).await;
                    }
                });
            }
            _ = tick.tick() => {
                let app = Arc::clone(&app);
                let sweeps = ticks % TICKS_PER_SWEEP == 0;
                ticks = ticks.wrapping_add(1);
                chores.spawn(async move { housekeep(&app, sweeps).await });
            }
            Some(_) = connections.join_next() => {} // drops connections that have ended
            Some(_) = chores.join_next() => {}
        }
    }
    drop((listeners, drain));
    tracing::info!("draining");
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(app.config.drain, drained).await.is_err() {
        tracing::warn!("some connections were still open after the time of --drain, and were closed");
    }
    connections.shutdown().await;
    chores.shutdown().await;
}

async fn public(
    app: Arc<App>,
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    mut line: Line,
) {
    let Some(first) = line.first_byte(&stream).await else { return };
    let _ = stream.set_nodelay(true); // if that fails, answers only come later
    let secured = tls.is_some();
    let (stream, client) = hangup::watched(stream);
    let answer = move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(client.clone());
        service::answer(Arc::clone(&app), request, peer, secured)
    };
    match tls {
        None => line.http1(stream, answer).await,
        // A TLS record begins with its type, 22 for a handshake; a request with a method's name.
        Some(_) if first.is_ascii_alphabetic() => line.http1(stream, service::answer_without_tls).await,
        Some(config) => {
            match tokio::time::timeout(
                HANDSHAKE_PATIENCE.min(line.idle),
                TlsAcceptor::from(config).accept(stream),
            )
            .await
            {
                Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                    line.http2(stream, answer).await;
                }
                Ok(Ok(stream)) => line.http1(stream, answer).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        }
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
        tracing::warn!(%error, "the latest activity and the ends of idle sessions could not be written");
    }
}

/// Accepts a connection. If that fails (such as without file descriptors), it tries again after a moment.
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
