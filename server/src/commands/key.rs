//! `visitflow key …`

use std::time::Duration;

use serde_json::json;

use super::table::{day, in_columns};
use super::{CommandError, database, wait};
use crate::config::Common;
use crate::config::commands::KeyCommand;
use crate::contract::accounts::{ApiKey, KeyRow, Scope};
use crate::database::Database;
use crate::database::accounts::Accounts;
use crate::session::Millis;
use crate::{clock, keys, passwords, site};

/// `visitflow key …`
///
/// # Errors
/// When the name is taken or unknown, or the database fails.
pub fn run(common: &Common, command: KeyCommand) -> Result<(), CommandError> {
    let database = database(common)?;
    match command {
        KeyCommand::Add { name, scope, site, expires } => add(&database, &name, scope, site, expires),
        KeyCommand::List { json } => {
            let keys = wait(async { Accounts::open(&database).await?.keys().await })?;
            print!("{}", if json { as_json(&keys) } else { as_text(&keys) });
            Ok(())
        }
        KeyCommand::Revoke { name } => {
            let revoked = wait(async { Accounts::open(&database).await?.delete_key(&name).await })?;
            if !revoked {
                return Err(CommandError::Failed(format!(
                    "there is no API key {name:?}; `visitflow key list` lists all of them"
                )));
            }
            println!("revoked {name}");
            Ok(())
        }
    }
}

fn add(
    database: &Database,
    name: &str,
    scopes: Vec<Scope>,
    site: Option<String>,
    expires: Option<Duration>,
) -> Result<(), CommandError> {
    if name.is_empty() {
        return Err(CommandError::Failed("the key needs a name, for example what it is used for".into()));
    }
    passwords::check_label(name).map_err(CommandError::Failed)?;
    let scopes = each_once(scopes);
    let site = match site {
        Some(_) if scopes != [Scope::Session] => {
            return Err(CommandError::Failed(
                "--site works only with --scope session, and with no other scope".into(),
            ));
        }
        Some(site) => Some(site::normalize(&site).ok_or_else(|| {
            CommandError::Failed(format!("{site:?} is not a site; write a host name, such as shop.example"))
        })?),
        None => None,
    };
    let now = clock::now();
    let expires_at = expires.map(|length| end_of(now, length)).transpose()?;
    let (id, text, secret_hash) = keys::issue().map_err(|error| {
        CommandError::Failed(format!("the operating system provides no random numbers: {error}"))
    })?;
    let key = ApiKey { secret_hash, scopes, site, expires_at };
    wait(async { Accounts::open(database).await?.put_key(&id, name, &key, now).await })?;
    println!("{text}");
    Ok(())
}

/// The scopes in the order in which they were first named.
fn each_once(scopes: Vec<Scope>) -> Vec<Scope> {
    let mut once = Vec::new();
    for scope in scopes {
        if !once.contains(&scope) {
            once.push(scope);
        }
    }
    once
}

/// When a key with this lifetime expires.
fn end_of(now: Millis, length: Duration) -> Result<Millis, CommandError> {
    let end = i64::try_from(length.as_millis()).ok().and_then(|length| now.checked_add(length));
    end.filter(|end| day(*end).is_some()).ok_or_else(|| {
        CommandError::Failed(
            "--expires ends after the year 9999; leave it out, and the key never expires".into(),
        )
    })
}

fn scopes_of(row: &KeyRow) -> Vec<&'static str> {
    row.key.scopes.iter().map(|scope| scope.as_str()).collect()
}

fn as_json(keys: &[KeyRow]) -> String {
    let keys: Vec<_> = keys
        .iter()
        .map(|row| {
            json!({
                "id": row.id, "name": row.name, "scopes": scopes_of(row), "site": row.key.site,
                "created_at": clock::rfc3339(row.created_at), "expires_at": row.key.expires_at.map(clock::rfc3339),
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(keys))
}

/// A line for each key.
fn as_text(keys: &[KeyRow]) -> String {
    let day = |at| day(at).unwrap_or_else(|| "after 9999".into());
    let mut lines = vec![["name", "scopes", "site", "made", "expires"].map(str::to_owned)];
    lines.extend(keys.iter().map(|row| {
        let site = row.key.site.as_deref().unwrap_or("all");
        let expires = row.key.expires_at.map_or("never".into(), day);
        [row.name.clone(), scopes_of(row).join(","), site.into(), day(row.created_at), expires]
    }));
    in_columns(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let key = |name: &str, scopes: &[Scope], site: Option<&str>, expires_at| KeyRow {
            id: "i".into(),
            name: name.into(),
            created_at: 1_700_000_000_000,
            key: ApiKey {
                secret_hash: [0; 32],
                scopes: scopes.to_vec(),
                site: site.map(str::to_owned),
                expires_at,
            },
        };
        let all = [Scope::Read, Scope::Write, Scope::Erase, Scope::Session];
        let keys = [
            key("a name of more than twenty-four characters", &all, None, Some(1_800_000_000_000)),
            key("é", &[Scope::Session], Some("shop.example"), Some(i64::MAX)),
        ];
        let wide = "a name of more than twenty-four characters";
        let told = format!(
            "{:<42}  scopes                    site          made        expires\n\
             {wide}  read,write,erase,session  all           2023-11-14  2027-01-15\n\
             {:<42}  session                   shop.example  2023-11-14  after 9999\n",
            "name", "é"
        );
        assert_eq!(as_text(&keys), told);
        assert_eq!(as_text(&[]), "name  scopes  site  made  expires\n");
    }

    #[test]
    fn a_key_ends_before_the_year_10000_or_never() {
        let (now, years) = (1_700_000_000_000, |years: u64| Duration::from_secs(years * 31_557_600));
        assert_eq!(end_of(now, Duration::from_secs(1)).unwrap(), now + 1_000);
        end_of(now, years(7_900)).unwrap();
        for years in [years(7_980), years(1_000_000), Duration::MAX] {
            assert!(end_of(now, years).unwrap_err().to_string().contains("9999"));
        }
    }

    #[test]
    fn a_scope_that_is_named_twice_is_one() {
        let named = vec![Scope::Session, Scope::Read, Scope::Session];
        assert_eq!(each_once(named), [Scope::Session, Scope::Read]);
    }
}
