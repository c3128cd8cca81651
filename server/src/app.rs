//! What every request shares.

use std::fs::File;
use std::sync::Arc;

use crate::bots::BotFilter;
use crate::config::{CookiePrefix, Serve};
use crate::endpoints::assets::Assets;
use crate::http::cookie::CookieStyle;
use crate::http::origin::OriginRules;
use crate::ingest::{Ingest, Writer};
use crate::lifecycle::Lifecycle;
use crate::observe::Metrics;
use crate::passwords::Passwords;
use crate::session::Millis;
use crate::store::events::Database;
use crate::store::events::accounts::Accounts;
use crate::store::events::reports::Reports;
use crate::store::events::sqlite::readers::Readers;
use crate::store::sessions::embedded::Embedded;
use crate::store::{Result, StoreError};
use crate::throttle::Throttle;

/// Reports that run at once; they are the first to wait when the machine is busy.
const REPORT_READERS: usize = 2;

/// Look-ups of users and keys that run at once.
const LOOKUP_READERS: usize = 4;

/// What every request shares.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub config: Serve,
    /// The steps of a session's life.
    pub lifecycle: Lifecycle,
    /// The dashboard's queries.
    pub reports: Reports,
    /// Users and keys.
    pub lookups: Accounts,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Limits by address and account.
    pub throttle: Throttle,
    /// Tells crawlers from browsers.
    pub bots: BotFilter,
    /// How cookies are written.
    pub cookies: CookieStyle,
    /// Who may call.
    pub origins: OriginRules,
    /// Pages and client.
    pub assets: Assets,
    /// Keeps other servers off the database.
    pub claim: File,
    /// For the operator.
    pub metrics: Arc<Metrics>,
}

impl App {
    /// Opens the stores.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub fn open(config: Serve, database: Database, now: Millis) -> Result<(Self, Writer)> {
        let Database::Sqlite(database) = database else {
            return Err(StoreError::Unsupported(
                "the server cannot store in Postgres yet; write --database-url sqlite://visitflow.db",
            ));
        };
        let claim = database.claim()?;
        let metrics = Metrics::new();
        let sessions = Arc::new(Embedded::new(config.ttl()));
        let (ingest, writer) =
            Ingest::start(database.open()?, Arc::clone(&sessions), Arc::clone(&metrics), now)?;
        let cookies = CookieStyle {
            session_name: match config.cookie_prefix {
                CookiePrefix::None => visitflow_protocol::cookie::SESSION,
                CookiePrefix::Host => "__Host-session_id",
            },
            session_max_age_s: config.ttl().idle_ms / 1_000,
            domain: config.cookie_domain.clone(),
        };
        let app = Self {
            lifecycle: Lifecycle { sessions, ingest },
            reports: Reports::Sqlite(Readers::new(database.clone(), REPORT_READERS)),
            lookups: Accounts::Sqlite(Readers::new(database, LOOKUP_READERS)),
            passwords: Passwords::new()?,
            throttle: Throttle::default(),
            bots: BotFilter::default(),
            cookies,
            origins: OriginRules {
                allowed: config.allowed_origins.clone(),
                public: config.public_url.clone(),
            },
            assets: Assets::new(config.www.clone()),
            claim,
            metrics,
            config,
        };
        Ok((app, writer))
    }
}
