//! The builds. The server contains the package and the pages, so it is built after them; the examples are built as users
//! of the package would build them.

use crate::process::{command, run};
use anyhow::Result;
use std::path::PathBuf;

/// Everything.
///
/// # Errors
///
/// One of the builds failed.
pub(crate) fn all() -> Result<()> {
    package()?;
    pages()?;
    server()
}

/// The npm package and the files of the script tag: `pkg/dist`.
///
/// # Errors
///
/// The build script failed.
pub(crate) fn package() -> Result<()> {
    node_build("pkg")
}

/// The dashboard and the demo shop: `www/dist`.
///
/// # Errors
///
/// The build script failed.
pub(crate) fn pages() -> Result<()> {
    node_build("www")
}

/// The examples: those in JavaScript from the packed package, `examples` in the target directory, and the
/// one in Rust. The unit tests, which come next, are built with that one: built alone, its dependencies have other
/// features than theirs, and half of them are built twice.
///
/// # Errors
///
/// One of them failed.
pub(crate) fn examples() -> Result<()> {
    node_build("examples")?;
    run(command("cargo").args([
        "build",
        "--workspace",
        "--exclude",
        "visitflow-e2e",
        "--tests",
        "--bin",
        "example-axum",
    ]))
}

/// The server in release mode.
///
/// # Errors
///
/// The compiler refused.
pub(crate) fn server() -> Result<()> {
    run(command("cargo").args(["build", "--release", "--package", "visitflow-server"]))
}

/// Where [`server`] leaves the binary.
#[must_use]
pub(crate) fn server_binary() -> PathBuf {
    crate::target().join("release").join(format!("visitflow{}", std::env::consts::EXE_SUFFIX))
}

/// Runs a build script, which skips what is up to date.
fn node_build(folder: &str) -> Result<()> {
    run(command("node").arg(format!("{folder}/build.mjs")))
}
