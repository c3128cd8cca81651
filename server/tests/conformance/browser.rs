//! A browser with its cookies, and what it is answered.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use uuid::Uuid;
use visitflow_server::lifecycle::{Cookie, Cookies, Refusal};
use visitflow_server::session::token::{Proof, SessionToken};
use visitflow_server::session::visit::VisitorId;
use visitflow_server::session::visitor_key::VisitorKey;

/// The answer to a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// No `Set-Cookie`.
    Left,
    /// The cookie that it sent is set again.
    Kept,
    /// A new cookie.
    Fresh,
    /// The cookie is deleted.
    Cleared,
    /// 401.
    Expired,
    /// 409.
    Rotated,
    /// 401 after a sign-in with a password that was changed meanwhile.
    Stale,
    /// 403: the visitor is somebody else's.
    NotTheirs,
    /// 404: the user has no such session.
    Missing,
    /// 503.
    Unavailable,
}

/// A visitor with a cookie jar. It may send several requests at once: each has the cookies that are in the jar when it is
/// sent.
#[derive(Debug)]
pub(crate) struct Browser {
    pub visitor: VisitorId,
    jar: Mutex<Option<SessionToken>>,
    key: Mutex<Option<VisitorKey>>,
    /// How often an answer has set the key.
    keys_set: AtomicUsize,
}

impl Browser {
    /// A new visitor.
    pub(crate) fn new() -> Self {
        Self::of(format!("v_{}", Uuid::new_v4()).parse().unwrap())
    }

    /// Another cookie jar of a visitor.
    pub(crate) fn of(visitor: VisitorId) -> Self {
        Self { visitor, jar: Mutex::default(), key: Mutex::default(), keys_set: AtomicUsize::new(0) }
    }

    /// A new visitor with the cookie of a session that was never issued.
    pub(crate) fn with_a_bogus_cookie() -> Self {
        Self::with_cookie(SessionToken::issue().unwrap())
    }

    /// A new visitor with this session cookie.
    pub(crate) fn with_cookie(token: SessionToken) -> Self {
        let browser = Self::new();
        *browser.jar.lock().unwrap() = Some(token);
        browser
    }

    /// The session cookie.
    pub(crate) fn cookie(&self) -> Option<SessionToken> {
        self.jar.lock().unwrap().clone()
    }

    /// The session cookie of a browser that has one.
    pub(crate) fn proof(&self) -> Proof {
        self.cookie().unwrap().proof()
    }

    /// A browser of the same visitor with the same cookies.
    pub(crate) fn copy(&self) -> Self {
        self.copy_as(self.visitor)
    }

    /// A browser of another visitor with the same cookies otherwise.
    pub(crate) fn copy_as(&self, visitor: VisitorId) -> Self {
        let (jar, key) = (Mutex::new(self.cookie()), Mutex::new(self.key()));
        Self { jar, key, ..Self::of(visitor) }
    }

    /// The visitor's key.
    pub(crate) fn key(&self) -> Option<VisitorKey> {
        self.key.lock().unwrap().clone()
    }

    /// How often an answer has set the key.
    pub(crate) fn keys_set(&self) -> usize {
        self.keys_set.load(Relaxed)
    }

    /// The session cookie is gone, the visitor's is not.
    pub(crate) fn lose_cookie(&self) {
        *self.jar.lock().unwrap() = None;
    }

    pub(crate) fn takes_all(&self, answer: Result<Cookies, Refusal>, carried: Option<&SessionToken>) -> Said {
        let session = answer.map(|Cookies { session, key }| {
            if key.is_some() {
                *self.key.lock().unwrap() = key;
                self.keys_set.fetch_add(1, Relaxed);
            }
            session
        });
        self.takes(session, carried)
    }

    pub(crate) fn takes(&self, answer: Result<Cookie, Refusal>, carried: Option<&SessionToken>) -> Said {
        let mut jar = self.jar.lock().unwrap();
        match answer {
            Ok(Cookie::Leave) => Said::Left,
            Ok(Cookie::Clear) => {
                *jar = None;
                Said::Cleared
            }
            Ok(Cookie::Set(token, _)) => {
                let kept = carried.is_some_and(|carried| carried.proof() == token.proof());
                *jar = Some(token);
                if kept { Said::Kept } else { Said::Fresh }
            }
            Err(Refusal::Expired) => Said::Expired,
            Err(Refusal::Rotated) => Said::Rotated,
            Err(Refusal::Stale) => Said::Stale,
            Err(Refusal::NotTheirs) => Said::NotTheirs,
            Err(Refusal::Missing) => Said::Missing,
            Err(Refusal::Store(_) | Refusal::TooMany(_)) => Said::Unavailable,
        }
    }
}
