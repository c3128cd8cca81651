//! Users and API keys.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::pool::Pool;
use super::sql;
use super::statements::{Sql, named};
use crate::contract::accounts::{Account, ApiKey, KeyRow, Role, UserRow};
use crate::database::error::{Result, StoreError};
use crate::session::Millis;

/// As [`Accounts::put_user`](crate::database::accounts::Accounts::put_user).
///
/// # Errors
/// When Postgres refuses; so for all below.
pub async fn put_user(
    pool: &Pool,
    id: &str,
    name: &str,
    password_hash: &str,
    role: Role,
    now: Millis,
) -> Result<bool> {
    let mut lent = pool.get().await?;
    let transaction = lent.session()?.client.transaction().await?;
    // Between two batches of the writer, so that none of them sees the old password together with new sessions.
    transaction.batch_execute(sql!("lock")).await?;
    let row =
        transaction.query_one(sql!("user_put"), &[&id, &name, &password_hash, &role.as_str(), &now]).await?;
    let kept: &str = row.try_get(0)?;
    transaction.execute(sql!("tokens_of_user_end"), &[&kept, &now]).await?;
    transaction.commit().await?;
    Ok(kept == id)
}

/// As [`Accounts::disable_user`](crate::database::accounts::Accounts::disable_user).
///
/// # Errors
/// As above.
pub async fn disable_user(pool: &Pool, name: &str, now: Millis) -> Result<bool> {
    and_end_sessions(pool, now, sql!("user_disable"), &[&name, &now]).await
}

/// As [`Accounts::remove_user`](crate::database::accounts::Accounts::remove_user).
///
/// # Errors
/// As above.
pub async fn remove_user(pool: &Pool, name: &str, now: Millis) -> Result<bool> {
    and_end_sessions(pool, now, sql!("user_delete"), &[&name]).await
}

/// Changes a user, and ends the sessions of the user whose id the statement returns. Whether it returns one.
async fn and_end_sessions(
    pool: &Pool,
    now: Millis,
    change: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<bool> {
    let mut lent = pool.get().await?;
    let transaction = lent.session()?.client.transaction().await?;
    transaction.batch_execute(sql!("lock")).await?;
    let row = transaction.query_opt(change, params).await?;
    if let Some(row) = &row {
        transaction.execute(sql!("tokens_of_user_end"), &[&row.try_get::<_, &str>(0)?, &now]).await?;
    }
    transaction.commit().await?;
    Ok(row.is_some())
}

/// Accepts a user's sign-ins again.
///
/// # Errors
/// As above.
pub async fn enable_user(pool: &Pool, name: &str) -> Result<bool> {
    Ok(pool.get().await?.session()?.client.execute(sql!("user_enable"), &[&name]).await? > 0)
}

/// All users, by name.
///
/// # Errors
/// As above.
pub async fn users(pool: &Pool) -> Result<Vec<UserRow>> {
    let rows = pool.get().await?.session()?.client.query(sql!("users_list"), &[]).await?;
    let users = rows.iter().map(|row| {
        Ok(UserRow {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            role: role_of(row.try_get(2)?)?,
            created_at: row.try_get(3)?,
            disabled_at: row.try_get(4)?,
        })
    });
    users.collect()
}

/// The user of a name.
///
/// # Errors
/// As above.
pub async fn account(pool: &Pool, name: &str) -> Result<Option<Account>> {
    let row = find(pool, named!("user_by_name"), &[&name]).await?;
    row.map(|row| read_account(&row)).transpose()
}

/// The user of an id.
///
/// # Errors
/// As above.
pub async fn account_of(pool: &Pool, user_id: &str) -> Result<Option<Account>> {
    let row = find(pool, named!("user_by_id"), &[&user_id]).await?;
    row.map(|row| read_account(&row)).transpose()
}

fn read_account(row: &Row) -> Result<Account> {
    Ok(Account {
        id: row.try_get(0)?,
        password_hash: row.try_get(1)?,
        disabled: row.try_get(2)?,
        name: row.try_get(3)?,
    })
}

/// The role of a user who is not disabled.
///
/// # Errors
/// As above.
pub async fn role(pool: &Pool, user_id: &str) -> Result<Option<Role>> {
    let row = find(pool, named!("user_role"), &[&user_id]).await?;
    row.map(|row| role_of(row.try_get(0)?)).transpose()
}

/// As [`Accounts::put_key`](crate::database::accounts::Accounts::put_key).
///
/// # Errors
/// [`StoreError::Taken`] when there is a key of this name; else when Postgres refuses.
pub async fn put_key(pool: &Pool, id: &str, name: &str, key: &ApiKey, now: Millis) -> Result<()> {
    let (secret_hash, scopes) = (&key.secret_hash[..], key.scopes_text());
    let row: [&(dyn ToSql + Sync); 7] = [&id, &name, &secret_hash, &scopes, &key.site, &now, &key.expires_at];
    let added = pool.get().await?.session()?.client.execute(sql!("key_put"), &row).await?;
    if added == 0 { Err(StoreError::Taken(format!("an API key named {name:?}"))) } else { Ok(()) }
}

/// The API key of an id.
///
/// # Errors
/// As above.
pub async fn key(pool: &Pool, id: &str) -> Result<Option<ApiKey>> {
    let row = find(pool, named!("key_get"), &[&id]).await?;
    row.map(|row| api_key(&row)).transpose()
}

/// All API keys, by name.
///
/// # Errors
/// As above.
pub async fn keys(pool: &Pool) -> Result<Vec<KeyRow>> {
    let rows = pool.get().await?.session()?.client.query(sql!("keys_list"), &[]).await?;
    let keys = rows.iter().map(|row| {
        let key = api_key(row)?;
        Ok(KeyRow { id: row.try_get(4)?, name: row.try_get(5)?, created_at: row.try_get(6)?, key })
    });
    keys.collect()
}

/// Deletes the API key of a name.
///
/// # Errors
/// As above.
pub async fn delete_key(pool: &Pool, name: &str) -> Result<bool> {
    Ok(pool.get().await?.session()?.client.execute(sql!("key_delete"), &[&name]).await? > 0)
}

fn api_key(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        secret_hash: row.try_get::<_, &[u8]>(0)?.try_into().map_err(|_| StoreError::Malformed("key"))?,
        scopes: ApiKey::parse_scopes(row.try_get(1)?),
        site: row.try_get(2)?,
        expires_at: row.try_get(3)?,
    })
}

async fn find(pool: &Pool, sql: Sql, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>> {
    pool.get().await?.session()?.query_opt(sql, params).await
}

/// The role in a row.
fn role_of(text: &str) -> Result<Role> {
    Role::parse(text).ok_or(StoreError::Malformed("role"))
}
