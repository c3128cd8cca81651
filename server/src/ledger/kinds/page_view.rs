//! A page view: its fields, and the columns in which they are stored.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::columns;
use crate::session::Millis;

/// A page was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageView {
    /// UUIDv7.
    pub id: Uuid,
    /// The page's address.
    pub url: String,
    /// Its path, for reports.
    pub path: String,
    /// The page before, or another site.
    pub referrer: Option<String>,
    /// The page's title.
    pub title: Option<String>,
    /// JSON text.
    pub device: Option<String>,
    /// Its number within the visit, from 1, as the browser counted.
    pub sequence: Option<i32>,
}

/// A page view to write.
#[derive(Debug)]
pub struct PageViewRow<'c> {
    /// Its site.
    pub site: String,
    /// Its visit; none for an anonymous one.
    pub visit_id: Option<Uuid>,
    /// By the server's clock.
    pub occurred_at: Millis,
    /// By the server's clock.
    pub received_at: Millis,
    /// What was seen.
    pub view: &'c PageView,
}

columns! {
    "page_views", |row: PageViewRow|
    id_time: IdTime = row.view.id,
    id: Uuid = row.view.id,
    occurred_at: Bigint = row.occurred_at,
    received_at: Bigint = row.received_at,
    site: Text = &row.site,
    visit_id: Uuid = row.visit_id,
    url: Text = &row.view.url,
    path: Text = &row.view.path,
    referrer: Text = &row.view.referrer,
    title: Text = &row.view.title,
    device: Json = &row.view.device,
    sequence: Integer = row.view.sequence,
    ; // set by engagement
    engaged_ms: Bigint,
    scroll_pct: Bigint,
}
