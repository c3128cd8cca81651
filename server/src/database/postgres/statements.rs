//! Statements, each prepared when it is first needed and kept for the life of the connection; and the list of the
//! writer's statements.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, SimpleQueryMessage, Statement, Transaction};

use crate::database::error::{Result, StoreError};

/// A statement by the name of its file: name and text.
macro_rules! named {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/postgres/", $name, ".sql")))
    };
}
pub(super) use named;

/// Name and text of a statement.
pub(super) type Sql = (&'static str, &'static str);

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What has been prepared on a connection.
#[derive(Default)]
struct Prepared(Mutex<HashMap<&'static str, Statement>>);

impl Prepared {
    async fn statement(&self, client: &Client, (name, text): Sql) -> Result<Statement> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = client.prepare(text).await?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, statement.clone());
        Ok(statement)
    }
}

/// A connection, and what has been prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    prepared: Prepared,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Self { client, prepared: Prepared::default() }
    }

    /// A transaction that only reads, and that sees one instant. It is dropped, not committed: there is nothing to commit,
    /// and nothing waits for the ROLLBACK.
    pub(super) async fn snapshot(&mut self) -> Result<Snapshot<'_>> {
        let transaction = self.client.build_transaction();
        let transaction = transaction.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        Ok(Snapshot { transaction: transaction.start().await?, prepared: &self.prepared })
    }

    /// Runs a query. Queries whose futures are polled together travel together.
    pub(super) async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query(&statement, params).await?)
    }

    /// Runs a query that has at most one row.
    pub(super) async fn query_opt(&self, sql: Sql, params: Params<'_>) -> Result<Option<Row>> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query_opt(&statement, params).await?)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.execute(&statement, params).await?)
    }

    /// Begins a transaction that no other batch of any server overlaps; returns its number. If a number is expected, any
    /// other is an error, after which Postgres refuses the statements that were sent with it.
    pub(super) async fn begin(&self, expected: Option<i64>) -> Result<i64> {
        let expected = expected.map_or("NULL".to_owned(), |number| number.to_string());
        // As text, because that takes one message.
        let said = self.client.simple_query(&format!("BEGIN; SELECT begin_batch({expected})")).await?;
        let row = said.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        row.and_then(|number| number.parse().ok()).ok_or(StoreError::Malformed("batch number"))
    }

    /// Prepares statements ahead, in one round trip.
    pub(super) async fn prepare_all(&self, statements: &[Sql]) -> Result<()> {
        try_join_all(statements.iter().map(|sql| self.prepare(*sql))).await.map(drop)
    }

    async fn prepare(&self, sql: Sql) -> Result<Statement> {
        self.prepared.statement(&self.client, sql).await
    }
}

/// A transaction that sees one instant.
pub(super) struct Snapshot<'s> {
    transaction: Transaction<'s>,
    prepared: &'s Prepared,
}

impl Snapshot<'_> {
    /// Runs a query.
    pub(super) async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>> {
        let statement = self.prepared.statement(self.transaction.client(), sql).await?;
        Ok(self.transaction.query(&statement, params).await?)
    }

    /// Runs a query that has one row.
    pub(super) async fn query_one(&self, sql: Sql, params: Params<'_>) -> Result<Row> {
        let statement = self.prepared.statement(self.transaction.client(), sql).await?;
        Ok(self.transaction.query_one(&statement, params).await?)
    }
}

/// The writer's statements that are files: prepared together, with those of [`facts`](super::facts), when a connection
/// is made.
pub(super) const EVERY: &[Sql] = &[
    named!("dead_letter_put"),
    named!("erased_forget"),
    named!("erased_get"),
    named!("events_stored"),
    named!("order_dispute"),
    named!("order_get"),
    named!("page_view_engage"),
    named!("page_views_stored"),
    named!("refund_attribute"),
    named!("refund_get"),
    named!("retired_forget"),
    named!("retired_of_token"),
    named!("retired_put"),
    named!("token_get"),
    named!("token_put"),
    named!("token_slide"),
    named!("tokens_changed"),
    named!("tokens_ended"),
    named!("tokens_expire"),
    named!("tokens_forget"),
    named!("tokens_of_user"),
    named!("tokens_of_visit"),
    named!("user_ending_get"),
    named!("user_ending_put"),
    named!("user_endings_forget"),
    named!("user_is_current"),
    named!("user_password"),
    named!("visit_count"),
    named!("visit_current"),
    named!("visit_get"),
    named!("visit_latest_open"),
    named!("visit_of_user_at"),
    named!("visit_put"),
    named!("visit_slide"),
    named!("visitor_forget"),
    named!("visitor_key_get"),
    named!("visitor_key_put"),
    named!("visitor_known"),
    named!("visitor_put"),
    named!("visits_anonymous"),
    named!("visits_expire"),
    named!("visits_of_token"),
    named!("visit_of_visitor_at"),
];
