use visitflow_server::store::events::Database;
use visitflow_server::store::events::postgres::migrations::migrate;

use crate::cluster::{client, cluster, parsed};

async fn applied(url: &str) -> i64 {
    let row = client(url).await.query_one("SELECT COUNT(*) FROM refinery_schema_history", &[]).await;
    row.unwrap().get(0)
}

#[tokio::test]
async fn the_schema_is_made_once_however_often_it_is_asked_for() {
    let url = cluster().empty_database().await;
    let database = Database::Postgres(parsed(&url));
    database.check().await.unwrap();
    database.migrate().await.unwrap();
    let migrations = applied(&url).await;
    assert!(migrations >= 1);
    database.migrate().await.unwrap();
    assert_eq!(applied(&url).await, migrations);
}

#[tokio::test]
async fn servers_that_start_at_once_wait_for_the_first() {
    let url = cluster().empty_database().await;
    let servers: Vec<_> = (0..4)
        .map(|_| {
            let url = parsed(&url);
            tokio::spawn(async move { migrate(&url).await })
        })
        .collect();
    for server in servers {
        server.await.unwrap().unwrap();
    }
    assert!(applied(&url).await >= 1);
}
