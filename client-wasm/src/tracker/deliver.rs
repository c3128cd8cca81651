//! Sending: which request goes out when, and what its answer means.
//!
//! A fact goes by fetch, one at a time, and waits until its answer is there. When the page goes away
//! whatever is unconfirmed goes once more, by beacon, with the same ids: the server drops twins.
//!
//! Sign-in, sign-out and end are exclusive: requests in flight settle first, and new ones wait
//! until the answer is there, so that no late `Set-Cookie` crosses theirs.

use super::{Tracker, here, with};
use crate::{
    browser::{
        body, clock, cookies, locks,
        net::{self, Answer},
        page::{self, Function},
        storage,
    },
    consent::Mode,
    queue::{Kind, Verdict},
    session::{self, Phase},
};
use visitflow_protocol::{cookie, limits, path};
use wasm_bindgen::JsValue;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Start,
    Ping,
    Fact,
    AnonymousFact,
    // Those that go alone:
    Login,
    Logout,
    End,
    /// An end after consent was taken back.
    Revoke,
}

impl Task {
    fn is_exclusive(self) -> bool {
        !matches!(self, Self::Start | Self::Ping | Self::Fact | Self::AnonymousFact)
    }
}

/// A request that goes alone.
pub(super) struct Exclusive {
    task: Task,
    path: &'static str,
    body: String,
    page: Option<Function>,
}

/// A request under way.
pub(super) struct InFlight {
    pub(super) ticket: u32,
    task: Task,
    /// The promise that waits for it.
    page: Option<Function>,
}

impl InFlight {
    pub(super) fn is_exclusive(&self) -> bool {
        self.task.is_exclusive()
    }
}

impl Tracker {
    /// Whether new requests wait for an exclusive one.
    pub(super) fn is_held(&self) -> bool {
        !self.exclusives.is_empty() || self.in_flight.iter().any(InFlight::is_exclusive)
    }

    /// Signs in; without consent, without measuring.
    pub(crate) fn login(&mut self, body: &str, page: Function) {
        let mut body = String::from(body);
        if self.consent.mode() != Mode::Full {
            body.pop();
            body.push_str(",\"visit\":false}");
        }
        self.ask(Task::Login, path::LOGIN, &body, Some(page));
    }

    /// Queues a request that goes alone.
    pub(crate) fn ask(&mut self, task: Task, path: &'static str, body: &str, page: Option<Function>) {
        self.exclusives.push_back(Exclusive { task, path, body: body.into(), page });
    }

    /// Sends what may be sent now.
    pub(super) fn proceed(&mut self, now_ms: u64) {
        if !self.is_held() {
            if std::mem::take(&mut self.wants_session) {
                self.step(session::Event::Fact(self.hint()), now_ms);
            }
            self.send_facts(now_ms);
        } else if self.in_flight.is_empty()
            && let Some(Exclusive { task, path, body, page }) = self.exclusives.pop_front()
        {
            self.post(task, path, &body, page);
        }
    }

    fn send_facts(&mut self, now_ms: u64) {
        if self.queue.is_empty() {
            return;
        }
        if self.queue.backoff.until_ms() > now_ms {
            return self.wake_at(self.queue.backoff.until_ms(), now_ms);
        }
        if self.consent.mode() == Mode::Full && !self.step(session::Event::Fact(self.hint()), now_ms).ready {
            match self.session.phase() {
                Phase::Refused => self.discard(),
                Phase::Starting => {}
                _ => self.wake_at(self.session.retry_at_ms(), now_ms),
            }
            return;
        }
        if let Some(item) = self.queue.launch() {
            let mut body = String::new();
            item.write(&mut body, self.visitor_id.as_deref(), now_ms);
            let task = if item.kind.is_anonymous() { Task::AnonymousFact } else { Task::Fact };
            let path = item.kind.path();
            self.post(task, path, &body, None);
        }
    }

    /// Drops everything that waits.
    pub(super) fn discard(&mut self) {
        for item in self.queue.iter() {
            storage::keep(&item.key, "");
        }
        self.queue.purge();
    }

    /// Sends everything that is unconfirmed once more, by beacon: the page may be gone the next
    /// moment. A beacon carries cookies, so what is anonymous goes by a request of which nobody hears.
    pub(super) fn flush(&mut self, now_ms: u64) {
        if self.session.phase() == Phase::Refused {
            return;
        }
        for item in self.queue.iter().filter(|item| item.kind.is_anonymous() && !item.flies) {
            let mut body = String::new();
            item.write(&mut body, None, now_ms);
            net::post(0, item.kind.path(), &body, false, true);
        }
        for kind in [Kind::View, Kind::Event, Kind::Order] {
            let path = kind.path();
            let (mut body, mut items) = (String::new(), 0);
            for item in self.queue.iter().filter(|item| item.kind == kind) {
                if items == limits::ARRAY_ITEMS || body.len() + item.body.len() > limits::BODY_BYTES - 64 {
                    send(path, &mut body);
                    items = 0;
                }
                body.push(if items == 0 { '[' } else { ',' });
                item.write(&mut body, self.visitor_id.as_deref(), now_ms);
                items += 1;
            }
            send(path, &mut body);
        }
    }

    /// This tab alone may start a session. Another may have done so meanwhile.
    pub(super) fn locked(&mut self, now_ms: u64) {
        let starting = self.in_flight.iter().any(|request| request.task == Task::Start);
        let wanted = self.session.phase() == Phase::Starting && !starting;
        if wanted {
            self.recognise();
        }
        if wanted && !self.step(session::Event::Locked(self.hint()), now_ms).ready {
            self.start();
        } else if !starting {
            locks::unlock();
        }
    }

    /// Asks the server for a session.
    fn start(&mut self) {
        let here = here();
        let first = self.session.is_first();
        let url = if first { self.settings.landing() } else { &here };
        let referrer = self.settings.referrer().filter(|_| first);
        let body = body::start(self.visitor_id.as_deref(), url, referrer);
        self.post(Task::Start, path::SESSION_START, &body, None);
    }

    /// Keeps the session alive, and reports the engagement with the page.
    pub(super) fn send_ping(&mut self, now_ms: u64) {
        self.ping = None;
        if self.session.phase() != Phase::Live || self.is_held() {
            return;
        }
        self.view.engagement.scrolled(page::depth());
        let body = self.ping_body(now_ms).unwrap_or_else(|| "{}".into());
        self.post(Task::Ping, path::SESSION_PING, &body, None);
    }

    /// The last word about a page view, by beacon.
    pub(super) fn leave(&mut self, now_ms: u64) {
        if self.session.phase() == Phase::Live
            && !self.is_held()
            && let Some(body) = self.ping_body(now_ms)
        {
            net::beacon(path::SESSION_PING, &body);
        }
    }

    fn ping_body(&mut self, now_ms: u64) -> Option<String> {
        let id = self.view.id.as_deref()?;
        let (engaged_ms, scroll_pct) = self.view.engagement.report(now_ms)?;
        Some(body::ping(id, engaged_ms as f64, scroll_pct))
    }

    fn post(&mut self, task: Task, path: &str, body: &str, page: Option<Function>) {
        self.tickets += 1;
        let ticket = self.tickets;
        self.in_flight.push(InFlight { ticket, task, page });
        let json = matches!(task, Task::Login | Task::Logout);
        net::post(ticket, path, body, json, task == Task::AnonymousFact);
    }

    /// Tries again at a time.
    fn wake_at(&mut self, at_ms: u64, now_ms: u64) {
        if self.wake.is_none() {
            let wait_ms = at_ms.saturating_sub(now_ms);
            self.wake = Some(clock::after(wait_ms, || with(&mut |tracker, _| tracker.wake = None)));
        }
    }

    /// An answer.
    pub(crate) fn answered(&mut self, answer: &Answer, now_ms: u64) {
        let Some(at) = self.in_flight.iter().position(|request| request.ticket == answer.ticket) else {
            return;
        };
        let request = self.in_flight.swap_remove(at);
        match request.task {
            Task::Start => {
                self.started(answer, now_ms);
                locks::unlock();
            }
            Task::Ping => {
                let event = match Verdict::of(answer.status) {
                    Verdict::Done => session::Event::Confirmed,
                    Verdict::Expired => session::Event::Expired,
                    _ => return,
                };
                self.step(event, now_ms);
            }
            Task::Fact | Task::AnonymousFact => self.fact_answered(answer, now_ms),
            task => self.settled(task, request.page, answer, now_ms),
        }
    }

    fn started(&mut self, answer: &Answer, now_ms: u64) {
        let event = match Verdict::of(answer.status) {
            Verdict::Done if answer.status == 200 => session::Event::Started,
            // 401: the cookie was that of a session which another tab has just renewed; the next
            // start carries the new one.
            Verdict::Again | Verdict::Expired => {
                session::Event::Failed(answer.retry_after_ms, clock::random())
            }
            Verdict::Done => session::Event::Refused,
            Verdict::Final => {
                page::complain(reason(answer));
                session::Event::Refused
            }
        };
        self.step(event, now_ms);
    }

    fn fact_answered(&mut self, answer: &Answer, now_ms: u64) {
        let Some(item) = self.queue.land() else { return };
        let (key, first) = (item.key.clone(), item.tries == 1);
        match Verdict::of(answer.status) {
            Verdict::Done => {
                self.sent += 1;
                self.queue.backoff = Default::default();
            }
            Verdict::Again => {
                return self.queue.backoff.failed(now_ms, answer.retry_after_ms, clock::random());
            }
            Verdict::Expired if first => {
                self.step(session::Event::Expired, now_ms);
                return;
            }
            Verdict::Expired | Verdict::Final => {
                self.queue.dropped += 1;
                page::complain(reason(answer));
            }
        }
        self.queue.remove(&key);
        storage::keep(&key, "");
    }

    fn settled(&mut self, task: Task, page: Option<Function>, answer: &Answer, now_ms: u64) {
        let full = self.consent.mode() == Mode::Full;
        let verdict = Verdict::of(answer.status);
        // An end of a session that is gone has reached its aim.
        let done = verdict == Verdict::Done || (task == Task::End && verdict == Verdict::Expired);
        match task {
            Task::Login | Task::Logout if done && full => {
                self.step(session::Event::Signed, now_ms);
            }
            Task::End if done => {
                self.step(session::Event::Ended, now_ms);
                cookies::write(cookie::LAST_ACTIVITY, "", 0);
            }
            // An answer to a start that was aborted may have set the cookie anew.
            Task::Revoke if !full => self.forget_cookies(),
            _ => {}
        }
        let Some(page) = page else {
            return;
        };
        if done || task == Task::Revoke {
            page::settle(&page, None, &answer.body);
        } else {
            page::settle(&page, Some(reason(answer)), &JsValue::UNDEFINED);
        }
    }
}

/// Sends an array that lacks its end, by beacon.
fn send(path: &str, body: &mut String) {
    if !body.is_empty() {
        body.push(']');
        net::beacon(path, body);
        body.clear();
    }
}

/// What went wrong and what to do, for people.
fn reason(answer: &Answer) -> &str {
    answer.detail.as_deref().unwrap_or(match answer.status {
        0 => "The server could not be reached: check the connection and try again.",
        401 => "The user name or password is wrong.",
        429 | 503 => "The server is busy: try again in a moment.",
        500..=599 => "The server has a problem: try again later.",
        _ => "The server refused the request: check the option endpoint and the server's --allowed-origin.",
    })
}
