//! Users and API keys.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::sql;
use crate::session::Millis;
use crate::store::events::accounts::{Account, ApiKey, KeyRow, Role};
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
