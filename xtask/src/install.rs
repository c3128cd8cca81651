//! The tools that the other commands need, installed where they are missing.
//!
//! Invariant: a tool that is installed in the right version is left alone, so that a second run is quick.

use crate::process::{command, first_line, run, succeeds};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// What `build` and `demo` need.
///
/// # Errors
///
/// A tool is missing and could not be installed.
pub(crate) fn for_build() -> Result<()> {
    c_compiler()?;
    wasm_target()?;
    wasm_bindgen()?;
    packages_of_build()
}

/// What `build` and `test` need. Most of it is downloaded while cargo compiles the rest.
///
/// # Errors
///
/// A tool is missing and could not be installed.
pub(crate) fn for_test() -> Result<()> {
    c_compiler()?;
    thread::scope(|scope| {
        let downloads = scope.spawn(|| {
            apt(&missing_in_test())?;
            packages_of_build()
        });
        let compiled = compiled_for_test();
        downloads.join().unwrap_or_else(|panic| resume_unwind(panic)).and(compiled)
    })
}

fn packages_of_build() -> Result<()> {
    node_modules("pkg")?;
    node_modules("www")
}

fn compiled_for_test() -> Result<()> {
    for component in ["rustfmt", "clippy"] {
        let subcommand = component.trim_start_matches("rust");
        if !succeeds("cargo", &[subcommand, "--version"]) {
            run(command("rustup").args(["component", "add", component]))?;
        }
    }
    wasm_target()?;
    wasm_bindgen()?;
    for (program, package) in [("geckodriver", "geckodriver"), ("cargo-deny", "cargo-deny")] {
        if !succeeds(program, &["--version"]) {
            cargo_install_unoptimised(package)?;
        }
    }
    Ok(())
}

/// Debian's packages that `test` needs and that are not there.
fn missing_in_test() -> Vec<&'static str> {
    let mut missing = missing_services();
    if !has_chromium() {
        missing.extend(CHROMIUM);
    }
    if !succeeds("firefox", &["--version"]) {
        missing.push("firefox-esr");
    }
    if mini_browser().is_none()
        || !succeeds("WebKitWebDriver", &["--help"])
        || !succeeds("xvfb-run", &["--help"])
    {
        missing.extend(["webkit2gtk-driver", "xvfb", "xauth"]);
    }
    if !succeeds("nginx", &["-v"]) {
        missing.push("nginx");
    }
    missing
}

const CHROMIUM: [&str; 2] = ["chromium", "chromium-driver"];

fn has_chromium() -> bool {
    succeeds("chromium", &["--version"]) && succeeds("chromedriver", &["--version"])
}

/// A tool that has little to compute: building it unoptimised takes a third of the time.
fn cargo_install_unoptimised(package: &str) -> Result<()> {
    run(command("cargo")
        .args(["install", package, "--locked", "--debug", "--root"])
        .arg(tools())
        .env("CARGO_PROFILE_DEV_DEBUG", "false"))
}

/// Whether there is a copy of RustSec's advisories from an earlier run.
pub(crate) fn has_advisories() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let copies = home.and_then(|home| fs::read_dir(home.join("advisory-dbs")).ok());
    copies.into_iter().flatten().flatten().any(|entry| entry.path().join("crates").is_dir())
}

/// What measuring the client beside other trackers needs.
///
/// # Errors
///
/// Something is missing and could not be installed.
pub(crate) fn client_bench() -> Result<()> {
    if !has_chromium() {
        apt(&CHROMIUM)?;
    }
    node_modules("tests/client-bench")
}

/// WebKitGTK's browser; Debian keeps it in a folder for the machine's architecture.
pub(crate) fn mini_browser() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.map(|entry| entry.path().join("webkit2gtk-4.1/MiniBrowser")).find(|browser| browser.is_file())
}

/// The databases that tests and measurements start for themselves, and the load generator. Invariant: servers that
/// Debian starts are neither used nor stopped.
///
/// # Errors
///
/// One is missing and could not be installed.
pub(crate) fn services() -> Result<()> {
    apt(&missing_services())
}

fn missing_services() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !has_postgres() {
        missing.push("postgresql");
    }
    if !succeeds("redis-server", &["--version"]) || !succeeds("redis-cli", &["--version"]) {
        missing.push("redis-server");
    }
    // It prints its version and exits with 1.
    if first_line_in_path("wrk", &["--version"]).is_none() {
        missing.push("wrk");
    }
    missing
}

/// Debian keeps PostgreSQL's programs outside of `PATH`, one folder a version.
fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    succeeds("initdb", &["--version"])
        || versions.map(|entry| entry.path()).any(|version| version.join("bin/initdb").is_file())
}

/// `PATH` with the project's own tools in front, and nginx, which Debian keeps from users, behind.
#[must_use]
pub(crate) fn search_path() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(tools().join("bin")).chain(std::env::split_paths(&inherited));
    let paths = paths.chain([PathBuf::from("/usr/sbin")]);
    std::env::join_paths(paths).unwrap_or(inherited)
}

fn tools() -> PathBuf {
    crate::target().join("tools")
}

/// SQLite is C, and is compiled into the server.
fn c_compiler() -> Result<()> {
    if succeeds("cc", &["--version"]) {
        return Ok(());
    }
    apt(&["gcc", "libc6-dev"])
}

/// The client's target, and std's source: the client is built with a std of its own, cut to size.
fn wasm_target() -> Result<()> {
    let sysroot = first_line("rustc", &["--print", "sysroot"])
        .context("rustc does not answer; install Rust with rustup")?;
    let rustlib = Path::new(&sysroot).join("lib/rustlib");
    if !rustlib.join("wasm32-unknown-unknown/lib").is_dir() {
        run(command("rustup").args(["target", "add", "wasm32-unknown-unknown"]))?;
    }
    if !rustlib.join("src/rust/library/std").is_dir() {
        run(command("rustup").args(["component", "add", "rust-src"]))?;
    }
    Ok(())
}

/// The CLI must have exactly the version of the crate: the format between the two has no version.
fn wasm_bindgen() -> Result<()> {
    let lock = fs::read_to_string(crate::root().join("Cargo.lock")).context("no Cargo.lock")?;
    let version = locked_version(&lock, "wasm-bindgen")
        .context("Cargo.lock names no wasm-bindgen; does the client depend on it?")?;
    let answer = first_line_in_path("wasm-bindgen", &["--version"]);
    if answer.is_some_and(|answer| answer == format!("wasm-bindgen {version}")) {
        return Ok(());
    }
    // Without --locked: the CLI's own lock file names versions that no registry has any more.
    run(command("cargo")
        .args(["install", "wasm-bindgen-cli", "--version", version, "--force", "--root"])
        .arg(tools()))
}

fn first_line_in_path(program: &str, arguments: &[&str]) -> Option<String> {
    let output = command(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

/// The version that a lock file names for a package.
fn locked_version<'lock>(lock: &'lock str, package: &str) -> Option<&'lock str> {
    let header = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = lock.split_once(&header)?;
    rest.split('"').next()
}

/// `npm ci`, once per lock file.
fn node_modules(package: &str) -> Result<()> {
    let directory = crate::root().join(package);
    let lock = directory.join("package-lock.json");
    if !lock.exists() {
        return Ok(());
    }
    if !succeeds("node", &["--version"]) {
        bail!("Node.js is missing; install it (version 20 or later) and run this again");
    }
    let lock = fs::read(lock)?;
    let stamp = directory.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory))?;
    if let Some(parent) = stamp.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(stamp, lock)?;
    Ok(())
}

/// Installs these, if there are any.
fn apt(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    if !succeeds("apt-get", &["--version"]) {
        bail!("{packages:?} are missing and there is no apt-get here: install them yourself");
    }
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn apt_get() -> Command {
    let root = first_line("id", &["-u"]).is_some_and(|id| id == "0");
    let mut apt = command(if root { "apt-get" } else { "sudo" });
    if !root {
        apt.arg("apt-get");
    }
    apt.args(["-o", "DPkg::Lock::Timeout=300"]); // another apt may be at work
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_lock_file_names_the_version() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
