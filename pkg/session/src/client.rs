use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http::header::{RETRY_AFTER, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::cookie;
use crate::session::{Active, Session, Unknown};

/// How long to wait for an answer; after that the session is unknown.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait where the server does not say.
const RETRY: Duration = Duration::from_secs(2);

/// As much of an error's body as a message shows, in characters.
const SHOWN: usize = 500;

/// Asks a visitflow server whose session a request belongs to. Cloning is cheap.
#[derive(Clone)]
pub struct Sessions {
    client: reqwest::Client,
    place: Arc<Place>,
    cookie_name: Arc<str>,
    touch: bool,
}

/// Where to ask, and with what.
struct Place {
    introspect: Url,
    bind: Url,
    unbind: Url,
    of_user: Url,
    key: String,
}

/// How a user is signed in.
#[derive(Clone, Copy, Debug)]
pub struct SignIn {
    /// Whether the visit gets the user; false for a visitor who has not consented to being measured.
    pub visit: bool,
    /// Whether the session gets the long limits of a remembered one.
    pub remember: bool,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { visit: true, remember: false }
    }
}

/// The cookie after a sign-in or sign-out.
#[derive(Debug)]
pub struct Bound {
    /// Add it to the answer as it is; none: the browser's cookie stays.
    pub set_cookie: Option<HeaderValue>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the server cannot be used.
    #[error("visitflow: {0:?} is no http or https address of a server")]
    Endpoint(String),
    /// The API key is empty, or holds what no header can.
    #[error(
        "visitflow: the key is an API key with the scope session: visitflow key add NAME --scope session"
    )]
    Key,
    /// The server could not be reached, or did not answer in time.
    #[error("visitflow: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The server refused. 503: its stores are away; ask again.
    #[error("visitflow: {status} from {url}: {body}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// What was asked.
        url: String,
        /// The beginning of what it said.
        body: String,
        /// How long to wait, if it said so.
        retry_after: Option<Duration>,
    },
    /// The browser has several session cookies, and only one of them would be replaced. Answer 400.
    #[error("visitflow: the browser has several cookies {0}, and would keep the others")]
    Cookies(String),
    /// What answered is no visitflow server.
    #[error("visitflow: what answers at {0} is no server of visitflow")]
    Answer(String),
}

impl Sessions {
    /// `endpoint`: where this backend reaches the server, such as `http://127.0.0.1:8080`. `key`: an API
    /// key with the scope `session`.
    ///
    /// # Errors
    /// [`Error::Endpoint`] and [`Error::Key`].
    pub fn new(endpoint: &str, key: &str) -> Result<Self, Error> {
        let refused = || Error::Endpoint(endpoint.to_owned());
        let base = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = base.ok_or_else(refused)?;
        let address = |name: &str| {
            let path = format!("{}/api/{name}", base.as_str().trim_end_matches('/'));
            Url::parse(&path).map_err(|_| refused())
        };
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        let key = if is_key { key.to_owned() } else { return Err(Error::Key) };
        let place = Place {
            introspect: address("session/introspect")?,
            bind: address("session/bind")?,
            unbind: address("session/unbind")?,
            of_user: address("sessions")?,
            key,
        };
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, place: Arc::new(place), cookie_name: "session_id".into(), touch: true })
    }

    /// Asks with a client of yours, for its timeout, its TLS or its proxy. By default: two seconds.
    #[must_use]
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = client;
        self
    }

    /// The name of the session's cookie, where the server has another than `session_id`.
    #[must_use]
    pub fn cookie_name(mut self, name: &str) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// Whether a question counts as activity of a signed-in session. By default it does.
    #[must_use]
    pub fn touch(mut self, touch: bool) -> Self {
        self.touch = touch;
        self
    }

    /// Whose session a request with these headers belongs to. Never fails: where nobody can tell, it is
    /// unknown. Mistakes of this program, such as a wrong key, are logged as errors (`tracing`), too.
    pub async fn session(&self, headers: &HeaderMap) -> Session {
        let Ok(Some(token)) = cookie::token(headers, &self.cookie_name) else { return Session::None };
        match self.introspect(token).await {
            Ok(session) => session,
            Err(error) => {
                let retry_after = match &error {
                    Error::Refused { retry_after, status, .. } => {
                        // No retry mends these.
                        let waits = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
                        if status.is_client_error() && !waits.contains(status) {
                            tracing::error!("{error}");
                        }
                        *retry_after
                    }
                    _ => None,
                };
                Session::Unknown(Unknown {
                    retry_after: retry_after.unwrap_or(RETRY),
                    cause: error.to_string(),
                })
            }
        }
    }

    /// Signs a user in whose password your site has checked itself: replaces the token, gives the visit its
    /// user, and notes the browser for the list of the user's sessions. `user_id` is your site's own id; it
    /// does not begin with `u_`.
    ///
    /// # Errors
    /// When it was not done, or no answer came in time: then it may have been done.
    pub async fn bind(&self, headers: &HeaderMap, user_id: &str, sign_in: SignIn) -> Result<Bound, Error> {
        let body = Bind {
            token: self.token(headers)?,
            user_id,
            visit: sign_in.visit,
            remember: sign_in.remember,
            user_agent: headers.get(USER_AGENT).and_then(|value| value.to_str().ok()),
        };
        self.change(&self.place.bind, &body).await
    }

    /// Signs out: replaces the token, and takes the user out of the session.
    ///
    /// # Errors
    /// When it was not done, or no answer came in time: then it may have been done.
    pub async fn unbind(&self, headers: &HeaderMap) -> Result<Bound, Error> {
        let token = self.token(headers)?;
        self.change(&self.place.unbind, &Unbind { token }).await
    }

    /// Ends all sessions of a user, in every browser: after a new password, say. With a key for one site, those
    /// of that site alone.
    ///
    /// # Errors
    /// When it was not done, or no answer came in time.
    pub async fn end_sessions(&self, user_id: &str) -> Result<(), Error> {
        let mut url = self.place.of_user.clone();
        url.query_pairs_mut().append_pair("user_id", user_id);
        let answer = self.send(&url, self.client.delete(url.clone())).await?;
        if answer.status() == StatusCode::NO_CONTENT { Ok(()) } else { Err(Error::Answer(url.to_string())) }
    }

    fn token<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Error> {
        cookie::token(headers, &self.cookie_name)
            .map_err(|cookie::Several| Error::Cookies(self.cookie_name.to_string()))
    }

    async fn introspect(&self, token: &str) -> Result<Session, Error> {
        let url = &self.place.introspect;
        let asked = Asked { token, touch: self.touch };
        let answer = self.send(url, self.client.post(url.clone()).json(&asked)).await?;
        let set_cookie = answer.headers().get_all(SET_COOKIE).iter().cloned().collect();
        let said: Introspected = answer.json().await.map_err(|_| Error::Answer(url.to_string()))?;
        if !said.active {
            return Ok(Session::None);
        }
        let (Some(session), Some(iat), Some(exp)) = (said.sid, said.iat, said.exp) else {
            return Err(Error::Answer(url.to_string()));
        };
        Ok(Session::Active(Active {
            user: said.sub,
            session,
            visitor: said.visitor_id,
            site: said.site,
            created_at: UNIX_EPOCH + Duration::from_secs(iat),
            expires_at: UNIX_EPOCH + Duration::from_secs(exp),
            generation: said.generation.unwrap_or_default(),
            set_cookie,
        }))
    }

    async fn change(&self, url: &Url, body: &impl Serialize) -> Result<Bound, Error> {
        let refused = || Error::Answer(url.to_string());
        let request = self.client.post(url.clone()).json(body);
        let said: Changed = self.send(url, request).await?.json().await.map_err(|_| refused())?;
        let set_cookie = said.set_cookie.map(HeaderValue::try_from).transpose().map_err(|_| refused())?;
        Ok(Bound { set_cookie })
    }

    async fn send(&self, url: &Url, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Error> {
        let answer = request.bearer_auth(&self.place.key).send().await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Err(Error::Refused {
            status,
            url: url.to_string(),
            retry_after: seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs),
            body: answer.text().await.unwrap_or_default().chars().take(SHOWN).collect(),
        })
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, place, cookie_name, touch } = self;
        let asked = place.introspect.as_str(); // without the key
        f.debug_struct("Sessions")
            .field("introspect", &asked)
            .field("cookie_name", cookie_name)
            .field("touch", touch)
            .finish()
    }
}

#[derive(Serialize)]
struct Asked<'a> {
    token: &'a str,
    touch: bool,
}

/// The answer of `POST /api/session/introspect`.
#[derive(Deserialize)]
struct Introspected {
    active: bool,
    sub: Option<String>,
    sid: Option<String>,
    iat: Option<u64>,
    exp: Option<u64>,
    visitor_id: Option<String>,
    site: Option<String>,
    generation: Option<u64>,
}

#[derive(Serialize)]
struct Bind<'a> {
    token: Option<&'a str>,
    user_id: &'a str,
    visit: bool,
    remember: bool,
    user_agent: Option<&'a str>,
}

#[derive(Serialize)]
struct Unbind<'a> {
    token: Option<&'a str>,
}

/// The answer of `POST /api/session/{bind,unbind}`.
#[derive(Deserialize)]
struct Changed {
    set_cookie: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_key_are_checked_at_once() {
        for endpoint in ["127.0.0.1:8080", "", "ftp://stats.example", "/api"] {
            assert!(matches!(Sessions::new(endpoint, "vk_key"), Err(Error::Endpoint(_))), "{endpoint}");
        }
        for key in ["", "a b", "a\nb", "schl\u{fc}ssel"] {
            assert!(matches!(Sessions::new("http://127.0.0.1:8080", key), Err(Error::Key)), "{key:?}");
        }
    }

    #[test]
    fn a_path_before_the_api_is_kept() {
        for endpoint in ["https://shop.example/stats", "https://shop.example/stats/"] {
            let sessions = Sessions::new(endpoint, "vk_key").unwrap();
            assert_eq!(
                sessions.place.introspect.as_str(),
                "https://shop.example/stats/api/session/introspect"
            );
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let sessions = Sessions::new("http://127.0.0.1:8080", "vk_secret").unwrap();
        assert!(!format!("{sessions:?}").contains("secret"));
    }
}
