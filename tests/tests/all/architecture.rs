//! Which module may use which, as docs/architecture.md says.

mod imports;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use imports::Imports;
use visitflow_testkit::machine::repository;

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

/// Whether the code says `name` as a word of its own, at the beginning of a path, followed by `::` or as a whole import.
fn names(code: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + name.len()..];
        !before.is_some_and(word)
            && (after.starts_with("::") || after.starts_with(';') || after.starts_with(" as "))
    })
}

#[track_caller]
fn only_in(folder: &str, crates: &[&str], modules: &[&str]) {
    for source in sources(folder) {
        if modules.iter().any(|module| source.path.starts_with(module)) {
            continue;
        }
        for name in crates {
            assert!(!names(&source.code, name), "{} names {name}; only {modules:?} may", source.path);
        }
    }
}

#[test]
fn only_the_http_side_knows_hyper() {
    let modules = [
        "server/src/serve",
        "server/src/service",
        "server/src/router",
        "server/src/endpoints/",
        "server/src/authorization",
        "server/src/call",
        "server/src/assets",
        "server/src/http/",
    ];
    only_in("server/src", &["hyper", "hyper_util"], &modules);
}

#[test]
fn only_the_stores_know_their_databases() {
    let modules = ["server/src/database/", "server/src/session_cache/", "server/src/ingest/"];
    only_in("server/src", &["rusqlite", "refinery", "tokio_postgres", "bb8", "redis"], &modules);
}

#[test]
fn only_the_browser_files_name_the_browser() {
    only_in("client-wasm/src", &["web_sys", "js_sys"], &["client-wasm/src/browser"]);
}

/// The imports of the server.
fn server() -> Imports {
    let folder = repository().join("server/src");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    Imports::of(&folder, &files)
}

/// The modules of the server from top to bottom, as docs/architecture.md has them: the line of each.
fn lines_of_modules() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(repository().join("docs/architecture.md")).expect("docs");
    let section = text.split("## Which module may use which").nth(1).expect("the section");
    let block = section.lines().skip_while(|line| !line.starts_with("    "));
    let lines = block.take_while(|line| line.starts_with("    ")).enumerate();
    let modules =
        lines.flat_map(|(nth, line)| line.split(',').map(move |module| (module.trim().to_owned(), nth)));
    let all: Vec<(String, usize)> = modules.collect();
    let count = all.len();
    let modules: BTreeMap<String, usize> = all.into_iter().collect();
    assert_eq!(modules.len(), count, "a module stands in one line");
    modules
}

#[test]
fn no_import_runs_in_a_circle() {
    let circles = server().in_circles();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn a_module_uses_only_those_below_it() {
    let (server, lines) = (server(), lines_of_modules());
    let modules: Vec<&str> = server.modules().into_iter().collect();
    assert_eq!(modules, lines.keys().collect::<Vec<_>>(), "docs/architecture.md lists every module");
    for (from, to, names) in server.all() {
        let (Some(module), Some(other)) = (from.first(), to.first()) else {
            panic!("{from:?} takes {names:?} from {to:?}: lib.rs contains nothing but modules");
        };
        let is_below = module == other || lines[module] < lines[other];
        assert!(is_below, "{} takes {names:?} from {}, which is not below", from.join("::"), to.join("::"));
    }
}

#[test]
fn the_rules_of_sessions_and_of_the_ledger_do_no_io_and_read_no_clock() {
    let outside =
        ["std::fs", "std::net", "tokio", "crate::clock", "SystemTime::now", "Instant::now", "Timestamp::now"];
    for source in ["server/src/session", "server/src/ledger"].into_iter().flat_map(sources) {
        for name in outside {
            assert!(!source.code.contains(name), "{} names {name}", source.path);
        }
    }
}

#[test]
fn the_protocol_needs_nothing() {
    let manifest = fs::read_to_string(repository().join("protocol/Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("dependencies"), "{manifest}");
}
