//! Deletes old rows, a bounded number at a time.

use tokio_postgres::Client;

use super::partitions::{Maintained, TABLES, begin, list};
use super::sql;
use crate::database::error::{Result, StoreError};
use crate::session::Millis;

/// Most rows of one statement: it holds its locks for some milliseconds.
const CHUNK: i64 = 5_000;

/// Most statements of one round.
const CHUNKS: u32 = 200;

/// The tables besides those of facts and visits, and the column with the time of their rows. The ids of orders and
/// refunds are the shop's own, and no partition has to be emptied.
const OTHERS: [(&str, &str); 4] = [
    ("orders", "created_at"),
    ("refunds", "created_at"),
    ("session_tokens", "ended_at"),
    ("dead_letters", "set_aside_at"),
];

/// Deletes what happened before `before`, then drops the empty partitions whose whole range is before it. (The time
/// within an id may be wrong: a partition's range alone says nothing about the age of its rows.)
pub(super) async fn apply(client: &mut Client, before: Millis, done: &mut Maintained) -> Result<()> {
    let mut left = CHUNKS;
    for table in TABLES {
        for partition in list(client, table).await? {
            delete(client, &rows(&partition.name, "occurred_at"), before, &mut left, done).await?;
            if partition.range.is_some_and(|(_, to)| to <= before)
                && is_empty(client, &partition.name).await?
            {
                drop_empty(client, table, &partition.name, done).await?;
            }
        }
    }
    let deleted = delete(client, sql!("retention_visits"), before, &mut left, done).await;
    // Servers drop their cached visits: the next number is not the one they expect. Also
    // after a failure: some visits may be gone.
    client.batch_execute("SELECT nextval('batches')").await?;
    deleted?;
    for (table, old) in OTHERS {
        delete(client, &rows(table, old), before, &mut left, done).await?;
    }
    done.unfinished = left == 0;
    Ok(())
}

/// The statement for a table.
fn rows(table: &str, old: &str) -> String {
    sql!("retention_rows").replace("{table}", table).replace("{old}", old)
}

async fn delete(
    client: &Client,
    statement: &str,
    before: Millis,
    left: &mut u32,
    done: &mut Maintained,
) -> Result<()> {
    if *left == 0 {
        return Ok(());
    }
    let statement = client.prepare(statement).await?;
    while *left > 0 {
        *left -= 1;
        let deleted = if statement.columns().is_empty() {
            client.execute(&statement, &[&before, &CHUNK]).await?
        } else {
            let count: i64 = client.query_one(&statement, &[&before, &CHUNK]).await?.try_get(0)?;
            u64::try_from(count).map_err(|_| StoreError::Malformed("count"))?
        };
        done.deleted += deleted;
        if deleted < CHUNK.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

async fn is_empty(client: &Client, partition: &str) -> Result<bool> {
    let row = client.query_one(&format!("SELECT NOT EXISTS (SELECT 1 FROM {partition})"), &[]).await?;
    Ok(row.try_get(0)?)
}

async fn drop_empty(client: &mut Client, table: &str, partition: &str, done: &mut Maintained) -> Result<()> {
    let transaction = begin(client).await?;
    // Before this server got the lock, a late resend may have come, or another server may have been faster.
    transaction.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await?;
    let still = list(transaction.client(), table).await?.iter().any(|other| other.name == partition);
    if still && is_empty(transaction.client(), partition).await? {
        transaction.batch_execute(&format!("DROP TABLE {partition}")).await?;
        transaction.commit().await?;
        done.dropped.push(partition.to_owned());
    }
    Ok(())
}
