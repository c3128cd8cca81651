//! The writer's connection: batches of the ledger, and what housekeeping asks for, each in one
//! transaction under the one lock of the store. The connection is made when it is first needed, and
//! anew after it broke.
//!
//! A batch takes two round trips: BEGIN, the lock and all look-ups; then all writes and COMMIT.

use std::time::Duration;

use futures_util::TryFutureExt as _;
use futures_util::future;
use tokio::task::JoinHandle;

use super::load::{self, records};
use super::statements::{EVERY, Params, Session, named};
use super::url::PostgresUrl;
use super::{connect, migrations, partitions, write};
use crate::ledger::command::Command;
use crate::ledger::{self, Known};
use crate::session::record::{CROSSING_MS, Record};
use crate::session::{Millis, Ttl};
use crate::store::events::{Committed, ENDED_KEPT_MS, SWEEP_GRACE_MS};
use crate::store::sessions::Slides;
use crate::store::sessions::local::Local;
use crate::store::{Result, StoreError};

/// Begins a transaction that no other batch of any server overlaps.
const BEGIN: &str = concat!("BEGIN; ", include_str!("../../../../sql/postgres/lock.sql"));

/// How long a batch may take as a whole; a database that hangs is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a sweep may take: it looks at every live session.
const SWEEP_PATIENCE: Duration = Duration::from_secs(20);

/// How long a batch waits for a connection that is being made. It goes on being made beside the
/// writer, however long that takes: the facts go to the spool meanwhile.
const CONNECTING_PATIENCE: Duration = Duration::from_millis(150);

/// How long the very first batch waits for it: a server that has just started has nothing else to do.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// Every statement of the writer finds its rows by a key, whatever the statistics say at the moment:
/// it is planned once, for an index, and not compiled. A plan for each batch would cost more than
/// the batch.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// How often partitions and retention are looked after, in ms.
const MAINTAIN_EVERY_MS: Millis = 3_600_000;

/// The writer's connection.
#[derive(Debug)]
pub struct Writer {
    url: PostgresUrl,
    retention_days: Option<u32>,
    session: Option<Session>,
    /// The schema is brought up to date here too: a migration may take as long as the tables are
    /// large.
    connecting: Option<JoinHandle<Result<Session>>>,
    first: bool,
    maintaining: Option<JoinHandle<bool>>,
    maintained_at: Option<Millis>,
}

impl Writer {
    /// A writer that connects when it is first needed.
    #[must_use]
    pub fn new(url: PostgresUrl, retention_days: Option<u32>) -> Self {
        Self {
            url,
            retention_days,
            session: None,
            connecting: None,
            first: true,
            maintaining: None,
            maintained_at: None,
        }
    }

    /// Applies a batch and commits it.
    ///
    /// # Errors
    /// When the database is away or refuses; so for all below.
    pub async fn commit(
        &mut self,
        commands: &[Command],
        local: &Local,
        ttl: Ttl,
        now: Millis,
    ) -> Result<Committed> {
        self.within(PATIENCE, async |session| {
            let (mut known, mut wants) = (Known::default(), ledger::first_wants(commands));
            let begin = session.client.batch_execute(BEGIN).map_err(StoreError::from);
            let (begun, looked_up) = future::join(begin, load::look_up(session, &wants, &mut known)).await;
            begun.and(looked_up)?;
            let mut look_ups = 1;
            let plan = loop {
                known.asked(wants);
                local.freshen(&mut known);
                match ledger::plan(commands, &known, ttl) {
                    Ok(plan) => break plan,
                    Err(more) => wants = *more,
                }
                look_ups += 1;
                if look_ups > ledger::LOOK_UPS_MAX {
                    return Err(StoreError::Malformed("batch, which asks without end"));
                }
                load::look_up(session, &wants, &mut known).await?;
            };
            write::write_and_commit(session, &plan.changes, now).await?;
            Ok(Committed { outcomes: plan.outcomes, changed: plan.changes.tokens })
        })
        .await
    }

    /// Writes activity that only the fast copy knew.
    ///
    /// # Errors
    /// As above.
    pub async fn slide(&mut self, slides: &Slides) -> Result<()> {
        let (tags, instants): (Vec<String>, Vec<Millis>) =
            slides.sessions.iter().map(|(tag, at)| (tag.to_string(), *at)).unzip();
        let (visit_ids, visit_instants): (Vec<_>, Vec<_>) = slides.visits.iter().copied().unzip();
        self.within(PATIENCE, async |session| {
            session.client.batch_execute(BEGIN).await?;
            session.execute(named!("token_slide"), &[&tags, &instants]).await?;
            session.execute(named!("visit_slide"), &[&visit_ids, &visit_instants]).await?;
            Ok(session.client.batch_execute("COMMIT").await?)
        })
        .await
    }

    /// Ends what has expired, forgets what is long over; every hour makes partitions ahead and
    /// deletes what is past its retention.
    ///
    /// # Errors
    /// As above.
    pub async fn sweep(&mut self, ttl: Ttl, now: Millis) -> Result<()> {
        self.maintain(now).await;
        let since = now - SWEEP_GRACE_MS;
        let (idle_since, opened_before) = (since - ttl.idle_ms, since - ttl.max_ms);
        self.within(SWEEP_PATIENCE, async |session| {
            session.client.batch_execute(BEGIN).await?;
            let limits: Params<'_> = &[&idle_since, &opened_before, &ttl.idle_ms, &ttl.max_ms];
            session.execute(named!("tokens_expire"), limits).await?;
            session.execute(named!("visits_expire"), &[&idle_since, &opened_before]).await?;
            session.execute(named!("tokens_forget"), &[&(now - ENDED_KEPT_MS)]).await?;
            session.execute(named!("retired_forget"), &[&(now - CROSSING_MS)]).await?;
            Ok(session.client.batch_execute("COMMIT").await?)
        })
        .await
    }

    /// The records that were rotated, bound or ended at or after an instant.
    ///
    /// # Errors
    /// As above.
    pub async fn changed_since(&mut self, since: Millis) -> Result<Vec<Record>> {
        self.within(PATIENCE, async |session| records(session, named!("tokens_changed"), &since).await).await
    }

    /// Whether the database answers, and takes writes.
    ///
    /// # Errors
    /// As above.
    pub async fn probe(&mut self) -> Result<()> {
        self.within(PATIENCE, async |session| {
            // A server that has become a standby meanwhile answers, and stores nothing.
            let row = session.client.query_one("SELECT pg_is_in_recovery()", &[]).await?;
            if row.try_get(0)? { Err(StoreError::Unavailable("the database is a standby")) } else { Ok(()) }
        })
        .await
    }

    /// Keeps a command that the database refuses for whoever looks after it.
    ///
    /// # Errors
    /// As above.
    pub async fn set_aside(&mut self, command: &Command, reason: &StoreError, now: Millis) -> Result<()> {
        let command = serde_json::to_string(command).unwrap_or_default();
        let reason = reason.to_string();
        self.within(PATIENCE, async |session| {
            session.execute(named!("dead_letter_put"), &[&now, &reason, &command]).await.map(drop)
        })
        .await
    }

    /// Looks after partitions and retention if it is time, on a connection of its own: the writer
    /// does not wait for it, and a long report that holds it up is no reason to go to the spool.
    async fn maintain(&mut self, now: Millis) {
        if let Some(done) = self.maintaining.take_if(|task| task.is_finished())
            && done.await.is_ok_and(|finished| finished)
        {
            self.maintained_at = Some(now);
        }
        let due = self.maintained_at.is_none_or(|at| now - at >= MAINTAIN_EVERY_MS);
        if due && self.maintaining.is_none() && self.session.is_some() {
            let (url, retention_days) = (self.url.clone(), self.retention_days);
            self.maintaining = Some(tokio::spawn(async move {
                let done = async {
                    let mut client = connect::connect(&url, "visitflow maintenance").await?;
                    partitions::maintain(&mut client, now, retention_days).await
                };
                match done.await {
                    Ok(maintained) => !maintained.unfinished,
                    Err(error) => {
                        tracing::warn!(%error, "partitions and retention have to wait");
                        false
                    }
                }
            }));
        }
    }

    /// Runs something on the connection within `patience`; after any failure but a refusal the
    /// connection is given up, and with it whatever it had begun.
    async fn within<T>(
        &mut self,
        patience: Duration,
        work: impl AsyncFnOnce(&Session) -> Result<T>,
    ) -> Result<T> {
        let session = self.session().await?;
        let patiently = async {
            let done = work(session).await;
            if done.as_ref().is_err_and(StoreError::is_refusal) {
                session.client.batch_execute("ROLLBACK").await?;
            }
            done
        };
        let done =
            tokio::time::timeout(patience, patiently).await.unwrap_or(Err(StoreError::Silent(patience)));
        if done.as_ref().is_err_and(|error| !error.is_refusal()) {
            self.session = None;
        }
        done
    }

    /// The connection; one is made beside the writer where there is none.
    async fn session(&mut self) -> Result<&Session> {
        if self.session.as_ref().is_some_and(|session| session.client.is_closed()) {
            self.session = None;
        }
        if self.session.is_none() {
            let url = self.url.clone();
            let connecting = self.connecting.get_or_insert_with(|| tokio::spawn(open(url)));
            let patience = if self.first { FIRST_PATIENCE } else { CONNECTING_PATIENCE };
            self.first = false;
            let opened = tokio::time::timeout(patience, connecting)
                .await
                .map_err(|_| StoreError::Unavailable("the connection is being made"))?;
            self.connecting = None;
            self.session = Some(opened.unwrap_or(Err(StoreError::Unavailable("connecting failed")))?);
        }
        self.session.as_ref().ok_or(StoreError::Unavailable("no connection"))
    }
}

/// Makes the connection: schema, settings, statements.
async fn open(url: PostgresUrl) -> Result<Session> {
    migrations::migrate(&url).await?;
    let client = connect::connect(&url, "visitflow writer").await?;
    client.batch_execute(PLANS).await?;
    let session = Session::new(client);
    session.prepare_all(EVERY).await?;
    Ok(session)
}
