//! The writer's statements, each prepared when it is first needed and kept for the connection's
//! life.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::store::Result;

/// A statement by the name of its file: name and text.
macro_rules! sql {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/postgres/", $name, ".sql")))
    };
}
pub(super) use sql;

/// Name and text of a statement.
pub(super) type Sql = (&'static str, &'static str);

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection, and what has been prepared on it.
pub(super) struct Session {
    pub(super) client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Self { client, prepared: Mutex::default() }
    }

    /// Runs a query. Queries whose futures are polled together travel together.
    pub(super) async fn query(&self, sql: Sql, params: Params<'_>) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.query(&statement, params).await?)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) async fn execute(&self, sql: Sql, params: Params<'_>) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        Ok(self.client.execute(&statement, params).await?)
    }

    /// Prepares statements ahead, in one round trip.
    pub(super) async fn prepare_all(&self, statements: &[Sql]) -> Result<()> {
        try_join_all(statements.iter().map(|sql| self.prepare(*sql))).await.map(drop)
    }

    async fn prepare(&self, (name, text): Sql) -> Result<Statement> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(text).await?;
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).insert(name, statement.clone());
        Ok(statement)
    }
}

/// Every statement of the writer: prepared together when a connection is made.
pub(super) const EVERY: &[Sql] = &[
    sql!("dead_letter_put"),
    sql!("event_insert"),
    sql!("event_sites"),
    sql!("order_put"),
    sql!("order_source"),
    sql!("page_view_engage"),
    sql!("page_view_insert"),
    sql!("page_view_sites"),
    sql!("retired_forget"),
    sql!("retired_of_token"),
    sql!("retired_put"),
    sql!("token_get"),
    sql!("token_put"),
    sql!("token_slide"),
    sql!("tokens_changed"),
    sql!("tokens_expire"),
    sql!("tokens_forget"),
    sql!("tokens_of_visit"),
    sql!("user_is_current"),
    sql!("visit_count"),
    sql!("visit_get"),
    sql!("visit_of_user_at"),
    sql!("visit_put"),
    sql!("visit_slide"),
    sql!("visitor_forget"),
    sql!("visitor_get"),
    sql!("visitor_link_user"),
    sql!("visitor_put"),
    sql!("visits_expire"),
    sql!("visits_of_token"),
    sql!("visits_of_visitor_at"),
    sql!("visits_of_visitor_open"),
];
