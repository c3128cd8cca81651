//! The spool on a full disk: it is still replayed, and delays no request.

use serde_json::Value;
use visitflow_testkit::disk::SmallDisk;
use visitflow_testkit::load::turn;
use visitflow_testkit::patience::comes;
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

/// What is slow is set aside: `server/tests/conformance/cases/slow.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_postgres_takes_long_leaves_no_lock() {
    let postgres = Postgres::start().await;
    let mut server = Server::with().postgres(&postgres).start().await;
    let (ada, bob) = (server.visitor(), server.visitor());
    ada.view("/").await.expect(204);
    postgres
        .execute(
            "CREATE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
             CREATE TRIGGER takes_long BEFORE INSERT ON page_views
             FOR EACH ROW WHEN (NEW.path = '/slow') EXECUTE FUNCTION takes_long()",
        )
        .await;
    let slow = tokio::spawn(async move { ada.view("/slow").await });
    let sleeping = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    comes("a slow statement", 1, async || postgres.number(sleeping).await).await;
    slow.abort();
    server.kill().await;
    server.restart().await;
    bob.view("/quick").await.expect(204);
    becomes_ready(&server).await;
    server.assert_page_views(2);
    let log = postgres.log();
    assert!(log.contains("connection to client lost") && !log.contains("statement timeout"), "{log}");
}
