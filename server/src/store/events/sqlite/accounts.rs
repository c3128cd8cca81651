//! Users and API keys.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::sql;
use crate::session::Millis;
use crate::store::events::accounts::{Account, ApiKey, Role};
use crate::store::{Result, StoreError};

/// Adds a user, or gives an existing one a new password and role and ends that user's sessions.
/// Returns whether the user is new.
///
/// # Errors
/// When the database refuses.
pub fn put_user(
    db: &mut Connection,
    id: &str,
    name: &str,
    password_hash: &str,
    role: Role,
    now: Millis,
) -> Result<bool> {
    let transaction = db.transaction()?;
    let kept: String = transaction.query_row(
        sql!("user_put"),
        params![id, name, password_hash, role.as_str(), now],
        |row| row.get(0),
    )?;
    transaction.execute(sql!("tokens_of_user_end"), params![kept, now])?;
    transaction.commit()?;
    Ok(kept == id)
}

/// Refuses a user's sign-ins and ends that user's sessions. Returns whether there is such a user.
///
/// # Errors
/// When the database refuses.
pub fn disable_user(db: &mut Connection, name: &str, now: Millis) -> Result<bool> {
    let transaction = db.transaction()?;
    let id: Option<String> =
        transaction.query_row(sql!("user_disable"), params![name, now], |row| row.get(0)).optional()?;
    if let Some(id) = &id {
        transaction.execute(sql!("tokens_of_user_end"), params![id, now])?;
    }
    transaction.commit()?;
    Ok(id.is_some())
}

/// The user of a name.
///
/// # Errors
/// When the database refuses.
pub fn account(db: &Connection, name: &str) -> Result<Option<Account>> {
    let found = db
        .prepare_cached(sql!("user_by_name"))?
        .query_row([name], |row| {
            Ok(Account { id: row.get(0)?, password_hash: row.get(1)?, disabled: row.get(2)? })
        })
        .optional()?;
    Ok(found)
}

/// The role of a user who is not disabled. An identity that is no local user has none.
///
/// # Errors
/// When the database refuses.
pub fn role(db: &Connection, user_id: &str) -> Result<Option<Role>> {
    let role: Option<String> =
        db.prepare_cached(sql!("user_role"))?.query_row([user_id], |row| row.get(0)).optional()?;
    role.as_deref().map(Role::parse).transpose()
}

/// Adds an API key.
///
/// # Errors
/// [`StoreError::Taken`] when there is a key of this name; else when the database refuses.
pub fn put_key(db: &Connection, id: &str, name: &str, key: &ApiKey, now: Millis) -> Result<()> {
    let added =
        db.execute(sql!("key_put"), params![id, name, key.secret_hash, key.scopes(), now, key.expires_at])?;
    if added == 0 { Err(StoreError::Taken(format!("an API key named {name:?}"))) } else { Ok(()) }
}

/// The API key of an id.
///
/// # Errors
/// When the database refuses.
pub fn key(db: &Connection, id: &str) -> Result<Option<ApiKey>> {
    let found = db
        .prepare_cached(sql!("key_get"))?
        .query_row([id], |row| {
            let scopes: String = row.get(1)?;
            Ok(ApiKey::with_scopes(row.get(0)?, &scopes, row.get(2)?))
        })
        .optional()?;
    Ok(found)
}
