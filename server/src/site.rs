//! The one form of a site: a host, lower case, without port and `www.`. Pure.

use std::borrow::Cow;

use url::{Host, Url};
use visitflow_protocol::limits;

/// The site that a request names explicitly: a host, perhaps with a port.
#[must_use]
pub fn normalize(name: &str) -> Option<String> {
    of_url(&format!("http://{}/", name.trim())).filter(|_| !name.contains(['/', '?', '#', '@', '\\']))
}

/// The site if nothing else names it: the host to which a request was sent.
#[must_use]
pub fn of_host(host: &str) -> String {
    normalize(host).unwrap_or_else(|| "localhost".to_owned())
}

/// The site of an http(s) address. International names are in the form of the DNS (`xn--…`).
#[must_use]
pub fn of_url(url: &str) -> Option<String> {
    of_parsed(&Url::parse(url).ok()?)
}

/// As [`of_url`], for a parsed address.
#[must_use]
pub fn of_parsed(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Some(without_www(&host(url)?).to_owned())
}

/// The host of an http(s) address, a name without a dot at its end; none if it is a name that no host can
/// have.
#[must_use]
pub fn host(url: &Url) -> Option<Cow<'_, str>> {
    match url.host()? {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            is_host_name(name).then_some(Cow::Borrowed(name))
        }
        address => Some(Cow::Owned(address.to_string())),
    }
}

/// Whether a host can have this name: labels of 1 to 63 letters, digits and hyphens (RFC 1123 §2.1), also
/// underscores, which are in use.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| (1..=LABEL_BYTES).contains(&label.len()) && label.bytes().all(is_allowed);
    name.len() <= limits::SITE_BYTES && name.split('.').all(is_label)
}

/// The longest label of a DNS name (RFC 1035 §2.3.4).
const LABEL_BYTES: usize = 63;

/// Without `www.`, unless no dot would be left: `www.com` is a domain of its own.
fn without_www(host: &str) -> &str {
    let mut host = host;
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| is_domain(rest)) {
        host = rest;
    }
    host
}

fn is_domain(host: &str) -> bool {
    host.contains('.') && !host.starts_with('.')
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
            ("my_shop.example", "my_shop.example"),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("[2001:DB8:0:0:0:0:0:1]:8443", "[2001:db8::1]"),
            ("0x7f.1", "127.0.0.1"),
            ("localhost:3000", "localhost"),
            ("www.com", "www.com"),
            ("www.com.", "www.com"),
            ("www.www.com", "www.com"),
            ("www.localhost", "www.localhost"),
            ("www", "www"),
            ("www.www.shop.example", "shop.example"),
            ("www2.shop.example", "www2.shop.example"),
            ("wwwshop.example", "wwwshop.example"),
        ] {
            assert_eq!(normalize(written).as_deref(), Some(site), "{written}");
            assert_eq!(normalize(site).as_deref(), Some(site), "{site}, again");
        }
        let (long_label, long_name) = ("a".repeat(64), ["a"; 128].join("."));
        assert_eq!(normalize(&long_label[1..]).as_deref(), Some(&long_label[1..]));
        assert_eq!(normalize(&long_name[2..]).as_deref(), Some(&long_name[2..]));
        for bad in [
            "",
            "a b",
            "a/b",
            "a\0b",
            &long_label,
            &long_name,
            "a..test",
            ".",
            "..",
            ".a",
            "a..",
            "a,b",
            "*",
            "a=b",
            "a!",
        ] {
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
