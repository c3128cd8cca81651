//! The names of the cookies: the default names, or those that a site gives them (`--cookie-name`).

use visitflow_protocol::cookie as names;

use crate::session::visitor_key::VisitorKey;

/// The prefix for which browsers have rules of their own (RFC 6265bis §4.1.3).
const HOST: &str = "__Host-";

/// A cookie of visitflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    /// The session's token.
    Session,
    /// The visitor's identifier.
    Visitor,
    /// The client's hint that a session is alive.
    LastActivity,
    /// What proves that the browser is the visitor.
    VisitorKey,
}

impl Ours {
    /// Each with its default name.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Session, names::SESSION),
        (Self::Visitor, names::VISITOR),
        (Self::LastActivity, names::LAST_ACTIVITY),
        (Self::VisitorKey, names::VISITOR_KEY),
    ];

    /// The cookies that are deleted when the visitor withdraws consent.
    pub const OF_VISITOR: [Self; 3] = [Self::Visitor, Self::VisitorKey, Self::LastActivity];

    /// Whether scripts cannot read it.
    #[must_use]
    pub fn is_http_only(self) -> bool {
        matches!(self, Self::Session | Self::VisitorKey)
    }

    /// Whether another application has written this value. A value that begins like one of visitflow counts as visitflow's,
    /// even if it is broken; an empty one counts as nobody's.
    #[must_use]
    pub fn is_foreign(self, value: &[u8]) -> bool {
        let is_ours = match self {
            Self::Session => value.starts_with(b"s_"),
            Self::Visitor => value.starts_with(b"v_"),
            Self::LastActivity => value.iter().all(u8::is_ascii_digit),
            // It has no prefix, so it is recognised by its length.
            Self::VisitorKey => {
                std::str::from_utf8(value).is_ok_and(|value| VisitorKey::parse(value).is_some())
            }
        };
        !is_ours && !matches!(value, b"" | b"\"\"")
    }
}

/// The name of each cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieNames([String; Ours::ALL.len()]);

impl CookieNames {
    /// The default names, except for those that are given.
    ///
    /// # Errors
    /// Why they cannot be used together.
    pub fn new(given: &[(Ours, String)]) -> Result<Self, String> {
        let mut names = Ours::ALL.map(|(_, name)| name.to_owned());
        for (at, (ours, name)) in given.iter().enumerate() {
            if given[..at].iter().any(|(other, _)| other == ours) {
                let (_, ours) = Ours::ALL[*ours as usize];
                return Err(format!("--cookie-name is given twice for {ours}; give it once"));
            }
            names[*ours as usize].clone_from(name);
        }
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(format!(
                    "--cookie-name: two cookies would be named {name}; give each a different name"
                ));
            }
        }
        Ok(Self(names))
    }

    /// The name of a cookie.
    #[must_use]
    pub fn get(&self, ours: Ours) -> &str {
        &self.0[ours as usize]
    }

    /// The same, with the session cookie limited to this host.
    #[must_use]
    pub fn with_host_prefix(mut self) -> Self {
        self.0[Ours::Session as usize].insert_str(0, HOST);
        self
    }
}

/// Reads `COOKIE=NAME`.
///
/// # Errors
/// A sentence that says what to write instead.
pub fn cookie_name(text: &str) -> Result<(Ours, String), String> {
    let list = || Ours::ALL.map(|(_, name)| name).join(", ");
    let (ours, name) = text.split_once('=').ok_or("write a pair such as session_id=shop_sid")?;
    let (ours, name) = (ours.trim(), name.trim());
    let ours = Ours::ALL.iter().find(|(_, own)| *own == ours).map(|(ours, _)| *ours);
    let ours = ours.ok_or_else(|| format!("the name before = must be one of {}", list()))?;
    // RFC 6265 §4.1.1 takes the token of RFC 9110 §5.6.2.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES || !name.bytes().all(is_token) {
        return Err(format!("a cookie's name must be 1 to {NAME_BYTES} letters, digits and !#$%&'*+-.^_`|~"));
    }
    let prefix = name.get(..2).filter(|prefix| *prefix == "__");
    if prefix.is_some() {
        return Err("a name must not begin with __; to get __Host-, write --cookie-prefix host".into());
    }
    Ok((ours, name.to_owned()))
}

/// Longest name of a cookie, in bytes, because each request contains it.
const NAME_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_may_call_each_cookie_as_it_likes() {
        let given = [cookie_name("session_id=shop_sid").unwrap(), cookie_name(" visitor_id = a.b ").unwrap()];
        let names = CookieNames::new(&given).unwrap();
        let called = Ours::ALL.map(|(ours, _)| names.get(ours).to_owned());
        assert_eq!(called, ["shop_sid", "a.b", "last_activity", "visitor_key"]);
        assert_eq!(names.with_host_prefix().get(Ours::Session), "__Host-shop_sid");
        let swapped =
            [cookie_name("session_id=visitor_id").unwrap(), cookie_name("visitor_id=session_id").unwrap()];
        assert!(CookieNames::new(&swapped).is_ok(), "no two are the same");
    }

    #[test]
    fn a_name_that_cannot_be_is_refused_with_a_way_out() {
        let long = format!("session_id={}", "x".repeat(65));
        for (text, hint) in [
            ("shop_sid", "session_id=shop_sid"),
            ("sid=shop_sid", "visitor_id"),
            ("session_id=", "letters"),
            ("session_id=a b", "letters"),
            ("session_id=a;b", "letters"),
            ("session_id=a=b", "letters"),
            ("session_id=café", "letters"),
            ("session_id=__Host-sid", "--cookie-prefix host"),
            ("session_id=__secure-sid", "--cookie-prefix host"),
            (long.as_str(), "64"),
        ] {
            let error = cookie_name(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
        let named = |texts: &[&str]| {
            let given: Vec<_> = texts.iter().map(|text| cookie_name(text).unwrap()).collect();
            CookieNames::new(&given)
        };
        assert!(named(&["session_id=visitor_id"]).unwrap_err().contains("visitor_id"));
        assert!(named(&["session_id=a", "visitor_id=a"]).unwrap_err().contains("two cookies"));
        assert!(named(&["session_id=a", "session_id=b"]).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_value_of_another_form_is_foreign_and_a_broken_one_of_ours_is_not() {
        let key = "k".repeat(42) + "A";
        for (ours, own) in [
            (Ours::Session, "s_x"),
            (Ours::Visitor, "v_x"),
            (Ours::LastActivity, "17"),
            (Ours::VisitorKey, &*key),
        ] {
            assert!(!ours.is_foreign(own.as_bytes()) && !ours.is_foreign(b"") && !ours.is_foreign(b"\"\""));
            for foreign in [&b"customer-7"[..], b"s%3Aabc", b"\xff"] {
                assert!(ours.is_foreign(foreign), "{ours:?}");
            }
        }
    }
}
