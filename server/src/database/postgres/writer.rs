//! The writer's connection: batches of the ledger, and what housekeeping asks for, each in one
//! transaction under the one lock of the database. The connection is made when it is first needed, and again after it
//! broke.
//!
//! A batch takes two round trips: BEGIN, the lock and all look-ups; then all writes and COMMIT. A
//! server that writes alone caches what it would look up (batches are numbered under the lock, so
//! it knows that it is alone), and then one round trip does.

use std::time::Duration;

use futures_util::future;
use tokio::task::JoinHandle;

use super::facts;
use super::load::{self, records};
use super::statements::{EVERY, Params, Session, named};
use super::url::PostgresUrl;
use super::{connect, erase, errors, maintenance, migrations, write};
use crate::contract::activity::Slides;
use crate::contract::erasure::{ERASED_KEPT_MS, Erasure, Piece};
use crate::database::batch::{Batch, Committed, ENDED_KEPT_MS, SWEEP_DELAY_MS};
use crate::database::error::{Result, StoreError};
use crate::ledger::commands::Command;
use crate::ledger::{self, Recent};
use crate::session::record::Record;
use crate::session::{Millis, Ttl};

/// How long a batch may take as a whole. A database that takes longer counts as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a batch waits for the lock of the database. Less than the time of a batch: one that got the lock and is not
/// done in time is too slow by itself.
const LOCK_PATIENCE: Duration = Duration::from_secs(4);

/// How long a sweep may take: it reads every live session.
const SWEEP_PATIENCE: Duration = Duration::from_secs(20);

/// How long a piece of an erasure may take: it may have to read a whole table of facts.
const ERASURE_PATIENCE: Duration = Duration::from_secs(20);

/// How long a batch waits for a connection that is being made. A task of its own goes on making it, and the facts go to
/// the spool meanwhile.
const CONNECTING_PATIENCE: Duration = Duration::from_millis(150);

/// How long the very first batch waits for it: a server that has just started has nothing else to do.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

/// Settings with which Postgres plans each statement once, for an index, whatever the statistics say at the moment, and
/// does not compile it: every statement of the writer finds its rows by a key. A plan for each batch would cost more
/// than the batch.
const PLANS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

/// Lets Postgres notice within a second that a server has died while it works for it: else the lock would be held until
/// the statement is done. Not every system that Postgres runs on can do that.
const NOTICE_DEATH: &str = "SET client_connection_check_interval = '1s'";

/// After so many batches with none of another server between them, a batch that needs no look-up
/// only says which number it expects. (An unexpected one is an error in Postgres's log.)
const SURE: u32 = 8;

/// How often the partitions are maintained, in ms.
const MAINTAIN_EVERY_MS: Millis = 3_600_000;

/// The writer's connection.
#[derive(Debug)]
pub struct Writer {
    url: PostgresUrl,
    retention_days: Option<u32>,
    patience: Duration,
    session: Option<Session>,
    cache: Cache,
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
            patience: PATIENCE,
            session: None,
            cache: Cache::default(),
            connecting: None,
            first: true,
            maintaining: None,
            maintained_at: None,
        }
    }

    /// The same, with another limit on how long a batch may take.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Applies a batch and commits it.
    ///
    /// # Errors
    /// When the database is away or refuses; so for all below.
    pub async fn commit(&mut self, batch: Batch<'_>) -> Result<Committed> {
        let from_cache = self.within(self.patience, async |session, cache| {
            let use_cache = cache.alone > 0;
            let applied = apply(&batch, session, cache, use_cache).await;
            // Without the cache nothing can have been mistaken.
            if use_cache && applied.as_ref().is_err_and(is_mistaken) { Ok(None) } else { applied.map(Some) }
        });
        if let Some(committed) = from_cache.await? {
            return Ok(committed);
        }
        self.within(self.patience, async |session, cache| {
            session.client.batch_execute("ROLLBACK").await?;
            cache.forget();
            apply(&batch, session, cache, false).await
        })
        .await
    }

    /// Erases a piece of a visitor; `before` is how many rows the pieces before it have erased.
    ///
    /// # Errors
    /// As above. If the connection broke during the commit, it may be done.
    pub async fn erase(&mut self, asked: &Erasure, before: u64) -> Result<Piece> {
        self.within(ERASURE_PATIENCE, async |session, cache| {
            cache.begun(session.begin(None).await?);
            let erased = erase::erase(session, asked, before).await?;
            session.client.batch_execute("COMMIT").await?;
            cache.recent.forget();
            Ok(erased)
        })
        .await
    }

    /// Writes activity that only the session cache has. Returns those of the sessions that have ended already.
    ///
    /// # Errors
    /// As above.
    pub async fn slide(&mut self, slides: &Slides, ttl: Ttl) -> Result<Vec<Record>> {
        let (tags, instants): (Vec<String>, Vec<Millis>) =
            slides.sessions.iter().map(|(tag, at)| (tag.to_string(), *at)).unzip();
        let (ids, spans): (Vec<_>, Vec<_>) = slides.visits.iter().copied().unzip();
        let (firsts, lasts): (Vec<_>, Vec<_>) = spans.iter().map(|span| (span.first, span.last)).unzip();
        self.within(PATIENCE, async |session, cache| {
            cache.begun(session.begin(None).await?);
            session.execute(named!("token_slide"), &[&tags, &instants]).await?;
            let ended = records(session, named!("tokens_ended"), &[&tags]).await?;
            session.execute(named!("visit_slide"), &[&ids, &firsts, &lasts, &ttl.idle_ms]).await?;
            session.client.batch_execute("COMMIT").await?;
            cache.recent.slid(&slides.visits, ttl);
            Ok(ended)
        })
        .await
    }

    /// Ends what has expired, deletes what is long over; every hour it makes partitions ahead and deletes rows that are
    /// past their retention.
    ///
    /// # Errors
    /// As above.
    pub async fn sweep(&mut self, ttl: Ttl, now: Millis) -> Result<()> {
        self.maintain(now).await;
        let since = now - SWEEP_DELAY_MS;
        let idle_since = since - ttl.idle_ms;
        self.within(SWEEP_PATIENCE, async |session, cache| {
            cache.begun(session.begin(None).await?);
            let limits: Params<'_> =
                &[&since, &ttl.idle_ms, &ttl.max_ms, &ttl.remember_idle_ms, &ttl.remember_max_ms];
            session.execute(named!("tokens_expire"), limits).await?;
            if session.execute(named!("visits_expire"), &[&idle_since]).await? > 0 {
                cache.recent.forget();
            }
            session.execute(named!("tokens_forget"), &[&(now - ENDED_KEPT_MS)]).await?;
            session.execute(named!("retired_forget"), &[&(now - ENDED_KEPT_MS)]).await?;
            session.execute(named!("erased_forget"), &[&(now - ERASED_KEPT_MS)]).await?;
            session.execute(named!("user_endings_forget"), &[&(now - ERASED_KEPT_MS)]).await?;
            Ok(session.client.batch_execute("COMMIT").await?)
        })
        .await
    }

    /// The records that were rotated, given another visit or ended at or after an instant.
    ///
    /// # Errors
    /// As above.
    pub async fn changed_since(&mut self, since: Millis) -> Result<Vec<Record>> {
        self.within(PATIENCE, async |session, _| records(session, named!("tokens_changed"), &[&since]).await)
            .await
    }

    /// Whether the database answers, and accepts writes.
    ///
    /// # Errors
    /// As above.
    pub async fn probe(&mut self) -> Result<()> {
        self.within(PATIENCE, async |session, _| {
            // A server that has become a standby answers, but stores nothing.
            let row = session.client.query_one("SELECT pg_is_in_recovery()", &[]).await?;
            if row.try_get(0)? { Err(StoreError::Unavailable("the database is a standby")) } else { Ok(()) }
        })
        .await
    }

    /// Keeps a command that the database refuses in `dead_letters`, for the operator.
    ///
    /// # Errors
    /// As above.
    pub async fn set_aside(&mut self, command: &Command, reason: &StoreError, now: Millis) -> Result<()> {
        let command = serde_json::to_string(command).unwrap_or_default();
        let reason = reason.to_string();
        self.within(PATIENCE, async |session, _| {
            session.execute(named!("dead_letter_put"), &[&now, &reason, &command]).await.map(drop)
        })
        .await
    }

    /// Maintains the partitions if it is time, on a connection of its own. The writer does not wait for it, and a long
    /// report that delays it does not send facts to the spool.
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
                    maintenance::maintain(&mut client, now, retention_days).await
                };
                match done.await {
                    Ok(maintained) => !maintained.unfinished,
                    Err(error) => {
                        tracing::warn!(%error, "maintenance of the partitions is postponed");
                        false
                    }
                }
            }));
        }
    }

    /// Runs something on the connection within `patience`. After any failure but a refusal the connection is closed, which
    /// undoes what it had begun.
    async fn within<T>(
        &mut self,
        patience: Duration,
        work: impl AsyncFnOnce(&Session, &mut Cache) -> Result<T>,
    ) -> Result<T> {
        let (session, cache) = self.session().await?;
        let patiently = async {
            let done = work(session, cache).await;
            if done.as_ref().is_err_and(StoreError::is_refusal) {
                session.client.batch_execute("ROLLBACK").await?;
            }
            done
        };
        let done =
            tokio::time::timeout(patience, patiently).await.unwrap_or(Err(StoreError::Silent(patience)));
        if let Err(error) = &done {
            self.cache.forget();
            let given_up = if error.is_refusal() { None } else { self.session.take() };
            if let (Some(session), StoreError::Silent(_)) = (given_up, error) {
                connect::cancel(&self.url, &session.client);
            }
        }
        done
    }

    /// The connection; if there is none, a task of its own makes one.
    async fn session(&mut self) -> Result<(&Session, &mut Cache)> {
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
            // It may lead to another server, which has replaced the lost one.
            self.cache = Cache::default();
        }
        let session = self.session.as_ref().ok_or(StoreError::Unavailable("no connection"))?;
        Ok((session, &mut self.cache))
    }
}

/// What is cached from the last batches, and whether it still holds.
#[derive(Debug, Default)]
struct Cache {
    recent: Recent,
    /// The number of this server's last batch.
    last: i64,
    /// How many batches of this server have followed each other with none of another's between them.
    alone: u32,
}

impl Cache {
    /// A batch has got this number. Returns whether the cache holds.
    fn begun(&mut self, number: i64) -> bool {
        let holds = number == self.last + 1;
        if !holds {
            self.forget();
        }
        self.alone = if holds { self.alone.saturating_add(1) } else { 0 };
        self.last = number;
        holds
    }

    fn forget(&mut self) {
        self.recent.forget();
        self.alone = 0;
    }
}

/// Applies the batch, with what is cached, or from look-ups alone.
async fn apply(
    batch: &Batch<'_>,
    session: &Session,
    cache: &mut Cache,
    use_cache: bool,
) -> Result<Committed> {
    let (mut known, mut wants) = batch.first_wants();
    if use_cache {
        wants = cache.recent.answer(wants, &mut known);
    }
    let expected = cache.last + 1;
    let mut begun = false;
    if !wants.is_empty() || cache.alone < SURE {
        let looking_up = load::look_up(session, &wants, &mut known);
        let (number, looked_up) = future::join(session.begin(None), looking_up).await;
        let alone = cache.begun(number?);
        looked_up?;
        begun = true;
        if !alone && use_cache {
            (known, wants) = batch.first_wants();
            load::look_up(session, &wants, &mut known).await?;
        }
    }
    for _ in 0..ledger::LOOK_UPS_MAX {
        known.asked(wants);
        batch.activity.freshen(&mut known);
        match ledger::plan(batch.commands, batch.taken.provisional(), &known, batch.ttl) {
            Ok(plan) => {
                let begin = (!begun).then_some(expected);
                write::write_and_commit(session, begin, &plan.changes, batch.now).await?;
                if !begun {
                    cache.begun(expected);
                }
                cache.recent.learn(known, &plan.changes);
                return Ok(plan.into());
            }
            Err(more) => wants = *more,
        }
        if begun {
            load::look_up(session, &wants, &mut known).await?;
        } else {
            let looking_up = load::look_up(session, &wants, &mut known);
            let (number, looked_up) = future::join(session.begin(Some(expected)), looking_up).await;
            cache.begun(number?);
            looked_up?;
            begun = true;
        }
    }
    Err(StoreError::Malformed("batch, which needs more look-ups than it may take"))
}

/// Whether the cache was wrong.
fn is_mistaken(error: &StoreError) -> bool {
    matches!(error, StoreError::Postgres(error) if errors::is_mistaken(error))
}

/// Makes the connection: schema, settings, statements.
async fn open(url: PostgresUrl) -> Result<Session> {
    migrations::migrate(&url).await?;
    let client = connect::connect(&url, "visitflow writer").await?;
    client.batch_execute(PLANS).await?;
    if let Err(error) = client.batch_execute(NOTICE_DEATH).await {
        if client.is_closed() {
            return Err(error.into());
        }
        tracing::debug!(error = errors::told(&error), "Postgres will not notice if this server dies");
    }
    client.batch_execute(&format!("SET lock_timeout = {}", LOCK_PATIENCE.as_millis())).await?;
    let session = Session::new(client);
    session.prepare_all(&[EVERY, &facts::every()].concat()).await?;
    Ok(session)
}
