//! How a request reached the server: over TLS or not, by which host.

use hyper::StatusCode;
use hyper::Version;
use hyper::header::{HOST, HeaderValue};
use hyper::http::request::Parts;
use visitflow_protocol::problem as kind;

use super::fields;
use super::origin::Origin;
use super::problem::Problem;

/// How a request reached the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether over TLS, to this server or to a trusted proxy.
    pub https: bool,
    /// The origin of this server's pages, as the browser sees it.
    pub own: Origin,
}

impl Target {
    /// The host, and its port if it is not the scheme's default.
    #[must_use]
    pub fn host(&self) -> &str {
        self.own.host()
    }
}

/// Reads it from a request; scheme and host from a trusted proxy come first.
///
/// # Errors
/// 400 when the request names no host, or two (RFC 9112 §3.2, RFC 9113 §8.3.1).
pub fn target(head: &Parts, proxied: bool, tls: bool) -> Result<Target, Problem> {
    let forwarded = |name| fields::elements(&head.headers, name).next_back().filter(|_| proxied);
    let https =
        tls || forwarded("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case(b"https"));
    // If TLS ends at a proxy, the port after the host may be that of the next hop.
    let ends_before = https && !tls;
    let origin = |host: &[u8]| {
        let host = std::str::from_utf8(host).ok()?;
        let host = host.strip_suffix(":80").filter(|_| ends_before).unwrap_or(host);
        Origin::of_host(https, host)
    };
    let named = host(head, origin)?;
    let own = forwarded("x-forwarded-host").and_then(origin).unwrap_or(named);
    Ok(Target { https, own })
}

/// The host that the request itself names.
fn host(head: &Parts, origin: impl Fn(&[u8]) -> Option<Origin>) -> Result<Origin, Problem> {
    let mut fields = head.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    let (field, second) = (fields.next(), fields.next());
    if second.is_some() {
        return Err(bad("This request has more than one Host header; send one."));
    }
    let authority = head.uri.authority().map(|authority| authority.as_str().as_bytes());
    let missing = || bad("This request does not say which host it is for; send a Host header.");
    let read = |host| {
        origin(host).ok_or_else(|| {
            bad("The host of this request is not a host name or an address. A name has at most 253 characters: labels of 1 to 63 letters, digits, - and _, with a dot between them.")
        })
    };
    match head.version {
        Version::HTTP_09 | Version::HTTP_10 => read(authority.or(field).unwrap_or(b"localhost")),
        Version::HTTP_11 => field.map(|field| authority.unwrap_or(field)).ok_or_else(missing).and_then(read),
        _ => match (authority, field) {
            (Some(authority), Some(field)) => {
                let named = read(authority)?;
                if named == read(field)? {
                    Ok(named)
                } else {
                    Err(bad("The Host header and :authority of this request name different hosts."))
                }
            }
            (authority, field) => authority.or(field).ok_or_else(missing).and_then(read),
        },
    }
}

fn bad(detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, kind::INVALID_HOST, detail)
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn see(version: Version, uri: &str, headers: &[(&str, &[u8])], proxied: bool) -> Option<String> {
        let mut request = Request::builder().version(version).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        target(&head, proxied, false).ok().map(|target| target.own.to_string())
    }

    #[test]
    fn http_1_1_names_one_host() {
        let see = |headers: &[(&str, &[u8])]| see(Version::HTTP_11, "/", headers, false);
        assert_eq!(see(&[("host", b"Shop.test:80")]).unwrap(), "http://shop.test");
        assert_eq!(see(&[]), None);
        assert_eq!(see(&[("host", b"a"), ("host", b"a")]), None);
        for bad in [
            &b""[..],
            b"a b",
            b"a/b",
            b"u@a",
            b"a:b",
            b"a:99999",
            b"[::1",
            b"caf\xe9.test",
            b"a?b",
            b"a::",
            b":",
        ] {
            assert_eq!(see(&[("host", bad)]), None, "{bad:?}");
        }
        let long = "a".repeat(300);
        for bad in ["a,b", "*", "*.test", "a..test", ".test", ".", "a!b", &long] {
            assert_eq!(see(&[("host", bad.as_bytes())]), None, "{bad}");
        }
        for (sent, own) in [
            ("my_shop.test", "http://my_shop.test"),
            ("[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
            ("127.0.0.1:80", "http://127.0.0.1"),
            ("shop.test.", "http://shop.test"),
            ("a.test:", "http://a.test"),
        ] {
            assert_eq!(see(&[("host", sent.as_bytes())]).unwrap(), own);
        }
    }

    #[test]
    fn an_absolute_target_counts_before_the_host_header_which_is_there_all_the_same() {
        let see = |headers: &[(&str, &[u8])]| see(Version::HTTP_11, "http://one.test/", headers, false);
        assert_eq!(see(&[("host", b"two.test")]).unwrap(), "http://one.test");
        assert_eq!(see(&[]), None);
    }

    #[test]
    fn http_2_names_one_host_in_one_or_both_ways() {
        let see = |uri, headers: &[(&str, &[u8])]| see(Version::HTTP_2, uri, headers, false);
        assert_eq!(see("http://one.test/", &[]).unwrap(), "http://one.test");
        assert_eq!(see("http://one.test/", &[("host", b"One.test")]).unwrap(), "http://one.test");
        for same in [&b"one.test:80"[..], b"one.test.", b"ONE.test.:80"] {
            assert_eq!(see("http://one.test/", &[("host", same)]).unwrap(), "http://one.test", "{same:?}");
        }
        assert_eq!(see("http://[::0001]:80/", &[("host", b"[::1]")]).unwrap(), "http://[::1]");
        for other in [&b"two.test"[..], b"one.test:81", b"one.test..", b"one,test", b""] {
            assert_eq!(see("http://one.test/", &[("host", other)]), None, "{other:?}");
        }
        assert_eq!(see("/", &[("host", b"two.test")]).unwrap(), "http://two.test");
        assert_eq!(see("/", &[]), None);
    }

    #[test]
    fn http_1_0_needs_no_host() {
        assert_eq!(see(Version::HTTP_10, "/", &[], false).unwrap(), "http://localhost");
    }

    #[test]
    fn a_trusted_proxy_says_scheme_and_host_and_what_of_it_cannot_be_read_is_left_out() {
        let headers: &[(&str, &[u8])] = &[
            ("host", b"inner:8080"),
            ("x-forwarded-proto", b"caf\xe9, HTTPS"),
            ("x-forwarded-host", b"b\xfccher.test, Shop.test:443"),
        ];
        assert_eq!(see(Version::HTTP_11, "/", headers, true).unwrap(), "https://shop.test");
        assert_eq!(see(Version::HTTP_11, "/", headers, false).unwrap(), "http://inner:8080");
        let headers: &[(&str, &[u8])] =
            &[("host", b"shop.test:443"), ("x-forwarded-proto", b"https"), ("x-forwarded-host", b"a b")];
        assert_eq!(see(Version::HTTP_11, "/", headers, true).unwrap(), "https://shop.test");
        let headers: &[(&str, &[u8])] = &[("host", b"shop.test:80"), ("x-forwarded-proto", b"https")];
        assert_eq!(see(Version::HTTP_11, "/", headers, true).unwrap(), "https://shop.test");
    }
}
