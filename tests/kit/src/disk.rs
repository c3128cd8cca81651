//! A disk that is soon full.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A small file system in memory; dropping it takes it away.
#[derive(Debug)]
pub struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// One of so many bytes, rounded up to whole pages.
    ///
    /// # Panics
    ///
    /// It cannot be mounted: that takes root.
    #[must_use]
    pub fn of_bytes(bytes: usize) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the disk");
        let options = format!("size={bytes},mode=0777");
        let kind = Some("tmpfs");
        let mounted = mount(kind, directory.path(), kind, MsFlags::empty(), Some(options.as_str()));
        if let Err(error) = mounted {
            panic!("a small disk cannot be mounted: {error}; this test needs root (CAP_SYS_ADMIN)");
        }
        Self { directory }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Leaves no room at all.
    ///
    /// # Panics
    ///
    /// The file that takes the room cannot be made.
    pub fn fill(&self) {
        let mut file = File::create(self.filling()).expect("a file on the disk");
        // Large pieces first, then the last byte.
        for size in [64 * 1024, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives the room back that [`Self::fill`] took.
    ///
    /// # Panics
    ///
    /// The disk was not full.
    pub fn free(&self) {
        fs::remove_file(self.filling()).expect("the disk was filled");
    }

    fn filling(&self) -> PathBuf {
        self.path().join("filling")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that still has files open there shall not keep the test from its end.
        let _ = umount2(self.directory.path(), MntFlags::MNT_DETACH);
    }
}
