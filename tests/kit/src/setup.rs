//! What a server is given before it starts.

use crate::{Postgres, Server};
use std::path::{Path, PathBuf};

/// Flags, environment, users; [`Setup::start`] makes a server of them.
#[derive(Debug, Default)]
pub struct Setup {
    pub(crate) flags: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) users: Vec<(String, bool)>,
    pub(crate) tls: bool,
    pub(crate) log: Option<PathBuf>,
    pub(crate) database_url: Option<String>,
    pub(crate) postgres_url: Option<String>,
    pub(crate) redis_url: Option<String>,
    pub(crate) spool: Option<PathBuf>,
}

impl Setup {
    /// A flag with its value.
    #[must_use]
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Keeps its visits in this PostgreSQL and not in SQLite.
    #[must_use]
    pub fn postgres(mut self, postgres: &Postgres) -> Self {
        let url = postgres.url();
        self.database_url.get_or_insert_with(|| url.clone());
        self.postgres_url = Some(url);
        self
    }

    /// Keeps its visits there. With [`Self::postgres`] too, that one is read past this address,
    /// which may be that of a proxy.
    #[must_use]
    pub fn database_url(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        if url.starts_with("postgres") {
            self.postgres_url.get_or_insert_with(|| url.to_owned());
        }
        self
    }

    /// Keeps the shared session cache there: one address, or those of a cluster.
    #[must_use]
    pub fn redis_url(mut self, url: &str) -> Self {
        self.redis_url = Some(url.to_owned());
        self
    }

    /// Keeps what the database does not take for now in this file.
    #[must_use]
    pub fn spool(mut self, path: &Path) -> Self {
        self.spool = Some(path.to_owned());
        self
    }

    /// A variable of the environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Somebody who can sign in, with [`password_of`] the name.
    #[must_use]
    pub fn user(mut self, name: &str) -> Self {
        self.users.push((name.to_owned(), false));
        self
    }

    /// Somebody who can read reports, with [`password_of`] the name.
    #[must_use]
    pub fn admin(mut self, name: &str) -> Self {
        self.users.push((name.to_owned(), true));
        self
    }

    /// Writes its log there, and not where [`Server::log`] reads it.
    #[must_use]
    pub fn log_to(mut self, file: &str) -> Self {
        self.log = Some(file.into());
        self
    }

    /// Speaks TLS with this certificate and key, both PEM.
    #[must_use]
    pub fn tls(mut self, certificate: &Path, key: &Path) -> Self {
        self.tls = true;
        self.flag("--tls-cert", &certificate.to_string_lossy()).flag("--tls-key", &key.to_string_lossy())
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Panics
    ///
    /// It does not become ready.
    pub async fn start(self) -> Server {
        Server::launch(self).await
    }
}

/// The password that a user of this name has in these tests.
#[must_use]
pub fn password_of(name: &str) -> String {
    format!("correct-horse-battery-of-{name}")
}
