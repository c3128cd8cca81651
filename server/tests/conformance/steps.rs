//! What browsers do with a server.

use uuid::Uuid;
use visitflow_server::ledger::commands::end_sessions::{EndSessions, Which};
use visitflow_server::ledger::kinds::{Fact, Run};
use visitflow_server::lifecycle::{Hit, Page, Refusal, Right};
use visitflow_server::session::Millis;
use visitflow_server::session::record::SignedIn;
use visitflow_server::session::token::{Proof, SessionToken, Tag};
use visitflow_server::session::visit::VisitorId;
use visitflow_server::throttle::budget::Allowance;

use crate::browser::{Browser, Said};
use crate::facts::view;
use crate::world::{HOST, World, eventually};

impl World {
    pub(crate) async fn start(&self, browser: &Browser, now: Millis) -> Said {
        self.start_on(browser, None, now).await
    }

    pub(crate) async fn start_on(&self, browser: &Browser, site: Option<&str>, now: Millis) -> Said {
        self.acts();
        self.starts(browser, site, now).await
    }

    /// A start while the database is there, which gives a new visitor its key.
    pub(crate) async fn meet(&self, browser: &Browser, now: Millis) -> Said {
        self.settle().await;
        self.starts(browser, None, now).await
    }

    async fn starts(&self, browser: &Browser, site: Option<&str>, now: Millis) -> Said {
        let carried = browser.cookie();
        let page = Page { site: site.map(str::to_owned), ..Page::default() };
        let allowance = Allowance::unlimited();
        let started = self.lifecycle().start(hit(browser, now), page, allowance, candidate).await;
        let started = started.map(|(_, cookies)| cookies).map_err(|failure: Failure| failure.0);
        browser.takes_all(started, carried.as_ref())
    }

    /// A page view at `now`.
    pub(crate) async fn view(&self, browser: &Browser, now: Millis) -> Said {
        self.send(browser, view(now), now).await
    }

    pub(crate) async fn send(&self, browser: &Browser, fact: Fact, now: Millis) -> Said {
        self.send_all(browser, vec![fact], now).await.1
    }

    /// Sends an array. Returns how many of its items had been stored before, and the answer.
    pub(crate) async fn send_all(&self, browser: &Browser, facts: Vec<Fact>, now: Millis) -> (u32, Said) {
        self.acts();
        let carried = browser.cookie();
        let runs = vec![Run { visitor: Some(browser.visitor), facts }];
        let allowance = Allowance::unlimited();
        match self.lifecycle().facts(hit(browser, now), runs, allowance, candidate).await {
            Ok((outcome, cookies)) => (outcome.duplicates, browser.takes_all(Ok(cookies), carried.as_ref())),
            Err(Failure(refusal)) => (0, browser.takes(Err(refusal), carried.as_ref())),
        }
    }

    /// Sends an array that names no visitor.
    pub(crate) async fn send_nameless(&self, browser: &Browser, facts: Vec<Fact>, now: Millis) -> Said {
        self.acts();
        let hit = Hit { visitor: None, key_of: None, ..hit(browser, now) };
        let runs = vec![Run { visitor: None, facts }];
        let sent = self.lifecycle().facts(hit, runs, Allowance::unlimited(), candidate).await;
        let answer = sent.map(|(_, cookies)| cookies).map_err(|failure: Failure| failure.0);
        browser.takes_all(answer, browser.cookie().as_ref())
    }

    pub(crate) async fn ping(&self, browser: &Browser, now: Millis) -> Said {
        self.ping_about(browser, None, now).await
    }

    /// A ping with engagement: page view, milliseconds, per cent.
    pub(crate) async fn ping_about(
        &self,
        browser: &Browser,
        about: Option<(Uuid, i64, i64)>,
        now: Millis,
    ) -> Said {
        self.acts();
        let carried = browser.cookie();
        browser.takes(self.lifecycle().ping(hit(browser, now), about).await, carried.as_ref())
    }

    pub(crate) async fn sign_in(&self, browser: &Browser, user: &str, now: Millis) -> Said {
        self.signs_in(browser, user.into(), None, true, now).await
    }

    /// A sign-in with device and `remember`.
    pub(crate) async fn sign_in_as(&self, browser: &Browser, user: SignedIn, now: Millis) -> Said {
        self.signs_in(browser, user, None, true, now).await
    }

    /// A sign-in without a visit.
    pub(crate) async fn sign_in_without_visit(&self, browser: &Browser, user: &str, now: Millis) -> Said {
        self.signs_in(browser, user.into(), None, false, now).await
    }

    /// A sign-in after a password with this hash was verified.
    pub(crate) async fn sign_in_by_password(
        &self,
        browser: &Browser,
        user: &str,
        hash: &str,
        now: Millis,
    ) -> Said {
        self.signs_in(browser, user.into(), Some(hash.to_owned()), true, now).await
    }

    async fn signs_in(
        &self,
        browser: &Browser,
        user: SignedIn,
        verified: Option<String>,
        visit: bool,
        now: Millis,
    ) -> Said {
        self.acts();
        let carried = browser.cookie();
        let hit = hit(browser, now);
        let allowance = Allowance::unlimited();
        let signed_in = self.lifecycle().sign_in::<Failure>(hit, user, verified, visit, allowance).await;
        browser.takes(signed_in.map_err(|failure| failure.0), carried.as_ref())
    }

    /// Changes the user's password, after one with this hash was verified.
    pub(crate) async fn change_password(
        &self,
        browser: &Browser,
        user: &str,
        hashes: [&str; 2],
        now: Millis,
    ) -> Said {
        self.acts();
        let [old, new] = hashes.map(str::to_owned);
        let presented = browser.proof();
        let changed =
            self.lifecycle().change_password::<Failure>(now, presented, user.to_owned(), old, new).await;
        browser.takes(changed.map_err(|failure| failure.0), None)
    }

    pub(crate) async fn sign_out(&self, browser: &Browser, now: Millis) -> Said {
        self.acts();
        let carried = browser.cookie();
        let signed_out = self.lifecycle().sign_out::<Failure>(hit(browser, now)).await;
        browser.takes(signed_out.map_err(|failure| failure.0), carried.as_ref())
    }

    pub(crate) async fn end(&self, browser: &Browser, now: Millis) -> Said {
        self.acts();
        let carried = browser.cookie();
        browser.takes(self.lifecycle().end(hit(browser, now)).await, carried.as_ref())
    }

    /// Withdraws consent.
    pub(crate) async fn forget(&self, browser: &Browser, now: Millis) -> Said {
        self.acts();
        let carried = browser.cookie();
        let forgotten = self.lifecycle().forget::<Failure>(hit(browser, now)).await;
        browser.takes(forgotten.map_err(|failure| failure.0), carried.as_ref())
    }

    /// Ends a session of the user, from another one.
    pub(crate) async fn end_one(&self, browser: &Browser, user: &str, tag: Tag, now: Millis) -> Said {
        let asking = Some(browser.proof());
        self.ends(browser, ending(user, asking, Which::One(tag), None, now)).await
    }

    /// Ends all sessions of the user except the asking one.
    pub(crate) async fn end_others(&self, browser: &Browser, user: &str, now: Millis) -> Said {
        let asking = browser.proof();
        let which = Which::AllBut(Some(asking.tag));
        self.ends(browser, ending(user, Some(asking), which, None, now)).await
    }

    /// Ends a session of the user, by an API key that may be for one site.
    pub(crate) async fn end_by_key(&self, user: &str, tag: Tag, site: Option<&str>, now: Millis) -> Said {
        self.ends(&Browser::new(), ending(user, None, Which::One(tag), site, now)).await
    }

    /// Ends all sessions of the user, by an API key that may be for one site.
    pub(crate) async fn end_all_of(&self, user: &str, site: Option<&str>, now: Millis) -> Said {
        self.ends(&Browser::new(), ending(user, None, Which::AllBut(None), site, now)).await
    }

    async fn ends(&self, browser: &Browser, ending: EndSessions) -> Said {
        self.acts();
        browser.takes(self.lifecycle().end_sessions(ending).await, None)
    }

    /// Erases a visitor, when the database is there and the spool is empty.
    pub(crate) async fn erase(&self, browser: &Browser, whom: VisitorId, right: Right, now: Millis) -> Said {
        let mut said = Said::Unavailable;
        eventually("an erasure", async || {
            self.settle().await;
            said = self.erase_as_it_is(browser, whom, right, now).await;
            said != Said::Unavailable
        })
        .await;
        said
    }

    /// Erases a visitor, while what is away stays away.
    pub(crate) async fn erase_as_it_is(
        &self,
        browser: &Browser,
        whom: VisitorId,
        right: Right,
        now: Millis,
    ) -> Said {
        let carried = browser.cookie();
        let erased = self.lifecycle().erase(hit(browser, now), whom, right).await;
        browser.takes(erased, carried.as_ref())
    }
}

fn hit(browser: &Browser, now: Millis) -> Hit {
    let visitor = Some(browser.visitor);
    let (token, key) = (browser.cookie(), browser.key());
    Hit { now, token, visitor, key_of: visitor, key, site: Some(HOST.into()) }
}

fn ending(user: &str, asking: Option<Proof>, which: Which, site: Option<&str>, now: Millis) -> EndSessions {
    EndSessions { now, user_id: user.to_owned(), asking, which, site: site.map(str::to_owned) }
}

/// [`Refusal`] does not know where randomness comes from.
#[derive(Debug)]
struct Failure(Refusal);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        panic!("{error}")
    }
}

fn candidate() -> Result<Option<SessionToken>, Failure> {
    Ok(Some(SessionToken::issue()?))
}
