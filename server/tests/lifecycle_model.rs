//! The session rules against a model: any sequence of start, view, ping, sign-in, sign-out, end,
//! lost cookies, replayed cookies and passing time leaves the same visits in the store as in a
//! plain restatement of the rules, and every step answers alike. On a file, and on Postgres.

#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::types::ValueRef;
use uuid::Uuid;
use visitflow_e2e::{Postgres, sql};
use visitflow_server::ingest::{Durable, Ingest};
use visitflow_server::ledger::command::{Fact, Kind, Run};
use visitflow_server::lifecycle::{Cookie, Hit, Lifecycle, Page, Refusal};
use visitflow_server::observe::Metrics;
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::uuid_v7;
use visitflow_server::session::visit::VisitorId;
use visitflow_server::session::{Millis, Ttl};
use visitflow_server::store::events::postgres::pool::Pool;
use visitflow_server::store::events::postgres::url::PostgresUrl;
use visitflow_server::store::events::postgres::writer::Writer;
use visitflow_server::store::events::sqlite::Sqlite;
use visitflow_server::store::events::sqlite::readers::Readers;
use visitflow_server::store::events::{Database, Lookup, SWEEP_GRACE_MS, Store};
use visitflow_server::store::sessions::Sessions;
use visitflow_server::throttle::budget::Allowance;

const MINUTE: Millis = 60_000;
const TTL: Ttl = Ttl::DEFAULT;
const BROWSERS: usize = 3;
/// Browsers 0 and 1 share a visitor: two profiles that copied a cookie, or a cookie jar that lost
/// one cookie of two.
const VISITORS: [usize; BROWSERS] = [0, 0, 1];

#[derive(Clone, Debug)]
enum Op {
    Start,
    View {
        age: Millis,
    },
    Resend,
    Ping,
    SignIn {
        user: u8,
        visit: bool,
    },
    SignOut,
    End,
    LoseCookie,
    /// The next step carries a cookie that the browser held some steps ago.
    ReplayCookie {
        back: usize,
    },
    Pass {
        ms: Millis,
    },
    Sweep,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => Just(Op::Start),
        6 => prop_oneof![Just(0), Just(5 * MINUTE), Just(29 * MINUTE), Just(40 * MINUTE), Just(3 * 60 * MINUTE)].prop_map(|age| Op::View { age }),
        2 => Just(Op::Resend),
        3 => Just(Op::Ping),
        2 => (0..2_u8, prop::bool::weighted(0.8)).prop_map(|(user, visit)| Op::SignIn { user, visit }),
        1 => Just(Op::SignOut),
        1 => Just(Op::End),
        1 => Just(Op::LoseCookie),
        1 => (1..4_usize).prop_map(|back| Op::ReplayCookie { back }),
        6 => prop_oneof![Just(1_000), Just(59_999), Just(10 * MINUTE), Just(29 * MINUTE + 59_999), Just(30 * MINUTE), Just(7 * 60 * MINUTE)].prop_map(|ms| Op::Pass { ms }),
        1 => Just(Op::Sweep),
    ]
}

/// What a step answered, as far as both sides can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// No `Set-Cookie`.
    Left,
    /// The cookie that the request carried is sent again.
    Kept,
    /// A new cookie is set.
    Fresh,
    /// The cookie is deleted.
    Cleared,
    /// 401.
    Expired,
    /// 409.
    Rotated,
}

/// A visit, as far as both sides can say it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    started_at: Millis,
    last_activity: Millis,
    ended_at: Option<Millis>,
    visitor: usize,
    user: Option<String>,
    page_views: u64,
}

// ---- the model --------------------------------------------------------------------------------

/// A cookie of the model: which token, and which of its secrets.
type ModelCookie = (usize, usize);

#[derive(Clone, Debug)]
struct Token {
    secret: usize,
    /// Secret, when it was replaced, the visit then.
    retired: Vec<(usize, Millis, Option<usize>)>,
    visit: Option<usize>,
    user: Option<u8>,
    created: Millis,
    last: Millis,
    ended: Option<Millis>,
}

#[derive(Default)]
struct Model {
    tokens: Vec<Token>,
    visits: Vec<Row>,
    /// The visit that a visitor's next hit joins, if it is live.
    current: [Option<usize>; 2],
    views: std::collections::HashSet<Uuid>,
}

enum Worth {
    Live(usize),
    Crossing { token: usize, rotated: bool },
    Nothing,
}

impl Model {
    fn expired(&self, token: usize, now: Millis) -> bool {
        let token = &self.tokens[token];
        now - token.last >= TTL.idle_ms || now - token.created >= TTL.max_ms
    }

    fn worth(&self, cookie: Option<ModelCookie>, now: Millis) -> Worth {
        let Some((at, secret)) = cookie else {
            return Worth::Nothing;
        };
        let token = &self.tokens[at];
        let retired = token.retired.iter().any(|(old, when, _)| *old == secret && now - when < MINUTE);
        if let Some(ended) = token.ended {
            let crossing = now - ended < MINUTE && (retired || token.secret == secret);
            return if crossing { Worth::Crossing { token: at, rotated: false } } else { Worth::Nothing };
        }
        if self.expired(at, now) {
            Worth::Nothing
        } else if token.secret == secret {
            Worth::Live(at)
        } else if retired {
            Worth::Crossing { token: at, rotated: true }
        } else {
            Worth::Nothing
        }
    }

    /// The visit that facts with a cookie of the token belong to.
    fn visit_of(&self, token: usize, cookie: Option<ModelCookie>) -> Option<usize> {
        let token = &self.tokens[token];
        let retired = token.retired.iter().find(|(old, ..)| cookie.is_some_and(|(_, secret)| secret == *old));
        retired.map_or(token.visit, |(.., visit)| *visit)
    }

    fn slide(&mut self, token: usize, at: Millis) {
        let token = &mut self.tokens[token];
        token.last = token.last.max(at);
        if let Some(visit) = token.visit {
            self.touch(visit, at);
        }
    }

    fn touch(&mut self, visit: usize, at: Millis) {
        let visit = &mut self.visits[visit];
        if visit.ended_at.is_none() {
            visit.last_activity = visit.last_activity.max(at);
        }
    }

    fn bind(&mut self, token: usize, visit: usize) {
        self.tokens[token].visit = Some(visit);
        self.touch(visit, self.tokens[token].last);
    }

    fn live_tokens(&self, visit: usize, now: Millis) -> usize {
        (0..self.tokens.len())
            .filter(|at| {
                self.tokens[*at].visit == Some(visit)
                    && self.tokens[*at].ended.is_none()
                    && !self.expired(*at, now)
            })
            .count()
    }

    fn begin(&mut self, visitor: usize, user: Option<u8>, at: Millis) -> usize {
        self.visits.push(Row {
            started_at: at,
            last_activity: at,
            ended_at: None,
            visitor,
            user: user.map(name),
            page_views: 0,
        });
        self.current[visitor] = Some(self.visits.len() - 1);
        self.visits.len() - 1
    }

    fn join_or_begin(&mut self, visitor: usize, user: Option<u8>, at: Millis, now: Millis) -> usize {
        if let Some(visit) = self.current[visitor] {
            let row = &self.visits[visit];
            let others = user.is_some() && row.user.is_some() && row.user != user.map(name);
            if row.ended_at.is_none() && now - row.last_activity < TTL.idle_ms && !others {
                if let Some(user) = user {
                    self.link(visit, user);
                }
                return visit;
            }
        }
        self.begin(visitor, user, at)
    }

    fn link(&mut self, visit: usize, user: u8) {
        let visitor = self.visits[visit].visitor;
        for row in self.visits.iter_mut().filter(|row| row.visitor == visitor && row.user.is_none()) {
            row.user = Some(name(user));
        }
    }

    fn open(&mut self, visit: Option<usize>, user: Option<u8>, last: Millis, now: Millis) -> ModelCookie {
        self.tokens.push(Token {
            secret: 0,
            retired: Vec::new(),
            visit,
            user,
            created: now,
            last,
            ended: None,
        });
        (self.tokens.len() - 1, 0)
    }

    fn start(
        &mut self,
        cookie: Option<ModelCookie>,
        visitor: usize,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Crossing { rotated: true, .. } => (Answer::Expired, cookie),
            Worth::Live(token) => {
                self.slide(token, now);
                if self.tokens[token].visit.is_none() {
                    let visit = self.join_or_begin(visitor, self.tokens[token].user, now, now);
                    self.bind(token, visit);
                    self.touch(visit, now);
                }
                (Answer::Kept, cookie)
            }
            _ => {
                let visit = self.join_or_begin(visitor, None, now, now);
                self.touch(visit, now);
                (Answer::Fresh, Some(self.open(Some(visit), None, now, now)))
            }
        }
    }

    fn view(
        &mut self,
        cookie: Option<ModelCookie>,
        visitor: usize,
        id: Uuid,
        at: Millis,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        let late = now - at >= TTL.idle_ms;
        let worth = self.worth(cookie, now);
        if let (Worth::Live(token), false) = (&worth, late) {
            self.slide(*token, at);
        }
        let kept = if matches!(worth, Worth::Live(_)) && !late { Answer::Kept } else { Answer::Left };
        if !self.views.insert(id) {
            return (kept, cookie);
        }
        let own = match &worth {
            Worth::Live(token) | Worth::Crossing { token, .. } => self.visit_of(*token, cookie),
            Worth::Nothing => None,
        };
        let visit = if late {
            own.filter(|visit| self.covers(*visit, at)).or_else(|| self.covering(visitor, at)).unwrap_or_else(
                || {
                    self.visits.push(Row {
                        started_at: at,
                        last_activity: at,
                        ended_at: Some(at),
                        visitor,
                        user: own.and_then(|visit| self.visits[visit].user.clone()),
                        page_views: 0,
                    });
                    self.visits.len() - 1
                },
            )
        } else {
            match (own, &worth) {
                (Some(visit), _) => visit,
                (None, Worth::Crossing { .. }) => return (kept, cookie),
                (None, Worth::Live(token)) => {
                    let visit = self.join_or_begin(visitor, self.tokens[*token].user, at, now);
                    self.bind(*token, visit);
                    visit
                }
                (None, Worth::Nothing) => {
                    let visit = self.join_or_begin(visitor, None, at, now);
                    let fresh = self.open(Some(visit), None, at, now);
                    self.count(visit, at);
                    // A view as old as the idle limit allows may leave a token that is still live.
                    return (Answer::Fresh, Some(fresh));
                }
            }
        };
        self.count(visit, at);
        (kept, cookie)
    }

    fn count(&mut self, visit: usize, at: Millis) {
        let row = &mut self.visits[visit];
        row.page_views += 1;
        match row.ended_at {
            Some(ended) if ended == row.last_activity => {
                row.ended_at = Some(ended.max(at));
                row.last_activity = row.last_activity.max(at);
            }
            Some(ended) => row.last_activity = row.last_activity.max(at.min(ended - 1)),
            None => row.last_activity = row.last_activity.max(at),
        }
    }

    fn covers(&self, visit: usize, at: Millis) -> bool {
        let row = &self.visits[visit];
        let until = match row.ended_at {
            Some(ended) if ended > row.last_activity => ended,
            _ => row.last_activity + TTL.idle_ms - 1,
        };
        row.started_at <= at && at <= until
    }

    fn covering(&self, visitor: usize, at: Millis) -> Option<usize> {
        let before = (0..self.visits.len())
            .filter(|visit| self.visits[*visit].visitor == visitor && self.visits[*visit].started_at <= at);
        before.max_by_key(|visit| self.visits[*visit].started_at).filter(|visit| self.covers(*visit, at))
    }

    fn ping(&mut self, cookie: Option<ModelCookie>, now: Millis) -> Answer {
        match self.worth(cookie, now) {
            Worth::Live(token) => {
                self.slide(token, now);
                Answer::Kept
            }
            _ => Answer::Expired,
        }
    }

    fn rotate(&mut self, token: usize, user: Option<u8>, now: Millis) -> ModelCookie {
        self.slide(token, now);
        let token_ref = &mut self.tokens[token];
        token_ref.retired.push((token_ref.secret, now, token_ref.visit));
        token_ref.secret += 1;
        token_ref.user = user;
        (token, token_ref.secret)
    }

    fn sign_in(
        &mut self,
        cookie: Option<ModelCookie>,
        user: u8,
        with_visit: bool,
        now: Millis,
    ) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Crossing { rotated: true, .. } => (Answer::Rotated, cookie),
            Worth::Nothing | Worth::Crossing { rotated: false, .. } => {
                (Answer::Fresh, Some(self.open(None, Some(user), now, now)))
            }
            Worth::Live(token) => {
                let fresh = self.rotate(token, Some(user), now);
                if let Some(visit) = self.tokens[token].visit {
                    if !with_visit {
                        self.tokens[token].visit = None;
                    } else if self.visits[visit].user.as_ref().is_some_and(|own| *own != name(user)) {
                        let next = self.begin(self.visits[visit].visitor, Some(user), now);
                        self.tokens[token].visit = Some(next);
                        self.end_if_deserted(visit, now);
                    } else {
                        self.link(visit, user);
                    }
                }
                (Answer::Fresh, Some(fresh))
            }
        }
    }

    fn sign_out(&mut self, cookie: Option<ModelCookie>, now: Millis) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Live(token) => (Answer::Fresh, Some(self.rotate(token, None, now))),
            Worth::Crossing { .. } => (Answer::Left, cookie),
            Worth::Nothing => (Answer::Cleared, None),
        }
    }

    fn end(&mut self, cookie: Option<ModelCookie>, now: Millis) -> (Answer, Option<ModelCookie>) {
        match self.worth(cookie, now) {
            Worth::Live(token) => {
                self.tokens[token].ended = Some(now);
                if let Some(visit) = self.tokens[token].visit {
                    self.end_if_deserted(visit, now);
                }
                (Answer::Cleared, None)
            }
            Worth::Crossing { .. } => (Answer::Left, cookie),
            Worth::Nothing => (Answer::Cleared, None),
        }
    }

    fn end_if_deserted(&mut self, visit: usize, now: Millis) {
        if self.live_tokens(visit, now) == 0 && self.visits[visit].ended_at.is_none() {
            self.visits[visit].ended_at = Some(now.max(self.visits[visit].last_activity));
        }
    }

    fn finish(mut self, now: Millis) -> Vec<Row> {
        for visit in 0..self.visits.len() {
            let row = &self.visits[visit];
            if row.ended_at.is_none() && now - row.last_activity >= TTL.idle_ms {
                self.visits[visit].ended_at = Some(self.visits[visit].last_activity);
            }
        }
        self.visits.sort();
        self.visits
    }
}

fn name(user: u8) -> String {
    format!("user {user}")
}

// ---- the real thing ---------------------------------------------------------------------------

struct Real {
    lifecycle: Lifecycle,
    visitors: [VisitorId; 2],
    site: String,
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
        Err(Refusal::Missing) => panic!("no session of another name is ended here"),
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

    async fn view(
        &self,
        token: Option<&SessionToken>,
        visitor: usize,
        id: Uuid,
        at: Millis,
        now: Millis,
    ) -> Result<Cookie, Refusal> {
        let kind = Kind::PageView {
            id,
            url: "https://shop.example/".into(),
            path: "/".into(),
            referrer: None,
            title: None,
            device: None,
            sequence: None,
        };
        let fact = Fact { site: Some(self.site.clone()), occurred_at: at, anonymous: false, kind };
        let facts = vec![Run { visitor: Some(self.visitors[visitor]), facts: vec![fact] }];
        let (hit, allowance) = (self.hit(token, visitor, now), Allowance::unlimited());
        let sent = self.lifecycle.facts(hit, facts, allowance, offer).await;
        sent.map(|(_, cookies)| cookies.session).map_err(|failure| failure.0)
    }
}

fn offer() -> Result<Option<SessionToken>, Failure> {
    Ok(Some(SessionToken::issue().unwrap()))
}

fn open(database: &Database) -> (Store, Lookup) {
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

/// Runs the steps of visitors that the database does not know yet. `texts` asks it.
fn run(steps: Vec<(usize, Op)>, database: &Database, texts: impl Fn(&str) -> Vec<String>) {
    let (store, lookup) = open(database);
    let sessions = Arc::new(Sessions::new(TTL, lookup));
    let mut now = 1_790_000_000_000;
    let durable = Durable { store, spool: None };
    let (ingest, writer) = Ingest::start(durable, Arc::clone(&sessions), Metrics::new()).unwrap();
    let visitor = || format!("v_{}", Uuid::new_v4()).parse().unwrap();
    let real = Real {
        lifecycle: Lifecycle { sessions, ingest },
        visitors: [visitor(), visitor()],
        site: "shop.example".into(),
    };
    let names = real.visitors.map(|visitor| visitor.to_string());
    let mut model = Model::default();
    let mut history: [Vec<(Option<SessionToken>, Option<ModelCookie>)>; BROWSERS] = Default::default();
    let mut last_view: [Option<(Uuid, Millis)>; BROWSERS] = Default::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for (step, (browser, op)) in steps.iter().enumerate() {
            let (browser, visitor) = (*browser, VISITORS[*browser]);
            let (token, cookie) = history[browser].last().cloned().unwrap_or((None, None));
            let token = token.as_ref();
            let ((got, token), (expected, cookie)) = match op {
                Op::Start => {
                    let page = Page { site: Some(real.site.clone()), ..Page::default() };
                    let (hit, allowance) = (real.hit(token, visitor, now), Allowance::unlimited());
                    let started = real.lifecycle.start(hit, page, allowance, offer).await;
                    let started = started.map(|(_, cookies)| cookies.session).map_err(|failure| failure.0);
                    (answer(started, token), model.start(cookie, visitor, now))
                }
                Op::View { age } => {
                    let (id, at) = (uuid_v7(now), now - age);
                    last_view[browser] = Some((id, at));
                    (
                        answer(real.view(token, visitor, id, at, now).await, token),
                        model.view(cookie, visitor, id, at, now),
                    )
                }
                Op::Resend => {
                    let Some((id, at)) = last_view[browser] else {
                        continue;
                    };
                    (
                        answer(real.view(token, visitor, id, at, now).await, token),
                        model.view(cookie, visitor, id, at, now),
                    )
                }
                Op::Ping => (
                    answer(real.lifecycle.ping(real.hit(token, visitor, now), None).await, token),
                    (model.ping(cookie, now), cookie),
                ),
                Op::SignIn { user, visit } => {
                    let (hit, allowance) = (real.hit(token, visitor, now), Allowance::unlimited());
                    let signed_in = real
                        .lifecycle
                        .sign_in::<Failure>(hit, name(*user).into(), None, *visit, allowance)
                        .await;
                    (
                        answer(signed_in.map_err(|failure| failure.0), token),
                        model.sign_in(cookie, *user, *visit, now),
                    )
                }
                Op::SignOut => {
                    let signed_out = real.lifecycle.sign_out::<Failure>(real.hit(token, visitor, now)).await;
                    (answer(signed_out.map_err(|failure| failure.0), token), model.sign_out(cookie, now))
                }
                Op::End => (
                    answer(real.lifecycle.end(real.hit(token, visitor, now)).await, token),
                    model.end(cookie, now),
                ),
                Op::LoseCookie => ((Answer::Left, None), (Answer::Left, None)),
                Op::ReplayCookie { back } => {
                    let held = history[browser].iter().rev().nth(*back).cloned().unwrap_or((None, None));
                    ((Answer::Left, held.0), (Answer::Left, held.1))
                }
                Op::Pass { ms } => {
                    now += ms;
                    continue;
                }
                Op::Sweep => {
                    real.lifecycle.ingest.sweep(now).await.unwrap();
                    continue;
                }
            };
            assert_eq!(got, expected, "step {step}: browser {browser}, {op:?}, in {steps:?}");
            history[browser].push((token, cookie));
            now += 1; // no two visits begin at once: which of them covers a late fact is nobody's rule
        }
        real.lifecycle.ingest.sweep(now + SWEEP_GRACE_MS).await.unwrap();
    });
    drop(real);
    writer.join();
    let of_visitors = format!("FROM sessions WHERE visitor_id IN ('{}', '{}')", names[0], names[1]);
    let rows = texts(&format!(
        "SELECT started_at || '|' || last_activity || '|' || COALESCE(CAST(ended_at AS text), '') \
             || '|' || visitor_id || '|' || COALESCE(user_id, '') || '|' || page_views {of_visitors}"
    ));
    let mut rows: Vec<Row> = rows.iter().map(|row| stored(row, &names)).collect();
    rows.sort();
    assert_eq!(rows, model.finish(now), "in {steps:?}");
    let counted = format!("SELECT COUNT(*) FROM page_views WHERE visit_id IN (SELECT id {of_visitors})");
    let counted: u64 = texts(&counted)[0].parse().unwrap();
    assert_eq!(counted, rows.iter().map(|row| row.page_views).sum::<u64>());
}

/// A visit as the database tells it.
fn stored(row: &str, names: &[String]) -> Row {
    let columns: Vec<&str> = row.split('|').collect();
    let [started_at, last_activity, ended_at, visitor, user, page_views] = columns[..] else {
        panic!("{row}");
    };
    Row {
        started_at: started_at.parse().unwrap(),
        last_activity: last_activity.parse().unwrap(),
        ended_at: ended_at.parse().ok(),
        visitor: names.iter().position(|name| name == visitor).unwrap(),
        user: Some(user.to_owned()).filter(|user| !user.is_empty()),
        page_views: page_views.parse().unwrap(),
    }
}

fn steps() -> impl Strategy<Value = Vec<(usize, Op)>> {
    prop::collection::vec((0..BROWSERS, op()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_steps_leaves_what_the_rules_say(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let file = Sqlite::new(folder.path().join("visitflow.db"));
        let texts = |query: &str| {
            let db = file.open_reader().unwrap();
            let mut statement = db.prepare(query).unwrap();
            let texts = statement.query_map([], |row| row.get_ref(0).map(|value| match value {
                ValueRef::Integer(number) => number.to_string(),
                other => other.as_str().unwrap().to_owned(),
            }));
            texts.unwrap().collect::<Result<_, _>>().unwrap()
        };
        run(steps, &Database::Sqlite(file.clone()), texts);
    }
}

/// As many sequences as take some seconds. All are of one database: each has visitors of its own.
const ON_POSTGRES: u32 = 32;

#[test]
fn every_sequence_of_steps_leaves_what_the_rules_say_on_postgres() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let postgres = runtime.block_on(Postgres::shared_database());
    let database = Database::Postgres(PostgresUrl::parse(&postgres.url()).unwrap());
    runtime.block_on(database.migrate()).unwrap();
    let texts = |query: &str| runtime.block_on(sql::texts(&postgres.url(), query));
    let config = ProptestConfig {
        max_shrink_iters: 200,
        source_file: Some(file!()),
        ..ProptestConfig::with_cases(ON_POSTGRES)
    };
    let every = TestRunner::new(config).run(&steps(), |steps| {
        run(steps, &database, texts);
        Ok(())
    });
    every.unwrap();
}
