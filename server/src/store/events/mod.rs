//! The durable store: one of two databases behind one contract.
//!
//! | module | holds |
//! |---|---|
//! | [`sqlite`] | the embedded default: one file |
//!
//! A store applies batches of the [ledger](crate::ledger): it looks up what a batch wants to know,
//! lets the ledger plan, and writes the changes, all in one transaction that no other batch of any
//! server overlaps. What it has committed survives a power cut.

pub mod sqlite;

use crate::ledger::command::{Command, Outcome};
use crate::session::record::Record;
use crate::session::token::Tag;
use crate::session::{Millis, Ttl};
use crate::store::sessions::Slides;
use crate::store::sessions::local::Local;
use crate::store::{Result, StoreError};

/// Ended tokens are kept this long, for whoever asks what became of them.
pub const ENDED_KEPT_MS: Millis = 24 * 3_600_000;

/// A session is ended on behalf of its limits this long after them. Until then another server may
/// know of activity that is not written yet. Hits are judged by the limits themselves.
pub const SWEEP_GRACE_MS: Millis = 60_000;

/// What a committed batch did.
#[derive(Debug, Default)]
pub struct Committed {
    /// The outcome of each command, in their order.
    pub outcomes: Vec<Outcome>,
    /// The records of tokens that changed.
    pub changed: Vec<Record>,
}

/// The writer's side of the store.
#[derive(Debug)]
pub enum Store {
    /// One file.
    Sqlite(sqlite::writer::Writer),
}

impl Store {
    /// Applies a batch and commits it. The batch is whole: all of it is stored, or nothing. `local`
    /// may know of activity that the database does not know yet.
    ///
    /// # Errors
    /// When the database is away or refuses. If the connection broke during the commit, the batch
    /// may be stored; to apply it again changes nothing then.
    pub async fn commit(
        &mut self,
        commands: &[Command],
        local: &Local,
        ttl: Ttl,
        now: Millis,
    ) -> Result<Committed> {
        match self {
            Self::Sqlite(writer) => writer.commit(commands, local, ttl, now),
        }
    }

    /// Writes activity that only the fast copy knew.
    ///
    /// # Errors
    /// As above; so for all below.
    pub async fn slide(&mut self, slides: &Slides) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.slide(slides),
        }
    }

    /// Ends what has expired, forgets what is long over.
    ///
    /// # Errors
    /// As above.
    pub async fn sweep(&mut self, ttl: Ttl, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.sweep(ttl, now),
        }
    }

    /// The records that were rotated, bound or ended at or after an instant.
    ///
    /// # Errors
    /// As above.
    pub async fn changed_since(&mut self, since: Millis) -> Result<Vec<Record>> {
        match self {
            Self::Sqlite(writer) => writer.changed_since(since),
        }
    }

    /// Every session that is live, or ended after an instant, where the copies in the process must
    /// be complete; else none.
    ///
    /// # Errors
    /// As above.
    pub async fn recent(&mut self, since: Millis) -> Result<Vec<Record>> {
        match self {
            Self::Sqlite(writer) => writer.recent(since),
        }
    }

    /// Whether it stores: writes something, or asks something where only the connection can fail.
    ///
    /// # Errors
    /// As above.
    pub async fn probe(&mut self, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.probe(now),
        }
    }

    /// Keeps a command that the database refuses for whoever looks after it.
    ///
    /// # Errors
    /// As above.
    pub async fn set_aside(&mut self, command: &Command, reason: &StoreError, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(writer) => writer.set_aside(command, reason, now),
        }
    }
}

/// Looks single sessions up, beside the writer.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The copies in the process are complete: what they do not hold does not exist.
    Complete,
}

impl Lookup {
    /// Whether the copies in the process are complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    /// The record of a token.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn token(&self, _tag: Tag) -> Result<Option<Record>> {
        match self {
            Self::Complete => Ok(None),
        }
    }
}
