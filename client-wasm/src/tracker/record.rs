//! Turning what happened into facts.

use super::{Tracker, View, here};
use crate::{
    browser::page,
    consent::Mode,
    queue::{Fact, Item},
    session::Phase,
    views::{self, Change, Engagement},
};
use visitflow_protocol::{
    json::Json,
    limits,
    wire::{Event, PageView},
};

impl Tracker {
    /// Counts the landing page once, as it was, and the page that the visitor is at by now.
    pub(super) fn land(&mut self, now_ms: u64) {
        let landing = String::from(views::reported(&self.settings.landing_url));
        if self.landed {
            if self.view.url.is_empty() {
                self.view.url = landing;
            }
        } else {
            self.landed = true;
            let referrer = self.settings.referrer();
            self.see(landing, referrer, self.settings.landing_at_ms);
        }
        self.route(Change::Moved, now_ms);
    }

    /// A page view, if the address is another.
    pub(super) fn route(&mut self, change: Change, now_ms: u64) {
        let to = here();
        if !self.settings.auto_page_views {
            return;
        }
        if views::is_view(&self.view.url, &to, change) {
            let referrer = Some(self.view.url.clone());
            self.see(to, referrer, now_ms);
        } else {
            self.view.url = to;
        }
    }

    pub(super) fn see(&mut self, url: String, referrer: Option<String>, at_ms: u64) {
        let mode = self.consent.mode();
        self.leave(at_ms);
        self.view = View {
            number: self.view.number + 1,
            id: None,
            url: url.clone(),
            engagement: Engagement::default(),
        };
        self.view.engagement.look(page::is_looked_at(), at_ms);
        let full = mode == Mode::Full;
        let current = url == here();
        let view = PageView {
            url: Some(url),
            referrer: referrer.filter(|text| !text.is_empty()),
            title: if full && current { page::title() } else { None },
            device: if full { page::device() } else { None },
            anonymous: mode == Mode::Anonymous,
            site: self.settings.site.clone(),
            webdriver: page::is_automated(),
            ..PageView::default()
        };
        let mut item = Item::new(Fact::View(view), at_ms);
        item.view = self.view.number;
        self.add(item);
    }

    pub(super) fn event(&mut self, name: String, props: Option<String>, at_ms: u64) {
        let name_fits = !name.is_empty() && name.chars().count() <= limits::EVENT_NAME_CHARS;
        let props_fit =
            props.as_ref().is_none_or(|props| props.starts_with('{') && props.len() <= limits::PROPS_BYTES);
        if !(name_fits && props_fit) {
            self.queue.dropped += 1;
            self.complain(
                "an event was dropped: its name takes 1 to 64 characters, its props a JSON object of at most 4096 bytes",
            );
            return;
        }
        let event = Event {
            name: Some(name),
            props: props.map(Json),
            url: Some(here()),
            site: self.settings.site.clone(),
            webdriver: page::is_automated(),
            ..Event::default()
        };
        self.add(Item::new(Fact::Event(event), at_ms));
    }

    /// Queues a fact, if consent allows it.
    pub(super) fn add(&mut self, item: Item) {
        let allowed = match self.consent.mode() {
            Mode::Full => self.session.phase() != Phase::Refused,
            Mode::Anonymous => item.is_anonymous(),
            Mode::Silent => false,
        };
        if allowed {
            self.queue.push(item);
        } else {
            self.queue.dropped += 1;
        }
    }
}
