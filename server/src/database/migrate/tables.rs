//! The tables to copy, in the order in which they are copied.

use crate::ledger::kinds::columns::Column::{self, Bigint, Boolean, Bytes, Integer, Text, Uuid};
use crate::ledger::kinds::columns::Row;
use crate::ledger::kinds::event::EventRow;
use crate::ledger::kinds::order::OrderRow;
use crate::ledger::kinds::page_view::PageViewRow;
use crate::ledger::kinds::refund::RefundRow;

/// A table. It and its columns have the same names in both databases.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: &'static [Column],
    /// More columns: those of a fact that are set later.
    later: &'static [Column],
    /// The order in which SQLite stores the rows, so that nothing has to be sorted.
    pub(super) key: &'static str,
}

impl Table {
    const fn new(name: &'static str, columns: &'static [Column], key: &'static str) -> Self {
        Self { name, columns, later: &[], key }
    }

    const fn of<R: Row>(key: &'static str) -> Self {
        Self { name: R::TABLE, columns: R::COLUMNS, later: R::LATER, key }
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().chain(self.later)
    }
}

/// Every table. Users and keys come first: who can sign in is known before anything else.
pub(super) const TABLES: &[Table] = &[
    Table::new(
        "users",
        &[
            Text("id"),
            Text("name"),
            Text("password_hash"),
            Text("role"),
            Bigint("created_at"),
            Bigint("disabled_at"),
        ],
        "id",
    ),
    Table::new(
        "api_keys",
        &[
            Text("id"),
            Text("name"),
            Bytes("secret_hash"),
            Text("scopes"),
            Text("site"),
            Bigint("created_at"),
            Bigint("expires_at"),
        ],
        "id",
    ),
    Table::new(
        "sessions",
        &[
            Uuid("id"),
            Text("site"),
            Text("visitor_id"),
            Text("user_id"),
            Bigint("started_at"),
            Bigint("last_activity"),
            Bigint("ended_at"),
            Integer("page_views"),
            Integer("events"),
            Text("entry_url"),
            Text("referrer"),
            Text("referrer_host"),
            Text("utm_source"),
            Text("utm_medium"),
            Text("utm_campaign"),
            Text("utm_term"),
            Text("utm_content"),
            Text("click_id"),
        ],
        "id",
    ),
    Table::new(
        "session_tokens",
        &[
            Text("tag"),
            Bytes("secret_hash"),
            Bigint("generation"),
            Uuid("visit_id"),
            Text("user_id"),
            Bigint("signed_in_at"),
            Bigint("created_at"),
            Bigint("last_activity"),
            Bigint("ended_at"),
            Boolean("remembered"),
            Text("device"),
            Bigint("changed_at"),
        ],
        "tag",
    ),
    Table::new(
        "retired_secrets",
        &[Bytes("secret_hash"), Text("tag"), Bigint("retired_at"), Uuid("visit_id")],
        "secret_hash",
    ),
    Table::new("visitors", &[Text("site"), Text("visitor_id"), Uuid("visit_id")], "site, visitor_id"),
    Table::new("visitor_keys", &[Text("visitor_id"), Bytes("key_hash")], "visitor_id"),
    Table::of::<PageViewRow<'_>>("id, site"),
    Table::of::<EventRow<'_>>("id, site"),
    Table::of::<OrderRow<'_>>("site, id"),
    Table::of::<RefundRow<'_>>("site, id"),
    Table::new("erased_visitors", &[Bytes("visitor_hash"), Bigint("erased_at")], "visitor_hash"),
    Table::new("user_endings", &[Bytes("user_hash"), Text("site"), Bigint("ended_at")], "user_hash, site"),
    Table::new("erasures", &[Bigint("id"), Bigint("erased_at"), Text("asked_by"), Bigint("row_count")], "id"),
    Table::new(
        "dead_letters",
        &[Bigint("id"), Bigint("set_aside_at"), Text("reason"), Text("command")],
        "id",
    ),
];
