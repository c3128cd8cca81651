//! The steps of a session's life, between an endpoint and the writer: start, facts, ping, end,
//! forget, sign in, sign out. They know no HTTP; time and fresh tokens are arguments.
//!
//! Each step judges the presented token once, lets the writer commit what is to be committed, and
//! decides the cookie last: a token that was rotated or ended meanwhile is not sent again.
//!
//! | module | steps |
//! |---|---|
//! | `measuring` | start, facts, ping |
//! | `signing` | sign in, sign out, change the password; whose session a token is |
//! | `ending` | end, forget, end sessions of a user, erase |
//! | `elsewhere` | what another server has begun or changed provisionally |

mod elsewhere;
mod ending;
mod measuring;
mod signing;

use std::sync::Arc;

use crate::database::error::StoreError;
use crate::ingest::Ingest;
use crate::resolve::Sessions;
use crate::session::record::After;
use crate::session::token::{Proof, SessionToken};
use crate::session::visit::VisitorId;
use crate::session::visitor_key::VisitorKey;
use crate::session::{Activity, Caller, Millis};
use crate::throttle::TooMany;

/// What a browser is to do with its session cookie.
#[derive(Clone, Debug)]
pub enum Cookie {
    /// Nothing: no `Set-Cookie`.
    Leave,
    /// Keep this token for so many ms: the idle limit of its session.
    Set(SessionToken, Millis),
    /// Delete it.
    Clear,
}

impl Cookie {
    /// After an end. If another request was first, the browser may have a newer cookie already.
    fn after_end(ended: bool) -> Self {
        if ended { Self::Clear } else { Self::Leave }
    }
}

/// What a browser is to do with its cookies after a request that may begin a visit.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// The session cookie.
    pub session: Cookie,
    /// The visitor's key to keep for a year, if one is to be set.
    pub key: Option<VisitorKey>,
}

impl From<Cookie> for Cookies {
    fn from(session: Cookie) -> Self {
        Self { session, key: None }
    }
}

/// Why a step was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// There is no live session.
    Expired,
    /// Another request rotated or ended the session a moment ago.
    Rotated,
    /// The user's password was changed, or the user disabled, while the request was on its way.
    Stale,
    /// The user has no such live session.
    Missing,
    /// The browser does not hold the visitor's key.
    NotTheirs,
    /// More visits would begin than the address may; nothing was done.
    TooMany(TooMany),
    /// The database failed, or no store could be reached; nothing was done.
    Store(StoreError),
}

impl From<TooMany> for Refusal {
    fn from(too_many: TooMany) -> Self {
        Self::TooMany(too_many)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who sends a request, and when.
#[derive(Clone, Debug)]
pub struct Hit {
    /// When the request was received.
    pub now: Millis,
    /// The token that it carries.
    pub token: Option<SessionToken>,
    /// The visitor that it names.
    pub visitor: Option<VisitorId>,
    /// The visitor whose key the browser may get: its request names the visitor, and it keeps cookies.
    pub key_of: Option<VisitorId>,
    /// The visitor's key that it carries.
    pub key: Option<VisitorKey>,
    /// The site of last resort, that of the host it was sent to; none if that one is not taken.
    pub site: Option<String>,
}

/// What a start did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// A session began.
    Begun,
    /// The live one goes on.
    Resumed,
    /// Nothing: the visitor's data was erased a while ago, or the site is not taken.
    Refused,
}

/// The right by which an erasure is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// A browser's, over its own visitor.
    Own,
    /// An admin's.
    Admin,
    /// An API key's.
    Key,
}

/// The page that a start names.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The site, if named.
    pub site: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
}

/// The steps.
#[derive(Debug)]
pub struct Lifecycle {
    /// Live sessions.
    pub sessions: Arc<Sessions>,
    /// The way to the database.
    pub ingest: Ingest,
}

impl Lifecycle {
    /// Judges the token of a request that may begin a session or a visit. A token whose session had ended before the
    /// request arrived counts as none. If the session ended while the request was on its way, the request begins
    /// nothing.
    async fn arrive(&self, hit: &Hit) -> Caller {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match self.sessions.touch(proof, Some(Activity::Visitor(hit.now)), hit.now).await {
            Caller::Grace { after: After::End { at }, .. } if at < hit.now => Caller::Nothing,
            caller => caller,
        }
    }

    /// The cookie of a token, decided now.
    async fn keep(&self, token: Option<SessionToken>, now: Millis) -> Cookie {
        let proven = token.map(|token| {
            let proof = token.proof();
            (token, proof)
        });
        self.keep_proven(proven, now).await
    }

    /// As [`Self::keep`], where the token has been hashed already.
    async fn keep_proven(&self, token: Option<(SessionToken, Proof)>, now: Millis) -> Cookie {
        let Some((token, proof)) = token else { return Cookie::Leave };
        match self.sessions.cookie_ms(proof, now).await {
            Some(length) => Cookie::Set(token, length),
            None => Cookie::Leave,
        }
    }
}

/// No store that has the session can be reached, and this process does not know it.
const UNREACHABLE: StoreError =
    StoreError::Unavailable("the session cannot be checked: no store that has it can be reached");
