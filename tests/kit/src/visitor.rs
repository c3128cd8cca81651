//! Somebody with a browser: a cookie jar, a visitor id, and what such a person does.

use crate::setup::password_of;
use crate::{Answer, Server, fact_id};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The site that visitors visit unless they say otherwise.
pub const SITE: &str = "shop.example";

const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

type Jar = BTreeMap<String, String>;

/// A visitor. A clone is another tab of the same browser: it shares the cookies.
#[derive(Clone, Debug)]
pub struct Visitor {
    http: reqwest::Client,
    origin: String,
    jar: Arc<Mutex<Jar>>,
    /// `v_` + UUID, in the cookie and in the bodies.
    pub id: String,
}

impl Visitor {
    /// A visitor who has consented and has not been here before.
    #[must_use]
    pub fn new(http: reqwest::Client, origin: String) -> Self {
        Self::known_as(http, origin, format!("v_{}", uuid::Uuid::new_v4()))
    }

    /// Somebody else, on the same server.
    #[must_use]
    pub fn stranger(&self) -> Self {
        Self::new(self.http.clone(), self.origin.clone())
    }

    fn known_as(http: reqwest::Client, origin: String, id: String) -> Self {
        let jar = Jar::from([("visitor_id".to_owned(), id.clone())]);
        Self { http, origin, jar: Arc::new(Mutex::new(jar)), id }
    }

    /// The same visitor with no other cookie: they were deleted, or somebody knows the id.
    #[must_use]
    pub fn without_session(&self) -> Self {
        Self::known_as(self.http.clone(), self.origin.clone(), self.id.clone())
    }

    /// The same browser with a copy of its cookies: what it is told is not told to the original.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let jar = Arc::new(Mutex::new(self.jar().clone()));
        Self { jar, ..self.clone() }
    }

    /// The same browser on another of the site's servers: it shares the cookies.
    #[must_use]
    pub fn at(&self, server: &Server) -> Self {
        Self { origin: server.origin(), ..self.clone() }
    }

    /// The value of a cookie in the jar.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name).cloned()
    }

    /// The value of `session_id` in the jar.
    #[must_use]
    pub fn session(&self) -> Option<String> {
        self.cookie("session_id")
    }

    /// The token in the jar.
    ///
    /// # Panics
    ///
    /// There is none.
    #[must_use]
    #[track_caller]
    pub fn token(&self) -> String {
        self.session().expect("the visitor has a session cookie")
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar().insert(name.to_owned(), value.to_owned());
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // What a visitor does.

    /// `POST /api/session/start`.
    pub async fn start(&self) -> Answer {
        let body = json!({"visitor_id": self.id, "url": format!("https://{SITE}/")});
        self.post("/api/session/start", &body).send().await
    }

    /// A page view of a path of [`SITE`].
    pub async fn view(&self, path: &str) -> Answer {
        self.send_view(&self.page_view(path)).await
    }

    /// The body of a page view, with an id of its own.
    #[must_use]
    pub fn page_view(&self, path: &str) -> Value {
        json!({"id": fact_id(), "visitor_id": self.id, "url": format!("https://{SITE}{path}")})
    }

    /// `POST /api/telemetry/page_view`.
    pub async fn send_view(&self, body: &Value) -> Answer {
        self.post("/api/telemetry/page_view", body).send().await
    }

    /// `POST /api/telemetry/event`.
    pub async fn event(&self, name: &str) -> Answer {
        let url = format!("https://{SITE}/");
        let body = json!({"id": fact_id(), "visitor_id": self.id, "name": name, "url": url});
        self.post("/api/telemetry/event", &body).send().await
    }

    /// `POST /api/telemetry/order`.
    pub async fn order(&self, id: &str, amount: &str, currency: &str) -> Answer {
        let body = json!({
            "id": id, "amount": amount, "currency": currency, "visitor_id": self.id,
            "url": format!("https://{SITE}/checkout"),
        });
        self.post("/api/telemetry/order", &body).send().await
    }

    /// `POST /api/session/ping`.
    pub async fn ping(&self) -> Answer {
        self.post("/api/session/ping", &json!({})).send().await
    }

    /// `POST /api/session/forget`.
    pub async fn forget(&self) -> Answer {
        self.post("/api/session/forget", &json!({})).send().await
    }

    /// `POST /api/session/end`.
    pub async fn end(&self) -> Answer {
        self.post("/api/session/end", &json!({})).send().await
    }

    /// Signs in with the password that the user has in these tests.
    pub async fn log_in(&self, username: &str) -> Answer {
        self.log_in_with(username, &password_of(username)).await
    }

    /// `POST /api/auth/login`.
    pub async fn log_in_with(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.post("/api/auth/login", &body).as_json().send().await
    }

    /// Signs in as the dashboard does: a session without a visit.
    pub async fn log_in_to_dashboard(&self, username: &str) -> Answer {
        let password = password_of(username);
        let body = json!({"username": username, "password": password, "visit": false});
        self.post("/api/auth/login", &body).as_json().send().await
    }

    /// `POST /api/auth/logout`.
    pub async fn log_out(&self) -> Answer {
        self.post("/api/auth/logout", &json!({})).as_json().send().await
    }

    /// `DELETE /api/privacy/visitor`, for oneself.
    pub async fn erase(&self) -> Answer {
        self.erase_request(&self.id).send().await
    }

    /// A request to erase somebody, as a page of the same origin sends it.
    #[must_use]
    pub fn erase_request(&self, visitor_id: &str) -> Request {
        let body = json!({"visitor_id": visitor_id});
        let request = Request { method: Method::DELETE, ..self.post("/api/privacy/visitor", &body) };
        request.as_json()
    }

    /// A GET request.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        Request::new(self, Method::GET, path)
    }

    /// A POST request as a page of the same origin sends it.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Request {
        self.post_bytes(path, body.to_string().into_bytes())
    }

    /// A POST request with any body.
    #[must_use]
    pub fn post_bytes(&self, path: &str, body: Vec<u8>) -> Request {
        let request = Request { body, ..Request::new(self, Method::POST, path) };
        request
            .header("content-type", "text/plain;charset=UTF-8")
            .header("origin", &self.origin)
            .header("sec-fetch-site", "same-origin")
    }

    /// A DELETE request without a body as a page of the same origin sends it.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request {
        let request = Request { method: Method::DELETE, ..self.post_bytes(path, Vec::new()) };
        request.without("content-type")
    }

    /// A request of any method without a body.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Request::new(self, method, path)
    }
}

/// A request that is not sent yet.
#[derive(Debug)]
pub struct Request {
    visitor: Visitor,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    /// What the `Cookie` header says; none: the jar.
    cookie: Option<Vec<u8>>,
}

impl Request {
    fn new(visitor: &Visitor, method: Method, path: &str) -> Self {
        let request = Self {
            visitor: visitor.clone(),
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            cookie: None,
        };
        request.header("user-agent", USER_AGENT)
    }

    /// Sets a header.
    ///
    /// # Panics
    ///
    /// Name or value cannot be sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
        self.headers.insert(name, value);
        self
    }

    /// Leaves a header out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Says `application/json`.
    #[must_use]
    pub fn as_json(self) -> Self {
        self.header("content-type", "application/json")
    }

    /// Has this body.
    #[must_use]
    pub fn body(self, body: &str) -> Self {
        Self { body: body.as_bytes().to_vec(), ..self }
    }

    /// Shows an API key.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Sends this `Cookie` header instead of the jar's; an empty one is left out.
    #[must_use]
    pub fn cookie(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.cookie = Some(value.into());
        self
    }

    /// Sends the request and keeps the cookies of the answer.
    ///
    /// # Panics
    ///
    /// No answer came.
    pub async fn send(self) -> Answer {
        let to = format!("{} {}", self.method, self.path);
        match self.try_send().await {
            Ok(answer) => answer,
            Err(error) => panic!("{to}: {error:?}"),
        }
    }

    /// Sends the request and keeps the cookies of the answer.
    ///
    /// # Errors
    ///
    /// The connection broke, or no answer came in time.
    pub async fn try_send(mut self) -> Result<Answer, reqwest::Error> {
        let cookie = self.cookie.take().unwrap_or_else(|| self.jar_header());
        if !cookie.is_empty() {
            let value = HeaderValue::from_bytes(&cookie).expect("a header's value");
            self.headers.insert("cookie", value);
        }
        let url = format!("{}{}", self.visitor.origin, self.path);
        let to = format!("{} {}", self.method, self.path);
        let request = self.visitor.http.request(self.method, url).headers(self.headers);
        let response = request.body(self.body).send().await?;
        let answer = Answer {
            to,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        };
        let mut jar = self.visitor.jar();
        for cookie in answer.set_cookies() {
            if cookie.clears() {
                jar.remove(&cookie.name);
            } else {
                jar.insert(cookie.name, cookie.value);
            }
        }
        drop(jar);
        Ok(answer)
    }

    fn jar_header(&self) -> Vec<u8> {
        let pairs: Vec<String> =
            self.visitor.jar().iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ").into_bytes()
    }
}
