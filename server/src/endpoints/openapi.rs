//! `GET /api/openapi.json`

use crate::http::reply::{self, Reply};

/// The description. It is written by hand, like docs/api.md.
const DESCRIPTION: &str = include_str!("openapi.json");

/// The OpenAPI 3.1 description of the API.
#[must_use]
pub fn describe() -> Reply {
    reply::text(DESCRIPTION, "application/json")
}
