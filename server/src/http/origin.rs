//! Which origins may send requests that change something.

use std::fmt;
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, ORIGIN};
use url::Url;

use super::fields;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Scheme, host and port. Each origin has one spelling, which only this module makes: lower case, international names as
/// the DNS has them, no default port, no dot at the end of the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of a server, from the host in a request; an empty port counts as none (RFC 3986 §3.2.3).
    #[must_use]
    pub fn of_host(https: bool, host: &str) -> Option<Self> {
        let host = host.strip_suffix(':').unwrap_or(host);
        let scheme = if https { "https" } else { "http" };
        bare(host).then(|| Url::parse(&format!("{scheme}://{host}/")).ok()).flatten().and_then(Self::of)
    }

    /// The origin in a browser's `Origin` header: in lower case, without a path. Other forms are refused.
    #[must_use]
    pub fn of_header(value: &str) -> Option<Self> {
        let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"))?;
        let written = bare(rest) && !rest.bytes().any(|byte| byte.is_ascii_uppercase());
        written.then(|| Url::parse(value).ok()).flatten().and_then(Self::of)
    }

    fn of(url: Url) -> Option<Self> {
        let scheme = match url.scheme() {
            scheme @ ("http" | "https") => scheme,
            _ => return None,
        };
        let host = crate::site::host(&url)?;
        Some(Self(match url.port() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }

    /// The text as browsers write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, without a default port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split_once("://").map_or(self.as_str(), |(_, host)| host)
    }

    /// Whether it is an https origin.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it is plain HTTP on this machine itself.
    #[must_use]
    pub fn is_plain_loopback(&self) -> bool {
        self.0.strip_prefix("http://").is_some_and(is_loopback)
    }
}

/// Whether a text is a host, perhaps with a port, and has no other parts of a URL.
fn bare(host: &str) -> bool {
    !host.is_empty()
        && host.is_ascii()
        && !host.ends_with(':')
        && !host.contains(|c: char| {
            matches!(c, '/' | '\\' | '?' | '#' | '@' | '%') || c.is_whitespace() || c.is_control()
        })
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint =
            || format!("{text:?} is not an origin; write one such as https://shop.example, without a path");
        let url = Url::parse(text).map_err(|_| hint())?;
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty();
        Self::of(url).filter(|_| bare).ok_or_else(hint)
    }
}

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A page of this server, or no browser at all.
    Own,
    /// A page of a listed origin, which may read the answer: the origin as the browser wrote it.
    Listed(HeaderValue),
    /// A page of anywhere else.
    Foreign,
}

/// The rules of one server.
#[derive(Clone, Debug)]
pub struct OriginRules {
    /// `--allowed-origin`.
    pub allowed: Vec<Origin>,
    /// `--public-url`.
    pub public: Option<Origin>,
}

impl OriginRules {
    /// Judges a request by `Origin`, then by `Sec-Fetch-Site`. `own` is the origin that the request
    /// was sent to; it counts if no `--public-url` is configured.
    #[must_use]
    pub fn judge(&self, headers: &HeaderMap, own: &Origin) -> Sender {
        // Two different values count as none.
        let said = fields::single(headers, ORIGIN);
        let fetch_site = fields::single(headers, SEC_FETCH_SITE);
        let (Ok(said), Ok(fetch_site)) = (said, fetch_site) else { return Sender::Foreign };
        match (said, fetch_site.map(HeaderValue::as_bytes)) {
            (Some(said), _) if said.as_bytes() != b"null" => {
                let Some(origin) = said.to_str().ok().and_then(Origin::of_header) else {
                    return Sender::Foreign;
                };
                if self.allowed.contains(&origin) {
                    Sender::Listed(said.clone())
                } else if origin == *self.public.as_ref().unwrap_or(own) {
                    Sender::Own
                } else {
                    Sender::Foreign
                }
            }
            (_, Some(b"same-origin" | b"none")) | (None, None) => Sender::Own,
            _ => Sender::Foreign,
        }
    }
}

/// Whether a host, with or without a port, is this machine itself.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://stats.example";

    fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &[u8])| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        };
        fields.iter().map(field).collect()
    }

    fn judge_by(allowed: &str, own: &str, fields: &[(&'static str, &[u8])]) -> Sender {
        let rules = OriginRules { allowed: vec![allowed.parse().unwrap()], public: None };
        rules.judge(&headers(fields), &own.parse().unwrap())
    }

    fn judge(origin: Option<&str>, fetch_site: Option<&str>) -> Sender {
        let origin = origin.map(|origin| ("origin", origin.as_bytes()));
        let fetch_site = fetch_site.map(|site| ("sec-fetch-site", site.as_bytes()));
        let fields: Vec<_> = origin.into_iter().chain(fetch_site).collect();
        judge_by("https://shop.example", OWN, &fields)
    }

    fn listed(origin: &'static str) -> Sender {
        Sender::Listed(HeaderValue::from_static(origin))
    }

    #[test]
    fn listed_and_own_origins_pass() {
        assert_eq!(judge(Some("https://shop.example"), Some("cross-site")), listed("https://shop.example"));
        assert_eq!(judge(Some(OWN), None), Sender::Own);
    }

    #[test]
    fn look_alikes_and_case_tricks_are_foreign() {
        for origin in [
            "https://evilshop.example",
            "https://shop.example.evil",
            "http://shop.example",
            "https://SHOP.example",
            "HTTPS://shop.example",
            "https://shop.example:444",
            "https://shop.example:80",
            "https://shop.example:",
            "https://shop.example/",
            "https://shop.example..",
            "https://@shop.example",
            "https://u@shop.example",
            "https://shop.example@evil.example",
            "https://shop%2eexample",
            "https:shop.example",
            "https:/shop.example",
            "https:///shop.example",
            "https://shop.example#",
            "https://shop.example?",
            "https://shop.example\\",
            "file://",
            "",
        ] {
            assert_eq!(judge(Some(origin), Some("same-origin")), Sender::Foreign, "{origin}");
        }
        let odd = [("origin", &b"https://shop.example\xff"[..])];
        assert_eq!(judge_by("https://shop.example", OWN, &odd), Sender::Foreign);
    }

    #[test]
    fn one_origin_has_one_spelling_on_every_side() {
        for (written, sent) in [
            ("https://shop.example:443", "https://shop.example"),
            ("https://shop.example", "https://shop.example:443"),
            ("http://shop.example:80", "http://shop.example"),
            ("https://shop.example.", "https://shop.example"),
            ("https://shop.example", "https://shop.example."),
            ("https://Shop.Example", "https://shop.example"),
            ("https://shop.example.:443", "https://shop.example"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
            ("https://[2001:DB8:0:0::1]:443", "https://[2001:db8::1]"),
            ("http://[::1]", "http://[::1]:80"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            let fields = [("origin", sent.as_bytes())];
            let allowed = judge_by(written, OWN, &fields);
            assert_eq!(allowed, Sender::Listed(HeaderValue::from_str(sent).unwrap()), "{written}");
            assert_eq!(judge_by("https://other.example", written, &fields), Sender::Own, "{written}");
        }
        let of_host = |https, host| Origin::of_host(https, host).map(|origin| origin.to_string());
        assert_eq!(of_host(true, "Shop.test:443").unwrap(), "https://shop.test");
        assert_eq!(of_host(false, "shop.test.:80").unwrap(), "http://shop.test");
        assert_eq!(of_host(false, "shop.test:443").unwrap(), "http://shop.test:443");
        assert_eq!(of_host(true, "[::1]:443").unwrap(), "https://[::1]");
        assert_eq!(of_host(true, "shop.test:").unwrap(), "https://shop.test");
        assert_eq!(of_host(false, "[::1]:").unwrap(), "http://[::1]");
        for bad in [
            "shop.test/",
            ":",
            "a::",
            "[::",
            "a,b",
            "*",
            "*.test",
            "a..test",
            ".",
            &"a".repeat(64),
            &["a"; 128].join("."),
        ] {
            assert_eq!(of_host(true, bad), None, "{bad}");
        }
    }

    #[test]
    fn two_different_origins_are_foreign_and_the_same_twice_is_one() {
        let judge = |fields: &[_]| judge_by("https://shop.example", OWN, fields);
        let (shop, evil) =
            (("origin", &b"https://shop.example"[..]), ("origin", &b"https://evil.example"[..]));
        assert_eq!(judge(&[shop, shop]), listed("https://shop.example"));
        assert_eq!(judge(&[shop, evil]), Sender::Foreign);
        let sites = [("sec-fetch-site", &b"same-origin"[..]), ("sec-fetch-site", &b"cross-site"[..])];
        assert_eq!(judge(&sites), Sender::Foreign);
    }

    #[test]
    fn without_an_origin_the_browsers_word_counts() {
        assert_eq!(judge(None, None), Sender::Own, "no browser");
        assert_eq!(judge(None, Some("same-origin")), Sender::Own);
        assert_eq!(judge(None, Some("none")), Sender::Own);
        assert_eq!(judge(Some("null"), Some("same-origin")), Sender::Own);
        for (origin, fetch_site) in [
            (None, Some("cross-site")),
            (None, Some("same-site")),
            (None, Some("caf\u{e9}")),
            (Some("null"), None),
            (Some("null"), Some("cross-site")),
        ] {
            assert_eq!(judge(origin, fetch_site), Sender::Foreign, "{origin:?} {fetch_site:?}");
        }
    }

    #[test]
    fn a_configured_public_url_replaces_what_the_request_says() {
        let rules =
            OriginRules { allowed: vec![], public: Some("https://Public.example:443/".parse().unwrap()) };
        let judge = |origin: &'static str| {
            rules.judge(&headers(&[("origin", origin.as_bytes())]), &OWN.parse().unwrap())
        };
        assert_eq!(judge("https://public.example"), Sender::Own);
        assert_eq!(judge(OWN), Sender::Foreign);
    }

    #[test]
    fn loopback_is_told_from_the_rest() {
        for here in ["localhost", "localhost:8080", "127.0.0.1:80", "[::1]:80", "shop.localhost"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["example.com", "localhost.example.com", "10.0.0.1", "", "a b"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        for bad in [
            "shop.example",
            "https://shop.example/a",
            "ftp://shop.example",
            "https://u@shop.example",
            "*",
            "null",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
