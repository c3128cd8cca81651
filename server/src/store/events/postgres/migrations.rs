//! The schema, brought up to date by one server at a time.

use std::time::Duration;

use tokio_postgres::Client;

use super::connect::{CONNECT_LIMIT, Opening};
use super::url::PostgresUrl;
use crate::store::{Result, StoreError};

mod embedded {
    refinery::embed_migrations!("sql/postgres/migrations");
}

/// A migration takes as long as the tables are large.
const NO_LIMIT: Duration = Duration::ZERO;

/// The advisory lock of those who migrate; the writer's batches have another.
const LOCK: &str = "SELECT pg_advisory_lock(8677290)";

/// Brings the schema up to date, on a connection of its own: its end gives the lock back, however
/// it comes. Servers that start at once wait here for the first.
///
/// # Errors
/// When Postgres is away, or a migration fails; those before it stay applied.
pub async fn migrate(url: &PostgresUrl) -> Result<()> {
    let opening = Opening::new(url, "visitflow migrate", NO_LIMIT, true)?;
    let (mut client, _task) = tokio::time::timeout(CONNECT_LIMIT, opening.open())
        .await
        .map_err(|_| StoreError::Silent(CONNECT_LIMIT))?
        .map_err(StoreError::Unreachable)?;
    run(&mut client).await
}

async fn run(client: &mut Client) -> Result<()> {
    client.batch_execute(LOCK).await?;
    let report = embedded::migrations::runner().run_async(client).await?;
    for migration in report.applied_migrations() {
        tracing::info!(version = migration.version(), name = migration.name(), "migration applied");
    }
    Ok(())
}
