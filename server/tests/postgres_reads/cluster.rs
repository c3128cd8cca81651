//! A Postgres of the test's own: one cluster a process, one database a test. It ends with the
//! process, however that ends.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};
use visitflow_server::database::postgres::migrations::migrate;
use visitflow_server::database::postgres::url::PostgresUrl;

/// Waits for the pipe from this process to close, then stops Postgres and clears up.
const KEEPER: &str = r#"
set -e
"$BIN/initdb" --pgdata="$DIR/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --locale-provider=icu --icu-locale=en >"$DIR/initdb.log"
"$BIN/postgres" -D "$DIR/data" -p "$PORT" -k "$DIR" -c listen_addresses=127.0.0.1 \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off >"$DIR/postgres.log" 2>&1 </dev/null &
cat >/dev/null
kill -INT $! && wait $! || true
cd / && rm -rf "$DIR"
"#;

/// A running Postgres.
pub(crate) struct Cluster {
    pub(crate) port: u16,
    pub(crate) folder: PathBuf,
}

/// The cluster of this process. Its collation is that of English, so that an ORDER BY which
/// forgets to say "C" is noticed.
pub(crate) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("visitflow-postgres-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Postgres refuses to run as root.
        let root = std::fs::metadata(&folder).unwrap().uid() == 0;
        let mut keeper = Command::new(if root { "runuser" } else { "sh" });
        if root {
            let uid = Command::new("id").args(["-u", "postgres"]).output().unwrap().stdout;
            let uid = String::from_utf8(uid).unwrap().trim().parse().unwrap();
            std::os::unix::fs::chown(&folder, Some(uid), None).unwrap();
            keeper.args(["-u", "postgres", "--", "sh"]);
        }
        let mut keeper = keeper
            .args(["-c", KEEPER])
            .env("BIN", binaries())
            .env("DIR", &folder)
            .env("PORT", port.to_string())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        keeper.stdin.as_mut().unwrap().flush().unwrap();
        wait_for(&folder);
        std::mem::forget(keeper); // its pipe closes with the process
        Cluster { port, folder }
    })
}

/// The newest Postgres of the machine.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).max();
    newest.expect("no Postgres in /usr/lib/postgresql; apt-get install postgresql")
}

fn wait_for(folder: &Path) {
    for _ in 0..600 {
        let log = std::fs::read_to_string(folder.join("postgres.log")).unwrap_or_default();
        if log.contains("ready to accept connections") {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("Postgres does not start: {:?}", std::fs::read_to_string(folder.join("postgres.log")));
}

impl Cluster {
    /// A new, empty database's URL.
    pub(crate) async fn empty_database(&self) -> String {
        self.url(&self.create("").await)
    }

    /// The name of a new database.
    async fn create(&self, options: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let admin = client(&self.url("postgres")).await;
        admin.batch_execute(&format!("CREATE DATABASE {name} {options}")).await.unwrap();
        name
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// A new database with the schema: a copy of the first one.
pub(crate) async fn database() -> String {
    static FIRST: OnceCell<String> = OnceCell::const_new();
    let cluster = cluster();
    let migrated = async || {
        let name = cluster.create("").await;
        migrate(&parsed(&cluster.url(&name))).await.unwrap();
        name
    };
    let first = FIRST.get_or_init(migrated).await;
    cluster.url(&cluster.create(&format!("TEMPLATE {first}")).await)
}

pub(crate) fn parsed(url: &str) -> PostgresUrl {
    PostgresUrl::parse(url).unwrap()
}

/// A connection without the server's code in between.
pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
