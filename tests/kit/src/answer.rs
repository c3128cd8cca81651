//! What came back, and the assertions on it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::collections::BTreeSet;

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and path of the request, for messages.
    pub to: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Passes the answer on if it has this status.
    ///
    /// # Panics
    ///
    /// It has another one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.to, self.text());
        self
    }

    /// Passes the answer on if it is this problem, in the form of RFC 9457.
    ///
    /// # Panics
    ///
    /// It is not.
    #[track_caller]
    pub fn expect_problem(self, status: u16, kind: &str) -> Self {
        let answer = self.expect(status);
        let content_type = answer.header("content-type").unwrap_or_default();
        assert!(
            content_type.starts_with("application/problem+json"),
            "{}: {content_type:?} is not the type of a problem",
            answer.to
        );
        let problem = answer.json();
        assert_eq!(problem["type"], kind, "{}: {problem}", answer.to);
        assert_eq!(problem["status"], status, "{}: {problem}", answer.to);
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(!detail.is_empty(), "{} says how to mend it: {problem}", answer.to);
        answer
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// It is something else.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{} answers no JSON ({error}): {}", self.to, self.text()),
        }
    }

    /// The header's only value.
    ///
    /// # Panics
    ///
    /// It came twice.
    #[must_use]
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().expect("a readable header");
        assert!(values.next().is_none(), "{}: {name} came twice", self.to);
        Some(value)
    }

    /// Whether a header that is a list (`Vary`, `Allow`) holds this word, over all its lines.
    #[must_use]
    pub fn lists(&self, name: &str, word: &str) -> bool {
        let values = self.headers.get_all(name).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(word))
    }

    /// Every `Set-Cookie`.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<SetCookie> {
        let values = self.headers.get_all("set-cookie").iter();
        values.map(|value| SetCookie::parse(value.to_str().expect("a cookie is ASCII"))).collect()
    }

    /// The `Set-Cookie` of this name.
    ///
    /// # Panics
    ///
    /// It came twice.
    #[must_use]
    #[track_caller]
    pub fn set_cookie(&self, name: &str) -> Option<SetCookie> {
        let mut found = self.set_cookies().into_iter().filter(|cookie| cookie.name == name);
        let first = found.next();
        assert!(found.next().is_none(), "{}: {name} was set twice", self.to);
        first
    }

    /// Passes the answer on if it sets no cookie at all.
    ///
    /// # Panics
    ///
    /// It sets one.
    #[track_caller]
    pub fn expect_no_cookie(self) -> Self {
        assert_eq!(self.set_cookies(), [], "{}", self.to);
        self
    }
}

/// One `Set-Cookie` header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie {
    /// The cookie's name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `Secure`, `Max-Age=1800` and so on, in no order.
    pub attributes: BTreeSet<String>,
}

impl SetCookie {
    fn parse(header: &str) -> Self {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) =
            parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie is name=value");
        let attributes: Vec<&str> = parts.collect();
        let set: BTreeSet<String> = attributes.iter().map(ToString::to_string).collect();
        assert_eq!(set.len(), attributes.len(), "an attribute came twice: {header}");
        Self { name: name.to_owned(), value: value.to_owned(), attributes: set }
    }

    /// Whether the browser is told to forget the cookie.
    #[must_use]
    pub fn clears(&self) -> bool {
        self.attributes.contains("Max-Age=0")
    }
}

/// Whether the text is `s_`, a tag of 128 bits, a point and a secret of 256 bits.
#[must_use]
pub fn is_token(text: &str) -> bool {
    let bits = |part: &str| URL_SAFE_NO_PAD.decode(part).map(|bytes| bytes.len() * 8);
    text.strip_prefix("s_").and_then(|rest| rest.split_once('.')).is_some_and(|(tag, secret)| {
        (tag.len(), secret.len()) == (22, 43) && (bits(tag), bits(secret)) == (Ok(128), Ok(256))
    })
}

/// The secret half of a token.
#[must_use]
pub fn secret(token: &str) -> &str {
    token.split_once('.').map_or(token, |(_, secret)| secret)
}
