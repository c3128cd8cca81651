//! An event: its fields, and the columns in which they are stored.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::columns;
use crate::session::Millis;

/// Something that the site counts, and that is no page view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// UUIDv7.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// JSON text.
    pub props: Option<String>,
    /// The page it happened on.
    pub url: Option<String>,
}

/// An event to write.
#[derive(Debug)]
pub struct EventRow<'c> {
    /// Its site.
    pub site: String,
    /// Its visit; none for an anonymous one.
    pub visit_id: Option<Uuid>,
    /// By the server's clock.
    pub occurred_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
    /// What happened.
    pub event: &'c Event,
}

columns! {
    "events", |row: EventRow|
    id_time: IdTime = row.event.id,
    id: Uuid = row.event.id,
    occurred_at: Bigint = row.occurred_at,
    received_at: Bigint = row.received_at,
    site: Text = &row.site,
    visit_id: Uuid = row.visit_id,
    name: Text = &row.event.name,
    props: Json = &row.event.props,
    url: Text = &row.event.url,
}
