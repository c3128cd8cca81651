//! Users and API keys, in either database.

use super::Database;
use super::postgres::pool::Pool;
use super::sqlite::readers::Readers;
use super::store::soon;
use super::{postgres, sqlite};
use crate::contract::accounts::{Account, ApiKey, KeyRow, Role, UserRow};
use crate::database::error::Result;
use crate::session::Millis;

/// Users and keys.
#[derive(Clone, Debug)]
pub enum Accounts {
    /// In the file.
    Sqlite(Readers),
    /// In Postgres.
    Postgres(Pool),
}

impl Accounts {
    /// For a subcommand; brings the schema up to date first.
    ///
    /// # Errors
    /// When the database cannot be opened, or a migration fails.
    pub async fn open(database: &Database) -> Result<Self> {
        database.migrate().await?;
        match database {
            Database::Sqlite(database) => Ok(Self::Sqlite(Readers::new(database.clone(), 1))),
            Database::Postgres(url) => Ok(Self::Postgres(Pool::lookups(url)?)),
        }
    }

    /// The user of a name.
    ///
    /// # Errors
    /// When the database refuses; so for all below.
    pub async fn account(&self, name: &str) -> Result<Option<Account>> {
        match self {
            Self::Sqlite(readers) => {
                let name = name.to_owned();
                readers.read(move |db| sqlite::accounts::account(db, &name)).await
            }
            Self::Postgres(pool) => soon(postgres::accounts::account(pool, name)).await,
        }
    }

    /// The user of an id.
    ///
    /// # Errors
    /// As above.
    pub async fn account_of(&self, user_id: &str) -> Result<Option<Account>> {
        match self {
            Self::Sqlite(readers) => {
                let user_id = user_id.to_owned();
                readers.read(move |db| sqlite::accounts::account_of(db, &user_id)).await
            }
            Self::Postgres(pool) => soon(postgres::accounts::account_of(pool, user_id)).await,
        }
    }

    /// The role of a user who is not disabled. A user of another identity provider has none.
    ///
    /// # Errors
    /// As above.
    pub async fn role(&self, user_id: &str) -> Result<Option<Role>> {
        match self {
            Self::Sqlite(readers) => {
                let user_id = user_id.to_owned();
                readers.read(move |db| sqlite::accounts::role(db, &user_id)).await
            }
            Self::Postgres(pool) => soon(postgres::accounts::role(pool, user_id)).await,
        }
    }

    /// The API key of an id.
    ///
    /// # Errors
    /// As above.
    pub async fn key(&self, id: &str) -> Result<Option<ApiKey>> {
        match self {
            Self::Sqlite(readers) => {
                let id = id.to_owned();
                readers.read(move |db| sqlite::accounts::key(db, &id)).await
            }
            Self::Postgres(pool) => soon(postgres::accounts::key(pool, id)).await,
        }
    }

    /// Adds a user, or gives an existing one a new password and role and ends that user's
    /// sessions. Returns whether the user is new.
    ///
    /// # Errors
    /// As above.
    pub async fn put_user(
        &self,
        id: &str,
        name: &str,
        password_hash: &str,
        role: Role,
        now: Millis,
    ) -> Result<bool> {
        match self {
            Self::Sqlite(readers) => {
                let (id, name, hash) = (id.to_owned(), name.to_owned(), password_hash.to_owned());
                readers.write(move |db| sqlite::accounts::put_user(db, &id, &name, &hash, role, now)).await
            }
            Self::Postgres(pool) => {
                postgres::accounts::put_user(pool, id, name, password_hash, role, now).await
            }
        }
    }

    /// Refuses a user's sign-ins and ends that user's sessions. Returns whether there is such a user.
    ///
    /// # Errors
    /// As above.
    pub async fn disable_user(&self, name: &str, now: Millis) -> Result<bool> {
        match self {
            Self::Sqlite(readers) => {
                let name = name.to_owned();
                readers.write(move |db| sqlite::accounts::disable_user(db, &name, now)).await
            }
            Self::Postgres(pool) => postgres::accounts::disable_user(pool, name, now).await,
        }
    }

    /// Accepts a user's sign-ins again. Returns whether there is such a user.
    ///
    /// # Errors
    /// As above.
    pub async fn enable_user(&self, name: &str) -> Result<bool> {
        match self {
            Self::Sqlite(readers) => {
                let name = name.to_owned();
                readers.write(move |db| sqlite::accounts::enable_user(db, &name)).await
            }
            Self::Postgres(pool) => postgres::accounts::enable_user(pool, name).await,
        }
    }

    /// Deletes a user and ends that user's sessions. Returns whether there was such a user.
    ///
    /// # Errors
    /// As above.
    pub async fn remove_user(&self, name: &str, now: Millis) -> Result<bool> {
        match self {
            Self::Sqlite(readers) => {
                let name = name.to_owned();
                readers.write(move |db| sqlite::accounts::remove_user(db, &name, now)).await
            }
            Self::Postgres(pool) => postgres::accounts::remove_user(pool, name, now).await,
        }
    }

    /// All users, by name.
    ///
    /// # Errors
    /// As above.
    pub async fn users(&self) -> Result<Vec<UserRow>> {
        match self {
            Self::Sqlite(readers) => readers.read(sqlite::accounts::users).await,
            Self::Postgres(pool) => postgres::accounts::users(pool).await,
        }
    }

    /// All API keys, by name.
    ///
    /// # Errors
    /// As above.
    pub async fn keys(&self) -> Result<Vec<KeyRow>> {
        match self {
            Self::Sqlite(readers) => readers.read(sqlite::accounts::keys).await,
            Self::Postgres(pool) => postgres::accounts::keys(pool).await,
        }
    }

    /// Deletes the API key of a name. Returns whether there was one.
    ///
    /// # Errors
    /// As above.
    pub async fn delete_key(&self, name: &str) -> Result<bool> {
        match self {
            Self::Sqlite(readers) => {
                let name = name.to_owned();
                readers.write(move |db| sqlite::accounts::delete_key(db, &name)).await
            }
            Self::Postgres(pool) => postgres::accounts::delete_key(pool, name).await,
        }
    }

    /// Adds an API key.
    ///
    /// # Errors
    /// [`StoreError::Taken`](crate::database::error::StoreError::Taken) when there is a key of this name; else as above.
    pub async fn put_key(&self, id: &str, name: &str, key: &ApiKey, now: Millis) -> Result<()> {
        match self {
            Self::Sqlite(readers) => {
                let (id, name, key) = (id.to_owned(), name.to_owned(), key.clone());
                readers.write(move |db| sqlite::accounts::put_key(db, &id, &name, &key, now)).await
            }
            Self::Postgres(pool) => postgres::accounts::put_key(pool, id, name, key, now).await,
        }
    }
}
