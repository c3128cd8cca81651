//! The write-ahead log of an SQLite file is truncated even if reports overlap all the time.

use std::fs;

use visitflow_testkit::Server;
use visitflow_testkit::patience::until;

use crate::hangup::{ask_for_pages, make_pages_endless};

/// Size of the log's file beyond which it is truncated.
const MOST_BYTES: u64 = 64 << 20;

#[tokio::test]
async fn the_log_is_cut_though_reports_overlap_all_the_time() {
    let server = Server::start().await;
    let key = server.add_key("reports").await;
    make_pages_endless(&server);
    let mut reports = [ask_for_pages(&server, &key).await, ask_for_pages(&server, &key).await];
    // Written by another program, so the server does not copy it.
    let much = "PRAGMA wal_autocheckpoint = 0; CREATE TABLE much (x BLOB);
                INSERT INTO much VALUES (zeroblob(80 << 20))";
    server.database().execute_batch(much).expect("a large log");
    let log = server.directory().join("visitflow.db-wal");
    let bytes = || fs::metadata(&log).expect("a log").len();
    assert!(bytes() > MOST_BYTES, "{}", bytes());
    let (ada, mut facts) = (server.visitor(), 0);
    until("the log is cut", async || {
        // Facts come in all the time, so that each report reads what is in the log.
        ada.event("play").await.expect(204);
        facts += 1;
        // The older report is dropped while the newer one runs.
        if facts % 25 == 0 {
            reports.rotate_left(1);
            reports[1] = ask_for_pages(&server, &key).await;
        }
        bytes() < MOST_BYTES
    })
    .await;
}
