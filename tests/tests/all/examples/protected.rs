//! What every example with a page for signed-in users has to do.

use visitflow_testkit::patience::soon;
use visitflow_testkit::{Postgres, Server, Visitor};

/// Status and text of a page for users alone, of a site of `origin`.
async fn account(origin: &str, visitor: &Visitor) -> (u16, String) {
    let request = reqwest::Client::new().get(format!("{origin}/account"));
    // What a client makes up counts for nothing.
    let request = request.header("x-visitflow-user", "root");
    let cookie = visitor.session().map(|token| format!("city=Köln; session_id={token}"));
    let answer = request.header("cookie", cookie.unwrap_or_default()).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

async fn shows_account(origin: &str, visitor: &Visitor, user_id: &str) {
    let (status, text) = account(origin, visitor).await;
    let expected = format!("The account of {user_id}");
    assert!(status == 200 && text.contains(&expected), "{status}: {text}");
}

/// Sign-in, another tab's sign-out, a server that is away and an end on another server, seen from a page
/// for users alone.
pub(super) async fn protects_a_page(origin: &str, server: &mut Server, other: &Server) {
    let ada = server.visitor();
    assert_eq!(account(origin, &ada).await.0, 401);
    ada.view("/").await.expect(204);
    assert_eq!(account(origin, &ada).await.0, 401, "a session, and nobody signed in");
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].as_str().expect("text").to_owned();
    shows_account(origin, &ada, &user_id).await;

    let here = ada.snapshot();
    ada.log_out().await.expect(204);
    assert_eq!(account(origin, &here).await.0, 401, "another tab has signed out");
    assert_eq!(account(origin, &ada).await.0, 401);

    ada.log_in("alice").await.expect(200);
    server.kill().await;
    assert_eq!(account(origin, &ada).await.0, 503, "nobody can tell");
    server.restart().await;
    shows_account(origin, &ada, &user_id).await; // nobody was signed out

    let last = ada.snapshot();
    ada.at(other).end().await.expect(204);
    soon("a session that was ended", 401, async || account(origin, &last).await.0).await;
}

/// Two servers on one Postgres.
pub(super) async fn two_servers(postgres: &Postgres) -> (Server, Server) {
    let setup = || Server::with().postgres(postgres);
    (setup().user("alice").start().await, setup().start().await)
}
