//! What every request shares.

use std::fs::File;
use std::sync::Arc;

use crate::assertion::Assertions;
use crate::assets::Assets;
use crate::bots::BotFilter;
use crate::config::Serve;
use crate::contract::reports;
use crate::database::accounts::Accounts;
use crate::database::disclosure::Disclosures;
use crate::database::error::{Result, StoreError};
use crate::database::postgres::pool::Pool;
use crate::database::postgres::reports::PostgresReports;
use crate::database::reports::Reports;
use crate::database::sqlite::readers::Readers;
use crate::database::store::{Lookup, Store};
use crate::database::{Database, postgres, sqlite};
use crate::http::cookie::CookieStyle;
use crate::http::foreign::ForeignOrigins;
use crate::http::origin::OriginRules;
use crate::ingest::spool::Spool;
use crate::ingest::{Ingest, Storage, Writer};
use crate::keys::Keys;
use crate::lifecycle::Lifecycle;
use crate::observe::Metrics;
use crate::passwords::{HashError, Passwords};
use crate::resolve::Sessions;
use crate::session::Millis;
use crate::session::record::Record;
use crate::session_cache::redis::RedisError;
use crate::throttle::Throttle;

/// How many reports run at once. Few, so that they are the first to wait when the machine is busy.
const REPORT_READERS: usize = 2;

/// How many look-ups of users, keys and sessions run at once.
const LOOKUP_READERS: usize = 4;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A database, or the spool, cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The password that unknown users are checked against cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// What every request shares.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub config: Serve,
    /// The steps of a session's life.
    pub lifecycle: Lifecycle,
    /// The dashboard's queries.
    pub reports: Reports,
    /// What is stored about single visitors.
    pub disclosures: Disclosures,
    /// Users and API keys.
    pub lookups: Accounts,
    /// API keys.
    pub keys: Keys,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Checks assertions, if `--jwt-key` is given.
    pub assertions: Option<Assertions>,
    /// Limits by address and account.
    pub throttle: Throttle,
    /// Recognizes robots.
    pub bots: BotFilter,
    /// How cookies are written.
    pub cookies: CookieStyle,
    /// Which origins may call.
    pub origins: OriginRules,
    /// Which origins were refused.
    pub foreign: ForeignOrigins,
    /// The pages and the client.
    pub assets: Assets,
    /// The lock that keeps other servers off the database, if that is a file.
    pub claim: Option<File>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

impl App {
    /// Opens the databases and the spool, and starts the writer.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub fn open(
        config: Serve,
        assertions: Option<Assertions>,
        database: Database,
        now: Millis,
    ) -> std::result::Result<(Self, Writer), OpenError> {
        let metrics = match config.redis_url {
            Some(_) => Metrics::with_redis(),
            None => Metrics::new(),
        };
        let Stores { storage, lookup, reports, disclosures, lookups, claim, known } =
            Stores::open(&config, database, now)?;
        let sessions = match &config.redis_url {
            Some(url) => Sessions::with_redis(config.ttl(), lookup, url)?,
            None => Arc::new(Sessions::new(config.ttl(), lookup)),
        };
        sessions.fill(known, now);
        let (ingest, writer) = Ingest::start(storage, Arc::clone(&sessions), Arc::clone(&metrics))?;
        let cookies = CookieStyle {
            names: config.cookie_names().map_err(StoreError::Configuration)?,
            domain: config.cookie_domain.clone(),
        };
        let app = Self {
            lifecycle: Lifecycle { sessions, ingest },
            reports,
            disclosures,
            keys: Keys::new(lookups.clone()),
            lookups,
            passwords: Passwords::new()?,
            assertions,
            throttle: Throttle::new(Passwords::at_once()),
            bots: BotFilter::new(&config.bot_patterns).map_err(StoreError::Configuration)?,
            cookies,
            origins: OriginRules {
                allowed: config.allowed_origins.clone(),
                public: config.public_url.clone(),
            },
            foreign: ForeignOrigins::default(),
            assets: Assets::new(config.www.clone()),
            claim,
            metrics,
            config,
        };
        Ok((app, writer))
    }
}

/// The databases, as the configuration wants them.
struct Stores {
    storage: Storage,
    lookup: Lookup,
    reports: Reports,
    disclosures: Disclosures,
    lookups: Accounts,
    claim: Option<File>,
    /// The sessions with which the session cache of this process begins.
    known: Vec<Record>,
}

impl Stores {
    fn open(config: &Serve, database: Database, now: Millis) -> Result<Self> {
        match database {
            Database::Sqlite(database) => {
                let claim = Some(database.claim()?);
                let reports = Readers::new(database.clone(), REPORT_READERS).within(reports::LIMIT);
                let writer = sqlite::writer::Writer::open(&database)?.behind(reports.gate(), &database);
                let known = writer.recent(now - config.ttl().idle_ms)?;
                let lookups = Readers::new(database.clone(), LOOKUP_READERS);
                Ok(Self {
                    storage: Storage { store: Store::Sqlite(writer), spool: None },
                    lookup: match config.redis_url {
                        Some(_) => Lookup::Sqlite(lookups.clone()),
                        None => Lookup::Complete(lookups.clone()),
                    },
                    disclosures: Disclosures::Sqlite(reports.clone()),
                    reports: Reports::Sqlite(reports),
                    lookups: Accounts::Sqlite(lookups),
                    claim,
                    known,
                })
            }
            // No connection is made here: Postgres may start later than this server.
            Database::Postgres(url) => {
                let pool = Pool::lookups(&url)?;
                let replica = config.report_database().map_err(StoreError::Configuration)?;
                let reports = Pool::reports(replica.as_ref().unwrap_or(&url))?;
                let disclosures = Disclosures::Postgres(Pool::disclosures(&url)?);
                let writer = postgres::writer::Writer::new(url, config.retention_days);
                let spool = Spool::open(&config.spool, config.spool_max)?;
                Ok(Self {
                    storage: Storage { store: Store::Postgres(writer), spool: Some(spool) },
                    lookup: Lookup::Postgres(pool.clone()),
                    disclosures,
                    reports: Reports::Postgres(PostgresReports::new(reports)),
                    lookups: Accounts::Postgres(pool),
                    claim: None,
                    known: Vec::new(),
                })
            }
        }
    }
}
