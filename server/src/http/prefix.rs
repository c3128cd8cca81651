//! A path prefix of the site: a proxy forwards requests with it unchanged.

use std::str::FromStr;

use hyper::Uri;
use hyper::http::uri::PathAndQuery;

/// Such as `/visits`: what is served at `/api/…` is also served at `/visits/api/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// Removes the prefix; an address without it stays as it is.
    #[must_use]
    pub fn strip(&self, uri: Uri) -> Uri {
        let rest = uri.path_and_query().and_then(|target| target.as_str().strip_prefix(&self.0));
        let rest = rest.filter(|rest| rest.starts_with('/') && rest.len() > 1);
        let Some(rest) = rest.and_then(|rest| PathAndQuery::from_str(rest).ok()) else {
            return uri;
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(rest);
        Uri::from_parts(parts).unwrap_or(uri)
    }
}

impl FromStr for PathPrefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |name: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
            !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
        };
        let mut names = text.strip_prefix('/').unwrap_or_default().split('/');
        if text.len() > 200 || !names.clone().all(plain) {
            return Err(
                "write a path such as /visits or /tools/visits; use letters, digits, -, _, . and ~ between the slashes",
            );
        }
        // With such a prefix an address without it would match as well.
        if names.next().is_some_and(|first| ["api", "assets"].contains(&first)) {
            return Err("the server itself uses /api and /assets; choose another path");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_removed_only_as_whole_segments() {
        let prefix: PathPrefix = "/of/ours".parse().unwrap();
        for (asked, served) in [
            ("/of/ours/api/session?a=b", "/api/session?a=b"),
            ("/of/ours/visitflow.js", "/visitflow.js"),
            ("http://site.test/of/ours/api/session", "http://site.test/api/session"),
            ("/of/ours//api", "//api"),
            ("/of/oursapi/session", "/of/oursapi/session"),
            ("/of/ours", "/of/ours"),
            ("/of/ours/", "/of/ours/"),
            ("/api/session", "/api/session"),
            ("/", "/"),
            ("*", "*"),
        ] {
            assert_eq!(prefix.strip(asked.parse().unwrap()), served, "{asked}");
        }
    }

    #[test]
    fn a_prefix_has_no_escapes_and_is_no_path_of_the_server() {
        for text in ["/visits", "/a/b", "/v1.2", "/visitflow", "/_~-"] {
            assert!(text.parse::<PathPrefix>().is_ok(), "{text}");
        }
        let long = format!("/{}", "a".repeat(200));
        for text in [
            "", "/", "visits", "/visits/", "//a", "/a//b", "/a b", "/%61", "/ä", "/..", "/.a", "/a?b",
            "/api", "/api/x", "/assets", &long,
        ] {
            assert!(text.parse::<PathPrefix>().is_err(), "{text}");
        }
    }
}
