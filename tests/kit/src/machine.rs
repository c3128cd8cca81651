//! What this machine has for a test: directories, ports, the binary, patience.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// How long anything may take that takes a second on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in the repository")
}

/// Cargo's target directory, told from where this program lies: `<target>/<profile>/`, or `deps/` in it.
#[must_use]
pub fn target_directory() -> PathBuf {
    let binary = std::env::current_exe().expect("a running program has a path");
    let folder = binary.parent().expect("a program lies somewhere");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    profile.and_then(Path::parent).expect("the program lies in <target>/<profile>").to_owned()
}

/// The binary under test: `VISITFLOW_BIN`, else the newest of the release and the debug build.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("VISITFLOW_BIN") {
        return path.into();
    }
    let built = |profile: &str| {
        let path = target_directory().join(profile).join("visitflow");
        let time = fs::metadata(&path).and_then(|file| file.modified()).ok()?;
        Some((time, path))
    };
    let newest = built("release").into_iter().chain(built("debug")).max();
    let (_, path) = newest
        .expect("there is no binary `visitflow` to test: run `cargo build --release -p visitflow-server`");
    path
}

/// An HTTP client that does what it is told: no proxy, no redirects, no cookies.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .expect("an HTTP client")
}

/// A port that nobody listens on, below the range from which systems choose ports for outgoing
/// connections (Linux: 32768 and up), so that none of those can take it meanwhile.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two runs at once begin at different places.
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below COUNT");
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
