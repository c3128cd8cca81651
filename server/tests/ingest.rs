//! What the ingest does with a database file, and no other database has. What holds for every store is
//! in `conformance`.

use std::sync::Arc;

use visitflow_server::ingest::{Durable, Ingest};
use visitflow_server::observe::Metrics;
use visitflow_server::session::{Millis, Ttl};
use visitflow_server::store::events::sqlite::{Sqlite, writer};
use visitflow_server::store::events::{Lookup, Store};
use visitflow_server::store::sessions::Sessions;

const NOW: Millis = 1_790_000_000_000;

#[test]
fn one_database_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::new(folder.path().join("visitflow.db"));
    let claim = database.claim().unwrap();
    assert!(database.claim().unwrap_err().to_string().contains("another visitflow server"));
    drop(claim);
    database.claim().unwrap();
}

#[tokio::test]
async fn a_probe_writes() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::new(folder.path().join("visitflow.db"));
    let durable = Durable { store: Store::Sqlite(writer::Writer::open(&database).unwrap()), spool: None };
    let sessions = Arc::new(Sessions::new(Ttl::default(), Lookup::Complete));
    let (ingest, _writer) = Ingest::start(durable, sessions, Metrics::new()).unwrap();
    ingest.probe(NOW).await.unwrap();
    let version = database.open_reader().unwrap();
    let version: i64 = version.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, NOW / 1_000);
}
