//! What every request shares.

use std::fs::File;
use std::sync::Arc;

use crate::assertion::Assertions;
use crate::bots::BotFilter;
use crate::config::{CookiePrefix, Serve};
use crate::endpoints::assets::Assets;
use crate::http::cookie::CookieStyle;
use crate::http::origin::OriginRules;
use crate::ingest::{Durable, Ingest, Writer};
use crate::lifecycle::Lifecycle;
use crate::observe::Metrics;
use crate::passwords::Passwords;
use crate::session::Millis;
use crate::session::record::CROSSING_MS;
use crate::store::Result;
use crate::store::events::sqlite::readers::Readers;
use crate::store::events::sqlite::{self, Sqlite};
use crate::store::events::{Lookup, Store};
use crate::store::sessions::Sessions;
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
    /// Connections for the dashboard's queries.
    pub reports: Readers,
    /// Connections for users and keys.
    pub lookups: Readers,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Checks assertions, if `--jwt-key` is given.
    pub assertions: Option<Assertions>,
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
    pub fn open(
        config: Serve,
        assertions: Option<Assertions>,
        database: Sqlite,
        now: Millis,
    ) -> Result<(Self, Writer)> {
        let claim = database.claim()?;
        let metrics = Metrics::new();
        let sessions = Arc::new(Sessions::new(config.ttl(), Lookup::Complete));
        let store = sqlite::writer::Writer::open(&database)?;
        sessions.follow(store.recent(now - CROSSING_MS)?, now);
        let durable = Durable { store: Store::Sqlite(store), spool: None };
        let (ingest, writer) = Ingest::start(durable, Arc::clone(&sessions), Arc::clone(&metrics))?;
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
            reports: Readers::new(database.clone(), REPORT_READERS),
            lookups: Readers::new(database, LOOKUP_READERS),
            passwords: Passwords::new()?,
            assertions,
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
