//! What the shell knows of Rust by name: `shell/generated.js` is what this writes.
//!
//! After a change: `WRITE=1 cargo test --package visitflow-client --test generated`

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

use std::fmt::Write as _;
use std::fs;
use visitflow_client::happening::Happening;
use visitflow_client::{queue, views};
use visitflow_protocol::{campaign, cookie, limits, path};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/shell/generated.js");

fn text(name: &str, value: &str) -> String {
    format!("export const {name} = \"{value}\";\n")
}

fn number(name: &str, value: u64) -> String {
    format!("export const {name} = {value};\n")
}

fn generated() -> String {
    let mut all = String::from("// Names and limits, as Rust has them: made by tests/generated.rs.\n\n");
    for (name, value) in [
        ("VISITOR", cookie::VISITOR),
        ("LAST_ACTIVITY", cookie::LAST_ACTIVITY),
        ("SESSION_START", path::SESSION_START),
        ("SESSION_PING", path::SESSION_PING),
        ("SESSION_FORGET", path::SESSION_FORGET),
        ("TELEMETRY", path::PAGE_VIEW.strip_suffix("page_view").unwrap()),
        ("ORDER", path::ORDER),
        ("ERASE", path::ERASE),
    ] {
        all += &text(name, value);
    }
    for (name, value) in [
        ("VISITOR_MAX_AGE_S", u64::from(cookie::VISITOR_MAX_AGE_S)),
        ("LAST_ACTIVITY_MAX_AGE_S", u64::from(cookie::LAST_ACTIVITY_MAX_AGE_S)),
        ("URL_BYTES", limits::URL_BYTES as u64),
        ("BODY_BYTES", limits::BODY_BYTES as u64),
        ("ARRAY_ITEMS", limits::ARRAY_ITEMS as u64),
        ("AGE_MS", limits::AGE_MS),
        ("SESSION_IDLE_MS", limits::SESSION_IDLE_MS),
        ("CAP", queue::CAP as u64),
        ("HEAD_START_MS", views::HEAD_START_MS),
        ("NEWS_MS", views::NEWS_MS),
    ] {
        all += &number(name, value);
    }
    writeln!(all, "\n// Parameters of clicks.\nexport const CLICK_IDS = {:?};", campaign::CLICK_IDS).unwrap();
    all += "\n// The lock, the channel between tabs.\n";
    all += &text("CHANNEL", "visitflow");
    all += "\n// What the shell tells of.\n";
    for (happening, name) in Happening::ALL {
        write!(all, "{}", number(name, happening as u64)).unwrap();
    }
    all
}

#[test]
fn the_shell_has_the_names_and_limits_of_rust() {
    if std::env::var_os("WRITE").is_some() {
        fs::write(FILE, generated()).unwrap();
    }
    assert_eq!(fs::read_to_string(FILE).unwrap(), generated(), "see the head of this file");
}
