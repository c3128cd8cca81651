//! Provisional changes, made while the database was away, as the database takes them.

use visitflow_server::database::batch::{Batch, Taken};
use visitflow_server::database::store::Store;
use visitflow_server::ledger::Provisional;
use visitflow_server::ledger::commands::{
    Command, End, EndProvisional, Facts, Forget, Outcome, SignIn, SignOut, sign_in as signed,
    sign_out as left,
};
use visitflow_server::ledger::kinds::Run;
use visitflow_server::session::record::{END_COUNTS, PROVISIONAL_MAX, ROTATION_COUNTS};
use visitflow_server::session::token::{Proof, SessionToken};
use visitflow_server::session::{Caller, Millis, Ttl};
use visitflow_server::session_cache::local::Local;

use crate::facts::view;
use crate::world::{Browser, HOUR, MINUTE, Said, TTL, World};

const TOKENS: &str =
    "SELECT generation || ' ' || CASE WHEN ended_at IS NULL THEN 'live' ELSE 'ended' END FROM session_tokens";

const SIGNED_IN: signed::Outcome = signed::Outcome::Done { begun: 0 };

/// A store, and what a server knew when it answered provisionally the command that the store takes.
struct Taking {
    store: Store,
    provisional: Provisional,
}

impl Taking {
    fn of(world: &World, rests_on: u64, waits: bool) -> Self {
        let store = world.place().open(7, world.now).storage.store;
        Self { store, provisional: Provisional { rests_on: Some(rests_on), waits } }
    }

    async fn takes(&mut self, command: impl Into<Command>, now: Millis) -> Outcome {
        let (commands, provisional, local) = ([command.into()], [self.provisional], Local::new(TTL));
        let taken = Taken::Again(&provisional);
        let batch = Batch { commands: &commands, taken, activity: &local, ttl: TTL, now };
        self.store.commit(batch).await.unwrap().outcomes[0]
    }
}

fn next(token: Proof) -> Proof {
    SessionToken::rotate(token.tag).unwrap().proof()
}

fn sign_in(presented: Proof, candidate: Proof, now: Millis) -> SignIn {
    SignIn { now, presented: Some(presented), candidate, user: "u_1".into(), verified: None, visit: true }
}

/// Every change that may be provisional, of a session whose token is this.
fn changes(presented: Proof, now: Millis) -> [Command; 4] {
    let candidate = next(presented);
    [
        sign_in(presented, candidate, now).into(),
        SignOut { now, presented, candidate }.into(),
        Forget { now, presented, candidate }.into(),
        End { now, presented }.into(),
    ]
}

async fn started(world: &World) -> (Browser, Proof) {
    let ann = Browser::new();
    assert_eq!(world.start(&ann, world.now).await, Said::Fresh);
    let token = ann.proof();
    (ann, token)
}

async fn generation_and_state(world: &World) -> (u64, String) {
    let row = world.texts(TOKENS).await.remove(0);
    let (generation, state) = row.split_once(' ').unwrap();
    (generation.parse().unwrap(), state.to_owned())
}

pub(crate) async fn a_change_that_depends_on_one_not_stored_yet_waits(world: &World) {
    let (_, first) = started(world).await;
    let (second, now) = (next(first), world.now + 1);
    let before = world.texts(TOKENS).await;
    let mut taking = Taking::of(world, 2, true);
    for change in changes(second, now) {
        assert_eq!(taking.takes(change, now).await, Outcome::Early);
    }
    assert_eq!(world.texts(TOKENS).await, before);
    assert_eq!(world.commit(sign_in(first, second, now)).await, SIGNED_IN);
    assert!(!taking.takes(End { now: now + 1, presented: second }, now + 1).await.is_lost());
    assert_eq!(generation_and_state(world).await, (1 + ROTATION_COUNTS + END_COUNTS, "ended".to_owned()));
}

pub(crate) async fn a_change_that_depends_on_one_never_stored_ends_the_session(world: &World) {
    let now = world.now + 1;
    for which in 0..4 {
        let nobodys = SessionToken::issue().unwrap().proof();
        let [change, ..] = {
            let mut all = changes(nobodys, now);
            all.rotate_left(which);
            all
        };
        let outcome = Taking::of(world, 3, false).takes(change, now).await;
        assert!(outcome.is_lost(), "{outcome:?}");
    }
    assert_eq!((world.live_tokens().await, world.tokens().await), (0, 4));
    let (_, first) = started(world).await;
    assert!(Taking::of(world, 5, false).takes(sign_in(next(first), next(first), now), now).await.is_lost());
    assert_eq!(world.live_tokens().await, 0);
    let generations = world.texts("SELECT generation FROM session_tokens ORDER BY generation").await;
    assert_eq!(*generations.last().unwrap(), (5 + END_COUNTS).to_string());
}

pub(crate) async fn a_provisional_change_is_lost_if_another_request_came_first(world: &World) {
    let (ann, first) = started(world).await;
    assert_eq!(world.sign_in(&ann, "u_1", world.now + 1).await, Said::Fresh);
    // The store knows what became of a token for a day.
    world.sweep(world.now + 3 * MINUTE).await;
    let (provisional, now) = (next(first), world.now + 2);
    for waits in [true, false] {
        let mut taking = Taking::of(world, 1, waits);
        assert!(taking.takes(sign_in(first, provisional, now), now).await.is_lost());
        taking.provisional.rests_on = Some(2);
        for change in changes(provisional, now) {
            let outcome = taking.takes(change, now).await;
            assert!(outcome.is_lost(), "what rests on a change that is not confirmed: {outcome:?}");
        }
    }
    assert_eq!(
        generation_and_state(world).await,
        (1 + ROTATION_COUNTS + 2 * PROVISIONAL_MAX, "live".to_owned())
    );
    assert_eq!(world.user(&ann, now).await.as_deref(), Some("u_1"));
}

pub(crate) async fn a_provisional_change_of_a_session_that_has_ended_revives_it_nowhere(world: &World) {
    let (_, token) = started(world).await;
    let idle = world.now + Ttl::DEFAULT.idle_ms;
    world.sweep(idle + HOUR).await;
    assert_eq!(generation_and_state(world).await, (2, "ended".to_owned()));
    let ended = "SELECT ended_at FROM session_tokens";
    let before = world.texts(ended).await;
    for change in changes(token, idle - 1) {
        assert!(Taking::of(world, 4, true).takes(change, idle + HOUR).await.is_lost());
    }
    assert_eq!(generation_and_state(world).await, (4 + 2 * PROVISIONAL_MAX, "ended".to_owned()));
    assert_eq!(world.texts(ended).await, before);
}

pub(crate) async fn an_end_of_a_provisional_session_ends_what_is_stored_meanwhile(world: &World) {
    let (_, first) = started(world).await;
    let settle = |presented, now| EndProvisional { now, presented, rests_on: 2 };
    let second = next(first);
    assert_eq!(world.commit(sign_in(first, second, world.now + 1)).await, SIGNED_IN);
    let mut taking = Taking::of(world, 2, false);
    assert!(taking.takes(settle(first, world.now + 2), world.now + 2).await.is_lost(), "it was rotated");
    assert_eq!(world.live_tokens().await, 1);
    assert!(!taking.takes(settle(second, world.now + 3), world.now + 3).await.is_lost());
    assert_eq!(world.live_tokens().await, 0);
}

pub(crate) async fn changes_that_are_applied_twice_change_nothing_more(world: &World) {
    let (_, first) = started(world).await;
    let (second, third, now) = (next(first), next(first), world.now + 1);
    let mut taking = Taking::of(world, 1, true);
    for _ in 0..2 {
        assert_eq!(taking.takes(sign_in(first, second, now), now).await, Outcome::SignIn(SIGNED_IN));
        let sign_out = SignOut { now, presented: second, candidate: third };
        assert_eq!(taking.takes(sign_out, now).await, Outcome::SignOut(left::Outcome::Done));
        assert_eq!(generation_and_state(world).await, (1 + 2 * ROTATION_COUNTS, "live".to_owned()));
    }
}

pub(crate) async fn a_session_that_was_kept_when_all_others_ended_may_have_another_visit(world: &World) {
    let (ann, now) = (Browser::new(), world.now);
    assert_eq!(world.sign_in(&ann, "u_1", now).await, Said::Fresh);
    assert_eq!(world.end_others(&ann, "u_1", now + 1).await, Said::Left);
    let mut context = world.context(&ann, &SessionToken::issue().unwrap(), now + 2);
    (context.caller, context.candidate) = (Caller::Live { token: ann.proof(), visit_id: None }, None);
    let runs = vec![Run { visitor: Some(ann.visitor), facts: vec![view(now + 2)] }];
    Taking::of(world, 1, true).takes(Facts { context, runs }, now + 2).await;
    assert_eq!((world.live_tokens().await, world.page_views().await), (1, 1));
}
