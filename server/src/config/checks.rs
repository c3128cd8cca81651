//! Which flags of `serve` go together, and what to warn about.

use super::{CookiePrefix, CookieSecure, DatabaseUrl, Serve};
use crate::session_cache::redis::RedisUrl;

impl Serve {
    /// The warning about the origin with which pages are compared, if there is one.
    #[must_use]
    pub fn origin_warning(&self) -> Option<&'static str> {
        (self.public_url.is_none() && !self.listen.ip().to_canonical().is_loopback()).then_some(
            "without --public-url the server accepts any host name as its own, so a page on any domain that points to this address can send facts; set it, for example to https://stats.example.com",
        )
    }

    /// What is wrong with the configuration as a whole, beside that database.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn validate(&self, database: &DatabaseUrl) -> Result<(), String> {
        let lengths = [
            ("--session-idle", self.session_idle, "--session-max", self.session_max),
            ("--session-idle", self.session_idle, "--session-remember", self.session_remember),
            ("--session-max", self.session_max, "--session-remember-max", self.session_remember_max),
            (
                "--session-remember",
                self.session_remember,
                "--session-remember-max",
                self.session_remember_max,
            ),
        ];
        for (lesser, least, greater, length) in lengths {
            if length < least {
                return Err(format!("{greater} is shorter than {lesser}; make it at least as long"));
            }
        }
        let (one, other) = (self.listen, self.admin_listen);
        let overlap = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
        if one.port() == other.port() && overlap && one.port() != 0 {
            return Err(
                "--listen and --admin-listen use the same address and port; give them different ports".into(),
            );
        }
        self.report_database()?;
        if database.is_sqlite() {
            for (given, flag) in [
                (self.retention_days.is_some(), "--retention-days"),
                (self.report_database_url.is_some(), "--report-database-url"),
            ] {
                if given {
                    return Err(format!(
                        "{flag} works with Postgres only; leave it out, or set --database-url to a postgres:// URL"
                    ));
                }
            }
        }
        if let Some(problem) = self.redis_url.as_ref().and_then(RedisUrl::problem) {
            return Err(problem.to_owned());
        }
        if let Some(folder) = self.www.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(format!("--www {} is not a folder", folder.display()));
        }
        self.cookie_names()?;
        if self.cookie_prefix == CookiePrefix::Host && self.cookie_domain.is_some() {
            return Err(
                "a __Host- cookie cannot have a domain; remove --cookie-domain or --cookie-prefix host"
                    .into(),
            );
        }
        if self.cookie_prefix == CookiePrefix::Host && self.cookie_secure == CookieSecure::Never {
            return Err(
                "a __Host- cookie must be Secure; remove --cookie-secure never or --cookie-prefix host"
                    .into(),
            );
        }
        Ok(())
    }

    /// What lets the server start, and is not what was meant: `check` fails, and the log says so at the start.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let http = self.public_url.as_ref().filter(|url| self.tls() && !url.is_https());
        http.map(|url| {
            format!("--public-url {url} is http, but with --tls-cert this server speaks HTTPS, so it would refuse its own pages; write https://")
        })
        .into_iter()
        .collect()
    }

    /// What is right only if something in front of the server is: `check` and the log tell it.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let https = self.public_url.as_ref().filter(|url| !self.tls() && url.is_https());
        https
            .map(|url| {
                format!("--public-url {url} is https, but this server speaks plain HTTP: a proxy in front of it must end TLS; without a proxy, set --tls-cert and --tls-key")
            })
            .into_iter()
            .collect()
    }
}
