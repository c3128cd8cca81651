//! `cargo xtask test`: every check, in one sequence, the same on a laptop and in CI.
//!
//! A step that fails does not stop the others. Everything shares one target directory, and the
//! builds come first, so that no later step builds anything twice.

use crate::process::{self, command};
use crate::report::Count;
use crate::{build, install, size};
use anyhow::{Context, Result, bail};
use nix::sys::statvfs::statvfs;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// One check.
struct Step {
    name: &'static str,
    what: &'static str,
    check: fn() -> Result<Count>,
}

const STEPS: &[Step] = &[
    Step { name: "install", what: "install missing tools", check: || plain(install::for_test()) },
    Step { name: "fmt", what: "formatting", check: fmt },
    Step { name: "deny", what: "dependencies: licences, sources, duplicates, advisories", check: deny },
    Step { name: "pkg", what: "build the client and its package", check: || plain(build::package()) },
    Step { name: "www", what: "build the dashboard and the shop", check: || plain(build::pages()) },
    Step { name: "clippy", what: "lints, native", check: clippy },
    Step { name: "clippy-wasm", what: "lints of the client, wasm32", check: clippy_wasm },
    Step { name: "doc", what: "documentation without warnings", check: doc },
    Step { name: "server", what: "build the server, release", check: || plain(build::server()) },
    Step {
        name: "examples",
        what: "build the examples from the tarball",
        check: || plain(build::examples()),
    },
    Step { name: "unit", what: "unit and property tests", check: unit },
    Step { name: "node", what: "the package in Node.js", check: node },
    Step { name: "chromium", what: "the client in Chromium", check: chromium },
    Step { name: "javascript", what: "the client as JavaScript in Chromium", check: javascript },
    Step { name: "firefox", what: "the client in Firefox", check: firefox },
    Step { name: "webkit", what: "the client in WebKit, Safari's engine", check: webkit },
    Step { name: "e2e", what: "black-box tests of the whole system", check: e2e },
    Step { name: "bench", what: "one round of the client benchmark", check: bench },
    Step { name: "size", what: "size of what a page downloads", check: || plain(size::run()) },
];

struct Outcome {
    name: &'static str,
    took: Duration,
    count: Count,
    error: Option<String>,
}

/// Runs the named steps, or all.
///
/// # Errors
///
/// A name is unknown.
pub(crate) fn run(names: &[String]) -> Result<ExitCode> {
    if names.iter().any(|name| name == "--help" || name == "-h") {
        println!("Usage: cargo xtask test [STEP]...\n\nSteps, in this order:");
        for step in STEPS {
            println!("  {:<12} {}", step.name, step.what);
        }
        return Ok(ExitCode::SUCCESS);
    }
    for name in names {
        if !STEPS.iter().any(|step| step.name == name) {
            bail!("there is no step {name:?}; `cargo xtask test --help` lists them");
        }
    }
    let chosen = |step: &&Step| names.is_empty() || names.iter().any(|name| name == step.name);
    let outcomes: Vec<Outcome> = STEPS.iter().filter(chosen).map(take).collect();
    Ok(sum_up(&outcomes))
}

fn take(step: &Step) -> Outcome {
    println!("\n=== {}: {}\n", step.name, step.what);
    let start = Instant::now();
    let result = (step.check)();
    let took = start.elapsed();
    let (count, error) = judge(result);
    match &error {
        None => println!("\n--- {} passed in {:.1} s", step.name, took.as_secs_f64()),
        Some(error) => println!("\n--- {} FAILED in {:.1} s: {error}", step.name, took.as_secs_f64()),
    }
    Outcome { name: step.name, took, count, error }
}

/// A step without tests counts as one; so does a failure that no test reported.
fn judge(result: Result<Count>) -> (Count, Option<String>) {
    let one = Count { passed: 1, ..Count::default() };
    match result {
        Err(error) => (Count { failed: 1, ..Count::default() }, Some(format!("{error:#}"))),
        Ok(count) if count.skipped > 0 => {
            let error = format!("{} tests were skipped; every test must run", count.skipped);
            (Count { failed: count.failed + 1, ..count }, Some(error))
        }
        Ok(count) if count.failed > 0 => (count, Some(format!("{} tests failed", count.failed))),
        Ok(count) if count.passed == 0 => (one, None),
        Ok(count) => (count, None),
    }
}

fn sum_up(outcomes: &[Outcome]) -> ExitCode {
    println!("\n=== summary\n");
    for outcome in outcomes {
        let word = if outcome.error.is_none() { "passed" } else { "FAILED" };
        let (name, took, count) = (outcome.name, outcome.took.as_secs_f64(), outcome.count);
        print!("{name:<12} {word}  {took:>7.1} s  {:>4} passed, {} failed", count.passed, count.failed);
        match &outcome.error {
            Some(error) => println!("  {error}"),
            None => println!(),
        }
    }
    let passed: u64 = outcomes.iter().map(|outcome| outcome.count.passed).sum();
    let failed: u64 = outcomes.iter().map(|outcome| outcome.count.failed).sum();
    let took: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    println!("\n{:.1} min in total\n", took.as_secs_f64() / 60.0);
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plain(result: Result<()>) -> Result<Count> {
    result.map(|()| Count::default())
}

fn fmt() -> Result<Count> {
    plain(process::run(command("cargo").args(["fmt", "--all", "--check"])))
}

/// What `deny.toml` asks of the dependencies. Each check counts as one. The advisories are a repository at GitHub; on
/// a machine that does not reach it, the copy of an earlier run is read, and without a copy this check is left out.
fn deny() -> Result<Count> {
    let check = |kinds: &[&str], flags: &[&str]| {
        let strict = ["check", "--hide-inclusion-graph", "--deny", "unnecessary-skip"];
        process::run(command("cargo").arg("deny").args(flags).args(strict).args(kinds))
    };
    check(&["licenses", "bans", "sources"], &[])?;
    let without = Count { passed: 3, ..Count::default() };
    if process::run(command("cargo").args(["deny", "fetch", "db"])).is_ok() {
        check(&["advisories"], &[])?;
    } else if install::has_advisories() {
        println!("advisories: cannot be fetched; using the copy of an earlier run");
        check(&["advisories"], &["--offline"])?;
    } else {
        println!(
            "advisories: NOT CHECKED, because they cannot be fetched and there is no copy of an earlier run"
        );
        return Ok(without);
    }
    Ok(Count { passed: without.passed + 1, ..without })
}

fn clippy() -> Result<Count> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    plain(process::run(command("cargo").args(arguments)))
}

fn clippy_wasm() -> Result<Count> {
    plain(process::run(command("cargo").args([
        "clippy",
        "--package",
        "visitflow-client",
        "--all-targets",
        "--target",
        "wasm32-unknown-unknown",
        "--",
        "-D",
        "warnings",
    ])))
}

fn doc() -> Result<Count> {
    plain(process::run(
        command("cargo")
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            // Dependencies get the features that they have in `clippy`, so that none is checked again: naming examples,
            // of which there are none, makes cargo take those of the tests.
            .args(["--lib", "--bins", "--examples"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    ))
}

fn unit() -> Result<Count> {
    let arguments = ["test", "--workspace", "--exclude", "visitflow-e2e", "--no-fail-fast"];
    tests(many_at_once(in_memory(command("cargo").args(arguments))))
}

fn e2e() -> Result<Count> {
    let binary = build::server_binary();
    if !binary.is_file() {
        bail!("{} is missing; `cargo xtask build` makes it", binary.display());
    }
    // `--workspace`, not `--package`: dependencies get the same features as in `unit`, so that none is built again.
    let arguments = ["test", "--workspace", "--test", "all", "--no-fail-fast"];
    tests(in_memory(command("cargo").args(arguments)).env("VISITFLOW_BIN", binary))
}

/// Tests of the server wait for databases most of the time: with twice as many at once as there are processors they take
/// half the time. In `e2e` browsers keep the processors busy.
fn many_at_once(command: &mut Command) -> &mut Command {
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        command.env("RUST_TEST_THREADS", (2 * processors).to_string());
    }
    command
}

/// Tests that start databases keep the files in memory where there is room: they commit thousands of times, and on a disk
/// each commit waits for it.
#[expect(clippy::useless_conversion, reason = "the numbers of a file system have 32 bits on other systems")]
fn in_memory(command: &mut Command) -> &mut Command {
    const MEMORY: &str = "/dev/shm";
    const ROOM: u64 = 4 << 30;
    let room = statvfs(MEMORY)
        .map(|memory| u64::from(memory.blocks_available()) * u64::from(memory.fragment_size()));
    if std::env::var_os("TMPDIR").is_none() && room.is_ok_and(|room| room >= ROOM) {
        command.env("TMPDIR", MEMORY);
    }
    command
}

/// Checks that every tracker reports its page view, at any speed.
fn bench() -> Result<Count> {
    install::client_bench()?;
    plain(process::run(command("node").args(["tests/client-bench/bench.mjs", "--rounds", "1"])))
}

fn node() -> Result<Count> {
    let mut files = Vec::new();
    for folder in ["pkg/test", "www/test"] {
        let Ok(entries) = fs::read_dir(crate::root().join(folder)) else {
            continue; // no tests there
        };
        for entry in entries {
            files.push(entry?.path());
        }
    }
    // Named one by one: what `node --test FOLDER` means differs between versions of Node.js.
    files.retain(|file| file.to_string_lossy().contains(".test."));
    files.sort();
    tests(command("node").arg("--test").args(files))
}

fn chromium() -> Result<Count> {
    tests(in_browser("chromium", &mut command("cargo")))
}

/// The same tests by wasm2js, for pages that may not run WebAssembly. It accepts no feature that came after the first
/// WebAssembly, so the standard library is built without these, too.
fn javascript() -> Result<Count> {
    tests(
        in_browser("javascript", &mut command("cargo"))
            .args(["--release", "-Zbuild-std=std,panic_abort,test"])
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Ctarget-cpu=mvp")
            .env("CARGO_TARGET_DIR", crate::target().join("mvp")),
    )
}

fn firefox() -> Result<Count> {
    tests(in_browser("firefox", &mut command("cargo")))
}

/// WebKitGTK has no headless mode.
fn webkit() -> Result<Count> {
    let browser =
        install::mini_browser().context("MiniBrowser is missing; `cargo xtask test install` installs it")?;
    let mut cargo = command("xvfb-run");
    cargo.args(["--auto-servernum", "cargo"]).env("VISITFLOW_MINIBROWSER", browser);
    tests(in_browser("webkit", &mut cargo))
}

/// The client's tests in this browser, by the runner beside them.
fn in_browser<'a>(browser: &str, cargo: &'a mut Command) -> &'a mut Command {
    let runner = crate::root().join("client-wasm/tests/runner.mjs");
    cargo
        .args([
            "test",
            "--package",
            "visitflow-client",
            "--target",
            "wasm32-unknown-unknown",
            "--test",
            "web",
        ])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", format!("node {} {browser}", runner.display()))
}

/// Runs a test runner and counts; a failure that it did not count is an error of its own.
fn tests(command: &mut Command) -> Result<Count> {
    let (success, output) = process::run_and_read(command)?;
    let count = Count::read(&output);
    if !success && count.failed == 0 {
        bail!("the test runner failed; see its output above");
    }
    if count.passed + count.failed == 0 {
        bail!("the test runner ran no tests");
    }
    Ok(count)
}
