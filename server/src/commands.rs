//! The subcommands besides `serve`.

use std::io::BufRead as _;

use uuid::Uuid;

use crate::clock;
use crate::config::{Common, KeyCommand, Scope, Serve, UserCommand};
use crate::endpoints::keys;
use crate::passwords;
use crate::serve;
use crate::store::StoreError;
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

/// `visitflow user …`
///
/// # Errors
/// When there is no password, or the store fails.
pub fn user(common: &Common, command: UserCommand) -> Result<(), CommandError> {
    let mut db = common.database_url.open()?;
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
            let role = if admin { Role::Admin } else { Role::User };
            let id = format!("u_{}", Uuid::now_v7());
            let added =
                accounts::put_user(&mut db, &id, &name, &passwords::hash(password)?, role, clock::now())?;
            println!("{} {name}", if added { "added" } else { "changed; all sessions ended for" });
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
    let db = common.database_url.open()?;
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
    common.database_url.open()?;
    println!("the schema of {} is up to date", common.database_url.path().display());
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
    let database = common.database_url.check().map_err(|error| error.to_string());
    note(&format!("database {}", common.database_url.path().display()), database);
    if wrong.is_empty() { Ok(()) } else { Err(CommandError::Told(format!("to mend: {}", wrong.join(", ")))) }
}
