//! A partition a month for page views and events, made ahead. With an age limit for data, empty partitions are dropped.
//!
//! The time within a fact's id, which is the browser's, determines its partition. Rows of months without a partition
//! (from a browser whose clock is wrong by years) are in the default partition. When a month's partition is made, its
//! rows move from the default partition, in the same transaction, so that a resend finds the stored row before, during
//! and after.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tokio_postgres::{Client, Transaction};

use super::sql;
use crate::database::error::{Result, StoreError};
use crate::session::Millis;

/// The tables of facts, partitioned alike.
pub(in crate::database) const TABLES: [&str; 2] = ["page_views", "events"];

/// How many months are made ahead: a server may be away for a month.
const AHEAD: i64 = 2;

/// How long a change of partitions waits for reports to finish. Everything that begins meanwhile queues behind it. After
/// this time it gives up, and the next round tries again.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '3s'";

/// What a round of maintenance has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Partitions that were made.
    pub made: Vec<String>,
    /// Partitions that had emptied and were dropped.
    pub dropped: Vec<String>,
    /// Rows that were too old.
    pub deleted: u64,
    /// Whether there are more of them, so that the next round should not wait.
    pub unfinished: bool,
}

/// A partition: its name as statements write it, and `[from, to)` of `id_time`; none is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) name: String,
    pub(super) range: Option<(Millis, Millis)>,
}

/// Makes the partitions of this month and the next two.
pub(super) async fn make_ahead(client: &mut Client, now: Millis, made: &mut Vec<String>) -> Result<()> {
    for table in TABLES {
        let months = months(table, now).ok_or(StoreError::Malformed("clock"))?;
        if !missing(&months, &list(client, table).await?).is_empty() {
            make(client, table, &months, made).await?;
        }
    }
    Ok(())
}

/// Makes the partitions of the months in which these instants are, for data that comes from elsewhere.
///
/// # Errors
/// When Postgres refuses.
pub async fn cover(client: &mut Client, table: &str, instants: &[Millis]) -> Result<Vec<String>> {
    let months: Option<Vec<_>> = instants.iter().map(|at| partition(table, month(*at, 0)?)).collect();
    let mut made = Vec::new();
    make(client, table, &months.ok_or(StoreError::Malformed("time"))?, &mut made).await?;
    Ok(made)
}

/// When the month after that of an instant begins, in UTC.
pub(in crate::database) fn next_month(at: Millis) -> Option<Millis> {
    start(month(at, 1)?)
}

/// The months of UTC that must have a partition.
fn months(table: &str, now: Millis) -> Option<Vec<Partition>> {
    (0..=AHEAD).map(|nth| partition(table, month(now, nth)?)).collect()
}

/// The first day of the nth month from an instant on, in UTC.
fn month(at: Millis, nth: i64) -> Option<Date> {
    let this = Timestamp::from_millisecond(at).ok()?.to_zoned(TimeZone::UTC).date().first_of_month();
    this.checked_add(nth.months()).ok()
}

fn start(day: Date) -> Option<Millis> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

/// The partition of the month that begins on this day.
fn partition(table: &str, first: Date) -> Option<Partition> {
    Some(Partition {
        name: format!("{table}_{:04}_{:02}", first.year(), first.month()),
        range: Some((start(first)?, start(first.checked_add(1.month()).ok()?)?)),
    })
}

/// Those of `months` that do not overlap an existing partition, even one that was made by hand.
fn missing(months: &[Partition], existing: &[Partition]) -> Vec<Partition> {
    let taken = |month: &Partition| {
        existing.iter().any(|other| match (month.range, other.range) {
            (Some((from, to)), Some((other_from, other_to))) => from < other_to && other_from < to,
            _ => false,
        })
    };
    months.iter().filter(|month| !taken(month)).cloned().collect()
}

async fn make(client: &mut Client, table: &str, months: &[Partition], made: &mut Vec<String>) -> Result<()> {
    let transaction = begin(client).await?;
    let mut new = Vec::new();
    // Another server may have made some before this one had the lock.
    for month in missing(months, &list(transaction.client(), table).await?) {
        let Some((from, to)) = month.range else { continue };
        let statements = sql!("partition_make")
            .replace("{table}", table)
            .replace("{partition}", &month.name)
            .replace("{from}", &from.to_string())
            .replace("{to}", &to.to_string());
        transaction.batch_execute(&statements).await?;
        new.push(month.name);
    }
    transaction.commit().await?;
    made.append(&mut new);
    Ok(())
}

/// A transaction that changes partitions, between two batches of the writer.
pub(super) async fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK_TIMEOUT).await?;
    transaction.batch_execute(sql!("lock")).await?;
    Ok(transaction)
}

/// The partitions of a table.
pub(super) async fn list(client: &Client, table: &str) -> Result<Vec<Partition>> {
    let rows = client.query(sql!("partitions_list"), &[&table]).await?;
    rows.iter().map(|row| Ok(Partition { name: row.try_get(0)?, range: bounds(row.try_get(1)?)? })).collect()
}

/// Reads `FOR VALUES FROM ('1') TO ('2')`, or `DEFAULT`.
fn bounds(words: &str) -> Result<Option<(Millis, Millis)>> {
    if words == "DEFAULT" {
        return Ok(None);
    }
    let bound = |text: &str| match text.trim_matches(['(', ')', '\'']) {
        "MINVALUE" => Some(Millis::MIN),
        "MAXVALUE" => Some(Millis::MAX),
        number => number.parse().ok(),
    };
    let range = words.strip_prefix("FOR VALUES FROM ").and_then(|rest| rest.split_once(" TO "));
    let range = range.and_then(|(from, to)| Some((bound(from)?, bound(to)?)));
    range.map(Some).ok_or(StoreError::Malformed("partition"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T17:00:00Z
    const NOW: Millis = 1_795_539_600_000;

    #[test]
    fn this_month_and_the_next_two_follow_each_other_over_new_year() {
        let months = months("events", NOW).unwrap();
        let names: Vec<_> = months.iter().map(|month| month.name.as_str()).collect();
        assert_eq!(names, ["events_2026_11", "events_2026_12", "events_2027_01"]);
        assert!(months.windows(2).all(|pair| pair[0].range.unwrap().1 == pair[1].range.unwrap().0));
        let (from, to) = months[0].range.unwrap();
        assert!((from..to).contains(&NOW) && to - from == 30 * 86_400_000);
    }

    #[test]
    fn a_month_of_which_a_part_is_taken_is_left_alone() {
        let months = months("events", NOW).unwrap();
        let other = |range| Partition { name: "events_by_hand".into(), range };
        let (_, december) = months[0].range.unwrap();
        assert_eq!(missing(&months, &[other(None)]).len(), 3);
        assert_eq!(missing(&months, &[other(Some((Millis::MIN, december)))]), months[1..]);
        assert_eq!(missing(&months, &[other(Some((december + 1, december + 2)))]).len(), 2);
        assert_eq!(missing(&months, &months), []);
    }

    #[test]
    fn bounds_are_read_as_postgres_writes_them() {
        assert_eq!(bounds("DEFAULT").unwrap(), None);
        assert_eq!(bounds("FOR VALUES FROM ('-5') TO ('20')").unwrap(), Some((-5, 20)));
        assert_eq!(bounds("FOR VALUES FROM (MINVALUE) TO ('20')").unwrap(), Some((Millis::MIN, 20)));
        assert!(bounds("FOR VALUES IN ('1')").is_err());
    }
}
