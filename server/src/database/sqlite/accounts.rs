//! Users and API keys.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::sql;
use crate::contract::accounts::{Account, ApiKey, KeyRow, Role, UserRow};
use crate::database::error::{Result, StoreError};
use crate::session::Millis;

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
    and_end_sessions(db, now, |db| {
        db.query_row(sql!("user_disable"), params![name, now], |row| row.get(0)).optional()
    })
}

/// Deletes a user and ends that user's sessions. Returns whether there was such a user.
///
/// # Errors
/// When the database refuses.
pub fn remove_user(db: &mut Connection, name: &str, now: Millis) -> Result<bool> {
    and_end_sessions(db, now, |db| db.query_row(sql!("user_delete"), [name], |row| row.get(0)).optional())
}

/// Changes a user, and ends the sessions of the user whose id the statement returns. Whether it returns one.
fn and_end_sessions(
    db: &mut Connection,
    now: Millis,
    change: impl FnOnce(&Connection) -> rusqlite::Result<Option<String>>,
) -> Result<bool> {
    let transaction = db.transaction()?;
    let id = change(&transaction)?;
    if let Some(id) = &id {
        transaction.execute(sql!("tokens_of_user_end"), params![id, now])?;
    }
    transaction.commit()?;
    Ok(id.is_some())
}

/// Accepts a user's sign-ins again. Returns whether there is such a user.
///
/// # Errors
/// When the database refuses.
pub fn enable_user(db: &Connection, name: &str) -> Result<bool> {
    Ok(db.execute(sql!("user_enable"), [name])? > 0)
}

/// All users, by name.
///
/// # Errors
/// When the database refuses, or a row is malformed.
pub fn users(db: &Connection) -> Result<Vec<UserRow>> {
    let mut statement = db.prepare(sql!("users_list"))?;
    let mut rows = statement.query([])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        users.push(UserRow {
            id: row.get(0)?,
            name: row.get(1)?,
            role: role_of(&row.get::<_, String>(2)?)?,
            created_at: row.get(3)?,
            disabled_at: row.get(4)?,
        });
    }
    Ok(users)
}

/// The user of a name.
///
/// # Errors
/// When the database refuses.
pub fn account(db: &Connection, name: &str) -> Result<Option<Account>> {
    Ok(db.prepare_cached(sql!("user_by_name"))?.query_row([name], read_account).optional()?)
}

/// The user of an id.
///
/// # Errors
/// When the database refuses.
pub fn account_of(db: &Connection, user_id: &str) -> Result<Option<Account>> {
    Ok(db.prepare_cached(sql!("user_by_id"))?.query_row([user_id], read_account).optional()?)
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, password_hash: row.get(1)?, disabled: row.get(2)?, name: row.get(3)? })
}

/// The role of a user who is not disabled. A user of another identity provider has none.
///
/// # Errors
/// When the database refuses.
pub fn role(db: &Connection, user_id: &str) -> Result<Option<Role>> {
    let role: Option<String> =
        db.prepare_cached(sql!("user_role"))?.query_row([user_id], |row| row.get(0)).optional()?;
    role.as_deref().map(role_of).transpose()
}

/// Adds an API key.
///
/// # Errors
/// [`StoreError::Taken`] when there is a key of this name; else when the database refuses.
pub fn put_key(db: &Connection, id: &str, name: &str, key: &ApiKey, now: Millis) -> Result<()> {
    let row = params![id, name, key.secret_hash, key.scopes_text(), key.site, now, key.expires_at];
    let added = db.execute(sql!("key_put"), row)?;
    if added == 0 { Err(StoreError::Taken(format!("an API key named {name:?}"))) } else { Ok(()) }
}

/// The API key of an id.
///
/// # Errors
/// When the database refuses.
pub fn key(db: &Connection, id: &str) -> Result<Option<ApiKey>> {
    Ok(db.prepare_cached(sql!("key_get"))?.query_row([id], api_key).optional()?)
}

/// All API keys, by name.
///
/// # Errors
/// When the database refuses.
pub fn keys(db: &Connection) -> Result<Vec<KeyRow>> {
    let mut statement = db.prepare(sql!("keys_list"))?;
    let keys = statement.query_map([], |row| {
        Ok(KeyRow { key: api_key(row)?, id: row.get(4)?, name: row.get(5)?, created_at: row.get(6)? })
    })?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

/// Deletes the API key of a name. Whether there was one.
///
/// # Errors
/// When the database refuses.
pub fn delete_key(db: &Connection, name: &str) -> Result<bool> {
    Ok(db.execute(sql!("key_delete"), [name])? > 0)
}

fn api_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let scopes: String = row.get(1)?;
    Ok(ApiKey {
        secret_hash: row.get(0)?,
        scopes: ApiKey::parse_scopes(&scopes),
        site: row.get(2)?,
        expires_at: row.get(3)?,
    })
}

/// The role in a row.
fn role_of(text: &str) -> Result<Role> {
    Role::parse(text).ok_or(StoreError::Malformed("role"))
}
