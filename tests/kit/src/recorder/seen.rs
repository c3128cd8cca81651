//! What a browser has asked.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A request, with what became of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The headers, as the browser sent them.
    pub headers: HeaderMap,
    /// The body, as far as it has come.
    pub body: String,
    /// The status of the answer; none as long as there is none.
    pub status: Option<u16>,
}

impl Seen {
    /// `METHOD /path`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A header, empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether a beacon brought it: the only requests to the API that ask for no CORS.
    #[must_use]
    pub fn is_beacon(&self) -> bool {
        self.method == "POST" && self.header("sec-fetch-mode") == "no-cors"
    }

    /// The facts of the body: one object, or an array of them.
    #[must_use]
    pub fn facts(&self) -> Vec<Value> {
        if !self.path.starts_with("/api/telemetry/") {
            return Vec::new();
        }
        match serde_json::from_str(&self.body) {
            Ok(Value::Array(facts)) => facts,
            Ok(fact @ Value::Object(_)) => vec![fact],
            _ => Vec::new(),
        }
    }
}
