//! Sign-ins, sign-outs and ends while a store is away: an invalid token never becomes valid again.

use crate::assertion::{claims, sign_in, signed, start};
use std::time::Duration;
use visitflow_testkit::proxy::Mode;
use visitflow_testkit::stand::Stand;
use visitflow_testkit::{Postgres, Redis, Server, Visitor};

/// Three people on one server, one of whom signs out, one ends, one signs in; and their browsers
/// as they were before.
struct People {
    now: Vec<Visitor>,
    before: Vec<Visitor>,
}

impl People {
    /// They have come, and one of them is signed in.
    async fn come(server: &Server) -> Self {
        let now: Vec<Visitor> = (0..3).map(|_| server.visitor()).collect();
        for visitor in &now {
            visitor.view("/").await.expect(204);
        }
        now[0].log_in("alice").await.expect(200);
        let before = now.iter().map(Visitor::snapshot).collect();
        Self { now, before }
    }

    async fn rotate_and_end(&self) {
        self.now[0].log_out().await.expect(204);
        self.now[1].end().await.expect(204);
        self.now[2].log_in("alice").await.expect(200);
    }

    /// The old tokens are dead, and the new ones are alive.
    async fn are_as_they_want(&self) {
        for dead in &self.before {
            dead.snapshot().ping().await.expect_problem(401, "session-expired");
        }
        for living in [&self.now[0], &self.now[2]] {
            let token = living.token();
            living.ping().await.expect(204);
            assert_eq!(living.token(), token);
        }
    }

    /// The same on a server without copies in its memory, once it uses Redis.
    async fn are_so_after_a_restart(&self, stand: &mut Stand, times: usize) {
        stand.server.kill().await;
        stand.server.restart().await;
        self.are_as_they_want().await;
        stand.uses_redis(times).await;
        self.are_as_they_want().await;
    }
}

#[tokio::test]
async fn what_ends_while_redis_is_away_is_dead_when_it_is_back() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    // The line alone: this Redis comes back with what it held.
    stand.to_redis.set(Mode::Refuse);
    people.rotate_and_end().await;
    people.are_as_they_want().await;
    stand.to_redis.set(Mode::Pass);
    people.are_as_they_want().await;
    stand.uses_redis(2).await;
    people.are_as_they_want().await;
    people.are_so_after_a_restart(&mut stand, 3).await;
}

#[tokio::test]
async fn what_ends_while_redis_hangs_is_dead_when_it_goes_on() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    stand.redis.stop();
    people.rotate_and_end().await;
    people.are_as_they_want().await;
    stand.redis.resume();
    people.are_as_they_want().await;
    stand.uses_redis(2).await;
    people.are_as_they_want().await;
    people.are_so_after_a_restart(&mut stand, 3).await;
}

/// A Redis that is restored to an older state: from its dump, which is as old as the last SAVE.
#[tokio::test]
async fn what_has_ended_stays_dead_after_redis_was_restored_to_an_older_state() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    for visitor in &people.now {
        visitor.ping().await.expect(204);
    }
    assert_eq!(stand.redis.command(&["SAVE"]).await, "OK");
    let held = stand.redis.command(&["DBSIZE"]).await;
    assert!(held.as_i64() >= Some(3), "Redis holds the sessions: {held}");
    people.rotate_and_end().await;
    people.are_as_they_want().await;
    stand.redis.restart().await;
    assert_eq!(stand.redis.command(&["DBSIZE"]).await, held, "the older state is there");
    people.are_as_they_want().await;
    stand.uses_redis(2).await;
    people.are_as_they_want().await;
    people.are_so_after_a_restart(&mut stand, 3).await;
}

/// The same, and it happens while the server itself is down.
#[tokio::test]
async fn a_server_that_starts_with_an_older_redis_revives_no_session() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    assert_eq!(stand.redis.command(&["SAVE"]).await, "OK");
    people.rotate_and_end().await;
    stand.server.kill().await;
    stand.redis.restart().await;
    stand.server.restart().await;
    people.are_as_they_want().await;
    stand.uses_redis(2).await;
    people.are_as_they_want().await;
}

#[tokio::test]
async fn without_postgres_a_password_is_told_to_come_back() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    let ada = stand.server.visitor();
    ada.view("/").await.expect(204);
    let token = ada.token();
    stand.postgres.kill();
    let answer = ada.log_in("alice").await.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    ada.view("/").await.expect(204);
    assert_eq!(ada.token(), token, "nothing has changed");
    stand.postgres.restart().await;
    stand.server.says(1, "the database is back").await;
    ada.log_in("alice").await.expect(200);
    stand.server.assert_visits(1);
    stand.server.assert_page_views(2);
}

#[tokio::test]
async fn ends_and_sign_outs_work_without_postgres_and_hold() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    people.now[2].log_in("alice").await.expect(200);
    stand.postgres.kill();
    people.now[0].log_out().await.expect(204);
    people.now[1].end().await.expect(204);
    people.now[2].log_out().await.expect(204);
    people.are_as_they_want().await;
    stand.postgres.restart().await;
    stand.server.says(1, "the database is back").await;
    people.are_as_they_want().await;
    people.are_so_after_a_restart(&mut stand, 2).await;
    stand.server.assert_visits(3);
}

#[tokio::test]
async fn ends_and_sign_outs_without_any_store_outlive_the_server() {
    let mut stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    people.now[2].log_in("alice").await.expect(200);
    stand.postgres.kill();
    stand.redis.kill();
    people.now[0].log_out().await.expect(204);
    people.now[1].end().await.expect(204);
    people.now[2].log_out().await.expect(204);
    people.are_as_they_want().await;
    stand.server.kill().await;
    stand.server.restart().await;
    stand.postgres.restart().await;
    stand.redis.restart().await;
    stand.server.says(1, "the database is back").await;
    people.are_as_they_want().await;
    stand.uses_redis(2).await;
    people.are_as_they_want().await;
}

#[tokio::test]
async fn an_assertion_signs_in_without_postgres_and_the_sign_in_stays() {
    let (mut postgres, redis) = (Postgres::start().await, Redis::start().await);
    let server = start(Server::with().postgres(&postgres).redis_url(&redis.url())).await;
    let (ada, new) = (server.visitor(), server.visitor());
    ada.view("/").await.expect(204);
    postgres.kill();
    let before = ada.snapshot();
    sign_in(&ada, &signed(&claims("customer-17"))).await.expect(200);
    sign_in(&new, &signed(&claims("customer-18"))).await.expect(200);
    before.ping().await.expect_problem(401, "session-expired");
    for visitor in [&ada, &new] {
        visitor.ping().await.expect(204);
        visitor.view("/account").await.expect(204);
    }
    postgres.restart().await;
    server.says(1, "the database is back").await;
    before.ping().await.expect_problem(401, "session-expired");
    let user = |visitor: &Visitor| {
        let query = format!("SELECT user_id FROM sessions WHERE visitor_id = '{}'", visitor.id);
        server.texts(&query)
    };
    assert_eq!(user(&ada), ["customer-17"]);
    assert_eq!(user(&new), ["customer-18"]);
    for visitor in [&ada, &new] {
        let token = visitor.token();
        visitor.view("/account").await.expect(204);
        assert_eq!(visitor.token(), token);
    }
    server.assert_visits(2);
    server.assert_page_views(5);
}

/// A browser that sends requests before Redis has received the end does not revive the session.
#[tokio::test]
async fn an_end_holds_if_the_connection_to_redis_is_slow() {
    let stand = Stand::start(Server::with().user("alice")).await;
    stand.uses_redis(1).await;
    let people = People::come(&stand.server).await;
    stand.to_redis.set(Mode::Slow(Duration::from_millis(50)));
    people.rotate_and_end().await;
    people.are_as_they_want().await;
    stand.to_redis.set(Mode::Pass);
    people.are_as_they_want().await;
}
