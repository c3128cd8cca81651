//! `cargo xtask bench` and `cargo xtask soak`: the programs are in the tests' crate, where servers
//! and databases are started, or beside it (`tests/client-bench`); this installs and builds what they need.

use crate::process::command;
use crate::{build, install};
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

/// Measures what a page pays for the client, beside other trackers, in Chromium.
///
/// # Errors
///
/// Something is missing, or a tracker reported no page view.
pub(crate) fn client(arguments: &[String]) -> Result<ExitCode> {
    install::client_bench()?;
    if !crate::root().join("pkg/dist/cdn").is_dir() {
        bail!("the package is missing; `cargo xtask build` makes it");
    }
    let status = command("node").arg("tests/client-bench/bench.mjs").args(arguments).status();
    let status = status.context("cannot run node")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the program of this name on the release build of the server, or on `VISITFLOW_BIN`.
///
/// # Errors
///
/// Something is missing, or the program cannot be run.
pub(crate) fn run(program: &str, arguments: &[String]) -> Result<ExitCode> {
    install::services()?;
    let given = std::env::var_os("VISITFLOW_BIN");
    let binary = given.map_or_else(build::server_binary, Into::into);
    if !binary.is_file() {
        bail!("{} is missing; `cargo xtask build` makes it", binary.display());
    }
    // Optimised, like the server, so that the measuring program is not the bottleneck.
    let mut program =
        ["run", "--release", "--quiet", "--package", "visitflow-e2e", "--bin", program, "--"].to_vec();
    program.extend(arguments.iter().map(String::as_str));
    let status = command("cargo").args(program).env("VISITFLOW_BIN", binary).status();
    let status = status.context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
