//! A request, as an endpoint gets it.

use std::borrow::Cow;
use std::sync::{Arc, Once};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use visitflow_protocol::problem as kind;

use crate::app::App;
use crate::config::Gpc;
use crate::contract::accounts::ApiKey;
use crate::http::body;
use crate::http::client_ip::Client;
use crate::http::cookie::Presented;
use crate::http::cookie_names::Ours;
use crate::http::fields;
use crate::http::problem::Problem;
use crate::session::Millis;
use crate::session::token::SessionToken;
use crate::throttle::budget::Allowance;

/// A request, as an endpoint gets it.
#[derive(Debug)]
pub struct Call<'a> {
    /// What all requests share.
    pub app: &'a App,
    /// Method, target and headers.
    pub head: &'a Parts,
    /// When it was received.
    pub now: Millis,
    /// The client's address, and what limits count by.
    pub client: Client,
    /// Its API key.
    pub key: Option<Arc<ApiKey>>,
    /// The host to which it was sent.
    pub host: &'a str,
    /// Whether the browser came over TLS, here or to a trusted proxy.
    pub https: bool,
    /// Whether cookies get `Secure`.
    pub secure: bool,
    /// The body; taken when it is read.
    pub body: Option<Incoming>,
}

impl Call<'_> {
    /// Reads the body.
    ///
    /// # Errors
    /// See [`body::read`].
    pub async fn body(&mut self) -> Result<Bytes, Problem> {
        match self.body.take() {
            Some(body) => body::read(body, &self.head.headers).await,
            None => Ok(Bytes::new()),
        }
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// See [`body::read`] and [`body::json`].
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        body::json(&self.body().await?)
    }

    /// The session token of the request.
    ///
    /// # Errors
    /// 400 when there are two different ones.
    pub fn token(&self) -> Result<Option<SessionToken>, Problem> {
        static SAID: Once = Once::new();
        match self.app.cookies.session(&self.head.headers) {
            Presented::Nothing => Ok(None),
            Presented::Taken => {
                let name = self.app.cookies.names.get(Ours::Session);
                SAID.call_once(|| {
                    tracing::warn!(
                        "a browser sent a cookie {name} that visitflow did not set; another application of this host probably did. visitflow does not change it. In such a browser facts are stored without a session, and nobody can sign in. Give this server's cookie another name: --cookie-name session_id=shop_sid"
                    );
                });
                Ok(None)
            }
            Presented::Token(token) => Ok(Some(token)),
            Presented::Ambiguous => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                kind::AMBIGUOUS_COOKIE,
                "This request has two different session cookies; delete the one that another subdomain has set.",
            )),
        }
    }

    /// Whether the name of the session's cookie belongs to another application.
    #[must_use]
    pub fn session_is_taken(&self) -> bool {
        matches!(self.app.cookies.session(&self.head.headers), Presented::Taken)
    }

    /// How many visits the request may begin.
    #[must_use]
    pub fn allowance(&self) -> Allowance<'_> {
        match self.key {
            Some(_) => Allowance::unlimited(),
            None => self.app.throttle.visits(self.client.counted(), self.now),
        }
    }

    /// Whether the browser sends Global Privacy Control and the server honours it.
    #[must_use]
    pub fn gpc(&self) -> bool {
        self.app.config.gpc == Gpc::Honour
            && self.head.headers.get_all("sec-gpc").iter().any(|says| says == "1")
    }

    /// Whether the page is another site's, so that the browser keeps no cookies of this server.
    #[must_use]
    pub fn cross_site(&self) -> bool {
        self.header("sec-fetch-site").as_deref() == Some("cross-site")
    }

    /// A header as text; bytes that are not text are replaced.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        fields::text(&self.head.headers, name)
    }
}
