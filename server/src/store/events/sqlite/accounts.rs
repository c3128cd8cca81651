//! Users and API keys.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::sql;
use crate::session::Millis;
use crate::store::{Result, StoreError};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has sessions of their own.
    User,
    /// Reads the reports.
    Admin,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// What a sign-in checks.
#[derive(Debug, Clone)]
pub struct Account {
    /// `u_` + UUIDv7.
    pub id: String,
    /// Argon2id as a PHC string.
    pub password_hash: String,
    /// Whether sign-ins are refused.
    pub disabled: bool,
}

/// What an API key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// Reads reports.
    pub read: bool,
    /// Sends facts, for whatever origin.
    pub write: bool,
    /// When it stops working.
    pub expires_at: Option<Millis>,
}

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

/// Whether this is the user's password hash still, and the user is not disabled.
///
/// # Errors
/// When the database refuses.
pub fn is_current(db: &Connection, user_id: &str, password_hash: &str) -> Result<bool> {
    Ok(db.prepare_cached(sql!("user_is_current"))?.exists(params![user_id, password_hash])?)
}

/// The role of a user who is not disabled. An identity that is no local user has none.
///
/// # Errors
/// When the database refuses.
pub fn role(db: &Connection, user_id: &str) -> Result<Option<Role>> {
    let role: Option<String> =
        db.prepare_cached(sql!("user_role"))?.query_row([user_id], |row| row.get(0)).optional()?;
    match role.as_deref() {
        None => Ok(None),
        Some("user") => Ok(Some(Role::User)),
        Some("admin") => Ok(Some(Role::Admin)),
        Some(_) => Err(StoreError::Malformed("role")),
    }
}

/// Adds an API key.
///
/// # Errors
/// [`StoreError::Taken`] when there is a key of this name; else when the database refuses.
pub fn put_key(db: &Connection, id: &str, name: &str, key: &ApiKey, now: Millis) -> Result<()> {
    let scopes = match (key.read, key.write) {
        (true, true) => "read,write",
        (true, false) => "read",
        (false, true) => "write",
        (false, false) => "",
    };
    let added =
        db.execute(sql!("key_put"), params![id, name, key.secret_hash, scopes, now, key.expires_at])?;
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
            let has = |scope| scopes.split(',').any(|own| own == scope);
            Ok(ApiKey {
                secret_hash: row.get(0)?,
                read: has("read"),
                write: has("write"),
                expires_at: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found)
}
