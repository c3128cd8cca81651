//! The command line: flags, environment variables, defaults, units.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

use crate::http::origin::Origin;
use crate::session::{Millis, Ttl};
use crate::store::events::sqlite::Sqlite;

/// Consent-first visit tracking: sessions, page views, orders and the reports over them.
#[derive(Debug, Parser)]
#[command(name = "visitflow", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What all commands share.
    #[command(flatten)]
    pub common: Common,
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Where visits are kept: sqlite://FILE (absolute: sqlite:///var/lib/visitflow.db)
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://visitflow.db",
        global = true,
        help_heading = "Storage",
        value_name = "URL"
    )]
    pub database_url: DatabaseUrl,
    /// What is logged to stderr: error, warn, info, debug, or a filter such as visitflow_server=debug
    #[arg(
        long,
        env = "VISITFLOW_LOG",
        default_value = "info,refinery_core=warn",
        global = true,
        help_heading = "Logging",
        value_name = "LEVEL"
    )]
    pub log: String,
    /// The form of the log
    #[arg(
        long,
        env = "VISITFLOW_LOG_FORMAT",
        default_value = "text",
        global = true,
        help_heading = "Logging"
    )]
    pub log_format: LogFormat,
}

/// Where the database is. A URL that cannot be used is kept as what is wrong with it, without the
/// URL itself: it may hold a password.
#[derive(Clone, Debug)]
pub struct DatabaseUrl(Result<Sqlite, String>);

impl DatabaseUrl {
    /// The database.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn sqlite(&self) -> Result<Sqlite, String> {
        self.0.clone()
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(match url.strip_prefix("sqlite://") {
            Some(path) if path.is_empty() || path.starts_with(':') || path.contains('?') => {
                Err("--database-url: name a file, without parameters: sqlite://visitflow.db".into())
            }
            Some(path) => Ok(Sqlite::new(path)),
            None => {
                let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
                Err(format!(
                    "--database-url: this version stores in SQLite only, not in {scheme:?}; write sqlite://visitflow.db"
                ))
            }
        }))
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Box<Serve>),
    /// Manage the users who sign in
    User {
        /// What to do.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Manage the keys for reports and server-to-server calls
    Key {
        /// What to do.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Bring the database's schema up to date, then stop
    Migrate,
    /// Say what is wrong with the configuration, and whether the stores answer
    Check(Box<Serve>),
}

/// `visitflow user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user, or set the password of one: it is read from stdin, one line
    Add {
        /// The name to sign in with
        name: String,
        /// May read the reports
        #[arg(long)]
        admin: bool,
    },
    /// Refuse a user's sign-ins and end all of that user's sessions
    Disable {
        /// The name
        name: String,
    },
}

/// `visitflow key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Add an API key and print it; it is shown this once
    Add {
        /// What it is for
        name: String,
        /// What it may do
        #[arg(long, value_delimiter = ',', default_value = "read,write")]
        scope: Vec<Scope>,
        /// When it stops working, from now: 90d, 12h
        #[arg(long, value_parser = humantime::parse_duration, value_name = "DURATION")]
        expires: Option<Duration>,
    },
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Read reports
    Read,
    /// Send facts and orders
    Write,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// When cookies carry `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CookieSecure {
    /// Always but for plain HTTP on loopback
    Auto,
    /// Always
    Always,
    /// Never: for tests on plain HTTP
    Never,
}

/// The session cookie's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CookiePrefix {
    /// session_id
    None,
    /// __Host-session_id, which no sibling domain can set
    Host,
}

/// What a browser's Global Privacy Control means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gpc {
    /// Telemetry is anonymous
    Honour,
    /// Nothing: the site has a lawful basis of its own
    Ignore,
}

/// Whose orders count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Orders {
    /// Browsers' and API keys'
    Any,
    /// API keys' alone
    Server,
}

/// `visitflow serve`
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Address for visitors
    #[arg(
        long,
        env = "VISITFLOW_LISTEN",
        default_value = "127.0.0.1:8080",
        help_heading = "Network",
        value_name = "ADDR"
    )]
    pub listen: SocketAddr,
    /// Address for /healthz, /readyz and /metrics; keep it private
    #[arg(
        long,
        env = "VISITFLOW_ADMIN_LISTEN",
        default_value = "127.0.0.1:8081",
        help_heading = "Network",
        value_name = "ADDR"
    )]
    pub admin_listen: SocketAddr,
    /// How browsers reach this server, such as `https://stats.example.com`; default: what each request says
    #[arg(long, env = "VISITFLOW_PUBLIC_URL", help_heading = "Network", value_name = "ORIGIN")]
    pub public_url: Option<Origin>,
    /// An origin whose pages may send facts and read answers (repeatable); default: same origin only
    #[arg(
        long = "allowed-origin",
        env = "VISITFLOW_ALLOWED_ORIGINS",
        value_delimiter = ',',
        help_heading = "Network",
        value_name = "ORIGIN"
    )]
    pub allowed_origins: Vec<Origin>,
    /// A proxy whose X-Forwarded-* headers count (repeatable, CIDR)
    #[arg(
        long = "trusted-proxy",
        env = "VISITFLOW_TRUSTED_PROXIES",
        value_delimiter = ',',
        default_value = "127.0.0.0/8,::1/128",
        help_heading = "Network",
        value_name = "CIDR"
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate chain in PEM; with --tls-key the server speaks HTTPS
    #[arg(
        long,
        env = "VISITFLOW_TLS_CERT",
        requires = "tls_key",
        help_heading = "Network",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Private key in PEM
    #[arg(
        long,
        env = "VISITFLOW_TLS_KEY",
        requires = "tls_cert",
        help_heading = "Network",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,
    /// How long requests in flight may take after SIGTERM
    #[arg(long, env = "VISITFLOW_DRAIN", default_value = "10s", value_parser = humantime::parse_duration, help_heading = "Network", value_name = "DURATION")]
    pub drain: Duration,
    /// Idle time after which a session is over
    #[arg(long, env = "VISITFLOW_SESSION_IDLE", default_value = "30m", value_parser = session_length, help_heading = "Sessions", value_name = "DURATION")]
    pub session_idle: Duration,
    /// Age at which a session is over, whatever happens in it
    #[arg(long, env = "VISITFLOW_SESSION_MAX", default_value = "24h", value_parser = session_length, help_heading = "Sessions", value_name = "DURATION")]
    pub session_max: Duration,
    /// Domain attribute of the cookies, such as example.com; default: this host only
    #[arg(long, env = "VISITFLOW_COOKIE_DOMAIN", value_parser = cookie_domain, help_heading = "Sessions", value_name = "DOMAIN")]
    pub cookie_domain: Option<String>,
    /// When cookies carry Secure
    #[arg(long, env = "VISITFLOW_COOKIE_SECURE", default_value = "always", help_heading = "Sessions")]
    pub cookie_secure: CookieSecure,
    /// Prefix of the session cookie's name
    #[arg(long, env = "VISITFLOW_COOKIE_PREFIX", default_value = "none", help_heading = "Sessions")]
    pub cookie_prefix: CookiePrefix,
    /// Key of your own identity provider, to take its JWTs at sign-in: a file with a secret of at least 32
    /// bytes (HS256), or with a public key in PEM (RS256, ES256, EdDSA); default: no JWT is taken
    #[arg(long, env = "VISITFLOW_JWT_KEY", help_heading = "Sign-in", value_name = "FILE")]
    pub jwt_key: Option<PathBuf>,
    /// The audience that these JWTs must name; default: --public-url, or else the word visitflow
    #[arg(
        long,
        env = "VISITFLOW_JWT_AUDIENCE",
        requires = "jwt_key",
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Sign-in",
        value_name = "AUDIENCE"
    )]
    pub jwt_audience: Option<String>,
    /// What a browser's Global Privacy Control means
    #[arg(long, env = "VISITFLOW_GPC", default_value = "honour", help_heading = "Privacy")]
    pub gpc: Gpc,
    /// Whose orders count
    #[arg(long, env = "VISITFLOW_ORDERS", default_value = "any", help_heading = "Reports")]
    pub orders: Orders,
    /// Serve pages and client from this folder, uncached, instead of those in the binary
    #[arg(long, env = "VISITFLOW_WWW", help_heading = "Development", value_name = "DIR")]
    pub www: Option<PathBuf>,
}

impl Serve {
    /// The session limits.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        Ttl { idle_ms: millis(self.session_idle), max_ms: millis(self.session_max) }
    }

    /// Whether the server itself speaks TLS.
    #[must_use]
    pub fn tls(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// The audience that assertions must name.
    #[must_use]
    pub fn audience(&self) -> &str {
        match (&self.jwt_audience, &self.public_url) {
            (Some(audience), _) => audience,
            (None, Some(origin)) => origin.as_str(),
            (None, None) => "visitflow",
        }
    }

    /// What is wrong with the configuration as a whole.
    ///
    /// # Errors
    /// A sentence that says what to change.
    pub fn validate(&self) -> Result<(), String> {
        if self.session_max < self.session_idle {
            return Err("--session-max is shorter than --session-idle; make it at least as long".into());
        }
        if self.listen == self.admin_listen && self.listen.port() != 0 {
            return Err("--listen and --admin-listen are the same; give them different ports".into());
        }
        if let Some(folder) = self.www.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(format!("--www {} is no folder", folder.display()));
        }
        if self.cookie_prefix == CookiePrefix::Host && self.cookie_domain.is_some() {
            return Err("a __Host- cookie has no domain; drop --cookie-domain or --cookie-prefix host".into());
        }
        if self.cookie_prefix == CookiePrefix::Host && self.cookie_secure == CookieSecure::Never {
            return Err(
                "a __Host- cookie must be Secure; drop --cookie-secure never or --cookie-prefix host".into(),
            );
        }
        Ok(())
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

fn session_length(text: &str) -> Result<Duration, String> {
    let length = humantime::parse_duration(text).map_err(|error| format!("{error}; write 30m or 24h"))?;
    let (least, most) = (Duration::from_secs(1), Duration::from_secs(400 * 86_400));
    if (least..=most).contains(&length) { Ok(length) } else { Err("a session lasts from 1s to 400d".into()) }
}

fn cookie_domain(domain: &str) -> Result<String, String> {
    let domain = domain.trim_start_matches('.').to_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !domain.is_empty() && domain.len() <= 253 && domain.chars().all(allowed) {
        Ok(domain)
    } else {
        Err("write a domain such as example.com".into())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn serve(flags: &[&str]) -> Result<Box<Serve>, String> {
        let cli = Cli::try_parse_from(["visitflow", "serve"].iter().chain(flags))
            .map_err(|error| error.to_string())?;
        let Command::Serve(serve) = cli.command else {
            return Err("not serve".into());
        };
        serve.validate().map(|()| serve)
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_flags_everything_is_embedded() {
        let serve = serve(&[]).unwrap();
        assert_eq!(serve.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(serve.ttl(), Ttl::default());
        assert_eq!(serve.trusted_proxies.len(), 2);
    }

    #[test]
    fn the_audience_of_assertions_is_said_or_the_public_url_or_a_word() {
        let audience = |flags: &[&str]| serve(flags).unwrap().audience().to_owned();
        let (url, key) = (["--public-url", "https://Stats.example/"], ["--jwt-key", "k"]);
        assert_eq!(audience(&[]), "visitflow");
        assert_eq!(audience(&url), "https://stats.example");
        assert_eq!(audience(&[&url[..], &key, &["--jwt-audience", "shop"]].concat()), "shop");
    }

    #[test]
    fn a_database_url_that_cannot_be_used_is_not_repeated() {
        for bad in [
            "postgres://user:secret@db/x",
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://a.db?mode=ro",
            "visitflow.db",
        ] {
            let url: DatabaseUrl = bad.parse().unwrap();
            let error = url.sqlite().unwrap_err();
            assert!(error.contains("sqlite://visitflow.db") && !error.contains("secret"), "{error}");
            assert!(!format!("{url:?}").contains("secret"));
        }
        let url: DatabaseUrl = "sqlite:///var/lib/visitflow.db".parse().unwrap();
        assert_eq!(url.sqlite().unwrap().path().to_str(), Some("/var/lib/visitflow.db"));
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_way_out() {
        for (flags, hint) in [
            (&["--session-max", "1m"][..], "--session-idle"),
            (&["--cookie-prefix", "host", "--cookie-domain", "a.example"], "drop"),
            (&["--session-idle", "30"], "write 30m"),
            (&["--allowed-origin", "shop.example"], "https://"),
            (&["--tls-cert", "a.pem"], "--tls-key"),
            (&["--jwt-audience", "shop"], "--jwt-key"),
        ] {
            let error = serve(flags).unwrap_err();
            assert!(error.contains(hint), "{flags:?}: {error}");
        }
    }
}
