//! The tables to copy, in the order in which they are copied.

use tokio_postgres::types::Type;

/// A table. It and its columns have the same names in both databases.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
    /// The order in which SQLite stores the rows, so that nothing has to be sorted.
    pub(super) key: &'static str,
}

/// A column, by how it travels.
#[derive(Debug)]
pub(super) enum Column {
    Text(&'static str),
    Uuid(&'static str),
    Bigint(&'static str),
    Integer(&'static str),
    Bytes(&'static str),
    Boolean(&'static str),
    /// A decimal that travels as a text: both databases keep every digit.
    Decimal(&'static str),
    /// `id_time`, which SQLite has within the id.
    IdTime,
}

impl Column {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Text(name)
            | Self::Uuid(name)
            | Self::Bigint(name)
            | Self::Integer(name)
            | Self::Bytes(name)
            | Self::Boolean(name)
            | Self::Decimal(name) => name,
            Self::IdTime => "id_time",
        }
    }

    /// Its expression in SQLite's query.
    pub(super) fn source(&self) -> &'static str {
        if matches!(self, Self::IdTime) { "id" } else { self.name() }
    }

    /// Its expression in Postgres, from the form in which it travelled.
    pub(super) fn arrived(&self) -> String {
        let name = self.name();
        if matches!(self, Self::Decimal(_)) { format!("{name}::numeric") } else { name.to_owned() }
    }

    /// The type in which it travels.
    pub(super) fn travels_as(&self) -> Type {
        match self {
            Self::Text(_) | Self::Decimal(_) => Type::TEXT,
            Self::Uuid(_) => Type::UUID,
            Self::Bigint(_) | Self::IdTime => Type::INT8,
            Self::Integer(_) => Type::INT4,
            Self::Bytes(_) => Type::BYTEA,
            Self::Boolean(_) => Type::BOOL,
        }
    }
}

use Column::{Bigint, Boolean, Bytes, Decimal, IdTime, Integer, Text, Uuid};

/// Every table. Users and keys come first: who can sign in is known before anything else.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "users",
        columns: &[
            Text("id"),
            Text("name"),
            Text("password_hash"),
            Text("role"),
            Bigint("created_at"),
            Bigint("disabled_at"),
        ],
        key: "id",
    },
    Table {
        name: "api_keys",
        columns: &[
            Text("id"),
            Text("name"),
            Bytes("secret_hash"),
            Text("scopes"),
            Text("site"),
            Bigint("created_at"),
            Bigint("expires_at"),
        ],
        key: "id",
    },
    Table {
        name: "sessions",
        columns: &[
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
        key: "id",
    },
    Table {
        name: "session_tokens",
        columns: &[
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
        key: "tag",
    },
    Table {
        name: "retired_secrets",
        columns: &[Bytes("secret_hash"), Text("tag"), Bigint("retired_at"), Uuid("visit_id")],
        key: "secret_hash",
    },
    Table {
        name: "visitors",
        columns: &[Text("site"), Text("visitor_id"), Uuid("visit_id")],
        key: "site, visitor_id",
    },
    Table { name: "visitor_keys", columns: &[Text("visitor_id"), Bytes("key_hash")], key: "visitor_id" },
    Table {
        name: "page_views",
        columns: &[
            IdTime,
            Uuid("id"),
            Text("site"),
            Uuid("visit_id"),
            Bigint("occurred_at"),
            Bigint("received_at"),
            Text("url"),
            Text("path"),
            Text("referrer"),
            Text("title"),
            Text("device"),
            Bigint("engaged_ms"),
            Bigint("scroll_pct"),
            Integer("sequence"),
        ],
        key: "id, site",
    },
    Table {
        name: "events",
        columns: &[
            IdTime,
            Uuid("id"),
            Text("site"),
            Uuid("visit_id"),
            Bigint("occurred_at"),
            Bigint("received_at"),
            Text("name"),
            Text("props"),
            Text("url"),
        ],
        key: "id, site",
    },
    Table {
        name: "orders",
        columns: &[
            Text("site"),
            Text("id"),
            Uuid("visit_id"),
            Text("visitor_id"),
            Text("user_id"),
            Decimal("amount"),
            Text("currency"),
            Text("items"),
            Text("source"),
            Boolean("disputed"),
            Bigint("created_at"),
            Bigint("received_at"),
        ],
        key: "site, id",
    },
    Table {
        name: "refunds",
        columns: &[
            Text("site"),
            Text("id"),
            Text("refund_of"),
            Uuid("visit_id"),
            Text("visitor_id"),
            Text("user_id"),
            Decimal("amount"),
            Text("currency"),
            Bigint("created_at"),
            Bigint("received_at"),
        ],
        key: "site, id",
    },
    Table {
        name: "erased_visitors",
        columns: &[Bytes("visitor_hash"), Bigint("erased_at")],
        key: "visitor_hash",
    },
    Table {
        name: "user_endings",
        columns: &[Bytes("user_hash"), Text("site"), Bigint("ended_at")],
        key: "user_hash, site",
    },
    Table {
        name: "erasures",
        columns: &[Bigint("id"), Bigint("erased_at"), Text("asked_by"), Bigint("row_count")],
        key: "id",
    },
    Table {
        name: "dead_letters",
        columns: &[Bigint("id"), Bigint("set_aside_at"), Text("reason"), Text("command")],
        key: "id",
    },
];
