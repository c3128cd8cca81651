//! The writer's connection: batches of the ledger, and what housekeeping asks for, each in one
//! transaction that holds SQLite's write lock from its first look-up on.

use rusqlite::{Connection, TransactionBehavior, params};

use super::{Sqlite, load, sql, tokens, write};
use crate::ledger::command::Command;
use crate::ledger::{self, Known};
use crate::session::record::{CROSSING_MS, Record};
use crate::session::{Millis, Ttl};
use crate::store::events::{Committed, ENDED_KEPT_MS, SWEEP_GRACE_MS};
use crate::store::sessions::Slides;
use crate::store::sessions::local::Local;
use crate::store::{Result, StoreError};

/// The writer's connection.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    data_version: Option<i64>,
}

impl From<Connection> for Writer {
    fn from(db: Connection) -> Self {
        Self { db, data_version: None }
    }
}

impl Writer {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or a migration fails.
    pub fn open(database: &Sqlite) -> Result<Self> {
        Ok(database.open()?.into())
    }

    /// Applies a batch and commits it.
    ///
    /// # Errors
    /// When the database refuses; then nothing of it was stored.
    pub fn commit(
        &mut self,
        commands: &[Command],
        local: &Local,
        ttl: Ttl,
        now: Millis,
    ) -> Result<Committed> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut known, mut wants) = (Known::default(), ledger::first_wants(commands));
        let mut look_ups = 0;
        let plan = loop {
            look_ups += 1;
            if look_ups > ledger::LOOK_UPS_MAX {
                return Err(StoreError::Malformed("batch, which asks without end"));
            }
            load::look_up(&transaction, &wants, &mut known)?;
            known.asked(wants);
            local.freshen(&mut known);
            match ledger::plan(commands, &known, ttl) {
                Ok(plan) => break plan,
                Err(more) => wants = more,
            }
        };
        write::write(&transaction, &plan.changes, now)?;
        transaction.commit()?;
        Ok(Committed { outcomes: plan.outcomes, changed: plan.changes.tokens })
    }

    /// Writes activity that only the fast copy knew.
    ///
    /// # Errors
    /// When the database refuses; then nothing of it was stored.
    pub fn slide(&mut self, slides: &Slides) -> Result<()> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (tag, at) in &slides.sessions {
            transaction.prepare_cached(sql!("token_slide"))?.execute(params![tag.to_string(), at])?;
        }
        for (visit_id, at) in &slides.visits {
            transaction.prepare_cached(sql!("visit_slide"))?.execute(params![visit_id.to_string(), at])?;
        }
        Ok(transaction.commit()?)
    }

    /// Ends what has expired, forgets what is long over.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn sweep(&mut self, ttl: Ttl, now: Millis) -> Result<()> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let since = now - SWEEP_GRACE_MS;
        let limits = params![since - ttl.idle_ms, since - ttl.max_ms, ttl.idle_ms, ttl.max_ms];
        transaction.prepare_cached(sql!("tokens_expire"))?.execute(limits)?;
        let limits = [since - ttl.idle_ms, since - ttl.max_ms];
        transaction.prepare_cached(sql!("visits_expire"))?.execute(limits)?;
        transaction.prepare_cached(sql!("tokens_forget"))?.execute([now - ENDED_KEPT_MS])?;
        transaction.prepare_cached(sql!("retired_forget"))?.execute([now - CROSSING_MS])?;
        Ok(transaction.commit()?)
    }

    /// The records that were rotated, bound or ended at or after an instant, if another process has
    /// written to the file since the last call.
    ///
    /// # Errors
    /// When the database refuses, or a row is malformed.
    pub fn changed_since(&mut self, since: Millis) -> Result<Vec<Record>> {
        let version = self.db.pragma_query_value(None, "data_version", |row| row.get(0))?;
        if self.data_version.replace(version) == Some(version) {
            return Ok(Vec::new());
        }
        tokens::changed_since(&self.db, since)
    }

    /// Every session that is live, or ended after an instant.
    ///
    /// # Errors
    /// When the database refuses, or a row is malformed.
    pub fn recent(&self, since: Millis) -> Result<Vec<Record>> {
        tokens::recent(&self.db, since)
    }

    /// Writes something, so that a disk that is full or gone shows. The schema's version is
    /// refinery's table; SQLite's own number is free for this.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn probe(&self, now: Millis) -> Result<()> {
        Ok(self.db.pragma_update(None, "user_version", now / 1_000 % i64::from(i32::MAX))?)
    }

    /// Keeps a command that the database refuses for whoever looks after it.
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
