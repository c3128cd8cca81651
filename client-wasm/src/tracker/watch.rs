//! Watching the browser, as far as the consent allows.

use super::{Input, Tracker, dispatch, ids};
use crate::{
    browser::{clock, cookies, cookies::Jar, history, listen, page},
    consent::Mode,
    views::Change,
};
use visitflow_protocol::{cookie, id::is_visitor_id};

/// Activity is looked at this often at most, in ms; listeners do nothing in between.
const ACTIVITY_EVERY_MS: u64 = 1_000;

/// The scroll depth is read this often at most, in ms: reading it may cost a layout.
const SCROLL_EVERY_MS: u64 = 250;

/// What undoes itself when measuring stops.
#[derive(Default)]
pub(super) struct Watches {
    routes: Option<[history::Patch; 2]>,
    listeners: Vec<listen::Listener>,
    pub(super) ping: Option<clock::Timer>,
    pub(super) wake: Option<clock::Timer>,
}

impl Tracker {
    /// Brings watches, cookies and page views in line with the consent.
    pub(super) fn arrange(&mut self) {
        let now_ms = clock::now_ms();
        let mode = self.consent.mode();
        self.watches = Watches::default();
        if mode == Mode::Silent {
            return;
        }
        if self.settings.auto_page_views {
            self.watches.routes = history::watch(|change| dispatch(Input::Route(change)));
            self.listen(&["popstate", "hashchange"], |_| {
                dispatch(Input::Route(Change::Moved));
            });
            self.listen(&["pageshow"], |event| {
                if page::is_restored(&event) {
                    dispatch(Input::Route(Change::Restored));
                }
            });
        }
        self.listen(&["pagehide"], |_| dispatch(Input::Hide));
        if mode == Mode::Full {
            self.identify();
            self.watch_activity();
        }
        if self.settings.auto_page_views {
            self.land(now_ms);
        }
        self.wants_session = mode == Mode::Full;
        self.view.engagement.look(page::is_looked_at(), now_ms);
        self.proceed(now_ms);
    }

    /// Finds or makes the visitor's identifier.
    fn identify(&mut self) {
        let kept = cookies::read(cookie::VISITOR).filter(|id| is_visitor_id(id));
        if let Some(id) = kept {
            self.visitor_id = Some(id);
            self.cookies = Some(true);
            return;
        }
        let id = ids::visitor();
        let sticks = |jar: &Jar| {
            jar.write(cookie::VISITOR, &id, cookie::VISITOR_MAX_AGE_S);
            cookies::read(cookie::VISITOR).is_some_and(|kept| kept == id)
        };
        self.cookies = Some(sticks(&self.jar) || (self.jar.relax() && sticks(&self.jar)));
        self.visitor_id = Some(id);
    }

    fn listen(&mut self, names: &'static [&'static str], then: fn(listen::Happening)) {
        self.watches.listeners.extend(listen::on(names, then));
    }

    fn watch_activity(&mut self) {
        let mut next_ms = 0;
        let acted = move |_| {
            let now_ms = clock::now_ms();
            if now_ms >= next_ms {
                next_ms = now_ms + ACTIVITY_EVERY_MS;
                dispatch(Input::Activity);
            }
        };
        let mut next_ms = 0;
        let scrolled = move |_| {
            let now_ms = clock::now_ms();
            if now_ms >= next_ms {
                next_ms = now_ms + SCROLL_EVERY_MS;
                dispatch(Input::Scroll);
            }
        };
        let looked = |_| dispatch(Input::Look);
        self.watches.listeners.extend(
            [
                listen::on(&["click", "keydown", "pointerdown"], acted),
                listen::on(&["scroll"], scrolled),
                listen::on(&["visibilitychange", "focus", "blur"], looked),
            ]
            .into_iter()
            .flatten(),
        );
    }
}
