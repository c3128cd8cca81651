//! The ingest against a real database file: what is acknowledged is stored once, what is refused
//! falls alone, and what another process or a restart does is seen.

#![expect(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

use std::sync::Arc;

use tempfile::TempDir;
use uuid::Uuid;
use visitflow_server::ingest::{Durable, Ingest, Writer};
use visitflow_server::ledger::command::{Command, Context, Fact, Kind, Order, Outcome, Run};
use visitflow_server::observe::Metrics;
use visitflow_server::session::record::{CROSSING_MS, Crossed};
use visitflow_server::session::token::SessionToken;
use visitflow_server::session::uuid_v7;
use visitflow_server::session::visit::VisitorId;
use visitflow_server::session::{Carrier, Millis, Ttl};
use visitflow_server::store::events::sqlite::accounts::{self, Role};
use visitflow_server::store::events::sqlite::{self, Sqlite};
use visitflow_server::store::events::{Lookup, SWEEP_GRACE_MS, Store};
use visitflow_server::store::sessions::Sessions;

const NOW: Millis = 1_790_000_000_000;

struct World {
    folder: TempDir,
    sessions: Arc<Sessions>,
    ingest: Ingest,
    writer: Writer,
}

impl World {
    fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap(), NOW)
    }

    fn at(folder: TempDir, now: Millis) -> Self {
        let store = sqlite::writer::Writer::open(&Sqlite::new(folder.path().join("visitflow.db"))).unwrap();
        let sessions = Arc::new(Sessions::new(Ttl::default(), Lookup::Complete));
        sessions.follow(store.recent(now - CROSSING_MS).unwrap(), now);
        let durable = Durable { store: Store::Sqlite(store), spool: None };
        let (ingest, writer) = Ingest::start(durable, Arc::clone(&sessions), Metrics::new()).unwrap();
        Self { folder, sessions, ingest, writer }
    }

    fn database(&self) -> Sqlite {
        Sqlite::new(self.folder.path().join("visitflow.db"))
    }

    fn restart(self, now: Millis) -> Self {
        drop(self.ingest);
        self.writer.join();
        Self::at(self.folder, now)
    }

    async fn start(&self, visitor: VisitorId, now: Millis) -> SessionToken {
        let token = SessionToken::issue().unwrap();
        let context = Context { offer: Some(token.proof()), ..context(Carrier::Nothing, Some(visitor), now) };
        let outcome = self
            .ingest
            .commit(Command::Start { context, site: None, url: None, referrer: None })
            .await
            .unwrap();
        assert!(outcome.issued);
        token
    }

    async fn store(&self, context: Context, kinds: Vec<Kind>) -> Outcome {
        let facts = kinds
            .into_iter()
            .map(|kind| Fact { site: None, occurred_at: context.now, anonymous: false, kind })
            .collect();
        self.ingest.commit(facts_of(context, facts)).await.unwrap()
    }

    fn ask<T: AskedFor>(&self, sql: &str) -> T {
        T::ask(&self.database(), sql)
    }
}

/// What a test may ask the database for.
trait AskedFor {
    fn ask(database: &Sqlite, sql: &str) -> Self;
}

impl AskedFor for i64 {
    fn ask(database: &Sqlite, sql: &str) -> Self {
        database.open_reader().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

impl AskedFor for String {
    fn ask(database: &Sqlite, sql: &str) -> Self {
        database.open_reader().unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn context(carrier: Carrier, visitor: Option<VisitorId>, now: Millis) -> Context {
    Context { now, carrier, offer: None, visitor, host: "shop.example".into() }
}

fn facts_of(context: Context, facts: Vec<Fact>) -> Command {
    let runs = vec![Run { visitor: context.visitor, facts }];
    Command::Facts { context, runs }
}

fn visitor() -> VisitorId {
    format!("v_{}", Uuid::new_v4()).parse().unwrap()
}

fn view(id: Uuid) -> Kind {
    Kind::PageView {
        id,
        url: "https://shop.example/a".into(),
        path: "/a".into(),
        referrer: None,
        title: None,
        device: None,
    }
}

fn event(name: &str) -> Kind {
    Kind::Event { id: uuid_v7(NOW), name: name.into(), props: None, url: None }
}

fn order(id: &str, amount: &str, from_api: bool) -> Kind {
    Kind::Order(Order {
        id: id.into(),
        amount: amount.into(),
        currency: "EUR".into(),
        items: None,
        from_api,
        session: None,
        user_id: None,
    })
}

#[tokio::test]
async fn a_refused_fact_is_set_aside_and_its_neighbours_are_stored() {
    let world = World::new();
    let db = world.database().open().unwrap();
    db.execute_batch("CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.name = 'refused' BEGIN SELECT RAISE(ABORT, 'no'); END").unwrap();
    let commands = (0..100).map(|at| {
        let name = if at % 10 == 3 { "refused" } else { "fine" };
        let context = Context {
            offer: Some(SessionToken::issue().unwrap().proof()),
            ..context(Carrier::Nothing, Some(visitor()), NOW)
        };
        let facts = vec![Fact { site: None, occurred_at: NOW, anonymous: false, kind: event(name) }];
        world.ingest.commit(facts_of(context, facts))
    });
    let answers = futures_util::future::join_all(commands).await; // all at once: they share commits
    assert!(answers.iter().all(Result::is_ok), "what is set aside is kept, and so acknowledged");
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM dead_letters WHERE reason LIKE '%no%'"), 10);
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM events"), 90);
    assert_eq!(
        world.ask::<i64>("SELECT COUNT(*) FROM sessions"),
        90,
        "a refused fact leaves no visit behind"
    );
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM session_tokens"), 90);
    assert_eq!(world.sessions.local.len(), 90);
}

#[tokio::test]
async fn a_twin_is_stored_once_and_starts_nothing() {
    let world = World::new();
    let id = uuid_v7(NOW);
    let fresh = || Context {
        offer: Some(SessionToken::issue().unwrap().proof()),
        ..context(Carrier::Nothing, None, NOW)
    };
    let first = world.store(fresh(), vec![view(id)]).await;
    assert!(first.issued && first.twins == 0);
    let second = world.store(fresh(), vec![view(id), view(id)]).await;
    assert!(!second.issued && second.twins == 2);
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM page_views"), 1);
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM sessions"), 1);
}

#[tokio::test]
async fn an_order_starts_no_visit_and_counts_once() {
    let world = World::new();
    let nobody = || context(Carrier::Nothing, Some(visitor()), NOW);
    assert_eq!(world.store(nobody(), vec![order("1", "10.00", false)]).await.twins, 0);
    assert_eq!(world.store(nobody(), vec![order("1", "99.00", false)]).await.twins, 1);
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM sessions"), 0);
    assert_eq!(world.ask::<String>("SELECT group_concat(amount) FROM orders"), "10.00");
}

#[tokio::test]
async fn the_shops_own_word_replaces_the_browsers_and_not_the_other_way() {
    let world = World::new();
    let visitor = visitor();
    let token = world.start(visitor, NOW).await;
    let carrier = world.sessions.touch(Some(token.proof()), None, NOW).await;
    world.store(context(carrier.clone(), Some(visitor), NOW), vec![order("1", "10.00", false)]).await;
    world.store(context(Carrier::Nothing, None, NOW), vec![order("1", "12.00", true)]).await;
    world.store(context(carrier, Some(visitor), NOW), vec![order("1", "1.00", false)]).await;
    assert_eq!(
        world.ask::<String>("SELECT amount || ' ' || source || ' ' || (visit_id IS NOT NULL) FROM orders"),
        "12.00 api 1"
    );
}

#[tokio::test]
async fn an_anonymous_view_has_no_visit() {
    let world = World::new();
    let fact = Fact { site: None, occurred_at: NOW, anonymous: true, kind: view(uuid_v7(NOW)) };
    let context = Context {
        offer: Some(SessionToken::issue().unwrap().proof()),
        ..context(Carrier::Nothing, None, NOW)
    };
    let outcome = world.ingest.commit(facts_of(context, vec![fact])).await.unwrap();
    assert_eq!(outcome, Outcome::default());
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM page_views WHERE visit_id IS NULL"), 1);
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM sessions"), 0);
}

#[tokio::test]
async fn the_first_fact_says_what_the_start_only_guessed() {
    let world = World::new();
    let visitor = visitor();
    let token = world.start(visitor, NOW).await;
    let facts = vec![Fact {
        site: Some("blog.example".into()),
        occurred_at: NOW,
        anonymous: false,
        kind: view(uuid_v7(NOW)),
    }];
    let carrier = world.sessions.touch(Some(token.proof()), None, NOW).await;
    world.ingest.commit(facts_of(context(carrier, Some(visitor), NOW), facts)).await.unwrap();
    assert_eq!(
        world.ask::<String>("SELECT site || ' ' || entry_url FROM sessions"),
        "blog.example https://shop.example/a"
    );
    assert_eq!(world.ask::<String>("SELECT group_concat(site) FROM visitors"), "blog.example");
}

#[tokio::test]
async fn a_request_that_names_no_site_joins_the_live_visit_whatever_its_site() {
    let world = World::new();
    let visitor = visitor();
    let fresh = || Context {
        offer: Some(SessionToken::issue().unwrap().proof()),
        ..context(Carrier::Nothing, Some(visitor), NOW)
    };
    let facts = vec![Fact {
        site: Some("blog.example".into()),
        occurred_at: NOW,
        anonymous: false,
        kind: view(uuid_v7(NOW)),
    }];
    world.ingest.commit(facts_of(fresh(), facts)).await.unwrap();
    let start = Command::Start { context: fresh(), site: None, url: None, referrer: None };
    assert!(world.ingest.commit(start).await.unwrap().joined);
    assert!(world.store(fresh(), vec![event("play")]).await.joined);
    assert_eq!(
        world.ask::<String>(
            "SELECT group_concat(site) FROM (SELECT site FROM sessions UNION SELECT site FROM events)"
        ),
        "blog.example"
    );
}

#[tokio::test]
async fn a_visit_that_was_only_started_takes_the_site_of_its_first_fact_from_any_tab() {
    let world = World::new();
    let visitor = visitor();
    world.start(visitor, NOW).await;
    let other_tab = Context {
        offer: Some(SessionToken::issue().unwrap().proof()),
        ..context(Carrier::Nothing, Some(visitor), NOW)
    };
    let facts = vec![Fact {
        site: Some("blog.example".into()),
        occurred_at: NOW,
        anonymous: false,
        kind: view(uuid_v7(NOW)),
    }];
    assert!(world.ingest.commit(facts_of(other_tab, facts)).await.unwrap().joined);
    assert_eq!(world.ask::<String>("SELECT group_concat(site) FROM sessions"), "blog.example");
    assert_eq!(world.ask::<String>("SELECT group_concat(site) FROM visitors"), "blog.example");
}

#[tokio::test]
async fn sessions_survive_a_restart_with_what_slid() {
    let world = World::new();
    let token = world.start(visitor(), NOW).await;
    let later = NOW + 20 * 60_000;
    assert!(matches!(
        world.sessions.touch(Some(token.proof()), Some(later), later).await,
        Carrier::Live { .. }
    ));
    let world = world.restart(later);
    let much_later = later + 29 * 60_000;
    assert!(matches!(
        world.sessions.touch(Some(token.proof()), None, much_later).await,
        Carrier::Live { .. }
    ));
}

#[tokio::test]
async fn a_token_rotated_before_a_restart_stays_dead_and_still_crosses() {
    let world = World::new();
    let old = world.start(visitor(), NOW).await;
    let new = SessionToken::rotate(old.tag()).unwrap();
    let sign_in = Command::SignIn {
        now: NOW,
        presented: Some(old.proof()),
        offer: new.proof(),
        user_id: "u_1".into(),
        verified: None,
        visit: true,
    };
    world.ingest.commit(sign_in).await.unwrap();
    let world = world.restart(NOW + 1_000);
    assert!(matches!(
        world.sessions.touch(Some(old.proof()), None, NOW + 1_000).await,
        Carrier::Crossing { crossed: Crossed::Rotated, .. }
    ));
    assert!(matches!(world.sessions.touch(Some(new.proof()), None, NOW + 1_000).await, Carrier::Live { .. }));
    assert!(matches!(world.sessions.touch(Some(old.proof()), None, NOW + 61_000).await, Carrier::Nothing));
}

#[tokio::test]
async fn disabling_a_user_or_changing_the_password_ends_all_sessions_of_that_user() {
    for change in ["disable", "password"] {
        let world = World::new();
        let mut db = world.database().open().unwrap();
        accounts::put_user(&mut db, "u_1", "ann", "hash", Role::User, NOW).unwrap();
        let mut tokens = Vec::new();
        for user in ["u_1", "u_1", "u_2"] {
            let token = SessionToken::issue().unwrap();
            let sign_in = Command::SignIn {
                now: NOW,
                presented: None,
                offer: token.proof(),
                user_id: user.into(),
                verified: None,
                visit: false,
            };
            world.ingest.commit(sign_in).await.unwrap();
            tokens.push(token);
        }
        world.ingest.sweep(NOW).await.unwrap();
        match change {
            "disable" => assert!(accounts::disable_user(&mut db, "ann", NOW + 1).unwrap()),
            _ => assert!(
                !accounts::put_user(&mut db, "u_9", "ann", "other hash", Role::User, NOW + 1).unwrap()
            ),
        }
        world.ingest.tick(NOW + 2);
        world.ingest.sweep(NOW + 2).await.unwrap();
        let mut live = Vec::new();
        for token in &tokens {
            live.push(world.sessions.is_current(token.proof(), NOW + 2).await);
        }
        assert_eq!(live, [false, false, true], "{change}");
    }
}

#[tokio::test]
async fn a_sign_in_whose_password_was_changed_meanwhile_is_stale() {
    let world = World::new();
    let mut db = world.database().open().unwrap();
    accounts::put_user(&mut db, "u_1", "ann", "hash", Role::User, NOW).unwrap();
    let sign_in = |hash: &str| Command::SignIn {
        now: NOW,
        presented: None,
        offer: SessionToken::issue().unwrap().proof(),
        user_id: "u_1".into(),
        verified: Some(hash.into()),
        visit: true,
    };
    assert!(world.ingest.commit(sign_in("hash")).await.unwrap().issued);
    accounts::put_user(&mut db, "u_9", "ann", "other hash", Role::User, NOW).unwrap();
    assert!(world.ingest.commit(sign_in("hash")).await.unwrap().stale);
    assert!(accounts::disable_user(&mut db, "ann", NOW).unwrap());
    assert!(world.ingest.commit(sign_in("other hash")).await.unwrap().stale);
}

#[tokio::test]
async fn expired_sessions_and_visits_are_ended_where_their_activity_ended() {
    let world = World::new();
    let token = world.start(visitor(), NOW).await;
    let last = NOW + 5 * 60_000;
    world.sessions.touch(Some(token.proof()), Some(last), last).await;
    let after = last + 30 * 60_000 + SWEEP_GRACE_MS;
    world.ingest.sweep(after).await.unwrap();
    assert_eq!(world.ask::<i64>("SELECT ended_at FROM sessions"), last);
    assert_eq!(world.ask::<i64>("SELECT ended_at FROM session_tokens"), last + 30 * 60_000);
    assert!(world.sessions.local.is_empty());
    world.ingest.sweep(after + 25 * 3_600_000).await.unwrap();
    assert_eq!(world.ask::<i64>("SELECT COUNT(*) FROM session_tokens"), 0);
}

#[tokio::test]
async fn a_flood_of_starts_leaves_bounded_memory() {
    let world = World::new();
    for _ in 0..1_000 {
        world.start(visitor(), NOW).await;
    }
    assert_eq!(world.sessions.local.len(), 1_000);
    world.ingest.sweep(NOW + 30 * 60_000).await.unwrap();
    assert!(world.sessions.local.is_empty());
}

#[test]
fn one_database_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::new(folder.path().join("visitflow.db"));
    let claim = database.claim().unwrap();
    assert!(database.claim().unwrap_err().to_string().contains("another visitflow server"));
    drop(claim);
    database.claim().unwrap();
}

#[tokio::test]
async fn a_probe_writes() {
    let world = World::new();
    world.ingest.probe(NOW).await.unwrap();
    assert_eq!(world.ask::<i64>("PRAGMA user_version"), NOW / 1_000);
}
