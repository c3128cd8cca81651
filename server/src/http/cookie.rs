//! Reading and writing the cookies, exactly as RFC 6265bis says.

use std::fmt::Write as _;

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue};
use visitflow_protocol::cookie::VISITOR_MAX_AGE_S;

use super::cookie_names::{CookieNames, Ours};
use crate::session::Millis;
use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;
use crate::session::visitor_key::VisitorKey;

/// How many visitor's keys of one request are checked.
const KEYS_MAX: usize = 4;

/// The session cookies of a request.
#[derive(Debug)]
pub enum Presented {
    /// None, or none that this server can have issued.
    Nothing,
    /// One token (perhaps sent twice).
    Token(SessionToken),
    /// Two different tokens: a sibling domain may have set one of them.
    Ambiguous,
    /// A cookie of this name that another application has written. It is left alone.
    Taken,
}

/// How cookies are written.
#[derive(Clone, Debug)]
pub struct CookieStyle {
    /// Their names.
    pub names: CookieNames,
    /// `Domain`, if configured.
    pub domain: Option<String>,
}

impl CookieStyle {
    /// The session token of a request. The cookie is its only source.
    #[must_use]
    pub fn session(&self, headers: &HeaderMap) -> Presented {
        let mut found: Option<(&[u8], SessionToken)> = None;
        let mut is_taken = false;
        for value in self.values(headers, Ours::Session) {
            let text = std::str::from_utf8(value).ok();
            let Some(token) = text.and_then(SessionToken::parse) else {
                is_taken |= Ours::Session.is_foreign(value);
                continue;
            };
            match &found {
                Some((first, _)) if *first != value => return Presented::Ambiguous,
                Some(_) => {}
                None => found = Some((value, token)),
            }
        }
        match found {
            Some((_, token)) => Presented::Token(token),
            None if is_taken => Presented::Taken,
            None => Presented::Nothing,
        }
    }

    /// The visitor in the request's cookie; a cookie of another form counts as absent.
    #[must_use]
    pub fn visitor(&self, headers: &HeaderMap) -> Option<VisitorId> {
        let mut values = self.values(headers, Ours::Visitor);
        values.find_map(|value| std::str::from_utf8(value).ok()?.parse().ok())
    }

    /// The first few visitor's keys of the request: another host of the domain may have added one. A cookie of another form
    /// counts as absent.
    pub fn visitor_keys<'h>(&'h self, headers: &'h HeaderMap) -> impl Iterator<Item = VisitorKey> + 'h {
        let values = self.values(headers, Ours::VisitorKey);
        values.filter_map(|value| VisitorKey::parse(std::str::from_utf8(value).ok()?)).take(KEYS_MAX)
    }

    /// Whether another application uses this name: there is a cookie of it, and none is of this server.
    #[must_use]
    pub fn is_taken(&self, headers: &HeaderMap, ours: Ours) -> bool {
        let mut values = self.values(headers, ours).peekable();
        values.peek().is_some() && values.all(|value| ours.is_foreign(value))
    }

    fn values<'h>(&'h self, headers: &'h HeaderMap, ours: Ours) -> impl Iterator<Item = &'h [u8]> {
        values(headers, self.names.get(ours))
    }

    /// `Set-Cookie` for a live session, to be kept for so many ms.
    #[must_use]
    pub fn set_session(&self, token: &SessionToken, length: Millis, secure: bool) -> Option<HeaderValue> {
        let mut value = self.write(Ours::Session, &token.cookie_value(), true, secure, length / 1_000)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// `Set-Cookie` that deletes the session cookie.
    #[must_use]
    pub fn clear_session(&self, secure: bool) -> Option<HeaderValue> {
        self.write(Ours::Session, "", true, secure, 0)
    }

    /// `Set-Cookie` that renews the visitor's cookie, which the client made: browsers that cap the
    /// lifetime of cookies set by script keep this one. None if another application uses the name.
    #[must_use]
    pub fn renew_visitor(
        &self,
        headers: &HeaderMap,
        visitor: VisitorId,
        secure: bool,
    ) -> Option<HeaderValue> {
        if self.is_taken(headers, Ours::Visitor) {
            return None;
        }
        self.write(Ours::Visitor, &visitor.to_string(), false, secure, i64::from(VISITOR_MAX_AGE_S))
    }

    /// `Set-Cookie` for the visitor's key.
    #[must_use]
    pub fn set_visitor_key(&self, key: &VisitorKey, secure: bool) -> Option<HeaderValue> {
        let max_age_s = i64::from(VISITOR_MAX_AGE_S);
        let mut value = self.write(Ours::VisitorKey, &key.cookie_value(), true, secure, max_age_s)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// `Set-Cookie`s that delete the client's cookies and the visitor's key.
    pub fn clear_visitor(
        &self,
        headers: &HeaderMap,
        secure: bool,
    ) -> impl Iterator<Item = Option<HeaderValue>> {
        let ours = Ours::OF_VISITOR.into_iter().filter(|ours| !self.is_taken(headers, *ours));
        ours.map(move |ours| self.write(ours, "", ours.is_http_only(), secure, 0))
    }

    /// The same, for those of the cookies that the request has. A cookie that the client has deleted before may have been
    /// written again meanwhile, after consent was given again.
    pub fn clear_carried(
        &self,
        headers: &HeaderMap,
        secure: bool,
    ) -> impl Iterator<Item = Option<HeaderValue>> {
        let carried = |ours: &Ours| self.values(headers, *ours).any(|value| !ours.is_foreign(value));
        let carried = Ours::OF_VISITOR.into_iter().filter(carried);
        carried.map(move |ours| self.write(ours, "", ours.is_http_only(), secure, 0))
    }

    fn write(
        &self,
        ours: Ours,
        value: &str,
        http_only: bool,
        secure: bool,
        max_age_s: i64,
    ) -> Option<HeaderValue> {
        let http_only = if http_only { "; HttpOnly" } else { "" };
        let secure = if secure { "; Secure" } else { "" };
        // Nearly every answer has one, so this makes one allocation.
        let mut cookie = String::with_capacity(256);
        for part in [self.names.get(ours), "=", value, http_only, secure, "; SameSite=Lax; Path=/; Max-Age="]
        {
            cookie.push_str(part);
        }
        let _ = write!(cookie, "{max_age_s}"); // cannot fail on a String
        if let Some(domain) = &self.domain {
            cookie.push_str("; Domain=");
            cookie.push_str(domain);
        }
        HeaderValue::try_from(cookie).ok()
    }
}

/// The values of a cookie, in their order. A header is bytes, so cookies may contain anything. HTTP/2 sends several
/// headers (RFC 9113 §8.2.3).
fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (found, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        (found == name.as_bytes()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style() -> CookieStyle {
        CookieStyle { names: CookieNames::new(&[]).unwrap(), domain: None }
    }

    fn headers(cookies: &[&[u8]]) -> HeaderMap {
        cookies.iter().map(|value| (COOKIE, HeaderValue::from_bytes(value).unwrap())).collect()
    }

    #[test]
    fn the_session_cookie_reads_as_specified() {
        let token = SessionToken::issue().unwrap();
        let value = style().set_session(&token, 1_800_000, true).unwrap();
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
            &b"session_id"[..],
            b"session_id=",
            b"session_id=s_nonsense",
            b";;=;",
            long.as_bytes(),
            b"__Host-session_id=s_a.b",
        ] {
            assert!(matches!(style().session(&headers(&[bad])), Presented::Nothing));
        }
    }

    #[test]
    fn a_cookie_that_another_application_has_written_stays_as_it_is() {
        let style = style();
        let own = SessionToken::issue().unwrap().cookie_value();
        for foreign in [&b"nonsense"[..], b"s%3Aabc.def", b"a=b", b"\xff\xfe"] {
            let alone = headers(&[&[b"session_id=", foreign].concat()]);
            assert!(matches!(style.session(&alone), Presented::Taken));
            let both = [b"session_id=", foreign, b"; session_id=", own.as_bytes()].concat();
            assert!(matches!(style.session(&headers(&[&both])), Presented::Token(_)), "one of them is ours");
        }
        let visitor: VisitorId = "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80".parse().unwrap();
        let renewed = |cookie: &[u8]| style.renew_visitor(&headers(&[cookie]), visitor, true).is_some();
        assert!(renewed(b"a=b") && renewed(b"visitor_id=") && renewed(b"visitor_id=v_old"));
        assert!(!renewed(b"visitor_id=customer-7"));
        let cleared = |cookie: &[u8]| {
            let headers = headers(&[cookie]);
            (style.clear_visitor(&headers, true).count(), style.clear_carried(&headers, true).count())
        };
        assert_eq!(cleared(b"a=b"), (3, 0));
        assert_eq!(cleared(b"visitor_id=v_x; last_activity=17"), (3, 2));
        assert_eq!(cleared(b"visitor_id=customer-7; last_activity=today; visitor_key=7"), (0, 0));
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
                    assert_eq!(style().visitor(&headers).unwrap().to_string(), visitor_id, "{odd:?} {place}");
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
        let style = CookieStyle { names: style().names.with_host_prefix(), ..style() };
        let bare = format!("session_id={}", SessionToken::issue().unwrap().cookie_value());
        assert!(matches!(style.session(&headers(&[bare.as_bytes()])), Presented::Nothing));
        let prefixed = format!("__Host-{bare}");
        assert!(matches!(style.session(&headers(&[prefixed.as_bytes()])), Presented::Token(_)));
    }
}
