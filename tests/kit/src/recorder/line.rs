//! The way of a request from the browser to the server and back.

use super::{Page, Seen};
use crate::machine::http;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where the script of [`super::Recorder::run_first`] lies.
const FIRST: &str = "/runs-before-the-page.js";

type Failure = Box<dyn Error + Send + Sync>;

/// What test and proxy share.
#[derive(Debug)]
pub(super) struct Line {
    server: String,
    tls: bool,
    http: reqwest::Client,
    seen: Mutex<Vec<Seen>>,
    pages: Mutex<BTreeMap<String, Page>>,
    first: Mutex<Option<String>>,
    /// Parts of paths whose requests wait.
    pub(super) held: watch::Sender<Vec<String>>,
    pub(super) is_cut: AtomicBool,
}

impl Line {
    pub(super) fn to(server: String, tls: bool) -> Self {
        Self {
            server,
            tls,
            http: http(),
            seen: Mutex::default(),
            pages: Mutex::default(),
            first: Mutex::default(),
            held: watch::Sender::default(),
            is_cut: AtomicBool::default(),
        }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pages(&self) -> MutexGuard<'_, BTreeMap<String, Page>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn first(&self) -> MutexGuard<'_, Option<String>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request and answers it; a failure breaks the connection.
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let number = {
            let mut seen = self.seen();
            seen.push(Seen {
                method: head.method.to_string(),
                path: path.clone(),
                headers: head.headers.clone(),
                body: String::new(),
                status: None,
            });
            seen.len() - 1
        };
        let body = body.collect().await?.to_bytes();
        self.seen()[number].body = String::from_utf8_lossy(&body).into_owned();
        let passes = |held: &Vec<String>| !held.iter().any(|part| path.contains(part.as_str()));
        self.held.subscribe().wait_for(passes).await?;
        if self.is_cut.load(Ordering::SeqCst) {
            return Err("the line is cut".into());
        }
        let answer = match self.own(&path) {
            Some(answer) => answer,
            None => self.ask(head, &path, body).await?,
        };
        self.seen()[number].status = Some(answer.status().as_u16());
        Ok(self.with_first(answer))
    }

    /// What the witness serves itself.
    fn own(&self, path: &str) -> Option<Response<Bytes>> {
        let answer = |kind: &'static str, text: String| {
            let mut answer = Response::new(Bytes::from(text));
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            answer
        };
        if path == FIRST {
            return Some(answer("text/javascript", self.first().clone().unwrap_or_default()));
        }
        let bare = path.split('?').next().unwrap_or_default();
        let page = self.pages().get(bare)?.clone();
        let mut answer = answer("text/html; charset=utf-8", page.html);
        if let Some(status) = page.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            *answer.status_mut() = status;
        }
        if let Some(policy) = page.policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
            answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        Some(answer)
    }

    /// What the server says.
    async fn ask(&self, mut head: Parts, path: &str, body: Bytes) -> Result<Response<Bytes>, Failure> {
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        if self.tls {
            head.headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        }
        if self.first().is_some() {
            head.headers.remove(ACCEPT_ENCODING); // pages are read here
        }
        let body = match std::str::from_utf8(&body) {
            Ok(text) if !text.is_empty() => text.replace(r#","webdriver":true"#, "").into(),
            _ => body,
        };
        let url = format!("http://{}{path}", self.server);
        let answer = self.http.request(head.method, url).headers(head.headers).body(body).send().await?;
        let mut passed = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
                passed = passed.header(name, value);
            }
        }
        Ok(passed.body(answer.bytes().await?)?)
    }

    /// A page gets the script of [`super::Recorder::run_first`].
    fn with_first(&self, answer: Response<Bytes>) -> Response<Full<Bytes>> {
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
        answer.map(|body| {
            if !is_page || self.first().is_none() {
                return Full::new(body);
            }
            let html = String::from_utf8_lossy(&body);
            let at = html.find("<head>").map_or(0, |at| at + "<head>".len());
            Full::from(format!("{}<script src=\"{FIRST}\"></script>{}", &html[..at], &html[at..]))
        })
    }
}

/// Takes connections until it is dropped.
pub(super) async fn serve(line: Arc<Line>, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (line, acceptor) = (line.clone(), acceptor.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            match acceptor {
                None => converse(line, stream).await,
                // A browser that does not know the certificate yet hangs up once.
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(line, stream).await;
                    }
                }
            }
        });
    }
}

async fn converse(line: Arc<Line>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let service = service_fn(move |request| {
        // A task of its own: a browser that hangs up takes back nothing that it has asked.
        let handled = tokio::spawn(line.clone().handle(request));
        async { handled.await.unwrap_or_else(|error| Err(error.into())).map_err(io::Error::other) }
    });
    // A browser that has gone wants no answer.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
