//! Running other programs: always from a known directory, and always printed.

use crate::install;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// A command that runs in the repository's root and finds the tools in `target/tools` first.
#[must_use]
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::root()).env("PATH", install::search_path()).stdin(Stdio::null());
    command
}

/// Runs to the end.
///
/// # Errors
///
/// The command is missing, or exits with anything but 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", words(command));
    let status = command.status().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words(command));
    }
    Ok(())
}

/// Runs to the end, shows the output as it comes, and returns it together with the success.
///
/// # Errors
///
/// The command is missing.
pub(crate) fn run_and_read(command: &mut Command) -> Result<(bool, String)> {
    println!("$ {}", words(command));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let output = Mutex::new(String::new());
    let stdout = child.stdout.take().context("stdout is a pipe")?;
    let stderr = child.stderr.take().context("stderr is a pipe")?;
    std::thread::scope(|scope| {
        scope.spawn(|| show(stdout, &output));
        scope.spawn(|| show(stderr, &output));
    });
    let success = child.wait()?.success();
    let output = output.into_inner().unwrap_or_else(|error| error.into_inner());
    Ok((success, output))
}

/// Whether the program runs and exits with 0; its output is dropped.
#[must_use]
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    command(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first line that the program prints, if it runs.
#[must_use]
pub(crate) fn first_line(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

fn show(from: impl Read, output: &Mutex<String>) {
    for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let mut stdout = std::io::stdout().lock();
        // A closed terminal does not stop the check.
        let _ = writeln!(stdout, "{line}");
        if let Ok(mut output) = output.lock() {
            output.push_str(&line);
            output.push('\n');
        }
    }
}

fn words(command: &Command) -> String {
    let mut words = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}
