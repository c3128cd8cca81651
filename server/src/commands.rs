//! The subcommands besides `serve`; `key` and `user` have files of their own.

pub mod key;
mod table;
pub mod user;

use std::future::Future;
use std::time::{Duration, Instant};

use crate::assertion::Assertions;
use crate::clock;
use crate::config::commands::Move;
use crate::config::environment;
use crate::config::{Common, Serve};
use crate::database::Database;
use crate::database::error::StoreError;
use crate::database::migrate::{self, Progress};
use crate::database::postgres::pool::Pool;
use crate::database::postgres::reports::PostgresReports;
use crate::database::postgres::url::PostgresUrl;
use crate::database::sqlite::Sqlite;
use crate::passwords::HashError;
use crate::serve;
use crate::serve::tls::Tls;
use crate::session_cache::redis::RedisError;

/// How often a long command prints its progress.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Why a command failed, for the user.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis does not answer.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Failed(String),
}

fn database(common: &Common) -> Result<Database, CommandError> {
    common.database_url.database().map_err(CommandError::Failed)
}

/// Runs a future on this thread.
fn wait<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, CommandError>
where
    CommandError: From<E>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Failed(format!("cannot start: {error}")))?;
    Ok(runtime.block_on(work)?)
}

/// `visitflow migrate`
///
/// # Errors
/// When a migration fails, or both sides differ after the copy.
pub fn migrate(common: &Common, ends: &Move) -> Result<(), CommandError> {
    if let Some((from, to)) = ends.ends().map_err(CommandError::Failed)? {
        return move_to(&from, &to);
    }
    let database = database(common)?;
    wait(database.migrate())?;
    println!("the schema of {database} is up to date");
    Ok(())
}

/// `visitflow migrate --from … --to …`
fn move_to(from: &Sqlite, to: &PostgresUrl) -> Result<(), CommandError> {
    let mut told = Instant::now();
    let mut progress = |at: Progress| {
        if told.elapsed() >= TELL_EVERY || (at.rows == at.of && at.of > 0) {
            eprintln!("{}: {} of {} rows", at.table, at.rows, at.of);
            told = Instant::now();
        }
    };
    let report = wait(migrate::migrate(from, to, clock::now(), &mut progress))?;
    if report.finished_before.is_some() {
        println!("an earlier run already completed this migration; nothing was copied");
    }
    println!("{:<16}{:>12}{:>12}", "table", "SQLite", "Postgres");
    for (table, file, postgres) in &report.tables {
        println!("{table:<16}{file:>12}{postgres:>12}");
    }
    if report.differences.is_empty() {
        println!(
            "the headline figures over all time are the same in both databases, for {} sites and in total",
            report.sites
        );
        return Ok(());
    }
    let differences = report.differences.join("\n  ");
    Err(CommandError::Failed(if report.finished_before.is_some() {
        format!(
            "the two databases differ, so one of them has been used since the migration was completed:\n  {differences}"
        )
    } else {
        format!(
            "the two databases differ; drop and re-create the database of --to, then run this command again:\n  {differences}"
        )
    }))
}

/// `visitflow check`
///
/// # Errors
/// What is wrong, one sentence for each line.
pub fn check(common: &Common, config: &Serve) -> Result<(), CommandError> {
    let mut wrong = Vec::new();
    let mut note = |what: &str, outcome: Result<(), String>| match outcome {
        Ok(()) => println!("ok    {what}"),
        Err(error) => {
            println!("WRONG {what}: {error}");
            wrong.push(what.to_owned());
        }
    };
    note("configuration", config.validate(&common.database_url));
    for mistake in config.mistakes() {
        note("configuration", Err(mistake));
    }
    for mistake in environment::mistakes() {
        note("environment", Err(mistake));
    }
    if let Some(warning) = config.origin_warning() {
        println!("warn  --public-url: {warning}");
    }
    for said in config.notes() {
        println!("note  {said}");
    }
    if let (Some(cert), Some(key)) = (&config.tls_cert, &config.tls_key) {
        note("certificate", Tls::read(cert, key).map(drop));
    }
    if config.jwt_key.is_some() {
        note("key for assertions", Assertions::of(config).map(drop));
    }
    let database = database(common);
    let spools = matches!(database, Ok(Database::Postgres(_)));
    let checked = database.and_then(|database| wait(database.check()));
    note("database", checked.map_err(|error| error.to_string()));
    if spools {
        // The spool is a file like the embedded database.
        let checked = Sqlite::spool(&config.spool).check();
        note("spool", checked.map_err(|error| error.to_string()));
    }
    if let Some(redis) = &config.redis_url {
        let checked = wait(redis.check());
        note("Redis", checked.map_err(|error| error.to_string()));
    }
    if let Ok(Some(replica)) = config.report_database() {
        let checked = wait(async { PostgresReports::new(Pool::reports(&replica)?).check().await });
        note("report database", checked.map_err(|error| error.to_string()));
    }
    for (what, address) in [("--listen", config.listen), ("--admin-listen", config.admin_listen)] {
        let bound = std::net::TcpListener::bind(&serve::addresses(address)[..]).map(drop);
        note(
            &format!("{what} {address}"),
            bound.map_err(|error| format!("{error}; is the server running already?")),
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Failed(format!("to fix: {}", wrong.join(", ")))) }
}
