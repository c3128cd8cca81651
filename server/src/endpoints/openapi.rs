//! `GET /api/openapi.json`

use crate::http::reply::{self, Reply};

/// The description; kept by hand beside docs/api.md.
const DESCRIPTION: &str = include_str!("openapi.json");

/// The API's description for machines (OpenAPI 3.1).
#[must_use]
pub fn describe() -> Reply {
    reply::text(DESCRIPTION, "application/json")
}
