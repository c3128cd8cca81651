//! Shared connections, each lent to one caller at a time. Reports have connections of their own, so that a slow report
//! never delays a sign-in.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bb8::{ManageConnection, PooledConnection};
use tokio::task::JoinHandle;

use super::connect::{NO_LIMIT, Opening};
use super::statements::Session;
use super::url::PostgresUrl;
use crate::contract::reports;
use crate::database::error::{Result, StoreError};

/// How many reports run at once. Few, so that they are the first to wait when the machine is busy.
const REPORT_CONNECTIONS: u32 = 4;

/// How many look-ups of sessions, users and keys run at once; each reads a few rows by their key.
const LOOKUP_CONNECTIONS: u32 = 4;

/// How many disclosures run at once. They are rare, and read many facts to find those of one visitor.
const DISCLOSURE_CONNECTIONS: u32 = 2;

/// Longest look-up, and how long disabling a user waits for the writer's batch.
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// How long a query waits for a connection before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connections of one kind; each is opened when first needed.
#[derive(Clone)]
pub struct Pool {
    places: bb8::Pool<Places>,
    opening: Arc<Opening>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.places.state().fmt(f)
    }
}

impl Pool {
    /// For reports. The server may be a read replica.
    ///
    /// # Errors
    /// When the authorities of `sslrootcert` cannot be used.
    pub fn reports(url: &PostgresUrl) -> Result<Self> {
        Ok(Self::new(Opening::new(url, "visitflow reports", reports::LIMIT, false)?, REPORT_CONNECTIONS))
    }

    /// For sessions, users and keys, on a server that accepts writes.
    ///
    /// # Errors
    /// As above.
    pub fn lookups(url: &PostgresUrl) -> Result<Self> {
        Ok(Self::new(Opening::new(url, "visitflow accounts", LOOKUP_LIMIT, true)?, LOOKUP_CONNECTIONS))
    }

    /// For disclosures, on a server that accepts writes, because a replica may be behind.
    ///
    /// # Errors
    /// As above.
    pub fn disclosures(url: &PostgresUrl) -> Result<Self> {
        let opening = Opening::new(url, "visitflow disclosures", reports::LIMIT, true)?;
        Ok(Self::new(opening, DISCLOSURE_CONNECTIONS))
    }

    /// For the reports that compare two databases as a whole.
    ///
    /// # Errors
    /// As above.
    pub fn patient(url: &PostgresUrl) -> Result<Self> {
        Ok(Self::new(Opening::new(url, "visitflow migrate", NO_LIMIT, false)?, 1))
    }

    fn new(opening: Opening, size: u32) -> Self {
        let places = bb8::Pool::builder()
            .max_size(size)
            .connection_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .build_unchecked(Places);
        Self { places, opening: Arc::new(opening) }
    }

    /// A connection. It goes back when it is dropped.
    pub(super) async fn get(&self) -> Result<Lent> {
        let place = self.places.get_owned().await;
        let mut place = place.map_err(|_| StoreError::Unavailable("every connection to Postgres is busy"))?;
        // The task of a connection notices its loss; a query before each use would double every look-up.
        if place.as_ref().is_none_or(|open| open.session.client.is_closed()) {
            *place = None;
            let (client, task) = self.opening.open_in_time().await?;
            *place = Some(Open { session: Session::new(client), task });
        }
        Ok(Lent { place, cancels: None })
    }

    /// A connection for work that a caller waits for. It goes back when that is [done](Lent::done). If it is dropped
    /// before, the caller does not wait any more: the running query is cancelled, and the connection is closed, so that
    /// the cancellation cannot hit another query.
    pub(super) async fn lend(&self) -> Result<Lent> {
        let mut lent = self.get().await?;
        lent.cancels = Some(Arc::clone(&self.opening));
        Ok(lent)
    }
}

/// Places for connections. A place is empty at first, and the first caller that gets it opens the connection, so that a
/// failure reaches this caller at once. (If the pool itself connected, the caller would wait until the pool's time-out.)
struct Places;

impl ManageConnection for Places {
    type Connection = Option<Open>;
    type Error = Infallible;

    async fn connect(&self) -> std::result::Result<Option<Open>, Infallible> {
        Ok(None)
    }

    async fn is_valid(&self, _: &mut Option<Open>) -> std::result::Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Option<Open>) -> bool {
        false
    }
}

/// A connection, closed when it is dropped.
struct Open {
    session: Session,
    task: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection that is lent for one piece of work.
pub(super) struct Lent {
    place: PooledConnection<'static, Places>,
    /// Cancels the work if this is dropped before it is done.
    cancels: Option<Arc<Opening>>,
}

impl Lent {
    pub(super) fn session(&mut self) -> Result<&mut Session> {
        let open = self.place.as_mut().map(|open| &mut open.session);
        open.ok_or(StoreError::Unavailable("the connection was given back"))
    }

    /// Gives it back.
    pub(super) fn done(mut self) {
        self.cancels = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(opening) = self.cancels.take() else { return };
        let Some(open) = self.place.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = opening.cancel(open.session.client.cancel_token()).await {
                tracing::debug!(error = super::errors::told(&error), "a report could not be cancelled");
            }
            drop(open);
        });
    }
}
