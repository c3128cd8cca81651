//! The one PostgreSQL that the tests of a binary share.

use super::{cluster, is_ready};
use crate::machine::free_port;
use crate::process::Process;
use crate::reaper::reaper;
use std::mem::ManuallyDrop;
use std::process::Child;
use tokio::sync::OnceCell;

/// What lives as long as the test binary: statics are not dropped, so the reaper cleans up.
struct Shared {
    port: u16,
    _process: ManuallyDrop<Process>,
    _reaper: Child,
}

/// Nobody kills it, and it makes a database for each test: that must not wait for the disk.
const SETTINGS: &[&str] = &["fsync=off", "full_page_writes=off"];

/// The port of the shared process, which the first caller starts.
pub(super) async fn port() -> u16 {
    static SHARED: OnceCell<Shared> = OnceCell::const_new();
    SHARED.get_or_init(start).await.port
}

async fn start() -> Shared {
    for _ in 0..5 {
        let (directory, port) = (cluster::fresh().await, free_port());
        let mut process = cluster::spawn(&directory, port, SETTINGS);
        if is_ready(&mut process, port).await {
            let reaper = reaper(&[process.pid()], vec![directory.keep()]);
            return Shared { port, _process: ManuallyDrop::new(process), _reaper: reaper };
        }
        println!("PostgreSQL did not start:\n{}", cluster::log(&directory));
    }
    panic!("the shared PostgreSQL did not start");
}
