//! Errors of the files that the server keeps, for the operator: every message names the
//! file, and the flag that names another one.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The embedded database.
    Database,
    /// The spool.
    Spool,
}

impl Kept {
    fn flag(self) -> &'static str {
        match self {
            Self::Database => "--database-url",
            Self::Spool => "--spool",
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "database",
            Self::Spool => "spool",
        })
    }
}

/// A file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the {kept} {}: {source}; {}", path.display(), self.advice())]
pub struct FileError {
    kept: Kept,
    path: PathBuf,
    source: Box<dyn Error + Send + Sync>,
}

impl FileError {
    /// The error of SQLite.
    pub fn new(kept: Kept, path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kept, path: path.to_owned(), source: source.into() }
    }

    /// What to do about it.
    fn advice(&self) -> String {
        let flag = self.kept.flag();
        match sqlite_code(&*self.source) {
            Some(ErrorCode::NotADatabase) => format!("name another file with {flag}, or move this one away"),
            Some(ErrorCode::DatabaseCorrupt) if self.kept == Kept::Database => {
                "stop the server and restore a backup".into()
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                "move it away; .recover of the sqlite3 command may still read the commands in it".into()
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another program writes to it".into()
            }
            Some(ErrorCode::DiskFull) => "free some space on its disk".into(),
            Some(ErrorCode::Unknown) => {
                format!("it was made by another program or another version; name another file with {flag}")
            }
            Some(_) | None => format!(
                "check that its folder exists, and that this user may write to both, or name another file with {flag}"
            ),
        }
    }
}

/// Whether the file is the cause.
pub(super) fn is_of_file(code: Option<ErrorCode>) -> bool {
    use ErrorCode as Code;
    matches!(
        code,
        Some(
            Code::CannotOpen
                | Code::DatabaseBusy
                | Code::DatabaseCorrupt
                | Code::DatabaseLocked
                | Code::DiskFull
                | Code::FileLockingProtocolFailed
                | Code::NotADatabase
                | Code::PermissionDenied
                | Code::ReadOnly
                | Code::SystemIoFailure
        )
    )
}

/// SQLite's code, if an error comes from SQLite.
fn sqlite_code(error: &(dyn Error + 'static)) -> Option<ErrorCode> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rusqlite::Error>() {
            return found.sqlite_error_code();
        }
        next = error.source();
    }
    None
}
