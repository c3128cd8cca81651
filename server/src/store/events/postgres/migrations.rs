//! The schema, brought up to date by one server at a time.

use tokio_postgres::Client;

use super::connect::connect_patiently;
use super::url::PostgresUrl;
use crate::store::Result;

mod embedded {
    refinery::embed_migrations!("sql/postgres/migrations");
}

/// The advisory lock of those who migrate; the writer's batches have another.
const LOCK: &str = "SELECT pg_advisory_lock(8677290)";

/// Brings the schema up to date, on a connection of its own: its end gives the lock back, however
/// it comes. Servers that start at once wait here for the first.
///
/// # Errors
/// When Postgres is away, or a migration fails; those before it stay applied.
pub async fn migrate(url: &PostgresUrl) -> Result<()> {
    run(&mut connect_patiently(url, "visitflow migrate").await?).await
}

async fn run(client: &mut Client) -> Result<()> {
    client.batch_execute(LOCK).await?;
    let report = embedded::migrations::runner().run_async(client).await?;
    for migration in report.applied_migrations() {
        tracing::info!(version = migration.version(), name = migration.name(), "migration applied");
    }
    Ok(())
}
