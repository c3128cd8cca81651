//! The two databases behind one interface: [`Store`] is the writer's side of it, [`Lookup`] answers
//! questions beside the writer. [`database`](super) says what a store guarantees.

use std::time::Duration;

use uuid::Uuid;

use super::batch::{Batch, Committed};
use super::error::{Result, StoreError};
use super::postgres::pool::Pool;
use super::sqlite::readers::Readers;
use super::{postgres, sqlite};
use crate::contract::activity::Slides;
use crate::contract::erasure::{Erasure, Piece};
use crate::contract::visit_owner::VisitOwner;
use crate::ledger::commands::Command;
use crate::ledger::known::UserTokens;
use crate::session::record::Record;
use crate::session::token::Tag;
use crate::session::{Millis, Ttl};

/// The writer's side of the database.
#[derive(Debug)]
pub enum Store {
    /// One file.
    Sqlite(sqlite::writer::Writer),
    /// Postgres.
    Postgres(postgres::writer::Writer),
}

impl Store {
    /// Applies a batch and commits it: all of it is stored, or nothing.
    ///
    /// # Errors
    /// When the database is away or refuses. If the connection broke during the commit, the batch
    /// may be stored; to apply it again changes nothing then.
    pub async fn commit(&mut self, batch: Batch<'_>) -> Result<Committed> {
        match self {
            Self::Sqlite(writer) => writer.commit(batch),
            Self::Postgres(writer) => writer.commit(batch).await,
        }
    }

    /// Erases a piece of a visitor, to be called until it was the last; `before` is how many rows the
    /// pieces before it have erased.
    ///
    /// # Errors
    /// As above.
    pub async fn erase(&mut self, asked: &Erasure, before: u64) -> Result<Piece> {
        match self {
            Self::Sqlite(writer) => writer.erase(asked, before),
            Self::Postgres(writer) => writer.erase(asked, before).await,
        }
    }

    /// Writes activity that only the session cache has. Returns those of the sessions that another server has ended
    /// meanwhile.
    ///
    /// # Errors
    /// As above; so for all below.
    pub async fn slide(&mut self, slides: &Slides, ttl: Ttl) -> Result<Vec<Record>> {
        match self {
            // No other server has ended any.
            Self::Sqlite(writer) => writer.slide(slides, ttl).map(|()| Vec::new()),
            Self::Postgres(writer) => writer.slide(slides, ttl).await,
        }
    }

    /// Ends what has expired, deletes what is long over.
    ///
    /// # Errors
    /// As above.
    pub async fn sweep(&mut self, ttl: Ttl, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.sweep(ttl, now),
            Self::Postgres(writer) => writer.sweep(ttl, now).await,
        }
    }

    /// The records that were rotated, given another visit or ended at or after an instant.
    ///
    /// # Errors
    /// As above.
    pub async fn changed_since(&mut self, since: Millis) -> Result<Vec<Record>> {
        match self {
            Self::Sqlite(writer) => writer.changed_since(since),
            Self::Postgres(writer) => writer.changed_since(since).await,
        }
    }

    /// Keeps the write-ahead log small; to be called every second or so.
    ///
    /// # Errors
    /// As above.
    pub fn tidy(&mut self, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.tidy(now),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Whether it would store something now. SQLite writes something; Postgres is only asked something, because there
    /// only the connection can fail.
    ///
    /// # Errors
    /// As above.
    pub async fn probe(&mut self, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.probe(now),
            Self::Postgres(writer) => writer.probe().await,
        }
    }

    /// Keeps a command that the database refuses in `dead_letters`, for the operator.
    ///
    /// # Errors
    /// As above.
    pub async fn set_aside(&mut self, command: &Command, reason: &StoreError, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.set_aside(command, reason, now),
            Self::Postgres(writer) => writer.set_aside(command, reason, now).await,
        }
    }
}

/// Looks sessions up, beside the writer.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// One file, and the copies of sessions in the process are complete: a session without a copy does not exist. Only
    /// the command line changes sessions besides, and the writer reads its changes. Visits are in the file.
    Complete(Readers),
    /// One file, with copies of sessions in Redis, too.
    Sqlite(Readers),
    /// Postgres.
    Postgres(Pool),
}

impl Lookup {
    /// Whether the copies in the process are complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete(_))
    }

    /// The record of a token.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn token(&self, tag: Tag) -> Result<Option<Record>> {
        match self {
            Self::Complete(readers) | Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::tokens::token(db, tag)).await
            }
            Self::Postgres(pool) => soon(postgres::tokens::token(pool, tag)).await,
        }
    }

    /// The sessions of a user that have not ended, as the database knows them.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tokens_of_user(&self, of: UserTokens) -> Result<Vec<Record>> {
        match self {
            Self::Complete(readers) | Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::tokens::of_user(db, &of)).await
            }
            Self::Postgres(pool) => soon(postgres::tokens::of_user(pool, &of)).await,
        }
    }

    /// The site and the visitor of a visit.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn visit_owner(&self, visit_id: Uuid) -> Result<Option<VisitOwner>> {
        match self {
            Self::Complete(readers) | Self::Sqlite(readers) => {
                readers.read(move |db| sqlite::tokens::visit_owner(db, visit_id)).await
            }
            Self::Postgres(pool) => soon(postgres::tokens::visit_owner(pool, visit_id)).await,
        }
    }

    /// The records that were rotated, given another visit or ended at or after an instant.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn changed_since(&self, since: Millis) -> Result<Vec<Record>> {
        match self {
            Self::Complete(_) => Ok(Vec::new()),
            Self::Sqlite(readers) => readers.read(move |db| sqlite::tokens::changed_since(db, since)).await,
            Self::Postgres(pool) => postgres::tokens::changed_since(pool, since).await,
        }
    }
}

/// How long a hit waits for a look-up. A database that takes longer counts as away.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(1);

/// The answer, if it comes soon.
pub(super) async fn soon<T>(asking: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(LOOKUP_PATIENCE, asking).await.unwrap_or(Err(StoreError::Silent(LOOKUP_PATIENCE)))
}
