//! `GET /api/metrics/refused`

use serde_json::json;

use super::range::Query;
use crate::authorization::require_reader;
use crate::call::Call;
use crate::clock::rfc3339;
use crate::http::foreign::Refused;
use crate::http::problem::Problem;
use crate::http::reply::{self, Reply};

/// The foreign origins that this server has refused recently.
pub async fn refused(call: Call<'_>) -> Result<Reply, Problem> {
    require_reader(&call).await?;
    Query::parse(&call, &[])?;
    let refused: Vec<_> = call
        .app
        .foreign
        .recent(call.now)
        .iter()
        .map(|Refused { origin, requests, last_at }| {
            json!({
                "origin": origin.as_str(),
                "advice": origin.advice(),
                "requests": requests,
                "last_at": rfc3339(*last_at),
            })
        })
        .collect();
    Ok(reply::json(&json!({ "refused": refused })))
}
