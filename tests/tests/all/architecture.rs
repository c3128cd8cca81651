//! Who may know whom: the rooms of the house keep their doors shut.

use std::fs;
use std::path::{Path, PathBuf};
use visitflow_e2e::machine::repository;

/// A Rust file: its path from the repository's root, and its lines without comments.
struct Source {
    path: String,
    code: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&repository().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} holds Rust files");
    files.iter().map(|file| read(file)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(file: &Path) -> Source {
    let text = fs::read_to_string(file).expect("a source file");
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let path = file.strip_prefix(repository()).expect("in the repository");
    Source { path: path.to_string_lossy().into_owned(), code: code.collect::<Vec<_>>().join("\n") }
}

/// Whether the code says `name` as a word of its own, followed by `::` or as a whole import.
fn names(code: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        !before.is_some_and(word)
            && (after.starts_with("::") || after.starts_with(';') || after.starts_with(" as "))
    })
}

#[track_caller]
fn only_in(folder: &str, crates: &[&str], rooms: &[&str]) {
    for source in sources(folder) {
        if rooms.iter().any(|room| source.path.starts_with(room)) {
            continue;
        }
        for name in crates {
            assert!(!names(&source.code, name), "{} names {name}; only {rooms:?} may", source.path);
        }
    }
}

#[test]
fn only_the_http_side_knows_hyper() {
    let rooms = [
        "server/src/serve",
        "server/src/service",
        "server/src/router",
        "server/src/http/",
        "server/src/endpoints/",
    ];
    only_in("server/src", &["hyper", "hyper_util"], &rooms);
}

#[test]
fn only_the_stores_know_their_databases() {
    let rooms = ["server/src/store/", "server/src/ingest/"];
    only_in(
        "server/src",
        &["rusqlite", "refinery", "tokio_postgres", "deadpool_postgres", "bb8", "redis"],
        &rooms,
    );
}

#[test]
fn only_the_browser_files_name_the_browser() {
    only_in("client-wasm/src", &["web_sys", "js_sys"], &["client-wasm/src/browser"]);
}

#[test]
fn nobody_knows_those_above() {
    // Each room, and what lies above it.
    let rooms: &[(&str, &[&str])] = &[
        ("service", &["serve"]),
        ("router", &["serve", "service"]),
        ("endpoints", &["serve", "service", "router"]),
        ("http", &["serve", "service", "router", "endpoints", "ingest"]),
        ("ingest", &["serve", "service", "router", "endpoints"]),
        ("store", &["serve", "service", "router", "endpoints", "ingest"]),
        ("ledger", &["serve", "service", "router", "endpoints", "http", "lifecycle", "ingest", "store"]),
        ("session", &["serve", "service", "router", "endpoints", "http", "ingest", "store", "ledger"]),
    ];
    for source in sources("server/src") {
        let inside = source.path.trim_start_matches("server/src/");
        let room = inside.split(['/', '.']).next().unwrap_or_default();
        let above = rooms.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, above)| above);
        for name in above {
            assert!(!names(&source.code, &format!("crate::{name}")), "{} names {name}", source.path);
        }
    }
}

#[test]
fn the_session_s_rules_do_no_io_and_read_no_clock() {
    for source in sources("server/src/session") {
        for name in ["std::fs", "std::net", "tokio", "SystemTime::now", "Instant::now", "Timestamp::now"] {
            assert!(!source.code.contains(name), "{} names {name}", source.path);
        }
    }
}

#[test]
fn the_protocol_needs_nothing_by_default() {
    let manifest = fs::read_to_string(repository().join("protocol/Cargo.toml")).expect("a manifest");
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let lines = dependencies.lines().take_while(|line| !line.starts_with('['));
    for line in lines.filter(|line| line.contains('=')) {
        assert!(line.contains("optional = true"), "{line}");
    }
}
