use std::net::TcpListener;
use std::time::Duration;

use futures_util::future::join_all;
use visitflow_server::database::error::StoreError;
use visitflow_server::database::postgres::connect::connect;
use visitflow_server::database::postgres::pool::Pool;
use visitflow_server::database::postgres::reports::PostgresReports;

use crate::cluster::{client, cluster, parsed};

/// A port where nobody listens.
fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_connection_is_unencrypted_if_the_server_has_no_tls_unless_sslmode_requires_it() {
    let url = cluster().empty_database().await;
    for mode in ["", "?sslmode=disable", "?sslmode=prefer"] {
        let client = connect(&parsed(&format!("{url}{mode}")), "visitflow test").await.unwrap();
        let row = client.query_one("SELECT current_setting('application_name')", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "visitflow test");
        let row = client.query_one("SHOW statement_timeout", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "30s");
    }
    let error = connect(&parsed(&format!("{url}?sslmode=require")), "test").await.unwrap_err();
    assert!(error.is_away() && error.to_string().contains("TLS"), "{error}");
}

#[tokio::test]
async fn a_socket_of_the_file_system_needs_no_tls() {
    let cluster = cluster();
    let folder = cluster.folder.display();
    let url = format!("postgres:///postgres?host={folder}&port={}&user=postgres", cluster.port);
    connect(&parsed(&url), "test").await.unwrap();
}

#[tokio::test]
async fn the_second_host_answers_when_the_first_is_dead() {
    let live = cluster().port;
    let url = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{live}/postgres", dead_port());
    connect(&parsed(&url), "test").await.unwrap();
    PostgresReports::new(Pool::reports(&parsed(&url)).unwrap()).check().await.unwrap();
}

#[tokio::test]
async fn every_waiting_query_fails_at_once_if_nothing_listens() {
    let url = parsed(&format!("postgres://127.0.0.1:{}/x", dead_port()));
    let reports = PostgresReports::new(Pool::reports(&url).unwrap());
    for _ in 0..2 {
        let asked = join_all((0..12).map(|_| reports.check()));
        let answers = tokio::time::timeout(Duration::from_secs(4), asked)
            .await
            .expect("before anybody's patience ends");
        assert!(
            answers.iter().all(|answer| matches!(answer, Err(StoreError::Unreachable(_)))),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn a_pool_opens_a_connection_anew_that_was_lost() {
    let url = cluster().empty_database().await;
    let reports = PostgresReports::new(Pool::patient(&parsed(&url)).unwrap());
    reports.check().await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE application_name = 'visitflow migrate' AND datname = current_database()";
    let other = client(&url).await;
    assert_eq!(other.query(end, &[]).await.unwrap().len(), 1);
    // A query before the lost connection was noticed fails with an error.
    while let Err(error) = reports.check().await {
        assert!(error.is_away(), "{error}");
    }
    assert_eq!(other.query(end, &[]).await.unwrap().len(), 1, "another connection");
}

#[tokio::test]
async fn errors_tell_whether_postgres_is_away_and_contain_no_password() {
    let url = format!("postgres://ann:secret@127.0.0.1:{}/x", dead_port());
    let gone = connect(&parsed(&url), "test").await.unwrap_err();
    assert!(gone.is_away() && gone.to_string().contains("refused"), "{gone}");
    assert!(!format!("{gone} {gone:?}").contains("secret"));

    let url = cluster().empty_database().await;
    let writer = connect(&parsed(&url), "test").await.unwrap();
    let refused: StoreError = writer.batch_execute("SELECT 1 / 0").await.unwrap_err().into();
    assert!(!refused.is_away() && refused.to_string().contains("division by zero"), "{refused}");
    let slow = "SET statement_timeout = 10; SELECT pg_sleep(60)";
    let late: StoreError = writer.batch_execute(slow).await.unwrap_err().into();
    assert!(late.is_away(), "{late}");
    let pid: i32 = writer.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    client(&url).await.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
    let mut errors = Vec::new();
    while errors.len() < 3 {
        errors.extend(writer.batch_execute("SELECT 1").await.err().map(StoreError::from));
    }
    assert!(errors.iter().all(StoreError::is_away), "{errors:?}");
}
