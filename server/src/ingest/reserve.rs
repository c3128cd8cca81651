//! Disk space that is reserved for deleting: SQLite needs some space before it can delete from a file, and a full
//! disk has none.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How much is reserved: enough for the journal of a deletion of a thousand commands.
const BYTES: usize = 2 << 20;

/// A file beside the spool whose only purpose is its size.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    kept: bool,
}

impl Reserve {
    /// The reserve of a file, made or not.
    pub(super) fn of(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push(".reserve");
        let path = PathBuf::from(path);
        let kept = path.exists();
        Self { path, kept }
    }

    /// Deletes the reserve, which frees its space. Whether there was one.
    pub(super) fn give_up(&mut self) -> bool {
        self.kept = false;
        fs::remove_file(&self.path).is_ok()
    }

    /// Makes the reserve again, if the disk has the space.
    pub(super) fn restore(&mut self) {
        if !self.kept {
            self.kept = take(&self.path).is_ok();
            if !self.kept {
                let _ = fs::remove_file(&self.path); // a part of it is no reserve
            }
        }
    }
}

/// Writes zeros: a file whose length is only set takes no space.
fn take(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&vec![0; BYTES])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_taken_given_up_and_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::of(&folder.path().join("spool.db"));
        assert!(!reserve.give_up());
        reserve.restore();
        let file = folder.path().join("spool.db.reserve");
        assert_eq!(fs::metadata(&file).unwrap().len(), BYTES as u64);
        assert!(Reserve::of(&folder.path().join("spool.db")).give_up());
        assert!(!file.exists());
    }
}
