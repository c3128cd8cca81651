//! `visitflow user …`

use std::io::{BufRead as _, IsTerminal as _};

use serde_json::json;
use uuid::Uuid;

use super::table::{day, in_columns};
use super::{CommandError, database, wait};
use crate::assertion::LOCAL_PREFIX;
use crate::config::Common;
use crate::config::commands::UserCommand;
use crate::contract::accounts::{Role, UserRow};
use crate::database::Database;
use crate::database::accounts::Accounts;
use crate::{clock, passwords};

/// `visitflow user …`
///
/// # Errors
/// When there is no password, no such user, or the database fails.
pub fn run(common: &Common, command: UserCommand) -> Result<(), CommandError> {
    let database = database(common)?;
    match command {
        UserCommand::Add { name, admin } => add(&database, &name, admin),
        UserCommand::Disable { name } => {
            let name = passwords::name(&name);
            let done =
                wait(async { Accounts::open(&database).await?.disable_user(&name, clock::now()).await })?;
            known(done, &name)?;
            println!("disabled {name}; all sessions ended");
            Ok(())
        }
        UserCommand::Enable { name } => {
            let name = passwords::name(&name);
            let done = wait(async { Accounts::open(&database).await?.enable_user(&name).await })?;
            known(done, &name)?;
            println!("enabled {name}");
            Ok(())
        }
        UserCommand::Remove { name } => {
            let name = passwords::name(&name);
            let done =
                wait(async { Accounts::open(&database).await?.remove_user(&name, clock::now()).await })?;
            known(done, &name)?;
            println!("removed {name}; all sessions ended");
            Ok(())
        }
        UserCommand::List { json } => {
            let users = wait(async { Accounts::open(&database).await?.users().await })?;
            print!("{}", if json { as_json(&users) } else { as_text(&users) });
            Ok(())
        }
    }
}

/// Whether there is such a user.
fn known(found: bool, name: &str) -> Result<(), CommandError> {
    if found {
        return Ok(());
    }
    Err(CommandError::Failed(format!("there is no user {name:?}; `visitflow user list` lists all of them")))
}

fn add(database: &Database, name: &str, admin: bool) -> Result<(), CommandError> {
    let name = passwords::name(name);
    passwords::check_name(&name).map_err(CommandError::Failed)?;
    let password = new_password(&name)?;
    passwords::check_new(&password).map_err(CommandError::Failed)?;
    let role = if admin { Role::Admin } else { Role::User };
    let id = format!("{LOCAL_PREFIX}{}", Uuid::now_v7());
    let hash = passwords::hash(&password)?;
    let added = wait(async {
        Accounts::open(database).await?.put_user(&id, &name, &hash, role, clock::now()).await
    })?;
    let done = if added { "added" } else { "changed; all sessions ended for" };
    println!("{done} {name} ({})", role.as_str());
    Ok(())
}

/// The password of a user who is added: in a terminal it is asked for twice and not shown; otherwise it is the first line
/// of stdin.
fn new_password(name: &str) -> Result<String, CommandError> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| CommandError::Failed(format!("cannot read the password from stdin: {error}")))?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| {
            CommandError::Failed(format!(
                "cannot ask for the password: {error}; pass it on stdin: visitflow user add NAME < password.txt"
            ))
        })
    };
    let password = ask(format!("Password for {name}: "))?;
    passwords::check_new(&password).map_err(CommandError::Failed)?;
    if ask("Repeat the password: ".to_owned())? == password {
        Ok(password)
    } else {
        Err(CommandError::Failed("the two passwords differ; nothing was changed, try again".into()))
    }
}

fn as_json(users: &[UserRow]) -> String {
    let users: Vec<_> = users
        .iter()
        .map(|user| {
            json!({
                "id": user.id, "name": user.name, "role": user.role.as_str(),
                "created_at": clock::rfc3339(user.created_at),
                "disabled_at": user.disabled_at.map(clock::rfc3339),
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(users))
}

fn as_text(users: &[UserRow]) -> String {
    let day = |at| day(at).unwrap_or_else(|| "after 9999".into());
    let mut lines = vec![["name", "role", "made", "disabled"].map(str::to_owned)];
    lines.extend(users.iter().map(|user| {
        let disabled = user.disabled_at.map_or("no".into(), day);
        [user.name.clone(), user.role.as_str().into(), day(user.created_at), disabled]
    }));
    in_columns(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_in_columns_and_as_json() {
        let users = [
            UserRow {
                id: "u_1".into(),
                name: "ada".into(),
                role: Role::Admin,
                created_at: 1_700_000_000_000,
                disabled_at: None,
            },
            UserRow {
                id: "u_2".into(),
                name: "zo\u{eb}".into(),
                role: Role::User,
                created_at: 1_700_000_000_000,
                disabled_at: Some(1_800_000_000_000),
            },
        ];
        let told = "name  role   made        disabled\n\
                    ada   admin  2023-11-14  no\n\
                    zo\u{eb}   user   2023-11-14  2027-01-15\n";
        assert_eq!(as_text(&users), told);
        let read: serde_json::Value = serde_json::from_str(&as_json(&users)).unwrap();
        assert_eq!((&read[0]["disabled_at"], &read[1]["role"]), (&json!(null), &json!("user")));
        assert_eq!(read[0]["created_at"], "2023-11-14T22:13:20Z");
    }
}
