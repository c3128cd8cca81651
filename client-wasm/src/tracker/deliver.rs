//! Sending: which request goes out when, and what its answer means.
//!
//! A fact goes by fetch, one at a time, and waits until its answer is there. When the page goes away
//! whatever is unconfirmed goes once more, by beacon, with the same ids: the server drops twins.
//!
//! Sign-in, sign-out and end are exclusive: requests in flight settle first, and new ones wait
//! until the answer is there, so that no late `Set-Cookie` crosses theirs.

use super::Tracker;
use crate::{
    browser::{
        clock, cookies, facts, locks,
        net::{self, Answer},
        page::{self, Function},
    },
    consent::Mode,
    happening::Happening,
    queue::{Item, Kind, Verdict},
    session::{self, Phase},
};
use visitflow_protocol::path;
use wasm_bindgen::JsValue;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Start,
    Ping,
    Fact,
    // Those that go alone:
    Login,
    Logout,
    End,
    /// Nothing: what was queued before it is tried.
    Flush,
    /// Consent was taken back: the session leaves its visit.
    Revoke,
    /// A start ahead of an erasure.
    Renew,
    /// Consent was taken back, and everything about the visitor is to be erased.
    Erase,
}

impl Task {
    fn is_exclusive(self) -> bool {
        !matches!(self, Self::Start | Self::Ping | Self::Fact)
    }
}

/// A request that goes alone.
pub(super) struct Exclusive {
    task: Task,
    path: &'static str,
    body: JsValue,
    page: Option<Function>,
    /// How many facts have left the queue by the time that it may go.
    after: u32,
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

    /// Queues a request that goes alone; its body is an object, or undefined.
    pub(crate) fn ask(&mut self, task: Task, path: &'static str, body: JsValue, page: Option<Function>) {
        // These come after what was queued before them.
        let facts = if matches!(task, Task::End | Task::Flush) { self.queue.len() as u32 } else { 0 };
        self.exclusives.push(Exclusive { task, path, body, page, after: self.queue.left + facts });
    }

    /// Sends what may be sent now.
    pub(super) fn proceed(&mut self, now_ms: u64) {
        if !self.is_held() {
            if std::mem::take(&mut self.wants_session) && page::is_counted() {
                self.step(session::Event::Fact(self.hint()), now_ms);
            }
            self.send_facts(now_ms);
        } else if self.in_flight.is_empty() && self.session.phase() != Phase::Starting {
            self.send_exclusive(now_ms);
        }
    }

    fn send_exclusive(&mut self, now_ms: u64) {
        let backoff = self.queue.backoff;
        match self.exclusives.first() {
            // One that failed waits, unless something waits behind it.
            Some(first)
                if first.task == Task::Revoke && self.exclusives.len() == 1 && !backoff.is_over(now_ms) =>
            {
                self.wake_at(backoff.until_ms(), now_ms);
            }
            Some(first)
                if self.queue.left < first.after
                    && !backoff.failing()
                    && self.session.may_start(now_ms)
                    && self.session.phase() != Phase::Refused =>
            {
                self.send_facts(now_ms);
            }
            Some(_) => {
                let Exclusive { task, path, body, page, .. } = self.exclusives.remove(0);
                if let (Task::Flush, Some(page)) = (task, &page) {
                    page::settle(page, None, &JsValue::UNDEFINED);
                    return self.proceed(now_ms);
                }
                let ticket = self.ticket(task, page);
                net::ask(ticket, path, &body, self.consent.mode() == Mode::Full);
            }
            None => {}
        }
    }

    fn send_facts(&mut self, now_ms: u64) {
        if self.queue.is_empty() {
            return;
        }
        if !self.queue.backoff.is_over(now_ms) {
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
            let (fact, anonymous) = (item.fact.clone(), item.kind == Kind::Anonymous);
            let ticket = self.ticket(Task::Fact, None);
            facts::send(ticket, &fact, anonymous);
        }
    }

    /// Drops everything that waits.
    pub(super) fn discard(&mut self) {
        for item in self.queue.iter() {
            facts::let_go(&item.fact);
        }
        self.queue.purge();
    }

    /// Sends everything that is unconfirmed once more, by beacon: the page may be gone the next
    /// moment. A beacon carries cookies, so what is anonymous goes by a request of which nobody hears.
    pub(super) fn flush(&self) {
        if self.session.phase() == Phase::Refused {
            return;
        }
        for item in self.queue.iter() {
            if item.kind != Kind::Anonymous {
                facts::gather(&item.fact);
            } else if !item.flies() {
                facts::send_anonymously(&item.fact);
            }
        }
        facts::flush();
    }

    /// This tab alone may start a session. Another may have done so meanwhile.
    pub(super) fn locked(&mut self, now_ms: u64) {
        let starting = self.in_flight.iter().any(|request| request.task == Task::Start);
        let wanted = self.session.phase() == Phase::Starting && !starting;
        if wanted && self.cookies == Some(true) && !cookies::recognise() {
            self.forget(); // consent was taken back meanwhile
        } else if wanted && !self.step(session::Event::Locked(self.hint()), now_ms).ready {
            self.start();
        } else if !starting {
            locks::unlock();
        }
    }

    /// Asks the server for a session.
    fn start(&mut self) {
        let first = self.session.is_first();
        net::post_start(self.ticket(Task::Start, None), first, self.bare);
    }

    /// Keeps the session alive, and reports the engagement with the page.
    pub(super) fn send_ping(&mut self, now_ms: u64) {
        self.ping = None;
        if self.session.phase() != Phase::Live || self.is_held() {
            return;
        }
        self.view.engagement.scrolled(page::depth());
        let ticket = self.ticket(Task::Ping, None);
        let news = self.view.engagement.report(now_ms);
        let (engaged_ms, scroll_pct) = news.unwrap_or_default();
        let view = self.view.fact.as_ref().filter(|_| news.is_some());
        net::post_ping(ticket, view, engaged_ms as f64, scroll_pct);
    }

    /// The last word about a page view, by beacon.
    pub(super) fn leave(&mut self, now_ms: u64) {
        let live = self.session.phase() == Phase::Live || facts::is_begun();
        if live
            && !self.is_held()
            && let Some(view) = &self.view.fact
            && let Some((engaged_ms, scroll_pct)) = self.view.engagement.report(now_ms)
        {
            net::beacon_ping(view, engaged_ms as f64, scroll_pct);
        }
    }

    /// A number for a request that is sent now.
    fn ticket(&mut self, task: Task, page: Option<Function>) -> u32 {
        self.tickets += 1;
        self.in_flight.push(InFlight { ticket: self.tickets, task, page });
        self.tickets
    }

    /// Tries again at a time.
    fn wake_at(&mut self, at_ms: u64, now_ms: u64) {
        self.wake = Some(clock::after(at_ms.saturating_sub(now_ms), Happening::Wake));
    }

    /// An answer.
    pub(crate) fn answered(&mut self, answer: &Answer, now_ms: u64) {
        let Some(at) = self.in_flight.iter().position(|request| request.ticket == answer.ticket) else {
            return;
        };
        let request = self.in_flight.swap_remove(at);
        match request.task {
            Task::Start if answer.status == 400 && !self.bare => {
                self.bare = true;
                self.start();
            }
            Task::Start => {
                self.started(answer, now_ms);
                locks::unlock();
            }
            Task::Ping => {
                let event = match verdict(Task::Ping, answer) {
                    Verdict::Done => session::Event::Confirmed,
                    Verdict::Expired => session::Event::Expired,
                    _ => return,
                };
                self.step(event, now_ms);
            }
            Task::Fact => self.fact_answered(answer, now_ms),
            task => self.settled(task, request.page, answer, now_ms),
        }
    }

    fn started(&mut self, answer: &Answer, now_ms: u64) {
        let event = match verdict(Task::Start, answer) {
            Verdict::Done if answer.status == 200 => session::Event::Started,
            // 401: the cookie was that of a session which another tab has just renewed; the next
            // start carries the new one.
            Verdict::Again | Verdict::Expired => {
                complain_of_foreign(answer, self.session.failures() + 1);
                session::Event::Failed(answer.retry_after_ms, clock::random())
            }
            Verdict::Done => session::Event::Refused,
            Verdict::Final => {
                page::complain(reason(answer), &answer.body);
                session::Event::Refused
            }
        };
        self.step(event, now_ms);
    }

    fn fact_answered(&mut self, answer: &Answer, now_ms: u64) {
        match verdict(Task::Fact, answer) {
            Verdict::Again => {
                complain_of_foreign(answer, self.queue.tries());
                self.queue.land();
                return self.queue.backoff.failed(now_ms, answer.retry_after_ms, clock::random());
            }
            Verdict::Expired if self.queue.tries() == 1 => {
                self.queue.land();
                self.step(session::Event::Expired, now_ms);
                return;
            }
            Verdict::Done => {
                self.sent += 1;
                self.queue.backoff = Default::default();
            }
            Verdict::Expired | Verdict::Final => {
                self.queue.dropped += 1;
                page::complain(reason(answer), &answer.body);
            }
        }
        if let Some(Item { fact, .. }) = self.queue.take() {
            facts::let_go(&fact);
        }
    }

    fn settled(&mut self, task: Task, page: Option<Function>, answer: &Answer, now_ms: u64) {
        let full = self.consent.mode() == Mode::Full;
        let verdict = verdict(task, answer);
        // An end of a session that is gone has reached its aim.
        let done = verdict == Verdict::Done || (task == Task::End && verdict == Verdict::Expired);
        match task {
            Task::Login | Task::Logout if done && full => {
                self.step(session::Event::Signed, now_ms);
            }
            Task::End if done => {
                self.step(session::Event::Ended, now_ms);
                cookies::delete_activity();
            }
            // An answer to a start, perhaps one that was aborted, has set the cookie anew.
            Task::Revoke | Task::Renew | Task::Erase if !full => cookies::unname(true),
            // The answer has replaced or deleted the name of the visitor who has consented since.
            Task::Revoke | Task::Renew | Task::Erase => self.cookies = Some(cookies::rename()),
            _ => {}
        }
        // Consent given anew waits for it: the old session is no part of that.
        if task == Task::Revoke && verdict == Verdict::Again {
            self.queue.backoff.failed(now_ms, answer.retry_after_ms, clock::random());
            self.ask(task, path::SESSION_FORGET, JsValue::UNDEFINED, None);
        } else if task == Task::Revoke {
            self.queue.backoff = Default::default();
        }
        let Some(page) = page else {
            return;
        };
        if done || task == Task::Revoke {
            page::settle(&page, None, &answer.body);
        } else {
            page::settle(&page, Some(reason(answer)), &answer.body);
        }
    }
}

/// What an answer means. Those of our own server have no body and the status 204, but for what starts a session or
/// signs in: that tells something.
fn verdict(task: Task, answer: &Answer) -> Verdict {
    let tells = matches!(task, Task::Start | Task::Renew | Task::Login);
    let is_ours = answer.status == 204 || (answer.status == 200 && tells && answer.body.is_object());
    Verdict::of(answer.status, is_ours)
}

/// Tries after which somebody should know that another answers in the server's place.
const FOREIGN_TRIES: u32 = 3;

fn complain_of_foreign(answer: &Answer, tries: u32) {
    if tries == FOREIGN_TRIES && (200..300).contains(&answer.status) {
        page::complain(reason(answer), &JsValue::UNDEFINED);
    }
}

/// What went wrong and what to do, for people, where the answer itself does not say it.
fn reason(answer: &Answer) -> &'static str {
    match answer.status {
        200..=299 => "The answer is none of visitflow's: does the site pass /api on to it?",
        0 => "The server could not be reached: check the connection and try again.",
        401 => "The user name or password is wrong.",
        429 | 500..=599 => "The server is busy, or has a problem: try again later.",
        _ => "The server refused the request: check the option endpoint and the server's --allowed-origin.",
    }
}
