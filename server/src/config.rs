//! The command line: flags, environment variables, defaults, units.

mod database;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;

pub use self::database::DatabaseUrl;
use crate::http::origin::Origin;
use crate::session::{Millis, Ttl};
use crate::store::events::postgres::url::PostgresUrl;
use crate::store::events::sqlite::Sqlite;
use crate::store::sessions::RedisUrl;

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
    /// Where visits are kept: sqlite://FILE (absolute: sqlite:///var/lib/visitflow.db) or
    /// postgres://USER:PASSWORD@HOST:5432/DATABASE (several hosts, target_session_attrs,
    /// sslmode=disable|prefer|require|verify-full, sslrootcert=FILE)
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
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
    /// Bring the database's schema up to date, then stop; with --from and --to, move an installation
    /// from SQLite to Postgres
    Migrate(Move),
    /// Say what is wrong with the configuration, and whether the stores answer
    Check(Box<Serve>),
}

/// `visitflow migrate`
#[derive(Debug, Args)]
pub struct Move {
    /// The SQLite file to read: sqlite://visitflow.db; no server may run on it. It stays as it is
    #[arg(long, requires = "to", value_name = "URL")]
    pub from: Option<DatabaseUrl>,
    /// The Postgres database to fill: postgres://USER:PASSWORD@HOST:5432/DATABASE; an empty one, or one
    /// that an interrupted migration has begun to fill
    #[arg(long, requires = "from", value_name = "URL")]
    pub to: Option<DatabaseUrl>,
}

impl Move {
    /// From where to where, if an installation is to move.
    ///
    /// # Errors
    /// What is wrong with the URLs.
    pub fn ends(&self) -> Result<Option<(Sqlite, PostgresUrl)>, String> {
        let (Some(from), Some(to)) = (&self.from, &self.to) else { return Ok(None) };
        Ok(Some((from.sqlite("--from")?, to.postgres("--to")?)))
    }
}

/// `visitflow user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user, or set the password of one: asked for in a terminal, else one line of stdin
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
    /// Erase visitors, anybody
    Erase,
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

/// Which parameters of addresses are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepQuery {
    /// Those that look like no secret, without e-mail addresses
    Safe,
    /// All of them, as they are sent
    All,
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
    /// How long a connection may stay open without a request, or with an answer that is not read; it is
    /// asked to end then, and closed after the same time again
    #[arg(long, env = "VISITFLOW_IDLE_TIMEOUT", default_value = "30s", value_parser = idle_timeout, help_heading = "Network", value_name = "DURATION")]
    pub idle_timeout: Duration,
    /// Where sessions are shared: `redis://HOST:6379`, rediss:// for TLS, several nodes of a cluster separated by commas; default: in the process
    #[arg(long, env = "REDIS_URL", hide_env_values = true, help_heading = "Storage", value_name = "URL")]
    pub redis_url: Option<RedisUrl>,
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
    /// How long such a JWT may be good: `exp` lies no further ahead, and `iat`, if present, no further
    /// back
    #[arg(
        long,
        env = "VISITFLOW_JWT_MAX_AGE",
        default_value = "1h",
        requires = "jwt_key",
        value_parser = humantime::parse_duration,
        help_heading = "Sign-in",
        value_name = "DURATION"
    )]
    pub jwt_max_age: Duration,
    /// What a browser's Global Privacy Control means
    #[arg(long, env = "VISITFLOW_GPC", default_value = "honour", help_heading = "Privacy")]
    pub gpc: Gpc,
    /// Which parameters of pages' addresses and referrers are stored; user:password@ and fragments that
    /// are no route never are
    #[arg(long, env = "VISITFLOW_KEEP_QUERY", default_value = "safe", help_heading = "Privacy")]
    pub keep_query: KeepQuery,
    /// A read replica for the reports, with Postgres only; default: --database-url
    #[arg(
        long,
        env = "VISITFLOW_REPORT_DATABASE_URL",
        hide_env_values = true,
        help_heading = "Storage",
        value_name = "URL"
    )]
    pub report_database_url: Option<DatabaseUrl>,
    /// The file in which facts wait while Postgres is away; of this server alone
    #[arg(
        long,
        env = "VISITFLOW_SPOOL",
        default_value = "visitflow-spool.db",
        help_heading = "Storage",
        value_name = "FILE"
    )]
    pub spool: PathBuf,
    /// How many bytes of commands the spool may hold (or 512M, 2G); then facts are refused until Postgres is back
    #[arg(long, env = "VISITFLOW_SPOOL_MAX", default_value = "1G", value_parser = spool_size, help_heading = "Storage", value_name = "BYTES")]
    pub spool_max: u64,
    /// Visits, facts and orders older than this many days are deleted, with Postgres only; default: kept
    #[arg(long, env = "VISITFLOW_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..=3650), help_heading = "Storage", value_name = "DAYS")]
    pub retention_days: Option<u32>,
    /// A regular expression for user agents that are not counted, beside the built-in ones (repeatable; in
    /// the environment one a line); upper and lower case are the same
    #[arg(
        long = "bot-pattern",
        env = "VISITFLOW_BOT_PATTERNS",
        value_delimiter = '\n',
        value_parser = crate::bots::pattern,
        help_heading = "Reports",
        value_name = "REGEX"
    )]
    pub bot_patterns: Vec<String>,
    /// A site whose facts are taken, such as shop.example (repeatable); facts of others are answered 204,
    /// dropped and counted; default: all
    #[arg(
        long = "site",
        env = "VISITFLOW_SITES",
        value_delimiter = ',',
        value_parser = site_name,
        help_heading = "Reports",
        value_name = "HOST"
    )]
    pub sites: Vec<String>,
    /// Whose orders count
    #[arg(long, env = "VISITFLOW_ORDERS", default_value = "any", help_heading = "Reports")]
    pub orders: Orders,
    /// Serve pages and client from this folder, uncached, instead of those in the binary
    #[arg(long, env = "VISITFLOW_WWW", help_heading = "Development", value_name = "DIR")]
    pub www: Option<PathBuf>,
}

impl Serve {
    /// What is wrong with the origin that pages are compared with, if anything.
    #[must_use]
    pub fn origin_warning(&self) -> Option<&'static str> {
        (self.public_url.is_none() && !self.listen.ip().to_canonical().is_loopback()).then_some(
            "without --public-url any host name counts as this server's own, so a page whose domain points \
             at this address may send facts; set --public-url https://stats.example.com",
        )
    }

    /// The session limits.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        Ttl { idle_ms: millis(self.session_idle), max_ms: millis(self.session_max) }
    }

    /// Whether facts of this site are taken; it is in the form that [`crate::site`] gives.
    #[must_use]
    pub fn takes(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|taken| taken == site)
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

    /// The read replica for the reports, if there is one.
    ///
    /// # Errors
    /// What is wrong with its URL.
    pub fn report_database(&self) -> Result<Option<PostgresUrl>, String> {
        self.report_database_url.as_ref().map(|url| url.postgres("--report-database-url")).transpose()
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
        self.report_database()?;
        if let Some(problem) = self.redis_url.as_ref().and_then(RedisUrl::problem) {
            return Err(problem.to_owned());
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

fn idle_timeout(text: &str) -> Result<Duration, String> {
    let length = humantime::parse_duration(text).map_err(|error| format!("{error}; write 30s or 2m"))?;
    let (least, most) = (Duration::from_secs(1), Duration::from_secs(3_600));
    if (least..=most).contains(&length) { Ok(length) } else { Err("a timeout is from 1s to 1h".into()) }
}

fn spool_size(text: &str) -> Result<u64, String> {
    let units = [('K', 10), ('M', 20), ('G', 30)];
    let last = text.chars().next_back().unwrap_or_default().to_ascii_uppercase();
    let (digits, shift) = match units.iter().find(|(unit, _)| *unit == last) {
        Some((_, shift)) => (&text[..text.len() - 1], *shift),
        None => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| "write a number of bytes, or such as 512M or 2G")?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| (1 << 20..=1 << 40).contains(bytes))
        .ok_or_else(|| "a spool has from 1M to 1024G".into())
}

fn site_name(name: &str) -> Result<String, String> {
    crate::site::normalize(name).ok_or_else(|| "write a host name such as shop.example".into())
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
    fn a_server_that_others_can_reach_is_told_to_say_its_name() {
        let warns = |flags: &[&str]| serve(flags).unwrap().origin_warning().is_some();
        assert!(!warns(&[]));
        assert!(!warns(&["--listen", "[::1]:8080"]));
        assert!(!warns(&["--listen", "[::ffff:127.0.0.1]:8080"]));
        assert!(warns(&["--listen", "0.0.0.0:8080"]));
        assert!(warns(&["--listen", "[::]:8080", "--allowed-origin", "https://shop.example"]));
        assert!(!warns(&["--listen", "0.0.0.0:8080", "--public-url", "https://stats.example"]));
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
    fn a_spool_has_a_size_and_reports_may_come_from_a_replica() {
        let with = |flags: &[&str]| serve(flags).unwrap();
        assert_eq!(with(&[]).spool_max, 1 << 30);
        assert_eq!(with(&["--spool-max", "512M"]).spool_max, 512 << 20);
        assert_eq!(with(&["--spool-max", "2g"]).spool_max, 2 << 30);
        assert_eq!(with(&["--spool-max", "5000000"]).spool_max, 5_000_000);
        assert_eq!(with(&["--retention-days", "90"]).retention_days, Some(90));
        assert!(
            with(&["--report-database-url", "postgres://replica/x"]).report_database().unwrap().is_some()
        );
    }

    #[test]
    fn sites_are_taken_by_their_one_name() {
        let all = serve(&[]).unwrap();
        assert!(all.takes("shop.example"));
        let two = serve(&["--site", "WWW.Shop.example:8443", "--site", "b\u{fc}cher.example,other.example"])
            .unwrap();
        assert_eq!(two.sites, ["shop.example", "xn--bcher-kva.example", "other.example"]);
        assert!(two.takes("other.example") && !two.takes("evil.example") && !two.takes(""));
    }

    #[test]
    fn a_password_for_redis_is_in_no_error_and_no_help() {
        let error = serve(&["--redis-url", "http://:secret@host"]).unwrap_err();
        assert!(error.contains("redis://host:6379") && !error.contains("secret"), "{error}");
        let serve = serve(&["--redis-url", "redis://:secret@host"]).unwrap();
        assert!(!format!("{serve:?}").contains("secret"));
        let command = Cli::command();
        let flag =
            command.find_subcommand("serve").unwrap().get_arguments().find(|a| a.get_id() == "redis_url");
        assert!(flag.unwrap().is_hide_env_values_set());
    }

    #[test]
    fn an_installation_moves_from_sqlite_to_postgres_and_no_other_way() {
        let ends = |flags: &[&str]| {
            let cli = Cli::try_parse_from(["visitflow", "migrate"].iter().chain(flags))
                .map_err(|error| error.to_string())?;
            let Command::Migrate(ends) = cli.command else { return Err("not migrate".into()) };
            ends.ends()
        };
        let (file, postgres) = ("sqlite://a.db", "postgres://u:secret@db/x");
        assert_eq!(ends(&[]), Ok(None));
        assert!(ends(&["--from", file, "--to", postgres]).unwrap().is_some());
        for (flags, hint) in [
            (&["--from", file][..], "--to"),
            (&["--to", postgres], "--from"),
            (&["--from", postgres, "--to", file], "--from: write sqlite://"),
            (&["--from", file, "--to", file], "--to: write postgres://"),
        ] {
            let error = ends(flags).unwrap_err();
            assert!(error.contains(hint) && !error.contains("secret"), "{flags:?}: {error}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_way_out() {
        for (flags, hint) in [
            (&["--session-max", "1m"][..], "--session-idle"),
            (&["--cookie-prefix", "host", "--cookie-domain", "a.example"], "drop"),
            (&["--session-idle", "30"], "write 30m"),
            (&["--idle-timeout", "0s"], "1s to 1h"),
            (&["--allowed-origin", "shop.example"], "https://"),
            (&["--tls-cert", "a.pem"], "--tls-key"),
            (&["--jwt-audience", "shop"], "--jwt-key"),
            (&["--jwt-max-age", "2h"], "--jwt-key"),
            (&["--jwt-key", "k", "--jwt-max-age", "long"], "--jwt-max-age"),
            (&["--report-database-url", "sqlite://a.db"], "postgres://"),
            (&["--report-database-url", "postgres://"], "--report-database-url"),
            (&["--site", "https://shop.example/"], "such as shop.example"),
            (&["--keep-query", "none"], "safe, all"),
            (&["--bot-pattern", "("], "--bot-pattern"),
            (&["--bot-pattern", ".*"], "every user agent"),
            (&["--spool-max", "1T"], "512M"),
            (&["--spool-max", "1K"], "1M"),
            (&["--retention-days", "0"], "1..=3650"),
        ] {
            let error = serve(flags).unwrap_err();
            assert!(error.contains(hint), "{flags:?}: {error}");
        }
    }
}
