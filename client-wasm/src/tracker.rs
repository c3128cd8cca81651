//! The one place where things meet: browser event → consent → session → queue → network.
//!
//! | file | holds |
//! |---|---|
//! | `watch` | listeners and cookies, as far as the consent allows |
//! | `record` | what happened becomes a fact |
//! | `deliver` | which request goes out when, and what its answer means |
//! | `ids` | identifiers |
//! | `settings`, `snapshot` | what comes in, what is told |
//!
//! Everything that happens, in the page or in the browser, is an [`Input`]; [`dispatch`] hands
//! the inputs to the [`Tracker`] one after the other. An input that arrives while another is
//! handled (the page may have wrapped `fetch`, and call us from there) waits its turn.

mod deliver;
mod ids;
mod record;
mod settings;
mod snapshot;
mod watch;

pub(crate) use settings::Settings;
pub(crate) use snapshot::snapshot;

use crate::{
    browser::{
        clock, cookies,
        cookies::Jar,
        net::Answer,
        page,
        promise::{self, Deferred},
    },
    consent::{Choice, Consent, Mode},
    queue::{Fact, Item, Queue},
    session::{self, Effects, Hint, Session},
    views::{self, Change, Engagement},
};
use deliver::{Exclusive, InFlight, Kind};
use ids::Ids;
use std::{cell::RefCell, collections::VecDeque};
use visitflow_protocol::{
    cookie,
    json::Json,
    path,
    wire::{Login, Order},
};
use watch::Watches;

/// Something that happened.
pub(crate) enum Input {
    Grant,
    Deny,
    Revoke(Deferred),
    View {
        url: Option<String>,
        at_ms: u64,
    },
    Event {
        name: String,
        props: Option<String>,
        at_ms: u64,
    },
    Order {
        id: String,
        amount: String,
        currency: String,
        items: Option<String>,
        at_ms: u64,
    },
    Login {
        username: String,
        password: String,
        page: Deferred,
    },
    Logout(Deferred),
    End(Deferred),
    /// The address changed.
    Route(Change),
    /// The visitor did something.
    Activity,
    Scroll,
    /// Visibility or focus changed.
    Look,
    /// The page goes away, perhaps for good.
    Hide,
    /// The time has come to try again.
    Wake,
    Ping,
    /// A request was answered, or took too long.
    Answer {
        ticket: u32,
        epoch: u32,
        answer: Answer,
    },
}

thread_local! {
    static INBOX: RefCell<VecDeque<Input>> = const { RefCell::new(VecDeque::new()) };
    static TRACKER: RefCell<Option<Tracker>> = const { RefCell::new(None) };
}

/// Begins with these settings; what ran before is undone.
pub(crate) fn begin(settings: Settings) {
    let tracker = Tracker::new(settings);
    TRACKER.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            slot.insert(tracker).arrange();
        }
    });
}

/// Handles an input, now or after the one that is being handled.
pub(crate) fn dispatch(input: Input) {
    INBOX.with_borrow_mut(|inbox| inbox.push_back(input));
    TRACKER.with(|slot| {
        let Ok(mut slot) = slot.try_borrow_mut() else {
            return;
        };
        while let Some(input) = INBOX.with_borrow_mut(VecDeque::pop_front) {
            if let Some(tracker) = slot.as_mut() {
                tracker.handle(input, clock::now_ms());
            }
        }
    });
}

/// The page view that the visitor is at.
#[derive(Default)]
struct View {
    /// Counts the views of this page, from 1.
    number: u32,
    /// Its id, once it was sent.
    id: Option<String>,
    /// Its reported address.
    url: String,
    engagement: Engagement,
}

struct Tracker {
    settings: Settings,
    consent: Consent,
    session: Session,
    queue: Queue,
    ids: Ids,
    jar: Jar,
    /// The visitor's identifier; present exactly while consent is granted.
    visitor_id: Option<String>,
    /// Whether cookies stick; unknown before consent.
    cookies: Option<bool>,
    /// Whether the landing page was counted.
    landed: bool,
    view: View,
    sent: u32,
    in_flight: Vec<InFlight>,
    exclusives: VecDeque<Exclusive>,
    tickets: u32,
    watches: Watches,
    /// A session is wanted even if no fact waits for it.
    wants_session: bool,
}

impl Tracker {
    fn new(settings: Settings) -> Self {
        let objected = (settings.honour_gpc && page::has_gpc()) || (settings.honour_dnt && page::has_dnt());
        Self {
            consent: Consent::new(settings.choice, settings.anonymous_before, objected),
            session: Session::default(),
            queue: Queue::default(),
            ids: Ids::default(),
            jar: Jar::new(settings.cookie_domain.clone()),
            visitor_id: None,
            cookies: None,
            landed: settings.landing_sent || !settings.auto_page_views,
            view: View::default(),
            sent: 0,
            in_flight: Vec::new(),
            exclusives: VecDeque::new(),
            tickets: 0,
            watches: Watches::default(),
            wants_session: false,
            settings,
        }
    }

    fn handle(&mut self, input: Input, now_ms: u64) {
        match input {
            Input::Grant => {
                if self.consent.decide(Choice::Granted) {
                    self.arrange();
                }
            }
            Input::Deny => {
                if self.consent.mode() == Mode::Full {
                    self.revoke(None);
                } else {
                    self.consent.decide(Choice::Denied);
                }
            }
            Input::Revoke(page) => self.revoke(Some(page)),
            Input::View { url, at_ms } => {
                let url = url.unwrap_or_else(page::href);
                self.see(views::reported(&url).into(), None, at_ms);
            }
            Input::Event { name, props, at_ms } => self.event(name, props, at_ms),
            Input::Order { id, amount, currency, items, at_ms } => {
                let order = Order {
                    id: Some(id),
                    amount: Some(amount),
                    currency: Some(currency),
                    items: items.map(Json),
                    url: Some(here()),
                    site: self.settings.site.clone(),
                    webdriver: page::is_automated(),
                    ..Order::default()
                };
                self.add(Item::new(Fact::Order(order), at_ms));
            }
            Input::Login { username, password, page } => {
                let measured = self.consent.mode() == Mode::Full;
                let login = Login {
                    username: Some(username),
                    password: Some(password),
                    assertion: None,
                    visit: (!measured).then_some(false),
                };
                self.exclusives.push_back(Exclusive {
                    kind: Kind::Login,
                    path: path::LOGIN,
                    body: login.json(),
                    page: Some(page),
                });
            }
            Input::Logout(page) => self.exclusives.push_back(Exclusive {
                kind: Kind::Logout,
                path: path::LOGOUT,
                body: "{}".into(),
                page: Some(page),
            }),
            Input::End(page) => self.exclusives.push_back(Exclusive {
                kind: Kind::End,
                path: path::SESSION_END,
                body: "{}".into(),
                page: Some(page),
            }),
            Input::Route(change) => self.route(change, now_ms),
            Input::Activity => self.activity(now_ms),
            Input::Scroll => {
                self.view.engagement.scrolled(page::scroll_pct());
                self.activity(now_ms);
            }
            Input::Look => {
                self.view.engagement.look(page::is_looked_at(), now_ms);
                if page::is_visible() {
                    self.activity(now_ms);
                } else {
                    self.leave(now_ms);
                }
            }
            Input::Hide => {
                self.flush(now_ms);
                self.view.engagement.look(false, now_ms);
                self.leave(now_ms);
            }
            Input::Wake => self.watches.wake = None,
            Input::Ping => self.ping(now_ms),
            Input::Answer { ticket, epoch, answer } => self.answered(ticket, epoch, &answer, now_ms),
        }
        self.proceed(now_ms);
    }

    fn activity(&mut self, now_ms: u64) {
        if self.consent.mode() == Mode::Full && !self.is_held() {
            let effects = self.step(session::Event::Activity(self.hint()), now_ms);
            if effects.ping && self.watches.ping.is_none() {
                let wait_ms = self.settings.ping_interval_ms;
                self.watches.ping = Some(clock::after(wait_ms, || dispatch(Input::Ping)));
            }
        }
    }

    /// Takes consent back: everything of this epoch is void, and the server ends the session.
    fn revoke(&mut self, page: Option<Deferred>) {
        let measured = self.consent.mode() == Mode::Full
            || cookies::read(cookie::VISITOR).is_some()
            || cookies::read(cookie::LAST_ACTIVITY).is_some();
        self.consent.decide(Choice::Denied);
        self.queue.purge();
        self.in_flight.retain(InFlight::is_exclusive);
        self.step(session::Event::Revoked, 0);
        self.visitor_id = None;
        self.cookies = None;
        self.view = View { url: std::mem::take(&mut self.view.url), ..View::default() };
        self.landed = true;
        self.forget_cookies();
        if measured {
            self.exclusives.push_back(Exclusive {
                kind: Kind::Revoke,
                path: path::SESSION_END,
                body: "{}".into(),
                page,
            });
        } else if let Some(page) = page {
            page.done();
        }
        self.arrange();
    }

    fn forget_cookies(&mut self) {
        self.jar.delete(cookie::VISITOR);
        self.jar.delete(cookie::LAST_ACTIVITY);
    }

    /// One step of the session, and those of its effects that need nothing else.
    fn step(&mut self, event: session::Event, now_ms: u64) -> Effects {
        let (session, effects) = self.session.step(event, now_ms);
        self.session = session;
        if effects.touch && self.cookies == Some(true) {
            let text = now_ms.to_string();
            self.jar.write(cookie::LAST_ACTIVITY, &text, cookie::LAST_ACTIVITY_MAX_AGE_S);
        }
        if effects.start {
            self.start();
        }
        effects
    }

    fn hint(&self) -> Hint {
        if self.cookies != Some(true) {
            return Hint::Unkept;
        }
        cookies::read(cookie::LAST_ACTIVITY)
            .and_then(|text| text.parse().ok())
            .map_or(Hint::Missing, Hint::At)
    }

    /// Says what is wrong; the page hears of the first time only.
    fn complain(&self, what: &str) {
        promise::call(&self.settings.complain, what);
    }
}

/// The reported address of the page.
fn here() -> String {
    views::reported(&page::href()).into()
}
