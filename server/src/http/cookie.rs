//! Reading and writing the cookies, to the letter of RFC 6265bis.

use std::fmt::Write as _;

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue};
use visitflow_protocol::cookie::{self as names, VISITOR_MAX_AGE_S};

use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;

/// The cookies that go when the visitor withdraws consent.
const OF_VISITOR: [&str; 2] = [names::VISITOR, names::LAST_ACTIVITY];

/// What the request's session cookies say.
#[derive(Debug)]
pub enum Presented {
    /// None, or nothing that this server can have issued.
    Nothing,
    /// One token (perhaps sent twice).
    Token(SessionToken),
    /// Two different ones: a sibling domain may have planted one of them.
    Ambiguous,
}

/// How cookies are written.
#[derive(Clone, Debug)]
pub struct CookieStyle {
    /// `session_id`, or `__Host-session_id`.
    pub session_name: &'static str,
    /// Lifetime of the session cookie in seconds: the idle limit.
    pub session_max_age_s: i64,
    /// `Domain`, if configured.
    pub domain: Option<String>,
}

impl CookieStyle {
    /// The session token of a request. The cookie is its only source.
    #[must_use]
    pub fn session(&self, headers: &HeaderMap) -> Presented {
        let mut found: Option<(&str, SessionToken)> = None;
        for value in values(headers, self.session_name) {
            let Some(token) = SessionToken::parse(value) else {
                continue;
            };
            match &found {
                Some((first, _)) if *first != value => return Presented::Ambiguous,
                Some(_) => {}
                None => found = Some((value, token)),
            }
        }
        found.map_or(Presented::Nothing, |(_, token)| Presented::Token(token))
    }

    /// `Set-Cookie` for a live session.
    #[must_use]
    pub fn set_session(&self, token: &SessionToken, secure: bool) -> Option<HeaderValue> {
        let mut value =
            self.write(self.session_name, &token.cookie_value(), true, secure, self.session_max_age_s)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// `Set-Cookie` that deletes the session cookie.
    #[must_use]
    pub fn clear_session(&self, secure: bool) -> Option<HeaderValue> {
        self.write(self.session_name, "", true, secure, 0)
    }

    /// `Set-Cookie` that renews the visitor's cookie, which the client made: browsers that cap the
    /// lifetime of cookies set by script keep this one.
    #[must_use]
    pub fn renew_visitor(&self, visitor: VisitorId, secure: bool) -> Option<HeaderValue> {
        self.write(names::VISITOR, &visitor.to_string(), false, secure, i64::from(VISITOR_MAX_AGE_S))
    }

    /// `Set-Cookie`s that delete what the client made.
    pub fn clear_visitor(&self, secure: bool) -> impl Iterator<Item = Option<HeaderValue>> {
        OF_VISITOR.into_iter().map(move |name| self.write(name, "", false, secure, 0))
    }

    /// The same for those that the request carries. What the client has deleted before it asked may have
    /// been written again meanwhile, with consent that was given anew.
    pub fn clear_carried(
        &self,
        headers: &HeaderMap,
        secure: bool,
    ) -> impl Iterator<Item = Option<HeaderValue>> {
        let carried = OF_VISITOR.into_iter().filter(|name| values(headers, name).next().is_some());
        carried.map(move |name| self.write(name, "", false, secure, 0))
    }

    fn write(
        &self,
        name: &str,
        value: &str,
        http_only: bool,
        secure: bool,
        max_age_s: i64,
    ) -> Option<HeaderValue> {
        let http_only = if http_only { "; HttpOnly" } else { "" };
        let secure = if secure { "; Secure" } else { "" };
        // Nearly every answer carries one: one allocation.
        let mut cookie = String::with_capacity(256);
        for part in [name, "=", value, http_only, secure, "; SameSite=Lax; Path=/; Max-Age="] {
            cookie.push_str(part);
        }
        let _ = write!(cookie, "{max_age_s}"); // a String takes everything
        if let Some(domain) = &self.domain {
            cookie.push_str("; Domain=");
            cookie.push_str(domain);
        }
        HeaderValue::try_from(cookie).ok()
    }
}

/// The visitor that the request's cookie names; a cookie of another form counts as absent.
#[must_use]
pub fn visitor(headers: &HeaderMap) -> Option<VisitorId> {
    values(headers, names::VISITOR).find_map(|value| value.parse().ok())
}

/// The values of a cookie, in the order in which they come. A header is bytes: other cookies may hold
/// anything, and a value of ours that is no text counts as absent. HTTP/2 sends several headers
/// (RFC 9113 §8.2.3).
fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (found, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        (found == name.as_bytes()).then(|| std::str::from_utf8(value).ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style() -> CookieStyle {
        CookieStyle { session_name: names::SESSION, session_max_age_s: 1_800, domain: None }
    }

    fn headers(cookies: &[&[u8]]) -> HeaderMap {
        cookies.iter().map(|value| (COOKIE, HeaderValue::from_bytes(value).unwrap())).collect()
    }

    #[test]
    fn the_session_cookie_reads_as_specified() {
        let token = SessionToken::issue().unwrap();
        let value = style().set_session(&token, true).unwrap();
        let expected = format!(
            "session_id={}; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=1800",
            token.cookie_value()
        );
        assert_eq!(value.to_str().unwrap(), expected);
        let cleared = style().clear_session(true).unwrap();
        assert_eq!(
            cleared.to_str().unwrap(),
            "session_id=; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_that_the_server_cannot_have_issued_is_absent() {
        let long = format!("session_id=s_{}", "x".repeat(5_000));
        for bad in [
            &b"session_id=nonsense"[..],
            b"session_id",
            b"session_id=\xff\xfe",
            b";;=;",
            long.as_bytes(),
            b"__Host-session_id=s_a.b",
        ] {
            assert!(matches!(style().session(&headers(&[bad])), Presented::Nothing));
        }
    }

    #[test]
    fn what_other_cookies_hold_hides_none_of_ours() {
        let token = format!("session_id={}", SessionToken::issue().unwrap().cookie_value());
        let visitor_id = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80";
        for odd in [
            "city=K\u{f6}ln".as_bytes(),
            b"city=K\xf6ln",
            b"\xff",
            b"\xff=\xfe",
            b"a=\"b; c",
            b"a=%zz",
            b"=",
            b"",
            b"a=\tb\t",
            b"session_id=\xff",
            b"visitor_id=v_\xff",
            b"session_id",
        ] {
            for place in 0..3 {
                let mut parts =
                    vec![token.as_bytes().to_vec(), format!("visitor_id={visitor_id}").into_bytes()];
                parts.insert(place, odd.to_vec());
                let one = headers(&[&parts.join(&b"; "[..])]);
                let several = headers(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
                for headers in [one, several] {
                    assert!(matches!(style().session(&headers), Presented::Token(_)), "{odd:?} {place}");
                    assert_eq!(visitor(&headers).unwrap().to_string(), visitor_id, "{odd:?} {place}");
                }
            }
        }
    }

    #[test]
    fn two_different_tokens_are_ambiguous_and_the_same_twice_is_one() {
        let cookie = || format!("session_id={}", SessionToken::issue().unwrap().cookie_value());
        let (one, two) = (cookie(), cookie());
        assert!(matches!(style().session(&headers(&[one.as_bytes(), one.as_bytes()])), Presented::Token(_)));
        assert!(matches!(style().session(&headers(&[one.as_bytes(), two.as_bytes()])), Presented::Ambiguous));
        let both = format!("{one}; a=b; {two}");
        assert!(matches!(style().session(&headers(&[both.as_bytes()])), Presented::Ambiguous));
    }

    #[test]
    fn with_the_host_prefix_the_bare_name_is_ignored() {
        let style = CookieStyle { session_name: "__Host-session_id", ..style() };
        let bare = format!("session_id={}", SessionToken::issue().unwrap().cookie_value());
        assert!(matches!(style.session(&headers(&[bare.as_bytes()])), Presented::Nothing));
        let prefixed = format!("__Host-{bare}");
        assert!(matches!(style.session(&headers(&[prefixed.as_bytes()])), Presented::Token(_)));
    }
}
