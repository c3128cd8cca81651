//! Consent is withdrawn in a browser where somebody is signed in.

use serde_json::{Value, json};
use visitflow_testkit::browser::{Browser, Engine};
use visitflow_testkit::patience::{counts, page_views_are, until};
use visitflow_testkit::scene::Scene;
use visitflow_testkit::{Server, in_engines, password_of};

in_engines! {
    who_withdraws_consent_stays_signed_in_and_is_not_measured
}

/// More than a third of the idle limit, in ms.
const TWENTY_MINUTES_MS: i64 = 20 * 60_000;

const EVENT: &str = "/api/telemetry/event";

async fn user(scene: &Scene) -> Value {
    scene
        .browser
        .resolve(
            "fetch('/api/session').then((answer) => answer.json()).then(({ user_id }) => user_id ?? null)",
        )
        .await
}

async fn who_withdraws_consent_stays_signed_in_and_is_not_measured(engine: Engine) {
    let server = Server::with().user("alice").start().await;
    let mut scene = Scene::on(Browser::of(engine).await, server).await;
    scene.serve_measured("/shop", "");
    scene.open("/shop").await;
    page_views_are(&scene.server, 1).await;
    let login = format!("visitflow.login('alice', '{}')", password_of("alice"));
    let alice = scene.browser.resolve(&login).await["user_id"].clone();
    scene.settles().await;
    // A beacon is on its way while consent is withdrawn.
    scene.witness.hold(EVENT);
    scene.browser.run("navigator.sendBeacon('/api/telemetry/event', '{\"name\":\"late\"}')").await;
    until("the beacon is under way", async || scene.witness.count(EVENT) == 1).await;
    scene.browser.resolve("visitflow.revoke()").await;
    scene.witness.release();
    counts(&scene.server, "SELECT COUNT(*) FROM events", 1).await;
    let asked = scene.witness.api().len();

    let left = "[document.cookie, localStorage.length, sessionStorage.length]";
    assert_eq!(scene.browser.evaluate(left).await, json!(["", 0, 0]));
    assert_eq!(user(&scene).await, alice);
    let visits = "SELECT CASE WHEN ended_at IS NULL THEN 'open' ELSE 'ended' END || page_views || events FROM sessions";
    assert_eq!(scene.server.texts(visits), ["ended11"], "the beacon reached the visit that had ended");

    // An hour passes, while the site's own server asks.
    for _ in 0..3 {
        scene
            .browser
            .run("history.pushState(null, '', '/shop/' + Math.random()); visitflow.event('after')")
            .await;
        let verify = "fetch('/api/session/verify?require=user').then(({ status }) => status)";
        assert_eq!(scene.browser.resolve(verify).await, 204);
        scene.server.terminate().await;
        scene.server.age(TWENTY_MINUTES_MS);
        scene.server.restart().await;
    }
    assert_eq!(user(&scene).await, alice);
    assert_eq!(scene.browser.evaluate(left).await, json!(["", 0, 0]));
    assert_eq!(scene.server.texts(visits), ["ended11"]);
    let own: Vec<String> = scene.witness.api_requests().split_off(asked);
    assert!(own.iter().all(|request| request.starts_with("GET /api/session")), "{own:?}");

    // Only a sign-out signs out.
    scene.browser.resolve("visitflow.logout()").await;
    assert_eq!(user(&scene).await, Value::Null);
    scene.server.assert_visits(1);
    scene.close().await;
}
