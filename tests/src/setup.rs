//! What a server is given before it starts.

use crate::Server;
use std::path::{Path, PathBuf};

/// Flags, environment, users; [`Setup::start`] makes a server of them.
#[derive(Debug, Default)]
pub struct Setup {
    pub(crate) flags: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) users: Vec<(String, bool)>,
    pub(crate) tls: bool,
    pub(crate) log: Option<PathBuf>,
}

impl Setup {
    /// A flag with its value.
    #[must_use]
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
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
