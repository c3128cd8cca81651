//! What a report is about: a host, lower case, without port and `www.`.

use url::{Host, Url};
use visitflow_protocol::limits;

/// The site that a request names outright.
#[must_use]
pub fn normalize(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let name = match name.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(']') =>
        {
            host.to_owned()
        }
        _ => name,
    };
    let name = name.strip_prefix("www.").map(str::to_owned).unwrap_or(name);
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    (!name.is_empty() && name.len() <= limits::SITE_BYTES && name.chars().all(allowed)).then_some(name)
}

/// The site of an http(s) address.
#[must_use]
pub fn of_url(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    match url.host()? {
        Host::Domain(domain) => normalize(domain),
        host => Some(host.to_string()),
    }
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
