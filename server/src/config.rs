//! The command line: flags, environment variables, defaults, units.
//!
//! | module | holds |
//! |---|---|
//! | this one | the flags that all commands share, and those of `serve` |
//! | [`commands`] | the command line, the subcommands |
//! | `values` | what a flag may say |
//! | `checks` | which flags go together |
//! | `database` | the URL of a database |
//! | [`environment`] | variables that no flag has |

mod checks;
pub mod commands;
mod database;
pub mod environment;
#[cfg(test)]
mod tests;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use ipnet::IpNet;

pub use self::database::DatabaseUrl;
pub use self::values::{CookiePrefix, CookieSecure, Gpc, Orders};
use self::values::{
    cookie_domain, duration, idle_timeout, listen_address, millis, network, session_length, site_name,
    spool_size,
};
use crate::address::KeepQuery;
use crate::database::postgres::url::PostgresUrl;
use crate::http::cookie_names::{CookieNames, Ours, cookie_name};
use crate::http::origin::Origin;
use crate::http::prefix::PathPrefix;
use crate::log::{Filter, LogFormat};
use crate::session::Ttl;
use crate::session_cache::redis::RedisUrl;

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The database: sqlite://FILE (absolute path: sqlite:///var/lib/visitflow.db) or
    /// postgres://USER:PASSWORD@HOST:5432/DATABASE (also with several hosts, target_session_attrs,
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
    /// Level of visitflow's own log lines on stderr: error, warn, info, debug, trace or off. Other crates log only
    /// warnings and errors, unless you name them, as in debug,hyper=debug. Some crates log the data that they process:
    /// for example, tokio_postgres=debug logs visitor ids and password hashes
    #[arg(
        long,
        env = "VISITFLOW_LOG",
        default_value = "info",
        global = true,
        help_heading = "Logging",
        value_name = "LEVEL"
    )]
    pub log: Filter,
    /// Log format
    #[arg(
        long,
        env = "VISITFLOW_LOG_FORMAT",
        default_value = "text",
        global = true,
        help_heading = "Logging"
    )]
    pub log_format: LogFormat,
}

/// `visitflow serve`
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Address to listen on for visitors, such as 127.0.0.1:8080, localhost:8080 or `[::1]:8080`; :8080 or 8080 means
    /// all addresses of this machine, IPv6 and IPv4
    #[arg(
        long,
        env = "VISITFLOW_LISTEN",
        default_value = "127.0.0.1:8080",
        value_parser = listen_address,
        help_heading = "Network",
        value_name = "ADDR"
    )]
    pub listen: SocketAddr,
    /// Address to listen on for /healthz, /readyz and /metrics, in the same forms; keep it private
    #[arg(
        long,
        env = "VISITFLOW_ADMIN_LISTEN",
        default_value = "127.0.0.1:8081",
        value_parser = listen_address,
        help_heading = "Network",
        value_name = "ADDR"
    )]
    pub admin_listen: SocketAddr,
    /// Origin under which browsers reach this server, such as `https://stats.example.com`; default: taken from each request
    #[arg(long, env = "VISITFLOW_PUBLIC_URL", help_heading = "Network", value_name = "ORIGIN")]
    pub public_url: Option<Origin>,
    /// Also serve everything below this path, such as /visits, for a proxy that passes requests on without changing
    /// their paths
    #[arg(long, env = "VISITFLOW_PATH_PREFIX", help_heading = "Network", value_name = "PATH")]
    pub path_prefix: Option<PathPrefix>,
    /// Origin whose pages may send requests to this server and read the answers, such as `https://www.example.com`
    /// (repeatable); default: only the server's own origin
    #[arg(
        long = "allowed-origin",
        env = "VISITFLOW_ALLOWED_ORIGINS",
        value_delimiter = ',',
        help_heading = "Network",
        value_name = "ORIGIN"
    )]
    pub allowed_origins: Vec<Origin>,
    /// Proxy whose X-Forwarded-* headers are trusted: a network or an address (repeatable)
    #[arg(
        long = "trusted-proxy",
        env = "VISITFLOW_TRUSTED_PROXIES",
        value_delimiter = ',',
        default_value = "127.0.0.0/8,::1/128",
        value_parser = network,
        help_heading = "Network",
        value_name = "CIDR"
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate chain in PEM; with --tls-key the server speaks HTTPS. SIGHUP reloads both files
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
    /// How long requests in progress may still take after SIGTERM, SIGINT or SIGQUIT
    #[arg(long, env = "VISITFLOW_DRAIN", default_value = "10s", value_parser = duration, help_heading = "Network", value_name = "DURATION")]
    pub drain: Duration,
    /// How long the server waits for a client that sends no request or does not read its answer. Then it asks the
    /// client to close the connection, and after the same time again it closes the connection itself
    #[arg(long, env = "VISITFLOW_IDLE_TIMEOUT", default_value = "30s", value_parser = idle_timeout, help_heading = "Network", value_name = "DURATION")]
    pub idle_timeout: Duration,
    /// Redis through which several servers share sessions: `redis://HOST:6379`, rediss:// for TLS; for a Redis Cluster,
    /// several of its nodes separated by commas; default: none, each server keeps sessions in its own memory
    #[arg(long, env = "REDIS_URL", hide_env_values = true, help_heading = "Storage", value_name = "URL")]
    pub redis_url: Option<RedisUrl>,
    /// Idle time after which a session ends
    #[arg(long, env = "VISITFLOW_SESSION_IDLE", default_value = "30m", value_parser = session_length, help_heading = "Sessions", value_name = "DURATION")]
    pub session_idle: Duration,
    /// Age at which a session ends, even if it is active
    #[arg(long, env = "VISITFLOW_SESSION_MAX", default_value = "24h", value_parser = session_length, help_heading = "Sessions", value_name = "DURATION")]
    pub session_max: Duration,
    /// Idle time after which a session ends if its user asked to be remembered
    #[arg(long, env = "VISITFLOW_SESSION_REMEMBER", default_value = "30d", value_parser = session_length, help_heading = "Sessions", value_name = "DURATION")]
    pub session_remember: Duration,
    /// Age at which a remembered session ends, even if it is active
    #[arg(long, env = "VISITFLOW_SESSION_REMEMBER_MAX", default_value = "90d", value_parser = session_length, help_heading = "Sessions", value_name = "DURATION")]
    pub session_remember_max: Duration,
    /// Domain attribute of the cookies, such as example.com; default: none, cookies are for this host only
    #[arg(long, env = "VISITFLOW_COOKIE_DOMAIN", value_parser = cookie_domain, help_heading = "Sessions", value_name = "DOMAIN")]
    pub cookie_domain: Option<String>,
    /// Which cookies get the attribute Secure
    #[arg(long, env = "VISITFLOW_COOKIE_SECURE", default_value = "always", help_heading = "Sessions")]
    pub cookie_secure: CookieSecure,
    /// Prefix of the session cookie's name
    #[arg(long, env = "VISITFLOW_COOKIE_PREFIX", default_value = "none", help_heading = "Sessions")]
    pub cookie_prefix: CookiePrefix,
    /// Another name for one of visitflow's cookies, such as session_id=shop_sid (repeatable). Use it if another
    /// application of the site already has a cookie named session_id, visitor_id, last_activity or visitor_key. If you
    /// rename visitor_id or last_activity, give the client the same names (cookieNames)
    #[arg(
        long = "cookie-name",
        env = "VISITFLOW_COOKIE_NAME",
        value_delimiter = ',',
        value_parser = cookie_name,
        help_heading = "Sessions",
        value_name = "COOKIE=NAME"
    )]
    pub cookie_names: Vec<(Ours, String)>,
    /// File with the key of your own identity provider; visitors can then sign in with its JWTs. The file holds a
    /// secret of at least 32 bytes (HS256) or a public key in PEM (RS256, ES256, EdDSA); default: JWTs are refused
    #[arg(long, env = "VISITFLOW_JWT_KEY", help_heading = "Sign-in", value_name = "FILE")]
    pub jwt_key: Option<PathBuf>,
    /// Audience that these JWTs must name; default: --public-url, or the word visitflow if that is not set
    #[arg(
        long,
        env = "VISITFLOW_JWT_AUDIENCE",
        requires = "jwt_key",
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Sign-in",
        value_name = "AUDIENCE"
    )]
    pub jwt_audience: Option<String>,
    /// Longest time for which such a JWT may be valid: `exp` may be at most this far in the future, and `iat`, if
    /// present, at most this far in the past
    #[arg(
        long,
        env = "VISITFLOW_JWT_MAX_AGE",
        default_value = "1h",
        requires = "jwt_key",
        value_parser = duration,
        help_heading = "Sign-in",
        value_name = "DURATION"
    )]
    pub jwt_max_age: Duration,
    /// What to do if a browser sends Global Privacy Control (Sec-GPC: 1)
    #[arg(long, env = "VISITFLOW_GPC", default_value = "honour", help_heading = "Privacy")]
    pub gpc: Gpc,
    /// Which query parameters of addresses and referrers are stored. user:password@ is never stored, and neither are
    /// fragments, except routes such as #/cart
    #[arg(long, env = "VISITFLOW_KEEP_QUERY", default_value = "safe", help_heading = "Privacy")]
    pub keep_query: KeepQuery,
    /// Read replica for the reports, with Postgres only; default: --database-url
    #[arg(
        long,
        env = "VISITFLOW_REPORT_DATABASE_URL",
        hide_env_values = true,
        help_heading = "Storage",
        value_name = "URL"
    )]
    pub report_database_url: Option<DatabaseUrl>,
    /// File in which this server stores facts while Postgres is away; never share it between servers
    #[arg(
        long,
        env = "VISITFLOW_SPOOL",
        default_value = "visitflow-spool.db",
        help_heading = "Storage",
        value_name = "FILE"
    )]
    pub spool: PathBuf,
    /// Maximum size of the commands in the spool, as a number of bytes or with a unit such as 512M or 2G; when the
    /// spool is full, facts are refused until Postgres is back
    #[arg(long, env = "VISITFLOW_SPOOL_MAX", default_value = "1G", value_parser = spool_size, help_heading = "Storage", value_name = "BYTES")]
    pub spool_max: u64,
    /// Delete visits and facts older than this many days, with Postgres only; default: keep them
    #[arg(long, env = "VISITFLOW_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..=3650), help_heading = "Storage", value_name = "DAYS")]
    pub retention_days: Option<u32>,
    /// Regular expression for user agents that are not counted, in addition to the built-in ones (repeatable; in the
    /// environment variable one per line). Case is ignored
    #[arg(
        long = "bot-pattern",
        env = "VISITFLOW_BOT_PATTERNS",
        value_delimiter = '\n',
        value_parser = crate::bots::pattern,
        help_heading = "Reports",
        value_name = "REGEX"
    )]
    pub bot_patterns: Vec<String>,
    /// Site whose facts are stored, such as shop.example (repeatable). Facts of other sites are answered 204 but not
    /// stored; visitflow_dropped_total counts them; default: all sites
    #[arg(
        long = "site",
        env = "VISITFLOW_SITES",
        value_delimiter = ',',
        value_parser = site_name,
        help_heading = "Reports",
        value_name = "HOST"
    )]
    pub sites: Vec<String>,
    /// Which orders are accepted
    #[arg(long, env = "VISITFLOW_ORDERS", default_value = "any", help_heading = "Reports")]
    pub orders: Orders,
    /// Serve the pages and the client from this folder, without caching, instead of those in the binary
    #[arg(long, env = "VISITFLOW_WWW", help_heading = "Development", value_name = "DIR")]
    pub www: Option<PathBuf>,
}

impl Serve {
    /// The session limits.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        Ttl {
            idle_ms: millis(self.session_idle),
            max_ms: millis(self.session_max),
            remember_idle_ms: millis(self.session_remember),
            remember_max_ms: millis(self.session_remember_max),
        }
    }

    /// Whether facts of this site are accepted; `site` is in the form of [`crate::site`].
    #[must_use]
    pub fn takes(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|taken| taken == site)
    }

    /// The names of the cookies.
    ///
    /// # Errors
    /// When the names cannot be used together.
    pub fn cookie_names(&self) -> Result<CookieNames, String> {
        let names = CookieNames::new(&self.cookie_names)?;
        Ok(match self.cookie_prefix {
            CookiePrefix::None => names,
            CookiePrefix::Host => names.with_host_prefix(),
        })
    }

    /// Whether the server itself uses TLS.
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
}
