//! Whose session a request belongs to: visitflow for Rust backends.
//!
//! The browser signs in and out at a visitflow server, whose cookie `session_id` reaches your backend with
//! each request. [`Sessions`] asks that server whose session it is. [`SessionLayer`] asks for every request
//! of a tower service, and passes the server's `Set-Cookie` on; with the feature `axum` (default),
//! [`Session`] and [`User`] are extractors.
//!
//! | module | holds |
//! |---|---|
//! | `client` | the questions: who is this, sign in, sign out |
//! | `session` | the answers |
//! | `cookie` | the token of a request |
//! | `layer` | the tower layer |
//! | `extract` | the extractors of axum |
//!
//! Nothing is cached: an answer holds for one request.

#![forbid(unsafe_code)]

mod client;
mod cookie;
#[cfg(feature = "axum")]
mod extract;
mod layer;
mod session;

pub use self::client::{Bound, Error, Sessions, SignIn};
#[cfg(feature = "axum")]
pub use self::extract::{Rejection, User};
pub use self::layer::{SessionLayer, SessionService};
pub use self::session::{Active, Session, Unknown};
