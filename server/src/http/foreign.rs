//! The foreign origins that were refused recently: an operator who forgets `--allowed-origin` finds them in the log and
//! on the dashboard.
//!
//! Anybody can send any origin. So only well-formed ones are kept, a bounded number of them, and a bounded number of lines
//! is logged.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use hyper::header::ORIGIN;
use lru::LruCache;

use super::fields;
use super::origin::Origin;
use crate::session::Millis;

/// How many origins are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// How long an origin is shown after its last request.
const SHOWN_MS: Millis = 60 * 60_000;

/// Most origins that are shown.
const SHOWN: usize = 20;

/// An origin is logged once in this time.
const LINE_EVERY_MS: Millis = 60_000;

/// Most lines in that time, of all origins.
const LINES: usize = 20;

/// Longest origin that is kept, in bytes, if it is not of http or https.
const ORIGIN_BYTES: usize = 100;

/// The origin of a foreign page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForeignOrigin {
    /// A page of the web: it can be allowed.
    Web(Origin),
    /// `null`: a page that hides its origin, or has none.
    Null,
    /// A page within an app or a browser's extension (`capacitor://localhost`), or a file.
    App(String),
}

impl ForeignOrigin {
    /// The origin of a request, if it names a well-formed one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let said = fields::single(headers, ORIGIN).ok()??.to_str().ok()?;
        if said == "null" {
            return Some(Self::Null);
        }
        Origin::of_header(said).map(Self::Web).or_else(|| is_app(said).then(|| Self::App(said.to_owned())))
    }

    /// The text as browsers write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Web(origin) => origin.as_str(),
            Self::Null => "null",
            Self::App(text) => text,
        }
    }

    /// What the operator can do about it: the second part of a sentence.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Web(origin) => {
                format!("if its pages are yours, start the server with --allowed-origin {origin}")
            }
            Self::Null => "pages without an origin cannot be allowed: files, sandboxed frames without allow-same-origin, pages with Referrer-Policy: no-referrer; serve the page over https, and without these".into(),
            Self::App(_) => "only http and https origins can be allowed; if this is your app or extension, load its page over https, or send its facts through your own server with an API key".into(),
        }
    }
}

/// Whether a text is scheme and host as browsers write them, of another scheme than http and https.
fn is_app(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let of_scheme = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    text.len() <= ORIGIN_BYTES
        && !matches!(scheme, "http" | "https")
        && scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(of_scheme)
        && host.bytes().all(of_host)
}

/// An origin whose requests were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The origin.
    pub origin: ForeignOrigin,
    /// How many requests it sent, since the last pause of an hour.
    pub requests: u64,
    /// The last of them.
    pub last_at: Millis,
}

/// The foreign origins that were refused recently.
#[derive(Debug)]
pub struct ForeignOrigins(Mutex<Known>);

#[derive(Debug)]
struct Known {
    origins: LruCache<ForeignOrigin, Requests>,
    /// When the first of `lines` was written, and how many were since.
    lines_since: Millis,
    lines: usize,
}

#[derive(Debug)]
struct Requests {
    count: u64,
    last_at: Millis,
    told_at: Option<Millis>,
}

impl Default for ForeignOrigins {
    fn default() -> Self {
        Self(Mutex::new(Known { origins: LruCache::new(KEPT), lines_since: 0, lines: 0 }))
    }
}

impl ForeignOrigins {
    /// Notes a refused request. Returns whether to log it.
    pub fn refused(&self, origin: &ForeignOrigin, now: Millis) -> bool {
        let known = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = known.origins.get_or_insert_mut_ref(origin, || Requests {
            count: 0,
            last_at: now,
            told_at: None,
        });
        if now - seen.last_at >= SHOWN_MS {
            seen.count = 0;
        }
        seen.count += 1;
        seen.last_at = now;
        if seen.told_at.is_some_and(|at| now - at < LINE_EVERY_MS) {
            return false;
        }
        if now - known.lines_since >= LINE_EVERY_MS {
            (known.lines_since, known.lines) = (now, 0);
        }
        let tell = known.lines < LINES;
        if tell {
            known.lines += 1;
            seen.told_at = Some(now);
        }
        tell
    }

    /// Those of the last hour, the last one first.
    #[must_use]
    pub fn recent(&self, now: Millis) -> Vec<Refused> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .origins
            .iter()
            .filter(|(_, seen)| now - seen.last_at < SHOWN_MS)
            .take(SHOWN)
            .map(|(origin, seen)| Refused {
                origin: origin.clone(),
                requests: seen.count,
                last_at: seen.last_at,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    fn origin(name: &str) -> ForeignOrigin {
        ForeignOrigin::Web(format!("https://{name}.example").parse().unwrap())
    }

    fn of(said: &str) -> Option<ForeignOrigin> {
        ForeignOrigin::of(&HeaderMap::from_iter([(ORIGIN, said.parse().unwrap())]))
    }

    #[test]
    fn an_origin_that_is_well_formed_is_told_with_what_to_do() {
        for (said, advice) in [
            ("https://shop.example", "--allowed-origin https://shop.example"),
            ("http://localhost:5173", "--allowed-origin http://localhost:5173"),
            ("null", "sandboxed frames"),
            ("capacitor://localhost", "API key"),
            ("file://", "API key"),
            ("moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc", "API key"),
            ("safari-web-extension://2C127FA4-62C7-7E4F-90E5-472B45EECFDC", "API key"),
            ("chrome-extension://abc", "API key"),
        ] {
            let origin = of(said).unwrap_or_else(|| panic!("{said}"));
            assert_eq!(origin.as_str(), said);
            assert!(origin.advice().contains(advice), "{}", origin.advice());
        }
        let long = format!("app://{}", "a".repeat(ORIGIN_BYTES));
        for odd in [
            "",
            "evil",
            "NULL",
            "<script>",
            "https://a.example/b",
            "https://a b",
            "app://a b",
            "://a",
            "1://a",
            "app://<b>",
            "app:a",
            &long,
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn an_origin_has_one_line_a_minute() {
        let foreign = ForeignOrigins::default();
        assert!(foreign.refused(&origin("shop"), MINUTE));
        assert!(!foreign.refused(&origin("shop"), 2 * MINUTE - 1));
        assert!(foreign.refused(&origin("blog"), 2 * MINUTE - 1));
        assert!(foreign.refused(&origin("shop"), 2 * MINUTE));
    }

    #[test]
    fn a_flood_of_origins_fills_neither_the_log_nor_the_memory() {
        let foreign = ForeignOrigins::default();
        let lines = (0..5_000).filter(|n| foreign.refused(&origin(&format!("a{n}")), MINUTE)).count();
        assert_eq!(lines, LINES);
        assert_eq!(foreign.0.lock().unwrap().origins.len(), KEPT.get());
        assert!(foreign.refused(&origin("shop"), 2 * MINUTE));
    }

    #[test]
    fn those_of_the_last_hour_are_shown_the_last_one_first() {
        let foreign = ForeignOrigins::default();
        for n in 0..30 {
            foreign.refused(&origin(&format!("a{n}")), MINUTE);
        }
        foreign.refused(&origin("a28"), 2 * MINUTE);
        let recent = foreign.recent(2 * MINUTE);
        assert_eq!(recent.len(), SHOWN);
        assert_eq!(recent[0], Refused { origin: origin("a28"), requests: 2, last_at: 2 * MINUTE });
        assert_eq!(recent[1].origin, origin("a29"));
        assert_eq!(foreign.recent(MINUTE + SHOWN_MS).len(), 1);
        assert_eq!(foreign.recent(2 * MINUTE + SHOWN_MS), []);
        foreign.refused(&origin("a28"), 2 * MINUTE + SHOWN_MS);
        assert_eq!(foreign.recent(2 * MINUTE + SHOWN_MS)[0].requests, 1, "counted anew");
    }
}
