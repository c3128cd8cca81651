//! Sending: which request goes out when, and what its answer means.
//!
//! Sign-in, sign-out and end are exclusive: requests in flight settle first, and new ones wait
//! until the answer is there, so that no late `Set-Cookie` crosses theirs.

use super::{Input, Tracker, dispatch, here};
use crate::{
    browser::{
        clock,
        net::{self, Answer, Call, Request},
        page,
        promise::Deferred,
    },
    consent::Mode,
    queue::{Item, Verdict},
    session::{self, Phase},
};
use visitflow_protocol::{
    limits, path,
    wire::{Ping, Start},
};

/// A request without an answer after this long, in ms, has failed.
const TIMEOUT_MS: u64 = 20_000;

/// Which exclusive request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Login,
    Logout,
    End,
    /// An end after consent was taken back.
    Revoke,
}

/// A request that goes alone.
pub(super) struct Exclusive {
    pub(super) kind: Kind,
    pub(super) path: &'static str,
    pub(super) body: String,
    /// The promise that waits for it.
    pub(super) page: Option<Deferred>,
}

enum Purpose {
    Start,
    Ping,
    Fact(Box<Item>),
    Exclusive(Kind, Option<Deferred>),
}

/// A request under way; dropping it aborts it.
pub(super) struct InFlight {
    ticket: u32,
    epoch: u32,
    sent_ms: u64,
    purpose: Purpose,
    _call: Call,
    _timeout: clock::Timer,
}

impl InFlight {
    pub(super) fn is_exclusive(&self) -> bool {
        matches!(self.purpose, Purpose::Exclusive(..))
    }

    fn is_fact(&self) -> bool {
        matches!(self.purpose, Purpose::Fact(_))
    }
}

impl Tracker {
    /// Whether new requests wait for an exclusive one.
    pub(super) fn is_held(&self) -> bool {
        !self.exclusives.is_empty() || self.in_flight.iter().any(InFlight::is_exclusive)
    }

    /// Sends what may be sent now.
    pub(super) fn proceed(&mut self, now_ms: u64) {
        if !self.is_held() {
            if std::mem::take(&mut self.wants_session) {
                self.step(session::Event::Fact(self.hint()), now_ms);
            }
            self.send_facts(now_ms);
        } else if self.in_flight.is_empty()
            && let Some(exclusive) = self.exclusives.pop_front()
        {
            let request = Request {
                url: &self.settings.url(exclusive.path),
                body: &exclusive.body,
                json: matches!(exclusive.kind, Kind::Login | Kind::Logout),
                anonymous: false,
            };
            self.post(&request, Purpose::Exclusive(exclusive.kind, exclusive.page));
        }
    }

    fn send_facts(&mut self, now_ms: u64) {
        if self.queue.is_empty() {
            return;
        }
        if self.queue.backoff.until_ms() > now_ms {
            return self.wake(self.queue.backoff.until_ms(), now_ms);
        }
        let full = self.consent.mode() == Mode::Full;
        if full {
            let ready = self.step(session::Event::Fact(self.hint()), now_ms).ready;
            if !ready {
                if self.session.phase() == Phase::Refused {
                    self.queue.purge();
                } else if self.session.phase() != Phase::Starting {
                    self.wake(self.session.retry_at_ms(), now_ms);
                }
                return;
            }
            // A beacon costs the page nothing and survives it, but its answer is not heard of:
            // while the server has trouble, views go the way of the others.
            if self.cookies == Some(true) && !self.queue.backoff.failing() {
                while let Some(item) = self.queue.take_view() {
                    if let Some(item) = self.beacon(item, now_ms) {
                        self.post_fact(item, now_ms);
                    }
                }
            }
        }
        if !self.in_flight.iter().any(InFlight::is_fact)
            && let Some(item) = self.queue.take()
        {
            self.post_fact(item, now_ms);
        }
    }

    /// Sends everything that waits by beacon: the page may be gone the next moment.
    pub(super) fn flush(&mut self, now_ms: u64) {
        let full = self.consent.mode() == Mode::Full;
        if full && self.session.phase() == Phase::Refused {
            return;
        }
        let mut left = Vec::new();
        while let Some(item) = self.queue.take() {
            if full {
                left.extend(self.beacon(item, now_ms));
            } else {
                self.post_fact(item, now_ms);
            }
        }
        for item in left {
            self.queue.push(item);
        }
    }

    /// Gives the fact back if the browser does not take it.
    fn beacon(&mut self, mut item: Item, now_ms: u64) -> Option<Item> {
        let (path, body) = self.finish(&mut item, now_ms);
        if net::beacon(&self.settings.url(path), &body) {
            self.sent += 1;
            None
        } else {
            Some(item)
        }
    }

    fn post_fact(&mut self, mut item: Item, now_ms: u64) {
        let (path, body) = self.finish(&mut item, now_ms);
        if body.len() > limits::BODY_BYTES {
            self.queue.dropped += 1;
            return self.complain("a fact was dropped: it is larger than 64 KiB");
        }
        let request = Request {
            url: &self.settings.url(path),
            body: &body,
            json: false,
            anonymous: item.is_anonymous(),
        };
        self.post(&request, Purpose::Fact(Box::new(item)));
    }

    /// Gives the fact its id and its visitor, and writes its body.
    fn finish(&mut self, item: &mut Item, now_ms: u64) -> (&'static str, String) {
        if item.lacks_id() {
            let id = self.ids.next(item.at_ms);
            if item.view == self.view.number && self.consent.mode() == Mode::Full {
                self.view.id = Some(id.clone());
            }
            item.identify(id);
        }
        if !item.is_anonymous() {
            item.attribute(self.visitor_id.as_ref());
        }
        item.request(now_ms)
    }

    /// Asks the server for a session.
    pub(super) fn start(&mut self) {
        let first = self.session.is_first();
        let start = Start {
            visitor_id: self.visitor_id.clone(),
            url: Some(if first { crate::views::reported(&self.settings.landing_url).into() } else { here() }),
            referrer: if first { self.settings.referrer() } else { None },
            site: self.settings.site.clone(),
            webdriver: page::is_automated(),
        };
        let request = Request {
            url: &self.settings.url(path::SESSION_START),
            body: &start.json(),
            json: false,
            anonymous: false,
        };
        self.post(&request, Purpose::Start);
    }

    /// Keeps the session alive, and reports the engagement with the page.
    pub(super) fn ping(&mut self, now_ms: u64) {
        self.watches.ping = None;
        if self.session.phase() != Phase::Live || self.is_held() {
            return;
        }
        self.view.engagement.scrolled(page::scroll_pct());
        let body = self.ping_body(now_ms).unwrap_or_else(|| "{}".into());
        let request = Request {
            url: &self.settings.url(path::SESSION_PING),
            body: &body,
            json: false,
            anonymous: false,
        };
        self.post(&request, Purpose::Ping);
    }

    /// The last word about a page view, by beacon.
    pub(super) fn leave(&mut self, now_ms: u64) {
        if self.session.phase() == Phase::Live
            && !self.is_held()
            && self.view.id.is_some()
            && let Some(body) = self.ping_body(now_ms)
        {
            net::beacon(&self.settings.url(path::SESSION_PING), &body);
        }
    }

    fn ping_body(&mut self, now_ms: u64) -> Option<String> {
        let (engaged_ms, scroll_pct) = self.view.engagement.report(now_ms)?;
        let ping = Ping {
            page_view_id: Some(self.view.id.clone()?),
            engaged_ms: Some(engaged_ms),
            scroll_pct: Some(scroll_pct.into()),
            webdriver: page::is_automated(),
        };
        Some(ping.json())
    }

    fn post(&mut self, request: &Request<'_>, purpose: Purpose) {
        self.tickets += 1;
        let (ticket, epoch) = (self.tickets, self.consent.epoch());
        let tell = move |answer| {
            dispatch(Input::Answer { ticket, epoch, answer });
        };
        self.in_flight.push(InFlight {
            ticket,
            epoch,
            sent_ms: clock::now_ms(),
            purpose,
            _call: net::post(request, tell),
            _timeout: clock::after(TIMEOUT_MS, move || tell(Answer::none())),
        });
    }

    /// Tries again at a time.
    fn wake(&mut self, at_ms: u64, now_ms: u64) {
        if self.watches.wake.is_none() {
            let wait_ms = at_ms.saturating_sub(now_ms);
            self.watches.wake = Some(clock::after(wait_ms, || dispatch(Input::Wake)));
        }
    }

    /// An answer. One of an older epoch, or that was given up, is void.
    pub(super) fn answered(&mut self, ticket: u32, epoch: u32, answer: &Answer, now_ms: u64) {
        let known = |call: &InFlight| call.ticket == ticket && call.epoch == epoch;
        let Some(at) = self.in_flight.iter().position(known) else {
            return;
        };
        let call = self.in_flight.swap_remove(at);
        match call.purpose {
            Purpose::Start => self.started(answer, call.sent_ms, now_ms),
            Purpose::Ping => {
                let event = match Verdict::of(answer.status) {
                    Verdict::Done => session::Event::Confirmed,
                    Verdict::Expired => session::Event::Expired,
                    _ => return,
                };
                self.step(event, now_ms);
            }
            Purpose::Fact(item) => self.fact_answered(*item, answer, now_ms),
            Purpose::Exclusive(kind, page) => self.settled(kind, page, answer, now_ms),
        }
    }

    fn started(&mut self, answer: &Answer, sent_ms: u64, now_ms: u64) {
        let event = match Verdict::of(answer.status) {
            Verdict::Done if answer.status == 200 => {
                if let Some(server_ms) = page::number(&answer.body, "now") {
                    let ours_ms = sent_ms.midpoint(now_ms);
                    self.ids.offset_ms = server_ms as i64 - ours_ms as i64;
                }
                session::Event::Started
            }
            // 401: the cookie was that of a session which another tab has just renewed; the next
            // start carries the new one.
            Verdict::Again | Verdict::Expired => {
                session::Event::Failed(answer.retry_after_ms, clock::jitter())
            }
            Verdict::Done => session::Event::Refused,
            Verdict::Final => {
                self.complain(&reason(answer));
                session::Event::Refused
            }
        };
        self.step(event, now_ms);
    }

    fn fact_answered(&mut self, item: Item, answer: &Answer, now_ms: u64) {
        match Verdict::of(answer.status) {
            Verdict::Done => {
                self.sent += 1;
                self.queue.backoff = Default::default();
            }
            Verdict::Again => {
                self.queue.give_back(item);
                let after_ms = answer.retry_after_ms;
                self.queue.backoff.failed(now_ms, after_ms, clock::jitter());
            }
            Verdict::Expired if item.tries == 0 => {
                self.queue.give_back(item);
                self.step(session::Event::Expired, now_ms);
            }
            Verdict::Expired | Verdict::Final => {
                self.queue.dropped += 1;
                self.complain(&reason(answer));
            }
        }
    }

    fn settled(&mut self, kind: Kind, page: Option<Deferred>, answer: &Answer, now_ms: u64) {
        let full = self.consent.mode() == Mode::Full;
        let done = Verdict::of(answer.status) == Verdict::Done;
        // An end of a session that is gone has reached its aim.
        let ended = done || Verdict::of(answer.status) == Verdict::Expired;
        match kind {
            Kind::Login | Kind::Logout if done && full => {
                self.step(session::Event::Signed, now_ms);
            }
            Kind::End if ended => {
                self.step(session::Event::Ended, now_ms);
                self.jar.delete(visitflow_protocol::cookie::LAST_ACTIVITY);
            }
            // An answer to a start that was aborted may have set the cookie anew.
            Kind::Revoke if !full => self.forget_cookies(),
            _ => {}
        }
        let Some(page) = page else {
            return;
        };
        match kind {
            Kind::Login if done => page.resolve(&answer.body),
            Kind::Logout if done => page.done(),
            Kind::End if ended => page.done(),
            Kind::Revoke => page.done(),
            _ => page.reject(&reason(answer)),
        }
    }
}

/// What went wrong and what to do, for people.
fn reason(answer: &Answer) -> String {
    if let Some(detail) = page::field(&answer.body, "detail") {
        return detail;
    }
    String::from(match answer.status {
        0 => "The server could not be reached: check the connection and try again.",
        401 => "The user name or password is wrong.",
        429 | 503 => "The server is busy: try again in a moment.",
        500..=599 => "The server has a problem: try again later.",
        _ => "The server refused the request: check the option endpoint and the server's --allowed-origin.",
    })
}
