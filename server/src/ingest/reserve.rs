//! Room on the disk that is kept for deleting: to delete from a file of SQLite takes some room first, and
//! on a disk that is full there is none.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How much is kept: the journal of a deletion of a thousand commands.
const BYTES: usize = 2 << 20;

/// A file beside another that holds nothing but room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    kept: bool,
}

impl Reserve {
    /// The reserve of a file, as it is.
    pub(super) fn of(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push(".reserve");
        let path = PathBuf::from(path);
        let kept = path.exists();
        Self { path, kept }
    }

    /// Gives the room back to the disk. Whether there was any.
    pub(super) fn give_up(&mut self) -> bool {
        self.kept = false;
        fs::remove_file(&self.path).is_ok()
    }

    /// Takes the room again, if the disk has it.
    pub(super) fn restore(&mut self) {
        if !self.kept {
            self.kept = take(&self.path).is_ok();
            if !self.kept {
                let _ = fs::remove_file(&self.path); // a part of it is no reserve
            }
        }
    }
}

/// Zeros are written: a file that was only made long takes no room.
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
