//! What a server has stored, read past it: from SQLite's file or from PostgreSQL.

use crate::machine::PATIENCE;
use crate::{Server, sql};
use rusqlite::{Connection, OpenFlags};

impl Server {
    /// The server's SQLite database, while it runs or not.
    ///
    /// # Panics
    ///
    /// There is none.
    #[must_use]
    pub fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(self.database_path(), flags);
        let connection = connection.expect("the server has made its database");
        connection.busy_timeout(PATIENCE).expect("SQLite takes a timeout");
        connection
    }

    /// The one number that a query gives.
    ///
    /// # Panics
    ///
    /// The query is refused, or gives something else.
    #[must_use]
    #[track_caller]
    pub fn number(&self, query: &str) -> i64 {
        if let Some(url) = self.postgres_url() {
            return wait_for(sql::number(url, query));
        }
        match self.database().query_row(query, [], |row| row.get(0)) {
            Ok(number) => number,
            Err(error) => panic!("{query}: {error}"),
        }
    }

    /// The texts of a query's first column, NULL as an empty text.
    ///
    /// # Panics
    ///
    /// The query is refused.
    #[must_use]
    #[track_caller]
    pub fn texts(&self, query: &str) -> Vec<String> {
        if let Some(url) = self.postgres_url() {
            return wait_for(sql::texts(url, query));
        }
        let database = self.database();
        let mut statement = match database.prepare(query) {
            Ok(statement) => statement,
            Err(error) => panic!("{query}: {error}"),
        };
        let rows = statement
            .query_map([], |row| Ok(row.get::<_, Option<String>>(0)?.unwrap_or_default()))
            .expect("the query runs");
        rows.map(|row| row.expect("a text")).collect()
    }

    /// Lets time pass for every session and visit of a server that is stopped.
    ///
    /// # Panics
    ///
    /// Its database is not SQLite.
    pub fn age(&self, ms: i64) {
        let sql = format!(
            "UPDATE session_tokens SET created_at = created_at - {ms}, last_activity = last_activity - {ms};
             UPDATE sessions SET started_at = started_at - {ms}, last_activity = last_activity - {ms};"
        );
        self.database().execute_batch(&sql).expect("the rows can be changed");
    }

    /// # Panics
    ///
    /// The number of visits is another.
    #[track_caller]
    pub fn assert_visits(&self, expected: i64) {
        assert_eq!(self.number("SELECT COUNT(*) FROM sessions"), expected, "visits");
    }

    /// # Panics
    ///
    /// The number of page views is another.
    #[track_caller]
    pub fn assert_page_views(&self, expected: i64) {
        let found = self.number("SELECT COUNT(*) FROM page_views");
        assert_eq!(found, expected, "page views");
    }
}

/// Waits for an answer on a thread of its own: a test reads both kinds of database in the same
/// words, in whichever runtime it runs.
fn wait_for<T: Send>(question: impl Future<Output = T> + Send) -> T {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(question)
    };
    let answer = std::thread::scope(|scope| scope.spawn(ask).join());
    answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A length as a database gives it.
#[must_use]
pub fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
