//! The subcommands besides `serve`; `key` has a file of its own.

pub mod key;

use std::future::Future;
use std::io::{BufRead as _, IsTerminal as _};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::assertion::{Assertions, LOCAL_PREFIX};
use crate::clock;
use crate::config::environment;
use crate::config::{Common, Move, Serve, UserCommand};
use crate::passwords;
use crate::serve;
use crate::serve::tls::Tls;
use crate::store::StoreError;
use crate::store::events::Database;
use crate::store::events::accounts::{Accounts, Role};
use crate::store::events::migrate::{self, Progress};
use crate::store::events::postgres::pool::Pool;
use crate::store::events::postgres::reports::PostgresReports;
use crate::store::events::postgres::url::PostgresUrl;
use crate::store::events::sqlite::Sqlite;

/// How often a command that takes long says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Why a command failed, for whoever typed it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else, said in a sentence.
    #[error("{0}")]
    Told(String),
}

fn database(common: &Common) -> Result<Database, CommandError> {
    common.database_url.database().map_err(CommandError::Told)
}

/// Does what a store is asked, on this thread.
fn wait<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Told(format!("cannot start: {error}")))?;
    Ok(runtime.block_on(work)?)
}

/// `visitflow user …`
///
/// # Errors
/// When there is no password, or the store fails.
pub fn user(common: &Common, command: UserCommand) -> Result<(), CommandError> {
    let database = database(common)?;
    match command {
        UserCommand::Add { name, admin } => {
            let name = passwords::name(&name);
            passwords::check_name(&name).map_err(CommandError::Told)?;
            let password = new_password(&name)?;
            passwords::check_new(&password).map_err(CommandError::Told)?;
            let role = if admin { Role::Admin } else { Role::User };
            let id = format!("{LOCAL_PREFIX}{}", Uuid::now_v7());
            let hash = passwords::hash(&password)?;
            let added = wait(async {
                Accounts::open(&database).await?.put_user(&id, &name, &hash, role, clock::now()).await
            })?;
            let role = if admin { "admin" } else { "user" };
            let done = if added { "added" } else { "changed; all sessions ended for" };
            println!("{done} {name} ({role})");
            Ok(())
        }
        UserCommand::Disable { name } => {
            let name = passwords::name(&name);
            let disabled =
                wait(async { Accounts::open(&database).await?.disable_user(&name, clock::now()).await })?;
            if !disabled {
                return Err(CommandError::Told(format!("there is no user {name:?}")));
            }
            println!("disabled {name}; all sessions ended");
            Ok(())
        }
    }
}

/// The password of a user who is added: asked for twice in a terminal, where it is not shown; else the
/// first line of stdin.
fn new_password(name: &str) -> Result<String, CommandError> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| CommandError::Told(format!("cannot read the password from stdin: {error}")))?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| {
            CommandError::Told(format!(
                "cannot ask for the password: {error}; write it on stdin: visitflow user add NAME < password.txt"
            ))
        })
    };
    let password = ask(format!("Password for {name}: "))?;
    passwords::check_new(&password).map_err(CommandError::Told)?;
    if ask("The same again: ".to_owned())? == password {
        Ok(password)
    } else {
        Err(CommandError::Told("the two passwords differ, and nothing was changed; try again".into()))
    }
}

/// `visitflow migrate`
///
/// # Errors
/// When a migration fails, or both sides do not tell the same after the move.
pub fn migrate(common: &Common, ends: &Move) -> Result<(), CommandError> {
    if let Some((from, to)) = ends.ends().map_err(CommandError::Told)? {
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
        println!("an earlier run has finished this migration; nothing was copied");
    }
    println!("{:<16}{:>12}{:>12}", "table", "SQLite", "Postgres");
    for (table, file, postgres) in &report.tables {
        println!("{table:<16}{file:>12}{postgres:>12}");
    }
    if report.differences.is_empty() {
        println!(
            "the figures of all time are the same on both sides, for {} sites and in total",
            report.sites
        );
        return Ok(());
    }
    let differences = report.differences.join("\n  ");
    Err(CommandError::Told(if report.finished_before.is_some() {
        format!(
            "the two sides differ, so one of them was in use since the migration finished:\n  {differences}"
        )
    } else {
        format!(
            "the two sides differ; drop and create the database of --to, then run this again:\n  {differences}"
        )
    }))
}

/// `visitflow check`
///
/// # Errors
/// What is wrong, one sentence a line.
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
        note("key of assertions", Assertions::of(config).map(drop));
    }
    let database = database(common);
    let spools = matches!(database, Ok(Database::Postgres(_)));
    let checked = database.and_then(|database| wait(database.check()));
    note("database", checked.map_err(|error| error.to_string()));
    if spools {
        // It is a file as the embedded database is one.
        let checked = Sqlite::spool(&config.spool).check();
        note("spool", checked.map_err(|error| error.to_string()));
    }
    if let Some(redis) = &config.redis_url {
        let checked = wait(async { Ok(redis.check().await?) });
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
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Told(format!("to mend: {}", wrong.join(", ")))) }
}
