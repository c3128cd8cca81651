//! Brings the schema up to date, in one server at a time.

use tokio_postgres::{Client, Row};

use super::connect::{connect, connect_patiently};
use super::url::PostgresUrl;
use crate::database::error::{Result, StoreError};
use crate::database::schema::{Applied, Schema};

mod embedded {
    refinery::embed_migrations!("sql/postgres/migrations");
}

/// The advisory lock of migrations; the writer's batches have another.
const LOCK: &str = "SELECT pg_advisory_lock(8677290)";

/// Brings the schema up to date, on a connection of its own, whose end releases the lock in any case. Servers that start
/// at the same time wait here for the first.
///
/// # Errors
/// [`StoreError::OtherSchema`] when the tables are those of another version; else when Postgres is away,
/// or a migration fails; those before it stay applied.
pub async fn migrate(url: &PostgresUrl) -> Result<()> {
    let mut client = connect_patiently(url, "visitflow migrate").await?;
    client.batch_execute(LOCK).await?;
    refuse_other(&client, url).await?;
    let report = embedded::migrations::runner().run_async(&mut client).await?;
    for migration in report.applied_migrations() {
        tracing::info!(version = migration.version(), name = migration.name(), "migration applied");
    }
    Ok(())
}

/// Whether Postgres answers, accepts writes, and has no schema of another version. Changes nothing.
///
/// # Errors
/// As [`connect`]; [`StoreError::OtherSchema`] when the tables are those of another version.
pub async fn check(url: &PostgresUrl) -> Result<()> {
    refuse_other(&connect(url, "visitflow check").await?, url).await
}

async fn refuse_other(client: &Client, url: &PostgresUrl) -> Result<()> {
    match schema(client).await? {
        Schema::Other => Err(StoreError::OtherSchema(url.to_string())),
        Schema::Behind | Schema::Current => Ok(()),
    }
}

/// The schema that the database has.
async fn schema(client: &Client) -> Result<Schema> {
    let history = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
    let applied: Vec<Applied> = if client.query_one(history, &[]).await?.try_get(0)? {
        let applied = "SELECT version, checksum FROM refinery_schema_history ORDER BY version";
        let rows = client.query(applied, &[]).await?;
        let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(read).collect::<Result<_>>()?
    } else {
        Vec::new()
    };
    Ok(Schema::of(&applied, embedded::migrations::runner().get_migrations()))
}
