use super::*;

const NOW: u64 = 1_790_000_000_000;
const MINUTE: u64 = 60_000;

/// A session under test: each verb is one event at a time.
struct Tab(Session);

impl Tab {
    fn new() -> Self {
        Self(Session::default())
    }

    fn live() -> Self {
        let mut tab = Self::new();
        tab.on(Event::Fact(Hint::Missing), NOW);
        tab.on(Event::Started, NOW);
        tab
    }

    fn on(&mut self, event: Event, now_ms: u64) -> Effects {
        let (next, effects) = self.0.step(event, now_ms);
        self.0 = next;
        effects
    }
}

#[test]
fn a_missing_hint_starts_a_session_before_anything_else() {
    let mut tab = Tab::new();
    let effects = tab.on(Event::Fact(Hint::Missing), NOW);
    assert!(effects.start && !effects.touch && !effects.ready);
    assert_eq!(tab.0.phase(), Phase::Starting);
}

#[test]
fn a_fresh_hint_needs_no_start() {
    let effects = Tab::new().on(Event::Fact(Hint::At(NOW - 29 * MINUTE)), NOW);
    assert!(effects.ready && effects.touch && !effects.start);
}

#[test]
fn a_start_after_a_session_that_was_alive_does_not_tell_of_the_landing_page() {
    let mut tab = Tab::new();
    tab.on(Event::Fact(Hint::At(NOW)), NOW);
    assert!(tab.on(Event::Activity(Hint::At(NOW)), NOW + 31 * MINUTE).start);
    assert!(!tab.0.is_first());
}

#[test]
fn a_hint_of_thirty_minutes_or_of_the_future_is_no_hint() {
    for hint in [NOW - 30 * MINUTE, NOW + 2 * MINUTE, 0] {
        let effects = Tab::new().on(Event::Activity(Hint::At(hint)), NOW);
        assert!(effects.start && !effects.touch, "{hint}");
    }
}

#[test]
fn one_interaction_starts_once() {
    let mut tab = Tab::new();
    assert!(tab.on(Event::Activity(Hint::Missing), NOW).start);
    assert_eq!(tab.on(Event::Activity(Hint::Missing), NOW + 1), Effects::default());
    assert_eq!(tab.on(Event::Fact(Hint::Missing), NOW + 2), Effects::default());
    let effects = tab.on(Event::Started, NOW + 3);
    assert!(effects.ready && effects.touch);
}

#[test]
fn the_hint_is_written_every_few_seconds_at_most() {
    let mut tab = Tab::live();
    let hint = Hint::At(NOW);
    assert!(!tab.on(Event::Activity(hint), NOW + TOUCH_EVERY_MS - 1).touch);
    assert!(tab.on(Event::Activity(hint), NOW + TOUCH_EVERY_MS).touch);
    assert!(!tab.on(Event::Activity(hint), NOW + TOUCH_EVERY_MS + 1).touch);
}

#[test]
fn a_failed_start_waits_before_the_next() {
    let mut tab = Tab::new();
    tab.on(Event::Fact(Hint::Missing), NOW);
    tab.on(Event::Failed(10_000, 0), NOW);
    assert!(!tab.on(Event::Fact(Hint::Missing), NOW + 9_999).start);
    assert!(tab.on(Event::Fact(Hint::Missing), NOW + 10_000).start);
}

#[test]
fn back_online_a_failed_start_waits_no_longer() {
    let mut tab = Tab::new();
    tab.on(Event::Fact(Hint::Missing), NOW);
    tab.on(Event::Failed(10_000, 0), NOW);
    tab.on(Event::Online, NOW + 1);
    assert!(tab.on(Event::Fact(Hint::Missing), NOW + 1).start);
}

#[test]
fn a_refused_browser_is_left_alone() {
    let mut tab = Tab::new();
    tab.on(Event::Fact(Hint::Missing), NOW);
    tab.on(Event::Refused, NOW);
    assert_eq!(tab.on(Event::Fact(Hint::Missing), NOW + MINUTE), Effects::default());
    assert_eq!(tab.on(Event::Activity(Hint::At(NOW)), NOW + MINUTE), Effects::default());
}

#[test]
fn an_expired_session_is_started_once() {
    let mut tab = Tab::live();
    assert!(tab.on(Event::Expired, NOW).start);
    assert!(!tab.on(Event::Expired, NOW).start);
}

#[test]
fn another_tab_may_have_started_before_this_one_has_the_lock() {
    let mut tab = Tab::new();
    assert!(tab.on(Event::Fact(Hint::Missing), NOW).start);
    assert_eq!(tab.on(Event::Locked(Hint::Missing), NOW + 1), Effects::default());
    assert_eq!(tab.0.phase(), Phase::Starting);
    assert!(tab.on(Event::Locked(Hint::At(NOW)), NOW + 1).ready);
    assert_eq!(tab.0.phase(), Phase::Live);
}

#[test]
fn a_hint_that_the_server_refutes_is_deleted() {
    let effects = Tab::live().on(Event::Expired, NOW);
    assert!(effects.start && effects.forget);
}

#[test]
fn a_session_cookie_that_does_not_stick_makes_no_loop() {
    let mut tab = Tab::live();
    assert!(tab.on(Event::Expired, NOW).start);
    tab.on(Event::Started, NOW);
    assert!(!tab.on(Event::Expired, NOW + MINUTE).start);
    assert!(!tab.on(Event::Activity(Hint::At(NOW)), NOW + MINUTE).ping);
    assert!(tab.on(Event::Fact(Hint::At(NOW)), NOW + MINUTE).ready);
}

#[test]
fn a_confirmed_session_may_expire_again() {
    let mut tab = Tab::live();
    tab.on(Event::Expired, NOW);
    tab.on(Event::Started, NOW);
    tab.on(Event::Confirmed, NOW);
    assert!(tab.on(Event::Expired, NOW + MINUTE).start);
}

#[test]
fn without_cookies_memory_knows_for_thirty_minutes() {
    let mut tab = Tab::live();
    assert!(tab.on(Event::Fact(Hint::Unkept), NOW + 29 * MINUTE).ready);
    assert!(tab.on(Event::Fact(Hint::Unkept), NOW + 59 * MINUTE).start);
}

#[test]
fn after_an_end_a_fact_begins_a_session_and_a_click_does_not() {
    let mut tab = Tab::live();
    tab.on(Event::Ended, NOW);
    assert_eq!(tab.on(Event::Activity(Hint::Missing), NOW + 1), Effects::default());
    assert!(tab.on(Event::Fact(Hint::Missing), NOW + 2).start);
}

#[test]
fn a_revoke_forgets_everything() {
    let mut tab = Tab::live();
    tab.on(Event::Revoked, NOW);
    assert_eq!(tab.0.phase(), Phase::None);
    assert!(!tab.0.is_first(), "the landing page was another visitor's");
    assert!(tab.on(Event::Fact(Hint::Unkept), NOW).start);
}
