//! What the ingest does with a database file, and no other database has. What holds for every store is
//! in `conformance`.

use std::sync::Arc;

use visitflow_server::database::sqlite::readers::Readers;
use visitflow_server::database::sqlite::{Sqlite, writer};
use visitflow_server::database::store::{Lookup, Store};
use visitflow_server::ingest::spool::Spool;
use visitflow_server::ingest::{Ingest, Storage};
use visitflow_server::ledger::commands::{Command, Facts};
use visitflow_server::ledger::context::Context;
use visitflow_server::ledger::kinds::{Event, Fact, Kind, Run};
use visitflow_server::observe::Metrics;
use visitflow_server::resolve::Sessions;
use visitflow_server::session::{Caller, Millis, Ttl, uuid_v7};
use visitflow_testkit::disk::SmallDisk;

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
    let storage = Storage { store: Store::Sqlite(writer::Writer::open(&database).unwrap()), spool: None };
    let sessions =
        Arc::new(Sessions::new(Ttl::default(), Lookup::Complete(Readers::new(database.clone(), 1))));
    let (ingest, _writer) = Ingest::start(storage, sessions, Metrics::new()).unwrap();
    ingest.probe(NOW).await.unwrap();
    let version = database.open_reader().unwrap();
    let version: i64 = version.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, NOW / 1_000);
}

/// A command of some 40 KB.
fn large() -> Command {
    let fact = |n: i64| Fact {
        site: Some("shop.example".into()),
        occurred_at: NOW,
        anonymous: true,
        kind: Kind::Event(Event {
            id: uuid_v7(NOW + n),
            name: "large".into(),
            props: Some("x".repeat(400)),
            ..Event::default()
        }),
    };
    let facts = (0..80).map(fact).collect();
    let context =
        Context { now: NOW, caller: Caller::Nothing, candidate: None, visitor: None, key: None, site: None };
    Facts { context, runs: vec![Run { visitor: None, facts }] }.into()
}

#[test]
fn replayed_commands_are_deleted_from_the_spool_on_a_full_disk() {
    let disk = SmallDisk::of_bytes(8 << 20);
    let path = disk.path().join("spool.db");
    let mut spool = Spool::open(&path, 1 << 30).unwrap();
    while spool.append([(&large(), None)], NOW).is_ok() {}
    disk.fill();
    while spool.append([(&large(), None)], NOW).is_ok() {}
    let (waited, mut taken) = (spool.len(), 0);
    assert!(waited > 50, "{waited} commands fit on the disk");
    while let Some(last) = spool.oldest(1_024).unwrap().last() {
        spool.taken_through(last.seq);
        taken += 1;
    }
    assert!(taken > 1, "in several portions");
    assert_eq!((spool.len(), spool.bytes()), (0, 0));
    let left: u64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT COUNT(*) FROM commands", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0, "deleted from the file too");
    assert!(path.metadata().unwrap().len() < 100_000, "the disk has its room again");
    spool.append([(&large(), None)], NOW).unwrap();
    assert_eq!(spool.oldest(9).unwrap().len(), 1);
}

#[test]
fn a_spool_of_an_older_version_is_replayed_and_takes_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool.db");
    let old = "CREATE TABLE commands (seq INTEGER PRIMARY KEY AUTOINCREMENT, since INTEGER NOT NULL, command TEXT NOT NULL)";
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(old).unwrap();
    let command = serde_json::to_string(&large()).unwrap();
    db.execute("INSERT INTO commands (since, command) VALUES (?1, ?2)", (NOW, command)).unwrap();
    drop(db);
    for waiting in 2..4 {
        let mut spool = Spool::open(&path, 1 << 30).unwrap();
        spool.append([(&large(), Some(3))], NOW).unwrap();
        let held = spool.oldest(9).unwrap();
        assert_eq!((held.len(), held[0].rests_on, held[waiting - 1].rests_on), (waiting, None, Some(3)));
    }
}

#[test]
fn a_waiting_change_moves_to_the_end_of_a_full_spool() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(&directory.path().join("spool.db"), 200_000).unwrap();
    while spool.append([(&large(), Some(7))], NOW).is_ok() {}
    let (waiting, first) = (spool.len(), spool.oldest(1).unwrap().remove(0));
    spool.append_again(std::slice::from_ref(&first)).unwrap();
    spool.taken_through(first.seq);
    let held = spool.oldest(1_024).unwrap();
    assert_eq!((spool.len(), held.len() as u64), (waiting, waiting));
    let last = held.last().unwrap();
    assert_eq!((last.since, last.rests_on), (NOW, Some(7)));
    assert!(spool.append([(&large(), None)], NOW).is_err(), "it is at its cap still");
}
