//! One connection: its time-outs, its keepalives and its encryption.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{CancelToken, Client, Error, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::private;
use super::url::PostgresUrl;
use crate::database::error::{Result, StoreError};

/// How long one address may take to accept, before the next one is tried.
const ADDRESS_LIMIT: Duration = Duration::from_secs(3);

/// How long connecting may take in all: addresses, TLS, password.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// An idle connection is probed after this long, so that firewalls do not forget it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// The time between two probes; a few probes without an answer end the connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// How many probes.
const KEEPALIVE_RETRIES: u32 = 3;

/// The connection ends if sent data is not acknowledged for so long: a host that vanished is noticed now, not after the
/// kernel's quarter of an hour.
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(15);

/// Postgres ends a transaction in which nothing happens for so long: a server that hangs within a batch holds the lock
/// for which the others wait.
const IDLE_IN_TRANSACTION_LIMIT: Duration = Duration::from_secs(5);

/// Longest statement of the writer. A batch takes milliseconds; a statement that takes this long is stuck.
const WRITER_LIMIT: Duration = Duration::from_secs(30);

/// No limit.
pub(super) const NO_LIMIT: Duration = Duration::ZERO;

/// Opens the writer's connection, to a server that accepts writes.
///
/// # Errors
/// When no host accepts the connection; such an error [is away](StoreError::is_away).
pub async fn connect(url: &PostgresUrl, application_name: &str) -> Result<Client> {
    Ok(Opening::new(url, application_name, WRITER_LIMIT, true)?.open_in_time().await?.0)
}

/// Opens a connection for work that may take long on large tables, to a server that accepts writes.
///
/// # Errors
/// As [`connect`].
pub async fn connect_patiently(url: &PostgresUrl, application_name: &str) -> Result<Client> {
    Ok(Opening::new(url, application_name, NO_LIMIT, true)?.open_in_time().await?.0)
}

/// Asks Postgres to cancel what a connection is doing, and does not wait for it. Closing the connection is not enough:
/// Postgres would continue, and keep its locks, until the statement is done.
pub(super) fn cancel(url: &PostgresUrl, client: &Client) {
    let (token, url) = (client.cancel_token(), url.clone());
    tokio::spawn(async move {
        let opening = Opening::new(&url, "visitflow", NO_LIMIT, false)?;
        let cancelling = async {
            match opening.tls {
                Some(tls) => token.cancel_query(tls).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        let cancelled = tokio::time::timeout(CONNECT_LIMIT, cancelling).await;
        if let Ok(Err(error)) = cancelled {
            tracing::debug!(error = super::errors::told(&error), "a statement could not be cancelled");
        }
        Ok::<_, StoreError>(())
    });
}

/// Everything that is needed to open one more connection of a kind.
pub(super) struct Opening {
    config: Config,
    /// None: no encryption.
    tls: Option<MakeRustlsConnect>,
    settings: String,
}

impl Opening {
    /// `limit` is for one statement, zero for none; `writes` asks for a server that takes writes.
    pub(super) fn new(
        url: &PostgresUrl,
        application_name: &str,
        limit: Duration,
        writes: bool,
    ) -> Result<Self> {
        let mut config = url.config().clone();
        if config.get_application_name().is_none() {
            config.application_name(application_name);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(ADDRESS_LIMIT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED_LIMIT);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_idle(KEEPALIVE_IDLE);
            config.keepalives_interval(KEEPALIVE_INTERVAL);
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
        if writes {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        // A Unix socket has no TLS, and needs none.
        let in_clear = config.get_ssl_mode() == SslMode::Disable
            || config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let tls = if in_clear { None } else { Some(MakeRustlsConnect::new(private(url)?)) };
        let settings = format!(
            "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET client_min_messages = warning",
            limit.as_millis(),
            IDLE_IN_TRANSACTION_LIMIT.as_millis()
        );
        Ok(Self { config, tls, settings })
    }

    /// Opens one, or says why that is not possible now. It closes when the client is dropped, or its task ends.
    pub(super) async fn open_in_time(&self) -> Result<(Client, JoinHandle<()>)> {
        match tokio::time::timeout(CONNECT_LIMIT, self.open()).await {
            Ok(opened) => opened.map_err(StoreError::Unreachable),
            Err(_) => Err(StoreError::Silent(CONNECT_LIMIT)),
        }
    }

    async fn open(&self) -> std::result::Result<(Client, JoinHandle<()>), Error> {
        let (client, task) = match &self.tls {
            Some(tls) => self.open_with(tls.clone()).await?,
            None => self.open_with(NoTls).await?,
        };
        client.batch_execute(&self.settings).await?;
        Ok((client, task))
    }

    /// Cancels what runs on a connection that was opened by this.
    pub(super) async fn cancel(&self, token: CancelToken) -> std::result::Result<(), Error> {
        match &self.tls {
            Some(tls) => token.cancel_query(tls.clone()).await,
            None => token.cancel_query(NoTls).await,
        }
    }

    async fn open_with<T>(&self, tls: T) -> std::result::Result<(Client, JoinHandle<()>), Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, connection) = self.config.connect(tls).await?;
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = super::errors::told(&error), "a connection to Postgres ended");
            }
        });
        Ok((client, task))
    }
}
