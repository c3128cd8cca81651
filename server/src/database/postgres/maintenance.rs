//! Maintains the tables: makes partitions ahead, deletes old rows.

use tokio_postgres::Client;

use super::partitions::{self, Maintained};
use super::retention;
use crate::database::error::Result;
use crate::session::Millis;

/// One round: makes the partitions of this month and the next two, and deletes what is older than
/// `retention_days`. Several servers may do so at once. What was done before an error stays done.
///
/// It needs a connection of its own: it may delete for a while, and the writer must not wait.
///
/// # Errors
/// When Postgres refuses; [away](crate::database::error::StoreError::is_away) also when reports hold the tables for longer
/// than a change may wait.
pub async fn maintain(client: &mut Client, now: Millis, retention_days: Option<u32>) -> Result<Maintained> {
    let mut done = Maintained::default();
    partitions::make_ahead(client, now, &mut done.made).await?;
    if let Some(days) = retention_days {
        retention::apply(client, now - Millis::from(days) * 86_400_000, &mut done).await?;
    }
    Ok(done)
}
