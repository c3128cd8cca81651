//! The session rules against a model: any sequence of start, view, ping, sign-in, sign-out, end, withdrawal
//! of consent, introspection, ends of a user's other sessions, lost cookies, replayed cookies and passing
//! time leaves the same visits in the store as in a plain restatement of the rules, and every step answers
//! alike. On a file, and on Postgres.
//!
//! | module | holds |
//! |---|---|
//! | [`steps`] | the steps, and what each answers |
//! | [`model`] | the restatement |
//! | [`real`] | the server's own steps |

#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod model;
mod real;
mod steps;

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::types::ValueRef;
use uuid::Uuid;
use visitflow_server::database::Database;
use visitflow_server::database::batch::SWEEP_DELAY_MS;
use visitflow_server::database::postgres::url::PostgresUrl;
use visitflow_server::database::sqlite::Sqlite;
use visitflow_server::ingest::{Ingest, Storage};
use visitflow_server::lifecycle::Lifecycle;
use visitflow_server::observe::Metrics;
use visitflow_server::resolve::Sessions;
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::{Millis, uuid_v7};
use visitflow_testkit::{Postgres, sql};

use self::model::{Model, ModelCookie};
use self::real::{Real, open};
use self::steps::{Answer, BROWSERS, Op, Row, TTL, VISITORS, steps};

/// Runs the steps of visitors that the database does not know yet. `texts` asks it.
fn run(steps: Vec<(usize, Op)>, database: &Database, texts: impl Fn(&str) -> Vec<String>) {
    let (store, lookup) = open(database);
    let sessions = Arc::new(Sessions::new(TTL, lookup));
    let mut now = 1_790_000_000_000;
    let storage = Storage { store, spool: None };
    let (ingest, writer) = Ingest::start(storage, Arc::clone(&sessions), Metrics::new()).unwrap();
    let visitor = || format!("v_{}", Uuid::new_v4()).parse().unwrap();
    let user = || format!("user {}", Uuid::new_v4());
    let mut real = Real {
        lifecycle: Lifecycle { sessions, ingest },
        visitors: [visitor(), visitor()],
        users: [user(), user()],
        site: "shop.example".into(),
        tokens: HashMap::new(),
    };
    let names = real.visitors.map(|visitor| visitor.to_string());
    let users = real.users.clone();
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
                Op::Start => (real.start(token, visitor, now).await, model.start(cookie, visitor, now)),
                Op::View { age } => {
                    let (id, at) = (uuid_v7(now), now - age);
                    last_view[browser] = Some((id, at));
                    (real.view(token, visitor, id, at, now).await, model.view(cookie, visitor, id, at, now))
                }
                Op::Resend => {
                    let Some((id, at)) = last_view[browser] else {
                        continue;
                    };
                    (real.view(token, visitor, id, at, now).await, model.view(cookie, visitor, id, at, now))
                }
                Op::Ping => (real.ping(token, visitor, now).await, (model.ping(cookie, now), cookie)),
                Op::SignIn { user, visit, remember, by } => (
                    real.sign_in(token, (visitor, *by), (*user, *visit, *remember), now).await,
                    model.sign_in(cookie, *user, *visit, *remember, now),
                ),
                Op::SignOut { by } => {
                    (real.sign_out(token, (visitor, *by), now).await, model.sign_out(cookie, now))
                }
                Op::End => (real.end(token, visitor, now).await, model.end(cookie, now)),
                Op::Forget => (real.forget(token, visitor, now).await, model.forget(cookie, now)),
                Op::Introspect { touch } => (
                    (real.introspect(token, *touch, now).await, token.cloned()),
                    (model.introspect(cookie, *touch, now), cookie),
                ),
                Op::List { user } => {
                    ((real.list(*user, now).await, token.cloned()), (model.list(*user, now), cookie))
                }
                Op::EndOf { other } => {
                    let Some((Some(ended), Some((of_model, _)))) = history[*other].last().cloned() else {
                        continue;
                    };
                    (
                        real.end_sessions(token, Some(ended.tag()), now).await,
                        model.end_of(cookie, of_model, now),
                    )
                }
                Op::EndOthers => {
                    (real.end_sessions(token, None, now).await, (model.end_others(cookie, now), cookie))
                }
                Op::LoseCookie => ((Answer::Left, None), (Answer::Left, None)),
                Op::ReplayCookie { back } => {
                    let held = history[browser].iter().rev().nth(*back).cloned().unwrap_or((None, None));
                    ((Answer::Left, held.0), (Answer::Left, held.1))
                }
                Op::Pass { ms } => {
                    // A server sweeps every thirty seconds.
                    if *ms >= 30_000 {
                        real.lifecycle.ingest.sweep(now).await.unwrap();
                        model.sweep(now);
                    }
                    now += ms;
                    continue;
                }
                Op::Sweep => {
                    real.lifecycle.ingest.sweep(now).await.unwrap();
                    model.sweep(now);
                    continue;
                }
            };
            if let (Answer::Fresh, Some(token)) = (&got, &token) {
                real.tokens.insert(token.tag(), cookie.map_or(model.tokens(), |(at, _)| at));
            }
            assert_eq!(got, expected, "step {step}: browser {browser}, {op:?}, in {steps:?}");
            history[browser].push((token, cookie));
            now += 1; // no two visits begin at once: which of them covers a late fact is nobody's rule
        }
        real.lifecycle.ingest.sweep(now + SWEEP_DELAY_MS).await.unwrap();
        model.sweep(now + SWEEP_DELAY_MS);
    });
    drop(real);
    writer.join();
    let of_visitors = format!("FROM sessions WHERE visitor_id IN ('{}', '{}')", names[0], names[1]);
    let rows = texts(&format!(
        "SELECT started_at || '|' || last_activity || '|' || COALESCE(CAST(ended_at AS text), '') \
             || '|' || visitor_id || '|' || COALESCE(user_id, '') || '|' || page_views {of_visitors}"
    ));
    let mut rows: Vec<Row> = rows.iter().map(|row| stored(row, &names, &users)).collect();
    rows.sort();
    assert_eq!(rows, model.finish(), "in {steps:?}");
    let counted = format!("SELECT COUNT(*) FROM page_views WHERE visit_id IN (SELECT id {of_visitors})");
    let counted: u64 = texts(&counted)[0].parse().unwrap();
    assert_eq!(counted, rows.iter().map(|row| row.page_views).sum::<u64>());
}

/// A visit as the database tells it.
fn stored(row: &str, names: &[String], users: &[String]) -> Row {
    let columns: Vec<&str> = row.split('|').collect();
    let [started_at, last_activity, ended_at, visitor, user, page_views] = columns[..] else {
        panic!("{row}");
    };
    Row {
        started_at: started_at.parse().unwrap(),
        last_activity: last_activity.parse().unwrap(),
        ended_at: ended_at.parse().ok(),
        visitor: names.iter().position(|name| name == visitor).unwrap(),
        user: users.iter().position(|name| name == user).map(|user| u8::try_from(user).unwrap()),
        page_views: page_views.parse().unwrap(),
    }
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
