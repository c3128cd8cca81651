//! Asks Redis and the database about a session, before a hit is answered or after.

use futures_util::stream::{self, StreamExt};

use super::sessions::{Sessions, TELL_AFTER_MS};
use crate::database::error::{Result, StoreError};
use crate::session::record::Record;
use crate::session::token::{Proof, SecretHash, Tag};
use crate::session::{Activity, Millis};
use crate::session_cache::redis::Redis;

/// How many sessions are looked up at once after their hits were answered. A look-up that a hit waits for queues behind
/// these.
const BEHIND: usize = 32;

impl Sessions {
    /// A session that is provisional on another server: `holds` is true of the copy in this process or in Redis, and
    /// not of what the database has. None for what is provisional on this server.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn provisional_elsewhere(
        &self,
        tag: Tag,
        holds: impl Fn(&Record) -> bool,
        now: Millis,
    ) -> Result<Option<Record>> {
        if self.database_is_away() {
            return Ok(None);
        }
        let shared = match self.redis() {
            Some(redis) => redis.resolve(tag, &SecretHash::ERASED, None, now).await.ok().flatten(),
            None => None,
        };
        let held = self.local.get(tag).into_iter().chain(shared).max_by_key(|record| record.generation);
        let Some(held) = held.filter(|held| holds(held)) else { return Ok(None) };
        let stored = self.database.token(tag).await?;
        let is_ahead = stored.is_none_or(|stored| !holds(&stored) && stored.generation < held.generation);
        Ok(is_ahead.then_some(held))
    }

    /// Looks a session up so that the answer was right everywhere a moment ago. Unless this process
    /// `is_caught_up` with the database, that is asked, too. If the look-up `slides` the session, the latest
    /// activity before it comes with the record.
    pub(super) async fn confirm(
        &self,
        token: Proof,
        slides: bool,
        is_caught_up: bool,
        now: Millis,
    ) -> Result<Option<(Record, Option<Millis>)>> {
        let is_signed_in = |held: &Record| held.secret_hash == token.hash && held.user_id.is_some();
        let slid = self.local.get(token.tag).filter(|held| slides && is_signed_in(held));
        let found = match self.redis().filter(|redis| redis.is_trusted()) {
            Some(redis) if !is_caught_up => self.ask_both(redis, token, now).await?,
            _ => self.look_up(token, slid.as_ref().map(|_| Activity::Backend(now)), now).await?,
        };
        // The copy may have a change that Redis has missed, or that is provisional.
        let held = self.local.get(token.tag);
        let found =
            found.into_iter().chain(held).max_by_key(|record| (record.generation, record.last_activity));
        Ok(found.map(|record| (record, slid.map(|held| held.last_activity))))
    }

    /// Asks Redis and the database, because a change may have reached only one of them. The higher generation wins.
    async fn ask_both(&self, redis: &Redis, token: Proof, now: Millis) -> Result<Option<Record>> {
        let fetch = self.local.fetch(token.tag);
        let ask_redis = async || redis.resolve(token.tag, &token.hash, None, now).await.ok().flatten();
        let found = match tokio::join!(self.database_token(token.tag), ask_redis()) {
            (Ok(database), shared) => Ok(merged(redis, database, shared, now).await),
            // The failure may have taken a while, and the answer of Redis is as old as that: ask again.
            (Err(error), Some(_)) => {
                ask_redis().await.filter(|record| record.knows(&token.hash)).map(Some).ok_or(error)
            }
            (Err(error), None) => Err(error),
        };
        self.local.fetched(fetch, found.as_ref().ok().cloned().flatten(), now);
        found
    }

    pub(super) async fn look_up(
        &self,
        token: Proof,
        activity: Option<Activity>,
        now: Millis,
    ) -> Result<Option<Record>> {
        let fetch = self.local.fetch(token.tag);
        let found = self.ask(token, activity.map(Activity::at), now).await;
        let record = found.as_ref().ok().and_then(|(record, _)| record.clone());
        self.local.fetched(fetch, record, now);
        let (record, told) = found?;
        if let Some(activity) = activity
            && told.is_some()
            && record.as_ref().map(|record| record.last_activity) == told
        {
            self.local.slid_elsewhere(token.tag, activity);
        }
        Ok(record)
    }

    /// Asks Redis if it is trusted and can judge the token, otherwise the database. Redis is told what it does not
    /// know. The record comes with the activity that this request has written to Redis.
    async fn ask(
        &self,
        token: Proof,
        at: Option<Millis>,
        now: Millis,
    ) -> Result<(Option<Record>, Option<Millis>)> {
        let redis = self.redis().filter(|redis| redis.is_trusted());
        let mut shared = None;
        if let Some(redis) = redis {
            let told = self.local.told(token.tag);
            let news = at.filter(|at| told.is_none_or(|told| at - told >= TELL_AFTER_MS));
            match redis.resolve(token.tag, &token.hash, news, now).await {
                Ok(Some(record)) if record.can_judge(&token.hash, now, self.ttl) => {
                    return Ok((Some(record), news));
                }
                Ok(found) => shared = found,
                Err(error) => tracing::debug!(%error, "asking the database instead of Redis"),
            }
        }
        let found = match (self.database_token(token.tag).await, redis) {
            (Ok(database), Some(redis)) => merged(redis, database, shared, now).await,
            (Ok(database), None) => database,
            (Err(error), _) => Some(shared.filter(|record| record.knows(&token.hash)).ok_or(error)?),
        };
        Ok((found, None))
    }

    async fn database_token(&self, tag: Tag) -> Result<Option<Record>> {
        match self.database_is_away() {
            true => Err(StoreError::Unavailable("the database is away")),
            false => self.database.token(tag).await,
        }
    }

    /// Looks up the sessions whose copies are due, and tells Redis of their activity.
    pub(super) async fn look_up_due(&self, now: Millis) {
        let due = self.local.take_due();
        let looked_up = stream::iter(due).map(|(token, at)| async move {
            let fetch = self.local.fetch(token.tag);
            let found = self.ask(token, Some(at), now).await;
            let record = found.ok().and_then(|(record, _)| record);
            self.local.fetched(fetch, record, now);
        });
        looked_up.buffer_unordered(BEHIND).for_each(async |()| ()).await;
    }
}

/// The later of the records in the database and in Redis. Redis is told what it does not know; if that fails, it gets
/// the record before it is trusted again.
async fn merged(
    redis: &Redis,
    database: Option<Record>,
    shared: Option<Record>,
    now: Millis,
) -> Option<Record> {
    let age = |record: &Record| (record.generation, record.last_activity);
    if let Some(record) = database.as_ref().filter(|stored| shared.as_ref().map(age) < Some(age(stored))) {
        let _ = redis.put(std::slice::from_ref(record), now).await;
    }
    database.into_iter().chain(shared).max_by_key(age)
}
