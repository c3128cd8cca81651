//! Consent is withdrawn: measuring ends, and a signed-in user stays signed in.

use serde_json::Value;
use visitflow_testkit::answer::is_token;
use visitflow_testkit::{Answer, Server, Visitor};

async fn own(visitor: &Visitor) -> Answer {
    visitor.get("/api/session").send().await
}

#[track_caller]
fn assert_clears(answer: &Answer, names: &[&str]) {
    for name in names {
        assert!(answer.set_cookie(name).is_some_and(|cookie| cookie.clears()), "{name}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn who_withdraws_consent_stays_signed_in_and_is_not_measured() {
    let server = Server::with().user("alice").start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    ada.log_in("alice").await.expect(200);
    let (before, signed_in) = (ada.snapshot(), own(&ada).await.expect(200).json());
    ada.set_cookie("last_activity", "1790000000000");
    let answer = ada.forget().await.expect(204);
    assert_clears(&answer, &["visitor_id", "visitor_key", "last_activity"]);
    assert!(answer.set_cookie("session_id").is_some_and(|cookie| is_token(&cookie.value)));
    assert_ne!(ada.token(), before.token());
    let after = own(&ada).await.expect(200).json();
    for same in ["user_id", "session", "signed_in_at", "created_at"] {
        assert_eq!(after[same], signed_in[same], "{same}");
    }
    assert_eq!((&after["visitor_id"], &after["site"]), (&Value::Null, &Value::Null));
    // Facts in flight reach the visit that has ended, and begin no other.
    before.view("/late").await.expect(204).expect_no_cookie();
    before.ping().await.expect_problem(401, "session-expired");
    before.start().await.expect_problem(401, "session-expired");
    own(&before).await.expect_problem(401, "session-expired");
    let verified = ada.get("/api/session/verify?require=user").send().await.expect(204);
    assert_eq!(verified.header("x-visitflow-user"), signed_in["user_id"].as_str());
    server.assert_visits(1);
    server.assert_page_views(2);
    // Consent given anew.
    ada.view("/again").await.expect(204);
    server.assert_visits(2);
    ada.log_out().await.expect(204);
    assert_eq!(own(&ada).await.expect(200).json()["user_id"], Value::Null);
}

#[tokio::test]
async fn a_session_without_a_user_ends_with_the_consent() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let answer = ada.forget().await.expect(204);
    assert_clears(&answer, &["session_id", "visitor_id"]);
    own(&ada).await.expect_problem(401, "session-expired");
    let again = ada.forget().await.expect(204);
    assert_clears(&again, &["session_id"]);
    assert_eq!(again.set_cookie("visitor_id"), None, "consent given anew may have written it meanwhile");
    server.assert_visits(1);
}
