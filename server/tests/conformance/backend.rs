//! The stores under test: two databases, with and without Redis, and either of them away.

use std::time::Duration;

use rusqlite::types::ValueRef;
use tempfile::TempDir;
use visitflow_server::database::disclosure::Disclosures;
use visitflow_server::database::postgres::pool::Pool;
use visitflow_server::database::postgres::url::PostgresUrl;
use visitflow_server::database::sqlite::Sqlite;
use visitflow_server::database::sqlite::readers::Readers;
use visitflow_server::database::store::{Lookup, Store};
use visitflow_server::database::{Database, postgres, sqlite};
use visitflow_server::ingest::Storage;
use visitflow_server::ingest::spool::Spool;
use visitflow_server::session::Millis;
use visitflow_server::session::record::Record;
use visitflow_server::session_cache::redis::RedisUrl;
use visitflow_testkit::proxy::{Mode, Proxy};
use visitflow_testkit::redis_cluster::RedisCluster;
use visitflow_testkit::{Redis, sql};

use crate::world::TTL;

/// The database and the Redis of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// SQLite; sessions in the process.
    Embedded,
    /// SQLite and Redis.
    SqliteRedis,
    /// Postgres alone.
    Postgres,
    /// Postgres, and a server that soon gives up on a batch.
    PostgresImpatient,
    /// Postgres and Redis.
    PostgresRedis,
    /// Postgres and a Redis Cluster.
    PostgresCluster,
    /// Postgres, and a Redis that refuses connections.
    RedisAway,
    /// Redis, and a Postgres that refuses connections during the steps of a case. It is back, and the spool is empty, before
    /// the case checks what is stored.
    PostgresAway,
    /// Both away, as above.
    BothAway,
}

/// How long a batch may take on [`Backend::PostgresImpatient`].
const IMPATIENT: Duration = Duration::from_secs(1);

/// An address where nothing listens.
const REFUSING_REDIS: &str = "redis://127.0.0.1:1";

impl Backend {
    /// Whether Postgres is away during the steps of a case.
    pub(crate) fn is_away(self) -> bool {
        matches!(self, Self::PostgresAway | Self::BothAway)
    }

    /// Whether there is a Redis that answers.
    pub(crate) fn has_redis(self) -> bool {
        matches!(self, Self::SqliteRedis | Self::PostgresRedis | Self::PostgresCluster | Self::PostgresAway)
    }

    async fn redis(self) -> Option<String> {
        match self {
            Self::Embedded | Self::Postgres | Self::PostgresImpatient => None,
            Self::SqliteRedis | Self::PostgresRedis | Self::PostgresAway => Some(Redis::shared().await.url()),
            Self::PostgresCluster => Some(RedisCluster::shared().await.urls()),
            Self::RedisAway | Self::BothAway => Some(REFUSING_REDIS.to_owned()),
        }
    }
}

/// The stores of one test: a database of its own, a Redis that tests share.
#[derive(Debug)]
pub(crate) struct Place {
    pub backend: Backend,
    folder: TempDir,
    /// Postgres, with a connection of its own for each of two servers.
    postgres: Option<(visitflow_testkit::Postgres, [Proxy; 2])>,
    redis: Option<String>,
}

/// What a server opens.
pub(crate) struct Opened {
    pub storage: Storage,
    pub lookup: Lookup,
    /// The sessions that a server on a file begins with.
    pub known: Vec<Record>,
}

impl Place {
    /// Empty stores, with the schema.
    pub(crate) async fn new(backend: Backend) -> Self {
        let postgres = match backend {
            Backend::Embedded | Backend::SqliteRedis => None,
            _ => {
                let postgres = visitflow_testkit::Postgres::shared_copy(with_schema).await;
                let lines = [Proxy::to(postgres.address()).await, Proxy::to(postgres.address()).await];
                Some((postgres, lines))
            }
        };
        let folder = tempfile::tempdir().unwrap();
        if postgres.is_none() {
            Database::Sqlite(sqlite_in(&folder)).migrate().await.unwrap();
        }
        Self { backend, folder, postgres, redis: backend.redis().await }
    }

    /// The database, over a connection that is never cut.
    pub(crate) fn database(&self) -> Database {
        match &self.postgres {
            Some((postgres, _)) => Database::Postgres(PostgresUrl::parse(&postgres.url()).unwrap()),
            None => Database::Sqlite(self.sqlite()),
        }
    }

    /// Redis, if there is one.
    pub(crate) fn redis(&self) -> Option<RedisUrl> {
        self.redis.as_ref().map(|url| url.parse().unwrap())
    }

    /// Opens the stores for the server of this number; it has a spool of its own.
    pub(crate) fn open(&self, server: usize, now: Millis) -> Opened {
        let Some((postgres, lines)) = &self.postgres else {
            let writer = sqlite::writer::Writer::open(&self.sqlite()).unwrap();
            let known = writer.recent(now - TTL.idle_ms).unwrap();
            let lookup = match self.redis {
                Some(_) => Lookup::Sqlite(Readers::new(self.sqlite(), 2)),
                None => Lookup::Complete(Readers::new(self.sqlite(), 2)),
            };
            return Opened { storage: Storage { store: Store::Sqlite(writer), spool: None }, lookup, known };
        };
        let line = lines.get(server).map(|line| postgres.url_over(line.address()));
        let url = PostgresUrl::parse(&line.unwrap_or_else(|| postgres.url())).unwrap();
        let lookup = Lookup::Postgres(Pool::lookups(&url).unwrap());
        let spool = Spool::open(&self.folder.path().join(format!("spool-{server}.db")), 64 << 20).unwrap();
        let mut writer = postgres::writer::Writer::new(url, None);
        if self.backend == Backend::PostgresImpatient {
            writer = writer.with_patience(IMPATIENT);
        }
        let store = Store::Postgres(writer);
        Opened { storage: Storage { store, spool: Some(spool) }, lookup, known: Vec::new() }
    }

    /// Reads everything that is stored about a visitor.
    pub(crate) fn disclosures(&self) -> Disclosures {
        match self.database() {
            Database::Sqlite(file) => Disclosures::Sqlite(Readers::new(file, 1)),
            Database::Postgres(url) => Disclosures::Postgres(Pool::disclosures(&url).unwrap()),
        }
    }

    /// Sets the state of a server's connection to Postgres, if there is one. That of the first server is cut if the database
    /// is away.
    pub(crate) fn line(&self, server: usize, mode: Mode) {
        if let Some((_, lines)) = &self.postgres {
            lines[server].set(mode);
        }
    }

    /// How many commands wait in the spool of the server of this number.
    pub(crate) fn spooled(&self, server: usize) -> i64 {
        let path = self.folder.path().join(format!("spool-{server}.db"));
        let spool = rusqlite::Connection::open(path).unwrap();
        spool.query_row("SELECT COUNT(*) FROM commands", [], |row| row.get(0)).unwrap()
    }

    /// Whether the database is Postgres, whose tables of facts have one more column.
    pub(crate) fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// Runs statements.
    pub(crate) async fn execute(&self, statements: &str) {
        match &self.postgres {
            Some((postgres, _)) => postgres.execute(statements).await,
            None => self.sqlite().open().unwrap().execute_batch(statements).unwrap(),
        }
    }

    /// The first column of a query as texts, NULL as an empty text.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        if let Some((postgres, _)) = &self.postgres {
            return sql::texts(&postgres.url(), query).await;
        }
        let db = self.sqlite().open_reader().unwrap();
        let mut statement = db.prepare(query).unwrap();
        let texts = statement.query_map([], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        });
        texts.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Makes the database refuse every event of this name.
    pub(crate) async fn refuse_events_named(&self, name: &str) {
        let statement = match &self.postgres {
            Some(_) => format!("ALTER TABLE events ADD CONSTRAINT refuse CHECK (name <> '{name}')"),
            None => format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.name = '{name}' \
                 BEGIN SELECT RAISE(ABORT, 'no'); END"
            ),
        };
        self.execute(&statement).await;
    }

    /// Makes Postgres fail, as if it were away, if a batch holds an event of this name.
    pub(crate) async fn fail_at_events_named(&self, name: &str) {
        let statement = format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE 'away' USING ERRCODE = 'cannot_connect_now'; END $$; \
             CREATE TRIGGER fail BEFORE INSERT ON events \
             FOR EACH ROW WHEN (NEW.name = '{name}') EXECUTE FUNCTION fail()"
        );
        self.execute(&statement).await;
    }

    /// Makes Postgres take ten minutes to store an event of this name.
    pub(crate) async fn slow_down_events_named(&self, name: &str) {
        let statement = format!(
            "CREATE FUNCTION takes_long() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; \
             CREATE TRIGGER takes_long BEFORE INSERT ON events \
             FOR EACH ROW WHEN (NEW.name = '{name}') EXECUTE FUNCTION takes_long()"
        );
        self.execute(&statement).await;
    }

    fn sqlite(&self) -> Sqlite {
        sqlite_in(&self.folder)
    }
}

fn sqlite_in(folder: &TempDir) -> Sqlite {
    Sqlite::new(folder.path().join("visitflow.db"))
}

async fn with_schema(url: String) {
    Database::Postgres(PostgresUrl::parse(&url).unwrap()).migrate().await.unwrap();
}
