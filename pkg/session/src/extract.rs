use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::session::{Active, Session, Unknown};

/// The signed-in user: an extractor that refuses requests of nobody. See [`Rejection`].
#[derive(Clone, Debug)]
pub struct User {
    /// By which the server knows the user.
    pub id: String,
    /// The session.
    pub session: Active,
}

/// Why a request got no further.
#[derive(Debug)]
pub enum Rejection {
    /// 401: nobody is signed in.
    SignedOut,
    /// 503 with `Retry-After`: nobody can tell who is signed in.
    Unknown(Unknown),
    /// 500: the router lacks [`SessionLayer`](crate::SessionLayer).
    NoLayer,
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        parts.extensions.get::<Self>().cloned().ok_or(Rejection::NoLayer)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        match Session::from_request_parts(parts, state).await? {
            Session::Active(session) => match &session.user {
                Some(id) => Ok(Self { id: id.clone(), session }),
                None => Err(Rejection::SignedOut),
            },
            Session::None => Err(Rejection::SignedOut),
            Session::Unknown(unknown) => Err(Rejection::Unknown(unknown)),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "Please sign in.").into_response(),
            Self::Unknown(unknown) => {
                let wait = HeaderValue::from(unknown.retry_after.as_secs().max(1));
                let text = "It is not known who is signed in. Try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, wait)], text).into_response()
            }
            Self::NoLayer => {
                tracing::error!("visitflow: a handler asks for the session; add SessionLayer to its router");
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal error.").into_response()
            }
        }
    }
}
