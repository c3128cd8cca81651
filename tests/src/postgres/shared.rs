//! The one PostgreSQL that the tests of a binary share.

use super::{cluster, is_ready};
use crate::machine::free_port;
use crate::process::Process;
use std::mem::ManuallyDrop;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// What lives as long as the test binary: statics are not dropped, so the reaper cleans up.
struct Shared {
    port: u16,
    _process: ManuallyDrop<Process>,
    _reaper: Child,
}

/// The port of the shared process, which the first caller starts.
pub(super) async fn port() -> u16 {
    static SHARED: OnceCell<Shared> = OnceCell::const_new();
    SHARED.get_or_init(start).await.port
}

async fn start() -> Shared {
    for _ in 0..5 {
        let (directory, port) = (cluster::fresh().await, free_port());
        let mut process = cluster::spawn(&directory, port);
        if is_ready(&mut process, port).await {
            let reaper = reaper(&process, directory);
            return Shared { port, _process: ManuallyDrop::new(process), _reaper: reaper };
        }
        println!("PostgreSQL did not start:\n{}", cluster::log(&directory));
    }
    panic!("the shared PostgreSQL did not start");
}

/// A process that waits for the end of this one, however it comes: then a pipe closes, and it ends
/// the postmaster, by its id, and removes the files when its children are gone.
fn reaper(process: &Process, directory: TempDir) -> Child {
    const SCRIPT: &str = "cat > /dev/null; kill -9 $0; for i in 1 2 3 4 5 6 7 8 9 10; do \
                          sleep 0.1; rm -rf \"$1\" 2> /dev/null && break; done";
    Command::new("sh")
        .args(["-c", SCRIPT, &process.pid().to_string()])
        .arg(directory.keep())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0) // Ctrl-C at the terminal is for the tests, not for those who clean up
        .spawn()
        .expect("a shell runs")
}
