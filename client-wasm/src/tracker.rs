//! The one place where things meet: browser event → consent → session → queue → network.
//!
//! | file | holds |
//! |---|---|
//! | `arrange` | listeners, cookies and page views in line with the consent |
//! | `record` | what happened becomes a fact |
//! | `deliver` | which request goes out when, and what its answer means |
//! | `settings`, `snapshot` | what comes in, what is told |
//!
//! One thing is handled after the other: what happens meanwhile (the page may have wrapped `fetch`,
//! and call us from there) waits its turn in `shell/serial.js`.

mod arrange;
mod deliver;
mod record;
mod settings;
mod snapshot;

pub(crate) use settings::Settings;
pub(crate) use snapshot::snapshot;

use crate::{
    browser::{
        clock, cookies,
        facts::{self, Fact},
        locks, net,
        page::{self, Function},
        watch,
    },
    consent::{Choice, Consent, Mode},
    happening::Happening,
    queue::Queue,
    session::{self, Effects, Hint, Phase, Session},
    views::Engagement,
};
pub(crate) use deliver::Task;
use deliver::{Exclusive, InFlight};
use std::cell::RefCell;
use visitflow_protocol::path;
use wasm_bindgen::JsValue;

thread_local! {
    static TRACKER: RefCell<Option<Tracker>> = const { RefCell::new(None) };
}

/// Begins with these settings; what ran before is undone.
pub(crate) fn begin(settings: Settings) {
    TRACKER.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            slot.insert(Tracker::new(settings)).arrange();
        }
    });
}

/// Handles something that happened, then sends what may be sent.
pub(crate) fn with(handle: &mut dyn FnMut(&mut Tracker, u64)) {
    TRACKER.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut()
            && let Some(tracker) = slot.as_mut()
        {
            let now_ms = clock::now_ms();
            handle(tracker, now_ms);
            tracker.proceed(now_ms);
        }
    });
}

/// The page view that the visitor is at.
#[derive(Default)]
struct View {
    /// What was reported of it, where engagement with it is reported too.
    fact: Option<Fact>,
    engagement: Engagement,
}

pub(crate) struct Tracker {
    settings: Settings,
    consent: Consent,
    session: Session,
    queue: Queue<Fact>,
    /// Whether cookies stick; unknown before consent.
    cookies: Option<bool>,
    view: View,
    sent: u32,
    in_flight: Vec<InFlight>,
    exclusives: Vec<Exclusive>,
    tickets: u32,
    ping: Option<clock::Timer>,
    wake: Option<clock::Timer>,
    /// A session is wanted even if no fact waits for it.
    wants_session: bool,
    /// The server refused a start with the page's addresses: it goes without.
    bare: bool,
}

impl Tracker {
    fn new(settings: Settings) -> Self {
        Self {
            consent: Consent::new(settings.choice, settings.anonymous_before),
            session: Session::default(),
            queue: Queue::default(),
            cookies: None,
            view: View::default(),
            sent: 0,
            in_flight: Vec::new(),
            exclusives: Vec::new(),
            tickets: 0,
            ping: None,
            wake: None,
            wants_session: false,
            bare: false,
            settings,
        }
    }

    /// The visitor consents.
    pub(crate) fn grant(&mut self) {
        if self.consent.decide(Choice::Granted) {
            self.arrange();
        }
    }

    /// The visitor declines, or takes consent back.
    pub(crate) fn deny(&mut self) {
        if self.consent.mode() == Mode::Full {
            self.revoke(false, None);
        } else {
            self.consent.decide(Choice::Denied);
        }
    }

    /// The browser tells of something.
    pub(crate) fn notice(&mut self, happening: Happening, now_ms: u64) {
        match happening {
            // Consent was taken back, and perhaps given anew, while this page could not hear of it.
            Happening::Restored | Happening::Look if self.is_forgotten() => self.forget(),
            Happening::Restored => self.activity(now_ms),
            Happening::Activity => self.activity(now_ms),
            Happening::Scroll => {
                self.view.engagement.scrolled(page::depth());
                self.activity(now_ms);
            }
            Happening::Look => {
                self.view.engagement.look(page::is_looked_at(), now_ms);
                if page::is_visible() {
                    self.activity(now_ms);
                } else {
                    self.view.engagement.scrolled(page::depth());
                    self.leave(now_ms);
                }
            }
            Happening::Hide => {
                self.flush();
                self.view.engagement.scrolled(page::depth());
                self.view.engagement.look(false, now_ms);
                self.leave(now_ms);
            }
            Happening::Online => self.hurry(now_ms),
            Happening::Locked => self.locked(now_ms),
            Happening::Revoked => self.forget(),
            Happening::Ping => self.send_ping(now_ms),
            Happening::Wake => self.wake = None,
        }
    }

    /// Nothing waits for a later try any more.
    fn hurry(&mut self, now_ms: u64) {
        self.queue.backoff = Default::default();
        self.step(session::Event::Online, now_ms);
        if self.consent.mode() == Mode::Full && self.cookies.is_some() {
            facts::adopt();
        }
    }

    /// Tries all that waits once.
    pub(crate) fn try_all(&mut self, page: Function, now_ms: u64) {
        self.hurry(now_ms);
        self.ask(Task::Flush, "", JsValue::UNDEFINED, Some(page));
    }

    fn activity(&mut self, now_ms: u64) {
        if self.consent.mode() == Mode::Full && !self.is_held() && page::is_counted() {
            let effects = self.step(session::Event::Activity(self.hint()), now_ms);
            if effects.ping && self.ping.is_none() {
                let wait_ms = self.settings.ping_interval_ms;
                self.ping = Some(clock::after(wait_ms, Happening::Ping));
            }
        }
    }

    /// Takes consent back: what it began is void, here and in other tabs, and the server takes the
    /// session out of its visit; or erases all that it knows of the visitor, if that is wanted.
    pub(crate) fn revoke(&mut self, erase: bool, page: Option<Function>) {
        let measured = self.consent.mode() == Mode::Full || cookies::is_marked();
        let visitor = net::to_erase();
        watch::tell_others();
        cookies::unname(true);
        self.forget();
        if erase && visitor.is_object() {
            // To erase takes the visitor's key: a browser of which nothing has arrived yet gets it by a start.
            self.ask(Task::Renew, path::SESSION_START, visitor.clone(), None);
            self.ask(Task::Erase, path::ERASE, visitor, page);
        } else if measured {
            self.ask(Task::Revoke, path::SESSION_FORGET, JsValue::UNDEFINED, page);
        } else if let Some(page) = page {
            page::settle(&page, None, &JsValue::UNDEFINED);
        }
    }

    /// Forgets the visitor: consent was taken back, here or elsewhere.
    fn forget(&mut self) {
        self.consent.decide(Choice::Denied);
        self.discard();
        facts::drop_kept();
        page::denied();
        cookies::unname(false);
        self.in_flight.retain(|request| {
            let stays = request.is_exclusive();
            if !stays {
                net::abort(request.ticket);
            }
            stays
        });
        self.step(session::Event::Revoked, 0);
        locks::unlock();
        self.cookies = None;
        self.view = View::default();
        self.arrange();
    }

    /// Whether the visitor's cookie is gone, or another.
    fn is_forgotten(&self) -> bool {
        self.cookies == Some(true) && self.session.phase() != Phase::Starting && !cookies::is_named()
    }

    /// One step of the session, and those of its effects that need nothing else.
    fn step(&mut self, event: session::Event, now_ms: u64) -> Effects {
        let (session, effects) = self.session.step(event, now_ms);
        self.session = session;
        if effects.touch && self.cookies == Some(true) {
            // The server may have set the visitor's cookie where the page's own do not stick.
            self.cookies = Some(cookies::write_activity(now_ms as f64));
        }
        if effects.forget {
            cookies::delete_activity();
        }
        if effects.start {
            if !session.is_failing() {
                facts::count_anew();
            }
            locks::lock();
        }
        effects
    }

    fn hint(&self) -> Hint {
        if self.cookies != Some(true) {
            return Hint::Unkept;
        }
        match cookies::read_activity() {
            at_ms if at_ms > 0.0 => Hint::At(at_ms as u64),
            _ => Hint::Missing,
        }
    }
}
