//! `postgres://USER:PASSWORD@HOST:5432,HOST2/DATABASE?sslmode=…`, checked. Its password is never shown.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// The end of every message about a bad URL.
const WRITE: &str = "write postgres://USER:PASSWORD@HOST:5432/DATABASE, and percent-encode special characters in the password (@ is %40)";

/// Parameters that are allowed, besides those that this module reads itself.
const PARAMETERS: [&str; 17] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// The URL of Postgres: hosts, user, encryption.
///
/// | `sslmode` | the connection |
/// |---|---|
/// | `disable` | is not encrypted |
/// | `prefer` (default) | is encrypted if the server can; the server is not checked |
/// | `require` | is encrypted; the server is checked if there is `sslrootcert` |
/// | `verify-full` | is encrypted, and the server is checked: its chain and its name |
///
/// `sslrootcert` is a file in PEM with the authorities to trust. The meanings are libpq's, except
/// that a check is always of both chain and name.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    config: Arc<Config>,
    root_certificates: Option<PathBuf>,
}

impl PostgresUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// The error, in a sentence that repeats nothing of the URL, because it may contain a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        // The parameters begin after the credentials, whose end is the first @.
        let credentials = url.find('@').unwrap_or(0);
        let (before, parameters) = match url[credentials..].find('?') {
            Some(at) => (&url[..credentials + at], &url[credentials + at + 1..]),
            None => (url, ""),
        };
        let (mut kept, mut mode, mut root_certificates) = (Vec::new(), SslMode::Prefer, None);
        let mut full = false;
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("sslmode", "disable") => mode = SslMode::Disable,
                ("sslmode", "prefer") => mode = SslMode::Prefer,
                ("sslmode", "require") => mode = SslMode::Require,
                ("sslmode", "verify-full") => (mode, full) = (SslMode::Require, true),
                ("sslmode", _) => {
                    return Err("sslmode must be disable, prefer, require or verify-full".into());
                }
                ("sslrootcert", path) if !path.is_empty() => {
                    root_certificates = Some(PathBuf::from(decoded(parameter)));
                }
                (name, _) if PARAMETERS.contains(&name) => kept.push(parameter),
                _ => {
                    return Err(format!(
                        "the possible parameters are sslmode, sslrootcert, {}",
                        PARAMETERS.join(", ")
                    ));
                }
            }
        }
        if full && root_certificates.is_none() {
            return Err("sslmode=verify-full needs sslrootcert, the file with the certificate authorities to trust, such as sslrootcert=/etc/ssl/certs/ca-certificates.crt".into());
        }
        let question_mark = if kept.is_empty() { "" } else { "?" };
        let mut config: Config = format!("{before}{question_mark}{}", kept.join("&"))
            .parse()
            .map_err(|_| format!("this is not a URL; {WRITE}"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(format!("the host is missing; {WRITE}"));
        }
        config.ssl_mode(mode);
        Ok(Self { config: Arc::new(config), root_certificates })
    }

    /// For the client.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The authorities that the server's certificate is checked against; none: it is not checked.
    pub(super) fn root_certificates(&self) -> Option<&Path> {
        self.root_certificates.as_deref()
    }
}

/// The value of a parameter. A + stays a +.
fn decoded(parameter: &str) -> String {
    let escaped = parameter.replace('+', "%2B");
    ::url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Hosts and database alone, so that it may be logged.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        f.write_str("postgres://")?;
        for (n, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(n).or(ports.first()).unwrap_or(&5432);
            let comma = if n == 0 { "" } else { "," };
            match host {
                Host::Tcp(host) => write!(f, "{comma}{host}:{port}")?,
                Host::Unix(path) => write!(f, "{comma}{}:{port}", path.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_and_how_the_way_is_kept_private_are_understood() {
        let url = PostgresUrl::parse(
            "postgres://ann:p%40ss@db1:5433,db2/visits?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=%2Fetc%2Fmy%20ca.pem",
        )
        .unwrap();
        assert_eq!(url.to_string(), "postgres://db1:5433,db2:5432/visits");
        assert_eq!(url.config().get_password(), Some(&b"p@ss"[..]));
        assert_eq!(url.config().get_ssl_mode(), SslMode::Require);
        assert_eq!(url.root_certificates(), Some(Path::new("/etc/my ca.pem")));
    }

    #[test]
    fn a_question_mark_in_the_password_does_not_begin_the_parameters() {
        let url = PostgresUrl::parse("postgresql://ann:wh?t@db/visits?sslmode=disable").unwrap();
        assert_eq!(url.config().get_password(), Some(&b"wh?t"[..]));
        assert_eq!(url.config().get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn a_socket_s_folder_is_a_host() {
        let url = PostgresUrl::parse("postgres:///visits?host=/run/postgresql&user=ann").unwrap();
        assert_eq!(url.to_string(), "postgres:///run/postgresql:5432/visits");
    }

    #[test]
    fn neither_a_refusal_nor_the_log_repeats_the_password() {
        for bad in [
            "postgres://ann:secret@",
            "postgres://ann:secret@db:port/x",
            "postgres://ann:secret@db/x?sslmode=secret",
            "postgres://ann:secret@db/x?secret=1",
            "postgres://ann:secret@db/x?connect_timeout=secret",
            "postgres://ann:secret@db/x?sslmode=verify-full",
        ] {
            let error = PostgresUrl::parse(bad).unwrap_err();
            assert!(!error.contains("=secret") && !error.contains(":secret"), "{error}");
        }
        let url = PostgresUrl::parse("postgres://ann:secret@db/x").unwrap();
        assert_eq!(format!("{url:?}"), "PostgresUrl(postgres://db:5432/x)");
    }
}
