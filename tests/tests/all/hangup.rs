//! A report ends when its client has closed the connection, or when it takes too long.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_postgres::NoTls;
use visitflow_testkit::machine::PATIENCE;
use visitflow_testkit::patience::until;
use visitflow_testkit::{Postgres, Server};

/// Waits until so many statements of reports run in Postgres.
async fn reports_run(postgres: &Postgres, expected: i64) {
    let running = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name = 'visitflow reports' AND state = 'active'";
    let reached = async {
        while postgres.number(running).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("so many reports");
}

/// A client that has asked for the report of pages, over a connection of its own.
pub(crate) async fn ask_for_pages(server: &Server, key: &str) -> TcpStream {
    let mut client = TcpStream::connect(server.address()).await.expect("a connection");
    let request = format!(
        "GET /api/metrics/pages HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.expect("the request");
    client
}

/// From here on the report of pages comes to no end in a file: the table is a view of endlessly many rows, none
/// of which it keeps.
pub(crate) fn make_pages_endless(server: &Server) {
    let sql = "ALTER TABLE page_views RENAME TO kept;
               CREATE VIEW page_views AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                   SELECT kept.* FROM n CROSS JOIN kept";
    server.database().execute_batch(sql).expect("a view");
}

#[tokio::test]
async fn a_report_ends_in_the_database_when_its_client_has_closed_the_connection() {
    let postgres = Postgres::shared_database().await;
    let server = Server::with().postgres(&postgres).start().await;
    let key = server.add_key("reports").await;
    // Meanwhile the table of page views is locked, so the report takes as long as the lock.
    let (locking, connection) = tokio_postgres::connect(&postgres.url(), NoTls).await.expect("Postgres");
    tokio::spawn(connection);
    let lock = "BEGIN; LOCK TABLE page_views IN ACCESS EXCLUSIVE MODE";
    locking.batch_execute(lock).await.expect("the lock");

    let client = ask_for_pages(&server, &key).await;
    reports_run(&postgres, 1).await;
    drop(client);
    reports_run(&postgres, 0).await;
}

#[tokio::test]
async fn a_report_ends_in_a_file_when_its_client_has_closed_the_connection() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    make_pages_endless(&server);
    let clients = [ask_for_pages(&server, &key).await, ask_for_pages(&server, &key).await];
    let other = async || server.visitor().get("/api/metrics/sites").bearer(&key).send().await;
    until("both reports run, and there is room for no third", async || other().await.status == 503).await;
    drop(clients);
    other().await.expect(200);
}

#[tokio::test]
async fn a_report_that_takes_more_than_half_a_minute_in_a_file_is_ended() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    make_pages_endless(&server);
    let pages = async || server.visitor().get("/api/metrics/pages").bearer(&key).send().await;
    let ended = pages().await.expect_problem(503, "unavailable");
    assert!(ended.text().contains("longer than 30 s"), "{}", ended.text());
    let mend = "DROP VIEW page_views; ALTER TABLE kept RENAME TO page_views";
    server.database().execute_batch(mend).expect("the table again");
    pages().await.expect(200);
}
