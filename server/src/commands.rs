//! The subcommands besides `serve`.

use std::io::BufRead as _;

use uuid::Uuid;

use crate::assertion::{Assertions, LOCAL_PREFIX};
use crate::clock;
use crate::config::{Common, KeyCommand, Scope, Serve, UserCommand};
use crate::endpoints::keys;
use crate::passwords;
use crate::serve;
use crate::store::StoreError;
use crate::store::events::sqlite::Sqlite;
use crate::store::events::sqlite::accounts::{self, ApiKey, Role};

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

fn database(common: &Common) -> Result<Sqlite, CommandError> {
    common.database_url.sqlite().map_err(CommandError::Told)
}

/// `visitflow user …`
///
/// # Errors
/// When there is no password, or the store fails.
pub fn user(common: &Common, command: UserCommand) -> Result<(), CommandError> {
    let mut db = database(common)?.open()?;
    match command {
        UserCommand::Add { name, admin } => {
            let mut password = String::new();
            std::io::stdin().lock().read_line(&mut password).map_err(|error| {
                CommandError::Told(format!("cannot read the password from stdin: {error}"))
            })?;
            let password = password.trim_end_matches(['\r', '\n']);
            if name.is_empty() || password.is_empty() {
                return Err(CommandError::Told("a user needs a name and a password; write the password on stdin: visitflow user add NAME < password.txt".into()));
            }
            if name.len() > passwords::NAME_BYTES || password.len() > passwords::PASSWORD_BYTES {
                return Err(CommandError::Told(format!(
                    "a name has at most {} bytes, a password {}",
                    passwords::NAME_BYTES,
                    passwords::PASSWORD_BYTES
                )));
            }
            let role = if admin { Role::Admin } else { Role::User };
            let id = format!("{LOCAL_PREFIX}{}", Uuid::now_v7());
            let added =
                accounts::put_user(&mut db, &id, &name, &passwords::hash(password)?, role, clock::now())?;
            let role = if admin { "admin" } else { "user" };
            let done = if added { "added" } else { "changed; all sessions ended for" };
            println!("{done} {name} ({role})");
            Ok(())
        }
        UserCommand::Disable { name } => {
            if !accounts::disable_user(&mut db, &name, clock::now())? {
                return Err(CommandError::Told(format!("there is no user {name:?}")));
            }
            println!("disabled {name}; all sessions ended");
            Ok(())
        }
    }
}

/// `visitflow key …`
///
/// # Errors
/// When the name is taken, or the store fails.
pub fn key(common: &Common, command: KeyCommand) -> Result<(), CommandError> {
    let KeyCommand::Add { name, scope, expires } = command;
    if name.is_empty() {
        return Err(CommandError::Told("a key needs a name, to know later what it is for".into()));
    }
    let db = database(common)?.open()?;
    let (id, text, secret_hash) = keys::issue()
        .map_err(|error| CommandError::Told(format!("the operating system has no randomness: {error}")))?;
    let now = clock::now();
    let expires_at =
        expires.map(|length| now.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)));
    let key = ApiKey {
        secret_hash,
        read: scope.contains(&Scope::Read),
        write: scope.contains(&Scope::Write),
        expires_at,
    };
    accounts::put_key(&db, &id, &name, &key, now)?;
    println!("{text}");
    Ok(())
}

/// `visitflow migrate`
///
/// # Errors
/// When a migration fails.
pub fn migrate(common: &Common) -> Result<(), CommandError> {
    database(common)?.open()?;
    println!("the schema of {} is up to date", database(common)?.path().display());
    Ok(())
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
    note("configuration", config.validate());
    if let (Some(cert), Some(key)) = (&config.tls_cert, &config.tls_key) {
        note("certificate", serve::tls(cert, key).map(drop));
    }
    if config.jwt_key.is_some() {
        note("key of assertions", Assertions::of(config).map(drop));
    }
    let checked = database(common).and_then(|database| Ok(database.check()?));
    note("database", checked.map_err(|error| error.to_string()));
    for (what, address) in [("--listen", config.listen), ("--admin-listen", config.admin_listen)] {
        let bound = std::net::TcpListener::bind(address).map(drop);
        note(
            &format!("{what} {address}"),
            bound.map_err(|error| format!("{error}; is the server running already?")),
        );
    }
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Told(format!("to mend: {}", wrong.join(", ")))) }
}
