//! A report ends when its client has closed the connection.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_postgres::NoTls;
use visitflow_e2e::machine::PATIENCE;
use visitflow_e2e::{Postgres, Server};

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

#[tokio::test]
async fn a_report_ends_in_the_database_when_its_client_has_closed_the_connection() {
    let postgres = Postgres::shared_database().await;
    let server = Server::with().postgres(&postgres).start().await;
    let key = server.add_key("reports").await;
    // Nobody can read the page views meanwhile: the report takes as long as the lock.
    let (locking, connection) = tokio_postgres::connect(&postgres.url(), NoTls).await.expect("Postgres");
    tokio::spawn(connection);
    let lock = "BEGIN; LOCK TABLE page_views IN ACCESS EXCLUSIVE MODE";
    locking.batch_execute(lock).await.expect("the lock");

    let mut client = TcpStream::connect(server.address()).await.expect("a connection");
    let request = format!(
        "GET /api/metrics/pages HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.expect("the request");
    reports_run(&postgres, 1).await;
    drop(client);
    reports_run(&postgres, 0).await;
}
