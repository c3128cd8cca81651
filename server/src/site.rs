//! What a report is about: a host, lower case, without port and `www.`.

use url::{Host, Url};
use visitflow_protocol::limits;

/// The site that a request names outright: a host, perhaps with a port.
#[must_use]
pub fn normalize(name: &str) -> Option<String> {
    of_url(&format!("http://{}/", name.trim())).filter(|_| !name.contains(['/', '?', '#', '@', '\\']))
}

/// The site of last resort: the host that a request was sent to.
#[must_use]
pub fn of_host(host: &str) -> String {
    normalize(host).unwrap_or_else(|| "localhost".to_owned())
}

/// The site of an http(s) address. International names are in the form of the DNS (`xn--…`).
#[must_use]
pub fn of_url(url: &str) -> Option<String> {
    of_parsed(&Url::parse(url).ok()?)
}

/// As [`of_url`], of an address that is parsed already.
#[must_use]
pub fn of_parsed(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = match url.host()? {
        Host::Domain(domain) => domain.trim_end_matches('.').to_owned(),
        host => host.to_string(),
    };
    let host = host.strip_prefix("www.").map_or(host.clone(), str::to_owned);
    (!host.is_empty() && host.len() <= limits::SITE_BYTES).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_one_spelling() {
        for (written, site) in [
            ("WWW.Shop.Example:8443", "shop.example"),
            ("shop.example", "shop.example"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("shop.example.", "shop.example"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(normalize(written).as_deref(), Some(site), "{written}");
        }
        for bad in ["", "a b", "a/b", "a\0b", &"a".repeat(254)] {
            assert_eq!(normalize(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_site_of_an_address_is_its_host() {
        assert_eq!(of_url("https://www.Shop.example:444/a?b#c").as_deref(), Some("shop.example"));
        assert_eq!(of_url("http://[::1]:8080/").as_deref(), Some("[::1]"));
        assert_eq!(of_url("android-app://com.example"), None);
        assert_eq!(of_url("nonsense"), None);
    }
}
