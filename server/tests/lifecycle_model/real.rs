//! The server's own steps.

use std::collections::HashMap;

use uuid::Uuid;
use visitflow_server::database::Database;
use visitflow_server::database::postgres::pool::Pool;
use visitflow_server::database::postgres::writer::Writer;
use visitflow_server::database::sqlite::readers::Readers;
use visitflow_server::database::store::{Lookup, Store};
use visitflow_server::ledger::commands::end_sessions::{EndSessions, Which};
use visitflow_server::ledger::kinds::{Fact, Kind, PageView, Run};
use visitflow_server::lifecycle::{Cookie, Hit, Lifecycle, Page, Refusal};
use visitflow_server::session::Millis;
use visitflow_server::session::record::SignedIn;
use visitflow_server::session::token::{SessionToken, Tag};
use visitflow_server::session::visit::VisitorId;
use visitflow_server::throttle::budget::Allowance;

use crate::steps::{Answer, By};

/// The answer of a step, and the cookie that the browser has then.
pub(crate) type Answered = (Answer, Option<SessionToken>);

pub(crate) struct Real {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) visitors: [VisitorId; 2],
    /// Nobody else's on this database.
    pub(crate) users: [String; 2],
    pub(crate) site: String,
    /// Which token of the model a session is.
    pub(crate) tokens: HashMap<Tag, usize>,
}

fn answer(
    outcome: Result<Cookie, Refusal>,
    carried: Option<&SessionToken>,
) -> (Answer, Option<SessionToken>) {
    match outcome {
        Ok(Cookie::Leave) => (Answer::Left, carried.cloned()),
        Ok(Cookie::Clear) => (Answer::Cleared, None),
        Ok(Cookie::Set(token, _))
            if carried.is_some_and(|carried| carried.cookie_value() == token.cookie_value()) =>
        {
            (Answer::Kept, Some(token))
        }
        Ok(Cookie::Set(token, _)) => (Answer::Fresh, Some(token)),
        Err(Refusal::Expired) => (Answer::Expired, carried.cloned()),
        Err(Refusal::Rotated) => (Answer::Rotated, carried.cloned()),
        Err(Refusal::Stale) => panic!("no password is checked here"),
        Err(Refusal::NotTheirs) => panic!("nobody is erased here"),
        Err(Refusal::Missing) => (Answer::Missing, carried.cloned()),
        Err(Refusal::TooMany(_)) => panic!("there is no limit here"),
        Err(Refusal::Store(error)) => panic!("{error}"),
    }
}

/// [`Refusal`] does not know where randomness comes from.
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

impl Real {
    fn hit(&self, token: Option<&SessionToken>, visitor: usize, now: Millis) -> Hit {
        Hit {
            now,
            token: token.cloned(),
            visitor: Some(self.visitors[visitor]),
            key_of: Some(self.visitors[visitor]),
            key: None,
            site: Some(self.site.clone()),
        }
    }

    pub(crate) fn user(&self, id: &str) -> u8 {
        u8::try_from(self.users.iter().position(|user| user == id).unwrap()).unwrap()
    }

    pub(crate) async fn start(&self, token: Option<&SessionToken>, visitor: usize, now: Millis) -> Answered {
        let page = Page { site: Some(self.site.clone()), ..Page::default() };
        let (hit, allowance) = (self.hit(token, visitor, now), Allowance::unlimited());
        let started = self.lifecycle.start(hit, page, allowance, candidate).await;
        answer(started.map(|(_, cookies)| cookies.session).map_err(|failure| failure.0), token)
    }

    pub(crate) async fn view(
        &self,
        token: Option<&SessionToken>,
        visitor: usize,
        id: Uuid,
        at: Millis,
        now: Millis,
    ) -> Answered {
        let url = "https://shop.example/".into();
        let kind = Kind::PageView(PageView { id, url, path: "/".into(), ..PageView::default() });
        let fact = Fact { site: Some(self.site.clone()), occurred_at: at, anonymous: false, kind };
        let facts = vec![Run { visitor: Some(self.visitors[visitor]), facts: vec![fact] }];
        let (hit, allowance) = (self.hit(token, visitor, now), Allowance::unlimited());
        let told = self.lifecycle.facts(hit, facts, allowance, candidate).await;
        answer(told.map(|(_, cookies)| cookies.session).map_err(|failure| failure.0), token)
    }

    pub(crate) async fn ping(&self, token: Option<&SessionToken>, visitor: usize, now: Millis) -> Answered {
        answer(self.lifecycle.ping(self.hit(token, visitor, now), None).await, token)
    }

    pub(crate) async fn sign_in(
        &self,
        token: Option<&SessionToken>,
        (visitor, by): (usize, By),
        (user, visit, remember): (u8, bool, bool),
        now: Millis,
    ) -> Answered {
        let hit = self.hit_by(token, visitor, by, now);
        let user = SignedIn { remember, ..SignedIn::from(&*self.users[usize::from(user)]) };
        let allowance = Allowance::unlimited();
        let signed_in = self.lifecycle.sign_in::<Failure>(hit, user, None, visit, allowance).await;
        answer(signed_in.map_err(|failure| failure.0), token)
    }

    pub(crate) async fn sign_out(
        &self,
        token: Option<&SessionToken>,
        (visitor, by): (usize, By),
        now: Millis,
    ) -> Answered {
        let signed_out = self.lifecycle.sign_out::<Failure>(self.hit_by(token, visitor, by, now)).await;
        answer(signed_out.map_err(|failure| failure.0), token)
    }

    /// A backend names no visitor.
    fn hit_by(&self, token: Option<&SessionToken>, visitor: usize, by: By, now: Millis) -> Hit {
        let hit = self.hit(token, visitor, now);
        if by == By::Page { hit } else { Hit { visitor: None, ..hit } }
    }

    pub(crate) async fn end(&self, token: Option<&SessionToken>, visitor: usize, now: Millis) -> Answered {
        answer(self.lifecycle.end(self.hit(token, visitor, now)).await, token)
    }

    pub(crate) async fn forget(&self, token: Option<&SessionToken>, visitor: usize, now: Millis) -> Answered {
        let forgotten = self.lifecycle.forget::<Failure>(self.hit(token, visitor, now)).await;
        answer(forgotten.map_err(|failure| failure.0), token)
    }

    pub(crate) async fn introspect(&self, token: Option<&SessionToken>, touch: bool, now: Millis) -> Answer {
        let Some(token) = token.cloned() else { return Answer::Expired };
        let Some((record, cookie)) = self.lifecycle.identify(token, touch, now).await.unwrap() else {
            return Answer::Expired;
        };
        let user = record.user_id.map(|user| self.user(&user));
        Answer::Whose(user, record.remembered, matches!(cookie, Cookie::Set(..)))
    }

    pub(crate) async fn list(&self, user: u8, now: Millis) -> Answer {
        let sessions = &self.lifecycle.sessions;
        let listed = sessions.of_user(&self.users[usize::from(user)], None, now).await.unwrap();
        assert!(listed.windows(2).all(|pair| pair[0].last_activity >= pair[1].last_activity));
        let session = |record: &visitflow_server::session::record::Record| {
            (self.tokens[&record.tag], record.last_activity, record.remembered)
        };
        let mut told: Vec<_> = listed.iter().map(session).collect();
        told.sort_unstable();
        Answer::Sessions(told)
    }

    /// Ends one session of the user that is signed in, or all others.
    pub(crate) async fn end_sessions(
        &self,
        token: Option<&SessionToken>,
        ended: Option<Tag>,
        now: Millis,
    ) -> Answered {
        let Some(own) = token.cloned() else { return (Answer::Expired, None) };
        let asking = own.proof();
        let Some((record, _)) = self.lifecycle.identify(own, false, now).await.unwrap() else {
            return (Answer::Expired, token.cloned());
        };
        let Some(user_id) = record.user_id else { return (Answer::NotSignedIn, token.cloned()) };
        let which = ended.map_or(Which::AllBut(Some(asking.tag)), Which::One);
        let ending = EndSessions { now, user_id, asking: Some(asking), which, site: None };
        answer(self.lifecycle.end_sessions(ending).await, token)
    }
}

fn candidate() -> Result<Option<SessionToken>, Failure> {
    Ok(Some(SessionToken::issue().unwrap()))
}

pub(crate) fn open(database: &Database) -> (Store, Lookup) {
    match database {
        Database::Sqlite(file) => {
            let db = file.open().unwrap();
            db.pragma_update(None, "synchronous", "off").unwrap(); // what is tested here is not the disk
            (Store::Sqlite(db.into()), Lookup::Complete(Readers::new(file.clone(), 1)))
        }
        Database::Postgres(url) => {
            let lookup = Lookup::Postgres(Pool::lookups(url).unwrap());
            (Store::Postgres(Writer::new(url.clone(), None)), lookup)
        }
    }
}
