//! The state of the writer: the database, the spool, and work that has begun. What it does with them is in `writer`,
//! `provisional`, `replay` and `erasing`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::oneshot;

use super::jobs::Waiting;
use super::portion::Portion;
use super::spool::{Spool, Spooled};
use crate::clock;
use crate::contract::erasure::{Erased, Erasure};
use crate::database::error::Result;
use crate::database::store::Store;
use crate::ledger::commands::Command;
use crate::observe::Metrics;
use crate::resolve::Sessions;
use crate::session::Millis;
use crate::session_cache::local::activity::Slid;

/// The writer.
pub(super) struct Worker {
    pub(super) store: Store,
    pub(super) spool: Option<Spool>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) failed_at: Arc<Mutex<Option<Instant>>>,
    /// The database is away, or does not have yet what the spool holds: commands go to the spool.
    pub(super) draining: bool,
    pub(super) left_alone_until: Option<Instant>,
    /// When the first command of this replay was found to rest on a provisional change of another server.
    pub(super) early_since: Option<Instant>,
    pub(super) portion: Portion,
    /// The rest of the oldest commands of the spool.
    pub(super) rest: Option<Rest>,
    /// The rest of large commands that requests wait for.
    pub(super) unfinished: VecDeque<Waiting>,
    /// Erasures that have begun, or are next.
    pub(super) erasing: VecDeque<Erasing>,
    /// Nothing is ended as expired before this instant.
    pub(super) expire_from: Millis,
    /// The changes of other processes before this instant have been read.
    pub(super) followed_until: Millis,
    /// A sweep that has begun.
    pub(super) sweeping: Option<Sweep>,
}

/// A sweep that has begun: activity is written a piece at a time, with batches between.
pub(super) struct Sweep {
    pub(super) now: Millis,
    pub(super) slid: Slid,
    pub(super) piece: usize,
    pub(super) reply: oneshot::Sender<Result<()>>,
}

/// An erasure that has begun, or is next.
pub(super) struct Erasing {
    pub(super) asked: Erasure,
    pub(super) reply: oneshot::Sender<Result<Erased>>,
    /// How many rows the pieces so far have erased.
    pub(super) rows: u64,
}

impl Erasing {
    pub(super) fn new(asked: Erasure, reply: oneshot::Sender<Result<Erased>>) -> Self {
        Self { asked, reply, rows: 0 }
    }
}

/// The rest of the oldest commands of the spool, which stay there until it is done: applied again, they have the same rest.
#[derive(Debug)]
pub(super) struct Rest {
    /// The last place of these commands.
    pub(super) place: i64,
    pub(super) commands: VecDeque<Command>,
    /// Those of them that wait for a provisional change of another server.
    pub(super) early: Vec<Spooled>,
}

impl Rest {
    pub(super) fn none(place: i64) -> Self {
        Self { place, commands: VecDeque::new(), early: Vec::new() }
    }
}

/// The instant at which the latest of the commands was received.
pub(super) fn latest(commands: &[Command]) -> Millis {
    commands.iter().filter_map(Command::now).max().unwrap_or_else(clock::now)
}
