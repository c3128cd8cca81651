//! The same rows in both databases.

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use tokio_postgres::Client;
use uuid::Uuid;
use visitflow_server::database::accounts::Accounts;
use visitflow_server::database::postgres::pool::Pool;
use visitflow_server::database::postgres::reports::PostgresReports;
use visitflow_server::database::reports::Reports;
use visitflow_server::database::sqlite::Sqlite;
use visitflow_server::database::sqlite::readers::Readers;
use visitflow_server::session::Millis;

use crate::cluster::{client, database, parsed};

/// Both databases, and what is asked of them.
pub(crate) struct Both {
    pub(crate) file: Connection,
    pub(crate) postgres: Client,
    pub(crate) url: String,
    pub(crate) reports: [Reports; 2],
    pub(crate) accounts: [Accounts; 2],
    _folder: TempDir,
}

impl Both {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::new(folder.path().join("visitflow.db"));
        let url = database().await;
        let (reports, lookups) =
            (Pool::reports(&parsed(&url)).unwrap(), Pool::lookups(&parsed(&url)).unwrap());
        Self {
            file: sqlite.open().unwrap(),
            postgres: client(&url).await,
            url,
            reports: [
                Reports::Sqlite(Readers::new(sqlite.clone(), 2)),
                Reports::Postgres(PostgresReports::new(reports)),
            ],
            accounts: [Accounts::Sqlite(Readers::new(sqlite, 2)), Accounts::Postgres(lookups)],
            _folder: folder,
        }
    }

    /// Inserts a row into `table` on both sides; `columns` names them, separated by commas.
    pub(crate) async fn insert(&self, table: &str, columns: &str, values: &[Cell<'_>]) {
        let marks = (1..=values.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        let cells = values.iter().map(Cell::sqlite);
        self.file
            .execute(
                &format!("INSERT INTO {table} ({columns}) VALUES ({marks})"),
                rusqlite::params_from_iter(cells),
            )
            .unwrap();
        let facts = ["page_views", "events"].contains(&table);
        let (columns, time) =
            if facts { (format!("id_time, {columns}"), "1, ") } else { (columns.into(), "") };
        let literals = values.iter().map(Cell::postgres).collect::<Vec<_>>().join(", ");
        self.postgres
            .batch_execute(&format!("INSERT INTO {table} ({columns}) VALUES ({time}{literals})"))
            .await
            .unwrap();
    }

    /// A visit of one minute per page view.
    pub(crate) async fn visit(
        &self,
        site: &str,
        visitor: Option<&str>,
        user: Option<&str>,
        at: Millis,
        views: i64,
    ) -> Uuid {
        let id = Uuid::now_v7();
        let columns =
            "id, site, visitor_id, user_id, started_at, last_activity, page_views, events, referrer_host";
        let host = visitor.and_then(|visitor| visitor.split_once('@')).map(|(_, host)| host);
        let last = at + 60_001 * views;
        let cells = [
            Cell::Id(id),
            Cell::Text(site),
            visitor.into(),
            user.into(),
            Cell::Int(at),
            Cell::Int(last),
            Cell::Int(views),
            Cell::Int(0),
            host.into(),
        ];
        self.insert("sessions", columns, &cells).await;
        id
    }

    pub(crate) async fn page_view(&self, site: &str, visit: Option<Uuid>, at: Millis, path: &str) {
        let cells = [
            Cell::Text(site),
            Cell::Id(Uuid::now_v7()),
            visit.map_or(Cell::Null, Cell::Id),
            Cell::Int(at),
            Cell::Int(at),
            Cell::Text("https://a.example/"),
            Cell::Text(path),
        ];
        self.insert("page_views", "site, id, visit_id, occurred_at, received_at, url, path", &cells).await;
    }

    /// An order of a visit, perhaps a disputed one.
    #[expect(clippy::too_many_arguments, reason = "a row")]
    pub(crate) async fn order_of(
        &self,
        site: &str,
        id: &str,
        at: Millis,
        amount: &str,
        currency: &str,
        visit: Option<Uuid>,
        disputed: bool,
    ) {
        let columns = "site, id, amount, currency, source, visit_id, disputed, created_at, received_at";
        let cells = [
            Cell::Text(site),
            Cell::Text(id),
            Cell::Text(amount),
            Cell::Text(currency),
            Cell::Text("browser"),
            visit.map_or(Cell::Null, Cell::Id),
            Cell::Bool(disputed),
            Cell::Int(at),
            Cell::Int(at),
        ];
        self.insert("orders", columns, &cells).await;
    }

    pub(crate) async fn refund(&self, site: &str, id: &str, at: Millis, amount: &str, currency: &str) {
        let columns = "site, id, refund_of, amount, currency, created_at, received_at";
        let cells = [
            Cell::Text(site),
            Cell::Text(id),
            Cell::Text("order 1"),
            Cell::Text(amount),
            Cell::Text(currency),
            Cell::Int(at),
            Cell::Int(at),
        ];
        self.insert("refunds", columns, &cells).await;
    }
}

/// A value in either database.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    Id(Uuid),
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl Cell<'_> {
    fn sqlite(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Integer((*flag).into()),
            Self::Int(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text((*text).into()),
            Self::Id(id) => Value::Text(id.to_string()),
        }
    }

    fn postgres(&self) -> String {
        match self {
            Self::Null => "NULL".into(),
            Self::Bool(flag) => flag.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Id(id) => format!("'{id}'"),
        }
    }
}
