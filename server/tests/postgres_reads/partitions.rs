use tokio_postgres::Client;
use uuid::Uuid;
use visitflow_server::database::postgres::connect::connect;
use visitflow_server::database::postgres::maintenance::maintain;

use crate::cluster::{database, parsed};

/// 2026-11-24T17:00:00Z
const NOW: i64 = 1_795_539_600_000;
const DAY: i64 = 86_400_000;

async fn view(client: &Client, id: Uuid, id_time: i64, occurred_at: i64) -> u64 {
    let sql = "INSERT INTO page_views (id_time, site, id, occurred_at, received_at, url, path)
        VALUES ($1, 'a.example', $2, $3, $3, '', '/') ON CONFLICT DO NOTHING";
    client.execute(sql, &[&id_time, &id, &occurred_at]).await.unwrap()
}

async fn count(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("SELECT COUNT(*) FROM {table}"), &[]).await.unwrap().get(0)
}

async fn database_client() -> Client {
    connect(&parsed(&database().await), "test").await.unwrap()
}

#[tokio::test]
async fn partitions_of_three_months_are_made_once_by_two_servers() {
    let url = parsed(&database().await);
    let mut both = [connect(&url, "one").await.unwrap(), connect(&url, "two").await.unwrap()];
    let [one, two] = &mut both;
    let (one, two) = tokio::join!(maintain(one, NOW, None), maintain(two, NOW, None));
    let mut made = [one.unwrap().made, two.unwrap().made].concat();
    made.sort();
    assert_eq!(
        made,
        [
            "events_2026_11",
            "events_2026_12",
            "events_2027_01",
            "page_views_2026_11",
            "page_views_2026_12",
            "page_views_2027_01",
        ]
    );
    let again = maintain(&mut both[0], NOW, None).await.unwrap();
    assert_eq!(again.made, [""; 0]);
    let later = maintain(&mut both[0], NOW + 30 * DAY, None).await.unwrap();
    assert_eq!(later.made, ["page_views_2027_02", "events_2027_02"]);
}

#[tokio::test]
async fn a_partition_takes_its_rows_from_the_default_and_a_resend_finds_the_stored_row() {
    let mut client = database_client().await;
    let (own, outlier) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(view(&client, own, NOW, NOW).await, 1);
    assert_eq!(view(&client, outlier, NOW - 9_000 * DAY, NOW).await, 1);
    assert_eq!(view(&client, own, NOW, NOW).await, 0, "a duplicate in the default partition");
    maintain(&mut client, NOW, None).await.unwrap();
    assert_eq!(count(&client, "page_views").await, 2);
    assert_eq!(count(&client, "page_views_2026_11").await, 1);
    assert_eq!(count(&client, "page_views_default").await, 1);
    assert_eq!(view(&client, own, NOW, NOW).await, 0, "a duplicate in the month's partition");
    assert_eq!(view(&client, outlier, NOW - 9_000 * DAY, NOW).await, 0);
    assert_eq!(view(&client, Uuid::now_v7(), NOW + 9_000 * DAY, NOW).await, 1);
    assert_eq!(count(&client, "page_views_default").await, 2);
}

#[tokio::test]
async fn retention_deletes_old_rows_and_drops_empty_partitions() {
    let mut client = database_client().await;
    maintain(&mut client, NOW - 120 * DAY, None).await.unwrap(); // July to September
    maintain(&mut client, NOW, None).await.unwrap();
    view(&client, Uuid::now_v7(), NOW - 120 * DAY, NOW - 120 * DAY).await; // July
    view(&client, Uuid::now_v7(), NOW - 90 * DAY, NOW - DAY).await; // August, by a clock that is behind
    view(&client, Uuid::now_v7(), NOW - 9_000 * DAY, NOW - 31 * DAY).await; // default, old
    view(&client, Uuid::now_v7(), NOW + 9_000 * DAY, NOW).await; // default, new
    view(&client, Uuid::now_v7(), NOW, NOW - 31 * DAY).await; // November, by a clock that is ahead
    let (old, crossing, open) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    for (id, last, ended) in [(old, 31, true), (crossing, 29, true), (open, 31, false)] {
        let last = NOW - last * DAY;
        let sql = "INSERT INTO sessions (id, site, visitor_id, started_at, last_activity, ended_at)
            VALUES ($1, 'a.example', 'v_' || $2, $3, $4, $5)";
        let ended = ended.then_some(last);
        client.execute(sql, &[&id, &id.to_string(), &(NOW - 31 * DAY), &last, &ended]).await.unwrap();
        let sql = "INSERT INTO visitors (site, visitor_id, visit_id) VALUES ('a.example', 'v_' || $2, $1)";
        client.execute(sql, &[&id, &id.to_string()]).await.unwrap();
    }
    for days in [29, 31] {
        let sql = "INSERT INTO orders (site, id, amount, currency, source, created_at, received_at)
            VALUES ('a.example', $1, 1, 'EUR', 'api', $2, $2)";
        client.execute(sql, &[&days.to_string(), &(NOW - days * DAY)]).await.unwrap();
        let sql = "INSERT INTO session_tokens (tag, secret_hash, generation, created_at, last_activity, ended_at, changed_at)
            VALUES ($1, '', 1, 0, 0, $2, $2)";
        client.execute(sql, &[&days.to_string(), &(NOW - days * DAY)]).await.unwrap();
    }

    let done = maintain(&mut client, NOW, Some(30)).await.unwrap();
    assert_eq!((done.deleted, done.unfinished), (3 + 1 + 1 + 1, false));
    assert_eq!(
        done.dropped,
        ["page_views_2026_07", "page_views_2026_09", "events_2026_07", "events_2026_08", "events_2026_09"]
    );
    assert_eq!(count(&client, "page_views").await, 2);
    assert_eq!(count(&client, "page_views_2026_08").await, 1);
    assert_eq!((count(&client, "sessions").await, count(&client, "visitors").await), (2, 2));
    assert_eq!((count(&client, "orders").await, count(&client, "session_tokens").await), (1, 1));
}

#[tokio::test]
async fn more_rows_than_one_statement_may_delete_go_in_one_round() {
    let mut client = database_client().await;
    let many = "INSERT INTO events (id_time, site, id, occurred_at, received_at, name)
        SELECT n, 'a.example', gen_random_uuid(), 0, 0, 'n' FROM generate_series(1, $1::bigint) AS n";
    client.execute(many, &[&12_000_i64]).await.unwrap();
    let done = maintain(&mut client, NOW, Some(1)).await.unwrap();
    assert_eq!((done.deleted, done.unfinished), (12_000, false));
}

#[tokio::test]
async fn a_report_that_takes_long_is_not_waited_for_and_the_next_round_tries_again() {
    let url = parsed(&database().await);
    let (mut reader, mut client) = (connect(&url, "one").await.unwrap(), connect(&url, "two").await.unwrap());
    let report = reader.transaction().await.unwrap();
    report.query("SELECT COUNT(*) FROM page_views", &[]).await.unwrap();
    let error = maintain(&mut client, NOW, None).await.unwrap_err();
    assert!(error.is_away(), "{error}");
    report.commit().await.unwrap();
    assert_eq!(maintain(&mut client, NOW, None).await.unwrap().made.len(), 6);
}
