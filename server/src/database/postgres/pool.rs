//! The connections that many share, each lent to one question at a time. Reports have their own,
//! so that a slow one never holds up a sign-in.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, PoolError, RecyclingMethod, Runtime, TimeoutType};

use super::connect::{CONNECT_LIMIT, NO_LIMIT, Opening};
use super::url::PostgresUrl;
use crate::contract::reports;
use crate::database::error::{Result, StoreError};

/// Reports that run at once; they are the first to wait when the machine is busy.
const REPORT_CONNECTIONS: usize = 4;

/// Look-ups of sessions, users and keys that run at once; each is of a few rows by their key.
const LOOKUP_CONNECTIONS: usize = 4;

/// Disclosures that run at once. They are rare, and look through the facts of others for those of one.
const DISCLOSURE_CONNECTIONS: usize = 2;

/// Longest look-up, and how long disabling a user waits for the writer's batch.
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// How long a question waits for its turn before the caller is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connections of one kind; each is opened when first needed.
#[derive(Clone)]
pub struct Pool {
    connections: deadpool_postgres::Pool,
    opening: Arc<Opening>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.connections.status().fmt(f)
    }
}

impl Pool {
    /// For reports. A read replica will do.
    ///
    /// # Errors
    /// When the authorities of `sslrootcert` cannot be used.
    pub fn reports(url: &PostgresUrl) -> Result<Self> {
        Self::new(Opening::new(url, "visitflow reports", reports::LIMIT, false)?, REPORT_CONNECTIONS)
    }

    /// For sessions, users and keys, on a server that takes writes.
    ///
    /// # Errors
    /// As above.
    pub fn lookups(url: &PostgresUrl) -> Result<Self> {
        Self::new(Opening::new(url, "visitflow accounts", LOOKUP_LIMIT, true)?, LOOKUP_CONNECTIONS)
    }

    /// For what is stored of single visitors, on a server that takes writes: a replica may not have all.
    ///
    /// # Errors
    /// As above.
    pub fn disclosures(url: &PostgresUrl) -> Result<Self> {
        let opening = Opening::new(url, "visitflow disclosures", reports::LIMIT, true)?;
        Self::new(opening, DISCLOSURE_CONNECTIONS)
    }

    /// For the reports that compare two databases as a whole.
    ///
    /// # Errors
    /// As above.
    pub fn patient(url: &PostgresUrl) -> Result<Self> {
        Self::new(Opening::new(url, "visitflow migrate", NO_LIMIT, false)?, 1)
    }

    fn new(opening: Opening, size: usize) -> Result<Self> {
        let config = opening.config().clone();
        // A lost connection is noticed by its own task; asking before each use would double every look-up.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connections =
            deadpool_postgres::Pool::builder(Manager::from_connect(config, opening.clone(), recycling))
                .max_size(size)
                .runtime(Runtime::Tokio1)
                .wait_timeout(Some(PATIENCE))
                .create_timeout(Some(CONNECT_LIMIT))
                .build()
                .map_err(|_| StoreError::Unavailable("the pool has no runtime"))?;
        Ok(Self { connections, opening: Arc::new(opening) })
    }

    pub(super) async fn get(&self) -> Result<Client> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(error) => StoreError::Unreachable(error),
            PoolError::Timeout(TimeoutType::Wait) => {
                StoreError::Unavailable("every connection to Postgres is busy")
            }
            PoolError::Timeout(_) => StoreError::Silent(CONNECT_LIMIT),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                StoreError::Unavailable("the pool is closed")
            }
        })
    }

    /// A connection for work that somebody waits for.
    pub(super) async fn lend(&self) -> Result<Lent> {
        Ok(Lent { client: Some(self.get().await?), opening: Arc::clone(&self.opening) })
    }
}

/// A connection that is lent for one piece of work. Given back when the work is done; if it is
/// dropped before, nobody waits any more: what runs on it is cancelled, and it is closed, so that
/// the cancellation meets nobody else's question.
pub(super) struct Lent {
    client: Option<Client>,
    opening: Arc<Opening>,
}

impl Lent {
    pub(super) fn client(&mut self) -> Result<&mut Client> {
        self.client.as_mut().ok_or(StoreError::Unavailable("the connection was given back"))
    }

    /// Gives it back.
    pub(super) fn done(mut self) {
        drop(self.client.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let client = Client::take(client);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (token, opening) = (client.cancel_token(), Arc::clone(&self.opening));
        runtime.spawn(async move {
            if let Err(error) = opening.cancel(token).await {
                tracing::debug!(error = super::errors::told(&error), "a report could not be cancelled");
            }
            drop(client);
        });
    }
}
