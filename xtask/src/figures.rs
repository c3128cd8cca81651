//! `cargo xtask bench` and `cargo xtask soak`: the programs are in the tests' crate, where servers
//! and stores are started; here they get what they need.

use crate::process::command;
use crate::{build, install};
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

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
    // Optimised, as the server is: whoever measures must not be what is measured.
    let mut program =
        ["run", "--release", "--quiet", "--package", "visitflow-e2e", "--bin", program, "--"].to_vec();
    program.extend(arguments.iter().map(String::as_str));
    let status = command("cargo").args(program).env("VISITFLOW_BIN", binary).status();
    let status = status.context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
