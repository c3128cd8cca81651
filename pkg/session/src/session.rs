use std::time::{Duration, SystemTime};

use http::HeaderValue;

/// Whose session a request belongs to.
#[derive(Clone, Debug)]
pub enum Session {
    /// There is a live session.
    Active(Active),
    /// There is none.
    None,
    /// Nobody could tell: the server or its stores are away. That is not signed out.
    Unknown(Unknown),
}

/// A live session.
#[derive(Clone, Debug)]
pub struct Active {
    /// The signed-in user; none while nobody is signed in.
    pub user: Option<String>,
    /// Names the session; no credential.
    pub session: String,
    /// The visitor, if the browser has consented and named one.
    pub visitor: Option<String>,
    /// The site of the session's visit.
    pub site: Option<String>,
    /// When it began.
    pub created_at: SystemTime,
    /// When it expires if nothing happens.
    pub expires_at: SystemTime,
    /// Grows with each rotation of the token.
    pub generation: u64,
    /// `Set-Cookie` headers to add to the answer as they are: they keep the browser's cookie alive.
    /// [`SessionLayer`](crate::SessionLayer) adds them itself.
    pub set_cookie: Vec<HeaderValue>,
}

/// Why nobody could tell.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// How long to wait before asking again.
    pub retry_after: Duration,
    /// What happened, for the log.
    pub cause: String,
}

impl Session {
    /// The signed-in user. None also where it is unknown: match on the session where the two differ.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Active(active) => active.user.as_deref(),
            Self::None | Self::Unknown(_) => None,
        }
    }
}
