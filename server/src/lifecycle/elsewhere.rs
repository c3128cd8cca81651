//! Sessions that were not found live, but that another server has begun or changed provisionally.

use super::{Lifecycle, Refusal};
use crate::database::error::StoreError;
use crate::ledger::commands::end_sessions::{EndSessions, Which};
use crate::ledger::commands::{End, EndProvisional, end, end_provisional, end_sessions};
use crate::session::Millis;
use crate::session::record::{Record, Standing};
use crate::session::token::Proof;

impl Lifecycle {
    /// Ends a session that was not found live, but that another server has begun or changed provisionally. Whether
    /// there was one: else another request was first.
    pub(super) async fn ends_elsewhere(&self, presented: Proof, now: Millis) -> Result<bool, Refusal> {
        match self.provisional(presented, now).await? {
            Some(provisional) => self.end_provisional(&provisional, now).await,
            // The other server may have stored it a moment ago.
            None => Ok(self.ingest.commit(End { now, presented }).await? == end::Outcome::Done),
        }
    }

    /// Ends the one session that was not found to be the user's, if it is provisional on another server. Whether there
    /// was one.
    ///
    /// # Errors
    /// Also where sessions of one site are to end: the site of its visit is not known yet.
    pub(super) async fn ends_provisional(&self, ending: &EndSessions) -> Result<bool, Refusal> {
        let Which::One(tag) = ending.which else { return Ok(false) };
        let is_theirs =
            |record: &Record| ending.is_of(record) && !record.expired(ending.now, self.sessions.ttl());
        match self.sessions.provisional_elsewhere(tag, is_theirs, ending.now).await? {
            Some(_) if ending.site.is_some() => Err(UNSTORED.into()),
            Some(provisional) if self.end_provisional(&provisional, ending.now).await? => Ok(true),
            // The other server may have stored it a moment ago.
            _ => Ok(self.ingest.commit(ending.clone()).await? == end_sessions::Outcome::Done),
        }
    }

    /// Whether it is this server that has ended it.
    async fn end_provisional(&self, provisional: &Record, now: Millis) -> Result<bool, Refusal> {
        let presented = Proof { tag: provisional.tag, hash: provisional.secret_hash };
        let end = EndProvisional { now, presented, rests_on: provisional.generation };
        Ok(self.ingest.commit(end).await? == end_provisional::Outcome::Done)
    }

    /// The session of this token that is provisional on another server.
    async fn provisional(&self, token: Proof, now: Millis) -> Result<Option<Record>, StoreError> {
        let is_live =
            |record: &Record| record.standing(&token.hash, now, self.sessions.ttl()) == Standing::Live;
        self.sessions.provisional_elsewhere(token.tag, is_live, now).await
    }

    /// Why a command did not find its session live: another request was first.
    ///
    /// # Errors
    /// When the session is live all the same: it is provisional on another server.
    pub(super) async fn lost(&self, presented: Proof, now: Millis) -> Result<(), Refusal> {
        match self.provisional(presented, now).await? {
            Some(_) => Err(UNSTORED.into()),
            None => Ok(()),
        }
    }
}

/// The session is provisional on a server that cannot reach the database.
const UNSTORED: StoreError =
    StoreError::Unavailable("the session was changed by another server, which cannot reach the database");
