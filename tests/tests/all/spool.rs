//! The spool on a full disk: it is still replayed, and delays no request.

use serde_json::Value;
use visitflow_testkit::disk::SmallDisk;
use visitflow_testkit::load::turn;
use visitflow_testkit::{Postgres, Server, Visitor};

use crate::outages::becomes_ready;

/// Fills the spool's disk while Postgres is away. Returns how many page views were acknowledged.
async fn fill(disk: &SmallDisk, ada: &Visitor) -> i64 {
    let mut kept = 0;
    loop {
        assert!(kept < 100_000, "the disk is full");
        let views: Vec<Value> = (0..100).map(|_| ada.page_view("/full")).collect();
        if ada.send_view(&Value::from(views)).await.status != 204 {
            break;
        }
        kept += 100;
    }
    disk.fill();
    // A page that the spool had already may take a few more.
    while ada.view("/last").await.status == 204 {
        kept += 1;
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_filled_its_disk_drains_when_postgres_is_back() {
    let _turn = turn().await;
    let disk = SmallDisk::of_bytes(8 << 20);
    let mut postgres = Postgres::start().await;
    let server = Server::with().postgres(&postgres).spool(&disk.path().join("spool.db")).start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    postgres.kill();
    let kept = 1 + fill(&disk, &ada).await;
    postgres.restart().await;
    // The disk is as full as it was.
    server.says(1, "the database is back").await;
    ada.view("/after").await.expect(204);
    becomes_ready(&server).await;
    server.assert_page_views(kept + 1);
    server.assert_visits(1);
    // And it may fill again.
    postgres.kill();
    ada.view("/again").await.expect(204);
    postgres.restart().await;
    server.says(2, "the database is back").await;
    server.assert_page_views(kept + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_on_a_full_disk_drains_its_spool() {
    let _turn = turn().await;
    let disk = SmallDisk::of_bytes(8 << 20);
    let mut postgres = Postgres::start().await;
    let mut server = Server::with().postgres(&postgres).spool(&disk.path().join("spool.db")).start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    postgres.kill();
    let kept = 1 + fill(&disk, &ada).await;
    server.kill().await;
    postgres.restart().await;
    server.restart().await;
    server.says(1, "the database is back").await;
    server.assert_page_views(kept);
    ada.view("/after").await.expect(204);
    server.assert_page_views(kept + 1);
}

/// From here on Postgres takes ten minutes to store a page view of `/slow`.
async fn make_a_path_slow(postgres: &Postgres) {
    postgres
        .execute(
            "CREATE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF NEW.path = '/slow' THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END $$;
             CREATE TRIGGER takes_long BEFORE INSERT ON page_views FOR EACH ROW EXECUTE FUNCTION takes_long()",
        )
        .await;
}

/// The slow view is the only dead letter.
async fn assert_the_slow_one_is_set_aside(postgres: &Postgres) {
    assert_eq!(postgres.number("SELECT COUNT(*) FROM dead_letters WHERE command LIKE '%/slow%'").await, 1);
    assert_eq!(postgres.number("SELECT COUNT(*) FROM dead_letters").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_is_too_slow_for_postgres_is_set_aside_and_holds_up_nobody() {
    let postgres = Postgres::start().await;
    let server = Server::with().postgres(&postgres).start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    ada.view("/").await.expect(204);
    make_a_path_slow(&postgres).await;
    ada.view("/slow").await.expect(204);
    for _ in 0..3 {
        bob.view("/quick").await.expect(204);
    }
    server.says(1, "the database is back").await;
    assert_the_slow_one_is_set_aside(&postgres).await;
    server.assert_page_views(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_with_a_fact_that_is_too_slow_sets_it_aside_too() {
    let postgres = Postgres::start().await;
    let mut server = Server::with().postgres(&postgres).start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    ada.view("/").await.expect(204);
    make_a_path_slow(&postgres).await;
    ada.view("/slow").await.expect(204);
    bob.view("/quick").await.expect(204);
    // The slow one is at the head of the spool, and has not been tried three times.
    server.kill().await;
    server.restart().await;
    bob.view("/quick").await.expect(204);
    server.says(1, "the database is back").await;
    assert_the_slow_one_is_set_aside(&postgres).await;
    server.assert_page_views(3);
    ada.view("/after").await.expect(204);
    server.assert_page_views(4);
}
