use visitflow_server::database::Database;
use visitflow_server::database::postgres::migrations::migrate;

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

/// What the migrations after V2 make is taken away again, so that an older database is left.
const BACK_TO_V2: &str = "DROP TABLE erased_visitors, erasures, user_endings; \
    ALTER TABLE page_views DROP COLUMN sequence; \
    ALTER TABLE sessions DROP COLUMN utm_source, DROP COLUMN utm_medium, DROP COLUMN utm_campaign, \
        DROP COLUMN utm_term, DROP COLUMN utm_content, DROP COLUMN click_id; \
    DELETE FROM refinery_schema_history WHERE version > 2";

#[tokio::test]
async fn a_database_of_the_version_before_is_brought_up_to_date_with_what_it_holds() {
    let url = cluster().empty_database().await;
    migrate(&parsed(&url)).await.unwrap();
    let db = client(&url).await;
    db.batch_execute(BACK_TO_V2).await.unwrap();
    let visit = "INSERT INTO sessions (id, site, started_at, last_activity) \
                 VALUES ('0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80', 'shop.example', 1, 2)";
    db.batch_execute(visit).await.unwrap();
    migrate(&parsed(&url)).await.unwrap();
    let counts = "SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM erasures)";
    assert_eq!(db.query_one(counts, &[]).await.unwrap().get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_database_whose_schema_is_another_one_is_refused_and_checked_as_such() {
    let url = cluster().empty_database().await;
    let database = Database::Postgres(parsed(&url));
    database.migrate().await.unwrap();
    database.check().await.unwrap();
    let edited = "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1";
    client(&url).await.batch_execute(edited).await.unwrap();
    for refused in [database.migrate().await, database.check().await] {
        let error = refused.unwrap_err();
        assert!(!error.is_away());
        let told = error.to_string();
        assert!(told.contains("was made by another version of visitflow"), "{told}");
        assert!(told.contains("--database-url") && !told.contains("filesystem"), "{told}");
    }
}
