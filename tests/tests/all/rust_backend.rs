//! The crate `visitflow-session` with a real server.

use reqwest::header::{COOKIE, HeaderMap, HeaderValue};
use visitflow_session::{Error, Session, Sessions, SignIn};
use visitflow_testkit::{Server, Visitor};

/// The headers of a request of a browser to the backend.
fn headers(visitor: &Visitor) -> HeaderMap {
    let cookie = visitor.session().map(|token| format!("theme=dark; session_id={token}"));
    let value = HeaderValue::try_from(cookie.unwrap_or_default()).expect("a cookie");
    HeaderMap::from_iter([(COOKIE, value)])
}

async fn backend(server: &Server) -> Sessions {
    let key = server.run(&["key", "add", "backend", "--scope", "session"], "").await;
    Sessions::new(&server.origin(), key.trim()).expect("an address and a key")
}

#[tokio::test]
async fn a_session_is_what_the_server_says() {
    let mut server = Server::with().user("alice").start().await;
    let sessions = backend(&server).await;
    let ada = server.visitor();
    assert!(matches!(sessions.session(&headers(&ada)).await, Session::None));
    ada.view("/").await.expect(204);
    let Session::Active(active) = sessions.session(&headers(&ada)).await else { panic!("a live session") };
    assert_eq!((active.user, active.visitor.as_deref()), (None, Some(&*ada.id)));
    assert!(active.expires_at > active.created_at);
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].clone();
    let signed_in = sessions.session(&headers(&ada)).await;
    assert_eq!(signed_in.user(), user_id.as_str());
    server.kill().await;
    let unknown = sessions.session(&headers(&ada)).await;
    assert!(matches!(unknown, Session::Unknown(_)), "{unknown:?}");
    server.restart().await;
    assert_eq!(sessions.session(&headers(&ada)).await.user(), user_id.as_str());
    let last = headers(&ada);
    ada.end().await.expect(204);
    assert!(matches!(sessions.session(&last).await, Session::None));
}

#[tokio::test]
async fn a_wrong_key_makes_nobody_signed_out() {
    let server = Server::start().await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let sessions = Sessions::new(&server.origin(), "vk_wrong").expect("an address and a key");
    let Session::Unknown(unknown) = sessions.session(&headers(&ada)).await else { panic!("unknown") };
    assert!(unknown.cause.contains("401"), "{unknown:?}");
}

#[tokio::test]
async fn a_backend_signs_its_own_users_in_and_out() {
    let server = Server::start().await;
    let sessions = backend(&server).await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    let before = headers(&ada);
    let cookie_of = |value: HeaderValue| {
        let pair = value.to_str().expect("text").split(';').next().expect("a pair").to_owned();
        HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pair).expect("a cookie"))])
    };
    let bound = sessions.bind(&before, "customer-7", SignIn::default()).await.expect("signed in");
    let signed_in = cookie_of(bound.set_cookie.expect("a cookie"));
    assert_eq!(sessions.session(&signed_in).await.user(), Some("customer-7"));
    assert!(matches!(sessions.session(&before).await, Session::None), "the old token is dead");
    let refused = sessions
        .bind(&signed_in, "u_7", SignIn::default())
        .await
        .expect_err("an id of the server's own users");
    assert!(matches!(&refused, Error::Refused { status, .. } if *status == 400), "{refused}");
    let unbound = sessions.unbind(&signed_in).await.expect("signed out");
    let signed_out = cookie_of(unbound.set_cookie.expect("a cookie"));
    assert_eq!(sessions.session(&signed_out).await.user(), None);
    assert!(matches!(sessions.session(&signed_in).await, Session::None));

    let bound = sessions.bind(&signed_out, "customer-7", SignIn::default()).await.expect("signed in");
    let signed_in = cookie_of(bound.set_cookie.expect("a cookie"));
    sessions.end_sessions("customer-7").await.expect("ended");
    assert!(matches!(sessions.session(&signed_in).await, Session::None));

    let mut several = signed_in;
    several.append(COOKIE, before[COOKIE].clone());
    let refused = sessions.unbind(&several).await.expect_err("which of the two is not known");
    assert!(matches!(&refused, Error::Cookies(name) if name == "session_id"), "{refused}");
}
