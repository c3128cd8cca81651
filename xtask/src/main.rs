//! The developer's commands. `cargo xtask --help` lists them.
//!
//! | module | holds |
//! |---|---|
//! | [`demo`] | the demo shop and the dashboard on this machine |
//! | [`test`](mod@test) | every check, in one sequence: what a laptop and CI both run |
//! | [`build`] | the client's package, the pages, the server and the examples |
//! | [`figures`] | measurements and long trials, by programs of the tests' crate |
//! | [`bots`] | the lists of robots' user agents |
//! | [`size`] | what a page downloads, in bytes |
//! | [`install`] | the tools that the others need, installed where they are missing |
//! | [`process`] | running other programs, and printing which |
//! | [`report`] | reading the figures that test runners print |

#![forbid(unsafe_code)]

mod bots;
mod build;
mod demo;
mod figures;
mod install;
mod process;
mod report;
mod size;
mod test;

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Commands for developers of visitflow.

Usage: cargo xtask <command>

Commands:
  demo [--port PORT]   Build everything, start the server with the demo shop and the dashboard
                       on 127.0.0.1:8080 (on another port if that one is in use), and print the
                       addresses and passwords. Ctrl-C stops it.
  test [STEP]...       Run every check, or only the named steps; `test --help` lists them.
  build                Build the client's package, the pages and the server.
  bench [OPTION]...    Compare the server, with PostgreSQL and Redis and with SQLite, with a bare HTTP
                       server; `bench --help` lists the options.
  bench client [OPTION]...
                       Compare in Chromium what the client and other trackers cost a page;
                       `bench client --help` lists the options.
  soak [TRIAL]...      Kill the server and its stores under load, and check that no acknowledged
                       page view is lost; `soak --help` lists the trials.
  bots                 Update the lists of robots in server/src/bots from npm.
  size                 Print the size of what a page downloads, and of each of its parts, in raw, gzip
                       and brotli bytes. Fails if the total or the loader is too large.

Missing tools are installed first: wasm target, wasm-bindgen CLI, npm packages; for `test` also
Chromium, Firefox, WebKit, PostgreSQL, Redis, nginx and wrk. Tools that cargo builds go to
target/tools; everything else is installed by rustup, apt and npm.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let (command, rest) = match arguments.split_first() {
        None => ("--help", [].as_slice()),
        Some((command, rest)) => (command.as_str(), rest),
    };
    let done = |()| ExitCode::SUCCESS;
    match command {
        "demo" => demo::run(demo::Options::parse(rest)?),
        "test" => test::run(rest),
        "build" => {
            none(rest)?;
            install::for_build()?;
            build::all().map(done)
        }
        "bench" if rest.first().is_some_and(|what| what == "client") => figures::client(&rest[1..]),
        "bench" | "soak" => figures::run(command, rest),
        "bots" => {
            none(rest)?;
            bots::refresh().map(done)
        }
        "size" => {
            none(rest)?;
            size::run().map(done)
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => bail!("there is no command {unknown:?}; `cargo xtask --help` lists them"),
    }
}

fn none(rest: &[String]) -> Result<()> {
    match rest {
        [] => Ok(()),
        [first, ..] => bail!("this command takes no arguments; remove {first:?}"),
    }
}

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root")
}

/// Cargo's target directory: `CARGO_TARGET_DIR`, else `target`.
fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => root().join(path),
        None => root().join("target"),
    }
}
