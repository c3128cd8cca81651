//! The one form in which addresses are compared, grouped and stored. Pure.
//!
//! | module | holds |
//! |---|---|
//! | `spelling` | one spelling for each address (RFC 3986 §6.2.2) |
//! | `cleaning` | what is kept of a path, a query or a text |
//! | `parameters` | parameters whose values are secrets, anywhere in a text |
//! | `names` | which names of parameters look like secrets |
//! | `words` | the words of such a name |
//! | `tokens` | credentials that are recognized by their form |
//! | `persons` | e-mail addresses, names and passwords before a host |
//! | `reading` | a text with its escapes decoded |
//!
//! Scheme and host are in lower case and international hosts in the form of the DNS, default ports and
//! dot segments are removed (by the [`url`] crate). What identifies a person or gives access is left out:
//! `user:password@`, fragments that are not a route, parameters that look like secrets, tokens, e-mail addresses.
//! With `--keep-query all` the query stays as it was sent.
//!
//! Invariant: the form of an address in this form is itself. Leaving a part out may join the text around it to a new
//! secret or a dot segment, so the steps are repeated until the address no longer changes.

mod cleaning;
mod names;
mod parameters;
mod persons;
mod reading;
mod spelling;
mod tokens;
mod words;

use std::borrow::Cow;

use clap::ValueEnum;
use url::Url;
use visitflow_protocol::limits::URL_BYTES;

use self::cleaning::PASSES;
use self::spelling::{cut, spelled};
use crate::campaign::names_campaign;

pub use self::cleaning::text;
pub(crate) use self::names::is_of_secret_property;

/// Which parameters of addresses are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepQuery {
    /// Those that do not look like a secret; e-mail addresses are removed from them
    Safe,
    /// All, as sent
    All,
}

/// Schemes of apps; the app's name is the host.
const APPS: [&str; 2] = ["android-app", "ios-app"];

/// A page's address, and what is derived from it. It is parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The whole address.
    pub url: String,
    /// What reports group by: the path, and the route after `#/` or `#!`.
    pub path: String,
    /// The site.
    pub site: String,
}

/// The page of an http(s) address; none if it is not such an address.
#[must_use]
pub fn page(text: &str, keep: KeepQuery) -> Option<Page> {
    of_page(&Url::parse(text).ok()?, keep)
}

/// Where a visitor came from: the address of a page, or the name of an app or of a scheme.
///
/// `android-app://com.example/…` becomes `android-app://com.example`, `file:///home/ada/a.html` becomes
/// `file:`. None if it names nothing.
#[must_use]
pub fn referrer(text: &str, keep: KeepQuery) -> Option<String> {
    let text = text.trim();
    let url = Url::parse(text).ok().filter(|url| !url.scheme().contains('.')).or_else(|| bare_host(text))?;
    match url.scheme() {
        "http" | "https" => of_page(&url, keep).map(|page| page.url),
        "about" | "javascript" => None,
        scheme if APPS.contains(&scheme) => {
            let name = url.host_str().map(str::to_lowercase).filter(|name| crate::site::is_host_name(name));
            Some(name.map_or_else(|| format!("{scheme}:"), |name| format!("{scheme}://{name}")))
        }
        // Such as `blob:https://shop.example/…`.
        scheme => match page(url.path(), keep) {
            Some(page) => Some(page.url),
            None => (scheme.len() <= SCHEME_BYTES).then(|| format!("{scheme}:")),
        },
    }
}

/// Longest scheme of a referrer that is kept; the registered ones have at most 29 characters.
const SCHEME_BYTES: usize = 64;

/// The name in reports of a referrer in the form that [`referrer`] returns: the site, the app, or the scheme.
#[must_use]
pub fn referrer_host(referrer: &str) -> Option<String> {
    // To the library `ftp:` alone is not an address.
    let Ok(url) = Url::parse(referrer) else { return referrer.strip_suffix(':').map(str::to_owned) };
    match url.scheme() {
        "http" | "https" => crate::site::of_parsed(&url),
        scheme => Some(url.host_str().unwrap_or(scheme).to_owned()),
    }
}

/// A host without a scheme, as some apps send it.
fn bare_host(text: &str) -> Option<Url> {
    let text = text.trim_start_matches('/');
    let host = text.split(['/', '?', '#', ':']).next()?;
    let looks_like_one = host.contains('.') && !host.starts_with('.');
    looks_like_one.then(|| Url::parse(&format!("https://{text}")).ok()).flatten()
}

fn of_page(url: &Url, keep: KeepQuery) -> Option<Page> {
    let site = crate::site::of_parsed(url)?;
    let mut url = Cow::Borrowed(url);
    for _ in 0..PASSES {
        let parts = Parts::of(&url, keep)?.fitted();
        let whole = parts.whole();
        if whole == url.as_str() {
            return Some(Page { path: parts.path_and_route(), url: whole, site });
        }
        url = Cow::Owned(Url::parse(&whole).ok()?);
    }
    Some(Page { url: format!("{}/", origin(&url)?), path: "/".to_owned(), site })
}

/// Scheme, host and port.
fn origin(url: &Url) -> Option<String> {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), crate::site::host(url)?))
}

/// An address in canonical parts, all of them ASCII.
#[derive(Debug)]
struct Parts {
    /// `https://shop.example:8443`
    origin: String,
    /// `/a`
    path: String,
    /// `b=c`; empty: none
    query: String,
    /// `/inbox` or `!inbox`; empty: none
    route: String,
    /// The query within the fragment; empty: none
    route_query: String,
}

impl Parts {
    fn of(url: &Url, keep: KeepQuery) -> Option<Self> {
        let path_of = |text: &str| cleaning::path(spelled(text));
        let query_of = |text: &str| match keep {
            KeepQuery::All => spelled(text),
            KeepQuery::Safe => cleaning::query(&spelled(text)),
        };
        let route = url.fragment().filter(|fragment| fragment.starts_with(['/', '!'])).unwrap_or_default();
        // `#/guide#install` is a place on the page `#/guide`.
        let route = route.split('#').next().unwrap_or_default();
        let (route, route_query) = route.split_once('?').unwrap_or((route, ""));
        Some(Self {
            origin: origin(url)?,
            path: path_of(url.path()),
            query: query_of(url.query().unwrap_or_default()),
            route: path_of(route),
            route_query: query_of(route_query),
        })
    }

    /// Shortened to [`URL_BYTES`]: first the queries are removed, except campaign parameters, then the route and the path
    /// are cut.
    fn fitted(mut self) -> Self {
        if self.length() > URL_BYTES {
            let campaign = self.query.split('&').filter(|pair| names_campaign(pair));
            self.query = campaign.collect::<Vec<_>>().join("&");
            self.route_query.clear();
        }
        if self.length() > URL_BYTES {
            self.query.clear();
        }
        if self.length() > URL_BYTES {
            let room = URL_BYTES.saturating_sub(self.origin.len() + self.path.len() + 1);
            cut(&mut self.route, room);
        }
        if self.length() > URL_BYTES {
            cut(&mut self.path, URL_BYTES - self.origin.len());
        }
        self
    }

    fn length(&self) -> usize {
        let with_mark = |part: &str| if part.is_empty() { 0 } else { part.len() + 1 };
        let marked = [&self.query, &self.route, &self.route_query];
        self.origin.len() + self.path.len() + marked.into_iter().map(|part| with_mark(part)).sum::<usize>()
    }

    fn whole(&self) -> String {
        let mut whole = format!("{}{}", self.origin, self.path);
        for (mark, part) in [('?', &self.query), ('#', &self.route), ('?', &self.route_query)] {
            if !part.is_empty() {
                whole.push(mark);
                whole.push_str(part);
            }
        }
        whole
    }

    fn path_and_route(&self) -> String {
        let mark = if self.route.is_empty() { "" } else { "#" };
        format!("{}{mark}{}", self.path, self.route)
    }
}

/// A title or another text that people read: without secrets, e-mail addresses and NUL, at most
/// `max_bytes` long.
#[must_use]
pub fn short_text(sent: &str, max_bytes: usize) -> String {
    let mut kept = text(&sent.replace('\0', "")).into_owned();
    kept.truncate(kept.floor_char_boundary(max_bytes));
    kept
}

#[cfg(test)]
mod tests;
