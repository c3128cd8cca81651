//! Whether a request that changes something comes from where it may.

use std::fmt;
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::ORIGIN;
use url::Url;

/// Scheme, host and port, in the form that browsers send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The text as browsers write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an https origin.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = || format!("{text:?} is not an origin; write https://shop.example, without a path");
        let url = Url::parse(text).map_err(|_| hint())?;
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !bare {
            return Err(hint());
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Our own pages, or no browser at all.
    Own,
    /// A page of a listed origin, which may read the answer.
    Listed(String),
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
    /// was sent to; it counts where no `--public-url` is configured.
    #[must_use]
    pub fn judge(&self, headers: &HeaderMap, own: &str) -> Verdict {
        let origin = headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("?"));
        let fetch_site = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("?"));
        match (origin, fetch_site) {
            (Some(origin), _) if origin != "null" => {
                if self.allowed.iter().any(|allowed| allowed.as_str() == origin) {
                    Verdict::Listed(origin.to_owned())
                } else if origin == self.public.as_ref().map_or(own, Origin::as_str) {
                    Verdict::Own
                } else {
                    Verdict::Foreign
                }
            }
            (_, Some("same-origin" | "none")) | (None, None) => Verdict::Own,
            _ => Verdict::Foreign,
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

    fn judge(origin: Option<&str>, fetch_site: Option<&str>) -> Verdict {
        let rules = OriginRules { allowed: vec!["https://shop.example".parse().unwrap()], public: None };
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        if let Some(site) = fetch_site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        rules.judge(&headers, OWN)
    }

    #[test]
    fn listed_and_own_origins_pass() {
        assert_eq!(
            judge(Some("https://shop.example"), Some("cross-site")),
            Verdict::Listed("https://shop.example".into())
        );
        assert_eq!(judge(Some(OWN), None), Verdict::Own);
    }

    #[test]
    fn look_alikes_and_case_tricks_are_foreign() {
        for origin in [
            "https://evilshop.example",
            "https://shop.example.evil",
            "http://shop.example",
            "https://SHOP.example",
            "https://shop.example:444",
            "https://shop.example/",
            "file://",
            "",
        ] {
            assert_eq!(judge(Some(origin), Some("same-origin")), Verdict::Foreign, "{origin}");
        }
    }

    #[test]
    fn without_an_origin_the_browsers_word_counts() {
        assert_eq!(judge(None, None), Verdict::Own, "no browser");
        assert_eq!(judge(None, Some("same-origin")), Verdict::Own);
        assert_eq!(judge(None, Some("none")), Verdict::Own);
        assert_eq!(judge(Some("null"), Some("same-origin")), Verdict::Own);
        assert_eq!(judge(None, Some("cross-site")), Verdict::Foreign);
        assert_eq!(judge(None, Some("same-site")), Verdict::Foreign);
        assert_eq!(judge(Some("null"), None), Verdict::Foreign);
        assert_eq!(judge(Some("null"), Some("cross-site")), Verdict::Foreign);
    }

    #[test]
    fn a_configured_public_url_replaces_what_the_request_says() {
        let rules =
            OriginRules { allowed: vec![], public: Some("https://Public.example:443/".parse().unwrap()) };
        let headers = |origin: &str| HeaderMap::from_iter([(ORIGIN, origin.parse().unwrap())]);
        assert_eq!(rules.judge(&headers("https://public.example"), OWN), Verdict::Own);
        assert_eq!(rules.judge(&headers(OWN), OWN), Verdict::Foreign);
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
