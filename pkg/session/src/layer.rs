use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::client::Sessions;
use crate::session::Session;

/// Asks whose session each request belongs to, and puts the [`Session`] into the request's extensions. It
/// refuses nothing. An answer that keeps the browser's cookie alive is sent with `Cache-Control: no-store`.
#[derive(Clone, Debug)]
pub struct SessionLayer {
    sessions: Sessions,
}

impl SessionLayer {
    /// A layer that asks this server.
    #[must_use]
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, sessions: self.sessions.clone() }
    }
}

/// What [`SessionLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    sessions: Sessions,
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let sessions = self.sessions.clone();
        // The one that is ready is used; its clone waits for the next request.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            let session = sessions.session(request.headers()).await;
            let cookies = match &session {
                Session::Active(active) => active.set_cookie.clone(),
                Session::None | Session::Unknown(_) => Vec::new(),
            };
            request.extensions_mut().insert(session);
            let mut answer = inner.call(request).await?;
            let headers = answer.headers_mut();
            if !cookies.is_empty() {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            for cookie in cookies {
                headers.append(SET_COOKIE, cookie);
            }
            Ok(answer)
        })
    }
}
