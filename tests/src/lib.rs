//! Black-box tests of the whole: the binary `visitflow`, its files on disk, a real browser.
//!
//! The tests lie in `tests/all/`, one binary; this library is what they are told with.
//!
//! | module | holds |
//! |---|---|
//! | [`server`] | a server of one's own: start, kill, restart, read its database and its log |
//! | [`visitor`] | somebody with a browser: cookies, page views, sign-ins |
//! | [`answer`] | what came back, and the assertions on it |
//! | [`wire`] | requests that no HTTP library would send |
//! | [`browser`] | a real Chromium |
//! | [`random`] | pseudo-random bytes, the same in every run |
//! | [`recorder`] | a witness between a browser and the server |

#![forbid(unsafe_code)]

pub mod answer;
pub mod browser;
pub mod random;
pub mod recorder;
pub mod server;
pub mod visitor;
pub mod wire;

pub use answer::{Answer, SetCookie};
pub use server::Server;
pub use visitor::Visitor;

use std::path::{Path, PathBuf};

/// The repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository")
}

/// Cargo's target directory, told from where the test binary lies (`<target>/<profile>/deps/`).
#[must_use]
pub fn target_directory() -> PathBuf {
    let binary = std::env::current_exe().expect("a running program has a path");
    binary.ancestors().nth(3).expect("the test binary lies in <target>/<profile>/deps").to_owned()
}

/// The form of an identifier that a client makes for a fact.
#[must_use]
pub fn fact_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
