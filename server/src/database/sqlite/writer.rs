//! The writer's connection: batches of the ledger, and what housekeeping asks for, each in one
//! transaction that holds SQLite's write lock from its first look-up on.

use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
use rusqlite::{Connection, TransactionBehavior, params};

use super::wal::{Gate, Wal};
use super::{Sqlite, erase, load, sql, tokens, write};
use crate::contract::activity::Slides;
use crate::contract::erasure::{ERASED_KEPT_MS, Erasure, Piece};
use crate::database::batch::{Batch, Committed, ENDED_KEPT_MS, SWEEP_DELAY_MS};
use crate::database::error::{Result, StoreError};
use crate::ledger::commands::Command;
use crate::ledger::{self, Recent};
use crate::session::record::Record;
use crate::session::{Millis, Ttl};

/// The writer's connection.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    cache: Cache,
    data_version: Option<i64>,
    wal: Option<Wal>,
}

/// What is cached from the last batches.
#[derive(Debug, Default)]
struct Cache {
    recent: Recent,
    /// SQLite's `data_version` when the cache was right: another value means that another connection has written.
    as_of: Option<i64>,
}

/// Applies the batch, with what is cached, or from look-ups alone.
fn apply(batch: &Batch<'_>, db: &mut Connection, cache: &mut Cache, use_cache: bool) -> Result<Committed> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    cache.check(&transaction)?;
    let (mut known, mut wants) = batch.first_wants();
    if use_cache {
        wants = cache.recent.answer(wants, &mut known);
    }
    for _ in 0..ledger::LOOK_UPS_MAX {
        load::look_up(&transaction, &wants, &mut known)?;
        known.asked(wants);
        batch.activity.freshen(&mut known);
        match ledger::plan(batch.commands, batch.taken.provisional(), &known, batch.ttl) {
            Ok(plan) => {
                write::write(&transaction, &plan.changes, batch.now)?;
                transaction.commit()?;
                cache.recent.learn(known, &plan.changes);
                return Ok(plan.into());
            }
            Err(more) => wants = *more,
        }
    }
    Err(StoreError::Malformed("batch, which needs more look-ups than it may take"))
}

impl Cache {
    /// Drops the cache if it may not hold any more; the caller holds the lock.
    fn check(&mut self, db: &Connection) -> Result<()> {
        let version = db.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.as_of.replace(version) != Some(version) {
            self.recent.forget();
        }
        Ok(())
    }
}

/// Whether a fact that was assumed to be new is stored already: its key refuses it.
fn is_mistaken(error: &StoreError) -> bool {
    let StoreError::Database(rusqlite::Error::SqliteFailure(failure, _)) = error else { return false };
    [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE].contains(&failure.extended_code)
}

impl From<Connection> for Writer {
    fn from(db: Connection) -> Self {
        Self { db, cache: Cache::default(), data_version: None, wal: None }
    }
}

impl Writer {
    /// Does some work; if the file fails, the error names it.
    fn in_file<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let done = work(self);
        done.map_err(|error| error.with_file(&self.db))
    }

    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or a migration fails.
    pub fn open(database: &Sqlite) -> Result<Self> {
        Ok(database.open()?.into())
    }

    /// Keeps the write-ahead log of the database small: long queries go through the gate.
    #[must_use]
    pub fn behind(mut self, gate: Gate, database: &Sqlite) -> Self {
        self.wal = Some(Wal::of(database.path(), gate));
        self
    }

    /// Truncates the write-ahead log if it has become too large; to be called every second or so.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn tidy(&mut self, now: Millis) -> Result<()> {
        Ok(self.wal.as_mut().map_or(Ok(()), |wal| wal.tidy(&self.db, now))?)
    }

    /// Applies a batch and commits it.
    ///
    /// # Errors
    /// When the database refuses; then nothing of it was stored.
    pub fn commit(&mut self, batch: Batch<'_>) -> Result<Committed> {
        self.in_file(|Self { db, cache, .. }| match apply(&batch, db, cache, true) {
            Err(error) if is_mistaken(&error) => {
                cache.recent.forget();
                apply(&batch, db, cache, false)
            }
            applied => applied.inspect_err(|_| cache.recent.forget()),
        })
    }

    /// Erases a piece of a visitor, and truncates the write-ahead log after the last one; `before` is how many rows the
    /// pieces before it have erased.
    ///
    /// # Errors
    /// When the database refuses; then nothing of it was done.
    pub fn erase(&mut self, asked: &Erasure, before: u64) -> Result<Piece> {
        self.cache.recent.forget();
        self.in_file(|writer| {
            let piece = erase::erase(&mut writer.db, asked, before)?;
            if let (Piece::Done { rows, last: true, .. }, Some(wal)) = (&piece, &mut writer.wal)
                && before + rows > 0
            {
                // The visitor is erased, even if the log cannot be truncated now.
                if let Err(error) = wal.forget(&writer.db, asked.now) {
                    tracing::warn!(%error, "the write-ahead log still contains erased data");
                }
            }
            Ok(piece)
        })
    }

    /// Writes activity that only the session cache has.
    ///
    /// # Errors
    /// When the database refuses; then nothing of it was stored.
    pub fn slide(&mut self, slides: &Slides, ttl: Ttl) -> Result<()> {
        self.in_file(|writer| {
            let transaction = writer.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (tag, at) in &slides.sessions {
                transaction.prepare_cached(sql!("token_slide"))?.execute(params![tag.to_string(), at])?;
            }
            for (visit_id, span) in &slides.visits {
                let row = params![visit_id.to_string(), span.first, span.last, ttl.idle_ms];
                transaction.prepare_cached(sql!("visit_slide"))?.execute(row)?;
            }
            transaction.commit()?;
            writer.cache.recent.slid(&slides.visits, ttl);
            Ok(())
        })
    }

    /// Ends what has expired, deletes what is long over.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn sweep(&mut self, ttl: Ttl, now: Millis) -> Result<()> {
        self.in_file(|writer| {
            let transaction = writer.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let since = now - SWEEP_DELAY_MS;
            let limits = params![since, ttl.idle_ms, ttl.max_ms, ttl.remember_idle_ms, ttl.remember_max_ms];
            transaction.prepare_cached(sql!("tokens_expire"))?.execute(limits)?;
            let ended = transaction.prepare_cached(sql!("visits_expire"))?.execute([since - ttl.idle_ms])?;
            transaction.prepare_cached(sql!("tokens_forget"))?.execute([now - ENDED_KEPT_MS])?;
            transaction.prepare_cached(sql!("retired_forget"))?.execute([now - ENDED_KEPT_MS])?;
            transaction.prepare_cached(sql!("erased_forget"))?.execute([now - ERASED_KEPT_MS])?;
            transaction.prepare_cached(sql!("user_endings_forget"))?.execute([now - ERASED_KEPT_MS])?;
            transaction.commit()?;
            if ended > 0 {
                writer.cache.recent.forget();
            }
            Ok(())
        })
    }

    /// The records that were rotated, given another visit or ended at or after an instant, if another process has
    /// written to the file since the last call.
    ///
    /// # Errors
    /// When the database refuses, or a row is malformed.
    pub fn changed_since(&mut self, since: Millis) -> Result<Vec<Record>> {
        let version = self.db.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if self.data_version == Some(version) {
            return Ok(Vec::new());
        }
        let changed = tokens::changed_since(&self.db, since)?;
        self.data_version = Some(version);
        Ok(changed)
    }

    /// Every session that is live, or ended after an instant.
    ///
    /// # Errors
    /// When the database refuses, or a row is malformed.
    pub fn recent(&self, since: Millis) -> Result<Vec<Record>> {
        tokens::recent(&self.db, since)
    }

    /// Writes something, to find out whether the disk is full or gone. The version of the schema is in refinery's table,
    /// so SQLite's own number is free for this.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn probe(&mut self, now: Millis) -> Result<()> {
        let number = now / 1_000 % i64::from(i32::MAX);
        self.in_file(|writer| Ok(writer.db.pragma_update(None, "user_version", number)?))
    }

    /// Keeps a command that the database refuses in `dead_letters`, for the operator.
    ///
    /// # Errors
    /// When the database refuses this too.
    pub fn set_aside(&self, command: &Command, reason: &StoreError, now: Millis) -> Result<()> {
        let command = serde_json::to_string(command).unwrap_or_default();
        self.db.prepare_cached(sql!("dead_letter_put"))?.execute(params![
            now,
            reason.to_string(),
            command
        ])?;
        Ok(())
    }
}
