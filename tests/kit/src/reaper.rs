//! Cleans up behind what all tests of a binary share: statics are not dropped.

use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A process that waits for the end of this one, however it comes: then a pipe closes, and it ends
/// these processes, by their ids, and removes their files when their children are gone.
///
/// # Panics
///
/// There is no shell.
#[must_use]
pub(crate) fn reaper(pids: &[Pid], directories: Vec<PathBuf>) -> Child {
    const SCRIPT: &str = "cat > /dev/null; kill -9 $0; for i in 1 2 3 4 5 6 7 8 9 10; do \
                          sleep 0.1; rm -rf \"$@\" 2> /dev/null && break; done";
    let pids: Vec<String> = pids.iter().map(Pid::to_string).collect();
    Command::new("sh")
        .args(["-c", SCRIPT, &pids.join(" ")])
        .args(directories)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0) // Ctrl-C at the terminal is for the tests, not for those who clean up
        .spawn()
        .expect("a shell runs")
}
