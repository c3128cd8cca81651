//! The URL of a database, as a flag.

use std::convert::Infallible;
use std::str::FromStr;

use crate::database::Database;
use crate::database::postgres::url::PostgresUrl;
use crate::database::sqlite::Sqlite;

/// The URL of the database. Of a URL that cannot be used only the error is kept, because the URL may contain a password
/// and an error message would repeat it.
#[derive(Clone, Debug)]
pub struct DatabaseUrl(Result<Database, String>);

impl DatabaseUrl {
    /// The database.
    ///
    /// # Errors
    /// The error of the URL.
    pub fn database(&self) -> Result<Database, String> {
        self.0.clone().map_err(|wrong| format!("--database-url: {wrong}"))
    }

    /// Whether it is an SQLite file.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.0, Ok(Database::Sqlite(_)))
    }

    /// The database as the value of `flag`, which must be SQLite.
    pub(super) fn sqlite(&self, flag: &str) -> Result<Sqlite, String> {
        match &self.0 {
            Ok(Database::Sqlite(sqlite)) => Ok(sqlite.clone()),
            Ok(Database::Postgres(_)) => Err(format!("{flag}: write sqlite://visitflow.db")),
            Err(wrong) => Err(format!("{flag}: {wrong}")),
        }
    }

    /// The database as the value of `flag`, which must be Postgres.
    pub(super) fn postgres(&self, flag: &str) -> Result<PostgresUrl, String> {
        match &self.0 {
            Ok(Database::Postgres(url)) => Ok(url.clone()),
            Ok(Database::Sqlite(_)) => {
                Err(format!("{flag}: write postgres://USER:PASSWORD@HOST:5432/DATABASE"))
            }
            Err(wrong) => Err(format!("{flag}: {wrong}")),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(match url.split_once("://") {
            Some(("sqlite", path)) if path.is_empty() || path.starts_with(':') || path.contains('?') => {
                Err("write the name of a file, without parameters: sqlite://visitflow.db".into())
            }
            Some(("sqlite", path)) => Ok(Database::Sqlite(Sqlite::new(path))),
            Some(("postgres" | "postgresql", _)) => PostgresUrl::parse(url).map(Database::Postgres),
            _ => Err("write sqlite://visitflow.db, or postgres://USER:PASSWORD@HOST:5432/DATABASE".into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_used_is_not_repeated() {
        for (bad, hint) in [
            ("mysql://user:secret@db/x", "sqlite://visitflow.db"),
            ("postgres://user:secret@", "postgres://USER"),
            ("postgres://user:secret@db/x?sslmode=maybe", "require"),
            ("sqlite://", "sqlite://visitflow.db"),
            ("sqlite://:memory:", "sqlite://visitflow.db"),
            ("sqlite://a.db?mode=ro", "sqlite://visitflow.db"),
            ("visitflow.db", "sqlite://visitflow.db"),
        ] {
            let url: DatabaseUrl = bad.parse().unwrap();
            let error = url.database().unwrap_err();
            assert!(error.starts_with("--database-url: ") && error.contains(hint), "{error}");
            assert!(!error.contains("secret") && !format!("{url:?}").contains("secret"));
        }
    }

    #[test]
    fn a_file_and_a_server_are_told_apart() {
        let file: DatabaseUrl = "sqlite:///var/lib/visitflow.db".parse().unwrap();
        assert_eq!(file.database().unwrap(), Database::Sqlite(Sqlite::new("/var/lib/visitflow.db")));
        for url in ["postgres://ann:secret@db1,db2/x?target_session_attrs=read-write", "postgresql://db/x"] {
            let url: DatabaseUrl = url.parse().unwrap();
            assert!(matches!(url.database().unwrap(), Database::Postgres(_)));
            assert!(!format!("{url:?}").contains("secret"));
        }
    }
}
