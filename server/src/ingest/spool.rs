//! Commands on disk that the database does not have yet: one SQLite file, first in, first out.
//!
//! Invariant: a command is acknowledged after its commit here (`synchronous=FULL`), and deleted
//! after the commit of the batch that holds it in the database. A crash between the two applies it
//! twice, which changes nothing the second time.
//!
//! Invariant: a stored command is not applied again by this process, even if it could not be deleted. A
//! deletion needs some disk space for SQLite's journal; if there is none, the reserve (`reserve.rs`) is
//! deleted first.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::jobs::BATCH_FACTS;
use super::reserve::Reserve;
use crate::database::error::{Result, StoreError};
use crate::database::files::{FileError, Kept};
use crate::ledger::commands::Command;
use crate::session::Millis;

/// The spool of one server.
#[derive(Debug)]
pub struct Spool {
    db: Connection,
    /// Keeps other servers off the file.
    _claim: File,
    path: PathBuf,
    cap_bytes: u64,
    bytes: u64,
    commands: u64,
    /// The last place whose command is in the database.
    taken: i64,
    /// The last place that was deleted.
    deleted: i64,
    reserve: Reserve,
    /// Whether the journal may hold commands that are in the database.
    journal_has_content: bool,
}

/// Free pages within the file, of 4 KiB, from which on an empty spool gives them back to the disk.
const FREE_PAGES_MAX: i64 = 1_024;

/// A command that waits, and its place.
#[derive(Debug)]
pub struct Spooled {
    /// Its place.
    pub seq: i64,
    /// When it was put there.
    pub since: Millis,
    /// What it is.
    pub command: Command,
    /// The generation, as this server knew it, of the session that it has changed provisionally; 0 of one that it has
    /// begun. None if it changed none.
    pub rests_on: Option<u64>,
}

/// A row to write: the command, since when it waits, what it rests on.
type Row = (String, Millis, Option<u64>);

fn text(command: &Command) -> Result<String> {
    serde_json::to_string(command).map_err(|_| StoreError::Malformed("command"))
}

fn bytes_of(rows: &[Row]) -> u64 {
    rows.iter().map(|(text, ..)| text.len() as u64).sum()
}

/// The file, made if it is not there, and how many bytes of how many commands it holds.
fn connect(path: &Path) -> rusqlite::Result<(Connection, u64, u64)> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "auto_vacuum", "incremental")?; // of a new file
    // Not WAL: its log is as large as what was written, and emptying it needs that space once more. This
    // journal needs a few pages for a deletion, and keeps its space.
    db.pragma_update_and_check(None, "journal_mode", "persist", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "full")?;
    // Deleted commands are overwritten with zeros, not left in the free pages of the file.
    db.pragma_update_and_check(None, "secure_delete", "on", |_| Ok(()))?;
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS commands (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            since INTEGER NOT NULL,
            command TEXT NOT NULL
        )",
    )?;
    // A file of an older version lacks it.
    let has = "SELECT 1 FROM pragma_table_info('commands') WHERE name = 'rests_on'";
    if !db.prepare(has)?.exists([])? {
        db.execute_batch("ALTER TABLE commands ADD COLUMN rests_on INTEGER")?;
    }
    let held = "SELECT COALESCE(SUM(LENGTH(CAST(command AS BLOB))), 0), COUNT(*) FROM commands";
    let (bytes, commands) = db.query_row(held, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((db, bytes, commands))
}

impl Spool {
    /// Opens the spool, with what it holds from before. `cap_bytes` bounds the commands in it.
    ///
    /// # Errors
    /// When the file cannot be opened; so for all below.
    pub fn open(path: &Path, cap_bytes: u64) -> Result<Self> {
        let failed = |source: Box<dyn Error + Send + Sync>| FileError::new(Kept::Spool, path, source);
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        let claim = File::create(lock).map_err(|error| failed(error.into()))?;
        match claim.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::SpoolClaimed(path.display().to_string()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error.into()).into()),
        }
        let mut reserve = Reserve::of(path);
        let opened =
            connect(path).or_else(|error| if reserve.give_up() { connect(path) } else { Err(error) });
        let (db, bytes, commands) = opened.map_err(|error| failed(error.into()))?;
        let mut spool = Self {
            db,
            _claim: claim,
            path: path.to_owned(),
            cap_bytes,
            bytes,
            commands,
            taken: 0,
            deleted: 0,
            reserve,
            journal_has_content: true,
        };
        spool.tidy();
        Ok(spool)
    }

    /// Keeps the commands, each with the generation that it [rests on](Spooled::rests_on), all or none.
    ///
    /// # Errors
    /// [`StoreError::SpoolFull`] at the cap; otherwise when the file cannot be written.
    pub fn append<'c>(
        &mut self,
        commands: impl IntoIterator<Item = (&'c Command, Option<u64>)>,
        now: Millis,
    ) -> Result<()> {
        let rows = commands.into_iter().map(|(command, rests_on)| Ok((text(command)?, now, rests_on)));
        let rows: Vec<Row> = rows.collect::<Result<_>>()?;
        if self.bytes + bytes_of(&rows) > self.cap_bytes {
            return Err(StoreError::SpoolFull);
        }
        self.put(&rows)
    }

    /// Moves commands behind all others, even if the spool is at its cap or its disk is full.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append_again(&mut self, spooled: &[Spooled]) -> Result<()> {
        let row = |spooled: &Spooled| Ok((text(&spooled.command)?, spooled.since, spooled.rests_on));
        let rows: Vec<Row> = spooled.iter().map(row).collect::<Result<_>>()?;
        self.put(&rows).or_else(|error| if self.reserve.give_up() { self.put(&rows) } else { Err(error) })
    }

    fn put(&mut self, rows: &[Row]) -> Result<()> {
        let transaction = self.db.transaction()?;
        for (text, since, rests_on) in rows {
            transaction
                .prepare_cached("INSERT INTO commands (command, since, rests_on) VALUES (?1, ?2, ?3)")?
                .execute(params![text, since, rests_on.map(u64::cast_signed)])?;
        }
        transaction.commit()?;
        self.bytes += bytes_of(rows);
        self.commands += rows.len() as u64;
        Ok(())
    }

    /// The oldest commands, in their order.
    ///
    /// # Errors
    /// As above. A command that cannot be read (from a newer version) is an error too: nothing is
    /// dropped.
    pub fn oldest(&self, most: usize) -> Result<Vec<Spooled>> {
        let mut statement = self.db.prepare_cached(
            "SELECT seq, since, command, rests_on FROM commands WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let mut rows = statement.query(params![self.taken, i64::try_from(most).unwrap_or(i64::MAX)])?;
        let (mut spooled, mut weight) = (Vec::new(), 0);
        while let Some(row) = rows.next()?
            && weight < BATCH_FACTS
        {
            let text: String = row.get(2)?;
            let command: Command =
                serde_json::from_str(&text).map_err(|_| StoreError::Malformed("command in the spool"))?;
            weight += command.weight();
            let rests_on = row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned);
            spooled.push(Spooled { seq: row.get(0)?, since: row.get(1)?, command, rests_on });
        }
        Ok(spooled)
    }

    /// The database has everything up to a place: that does not wait any more, and is deleted at once, or as soon as
    /// the disk allows it.
    pub fn taken_through(&mut self, seq: i64) {
        let taken = self.db.query_row(
            "SELECT COALESCE(SUM(LENGTH(CAST(command AS BLOB))), 0), COUNT(*) FROM commands
             WHERE seq > ?1 AND seq <= ?2",
            [self.taken, seq],
            |row| Ok((row.get(0)?, row.get(1)?)),
        );
        let (bytes, commands): (u64, u64) = taken.unwrap_or_default();
        self.bytes = self.bytes.saturating_sub(bytes);
        self.commands = self.commands.saturating_sub(commands);
        self.taken = seq;
        self.tidy();
    }

    /// Deletes what the database has stored. An empty spool returns its space to the disk, makes the
    /// reserve again, and overwrites its journal.
    pub fn tidy(&mut self) {
        if self.deleted < self.taken {
            let mut deleted = self.delete_taken();
            if deleted.is_err() && self.reserve.give_up() {
                deleted = self.delete_taken();
            }
            if let Err(error) = deleted {
                tracing::warn!(%error, "commands that Postgres has stored could not be deleted from the spool; the server will try again");
                return;
            }
        }
        if self.is_empty() {
            if let Err(error) = self.shrink() {
                tracing::debug!(%error, "the spool file could not be made smaller; the server will try again");
            }
            self.reserve.restore();
            if self.journal_has_content
                && let Err(error) = self.overwrite_journal()
            {
                tracing::warn!(%error, "the journal of the spool still contains commands that Postgres has stored");
            }
        }
    }

    /// Overwrites the old pages in the journal with zeros. Between two transactions its content is not needed, and
    /// the file keeps its size.
    fn overwrite_journal(&mut self) -> std::io::Result<()> {
        let mut journal = self.path.as_os_str().to_owned();
        journal.push("-journal");
        match File::options().write(true).open(journal) {
            Ok(mut file) => {
                let bytes = file.metadata()?.len();
                std::io::copy(&mut std::io::repeat(0).take(bytes), &mut file)?;
                file.sync_all()?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.journal_has_content = false;
        Ok(())
    }

    fn delete_taken(&mut self) -> Result<()> {
        self.db.prepare_cached("DELETE FROM commands WHERE seq <= ?1")?.execute([self.taken])?;
        self.deleted = self.taken;
        self.journal_has_content = true;
        Ok(())
    }

    fn shrink(&self) -> Result<()> {
        let free: i64 = self.db.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free > FREE_PAGES_MAX {
            let mut vacuum = self.db.prepare("PRAGMA incremental_vacuum")?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
        }
        Ok(())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands == 0
    }

    /// Whether it would take a command now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn probe(&self, now: Millis) -> Result<()> {
        if self.bytes >= self.cap_bytes {
            return Err(StoreError::SpoolFull);
        }
        Ok(self.db.pragma_update(None, "user_version", now / 1_000 % i64::from(i32::MAX))?)
    }

    /// Bytes of the commands that wait.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many commands wait.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.commands
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
