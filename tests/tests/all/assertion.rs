//! Signing in with a JWT of the site's own identity provider.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use visitflow_testkit::setup::Setup;
use visitflow_testkit::{Answer, Server, Visitor, password_of};

const SECRET: &str = "VKt9zqQ0mS3aG1vXoYb7Hc5eRf8TjWuL";

/// A file in a folder of its own, gone with it.
struct KeyFile(TempDir);

impl KeyFile {
    fn holding(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("key"), text).expect("a file");
        Self(folder)
    }

    fn path(&self) -> String {
        let path: PathBuf = self.0.path().join("key");
        path.to_string_lossy().into_owned()
    }
}

/// A server with [`SECRET`] as its key; the file may go once it has started.
pub(crate) async fn start(setup: Setup) -> Server {
    let key = KeyFile::holding(&format!("{SECRET}\n"));
    setup.flag("--jwt-key", &key.path()).start().await
}

/// Seconds since 1970, so many from now.
fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().as_ref().map_or(0, Duration::as_secs);
    i64::try_from(now).expect("a time fits") + seconds
}

pub(crate) fn claims(sub: &str) -> Value {
    json!({"sub": sub, "aud": "visitflow", "exp": in_seconds(60)})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

pub(crate) fn signed(claims: &Value) -> String {
    signed_with(Algorithm::HS256, SECRET, claims)
}

fn signed_with(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).expect("a token")
}

pub(crate) async fn sign_in(visitor: &Visitor, assertion: &str) -> Answer {
    let body = json!({"assertion": assertion});
    visitor.post("/api/auth/login", &body).as_json().send().await
}

#[tokio::test]
async fn an_assertion_links_the_visit_and_the_earlier_ones() {
    let server = start(Server::with()).await;
    let (ada, other) = (server.visitor(), server.visitor());
    for visitor in [&ada, &other] {
        visitor.view("/").await.expect(204);
        visitor.end().await.expect(204);
        visitor.view("/").await.expect(204);
    }
    let answer = sign_in(&ada, &signed(&claims("customer-17"))).await.expect(200);
    assert_eq!(answer.json(), json!({"user_id": "customer-17"}));
    ada.view("/account").await.expect(204);
    server.assert_visits(4);
    let of =
        |visitor: &str| server.texts(&format!("SELECT user_id FROM sessions WHERE visitor_id = '{visitor}'"));
    assert_eq!(of(&ada.id), ["customer-17", "customer-17"]);
    assert_eq!(of(&other.id), ["", ""]);
}

#[tokio::test]
async fn an_assertion_rotates_the_cookie_and_the_old_one_is_dead() {
    let server = start(Server::with()).await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let before = ada.snapshot();
    let answer = sign_in(&ada, &signed(&claims("ada"))).await.expect(200);
    let cookie = answer.set_cookie("session_id").expect("a new cookie");
    assert_ne!(cookie.value, before.token());
    before.ping().await.expect_problem(401, "session-expired");
    ada.ping().await.expect(204);
    ada.log_out().await.expect(204);
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn a_wrong_assertion_is_told_like_any_other_and_rotates_nothing() {
    let server = start(Server::with()).await;
    let ada = server.visitor();
    ada.start().await.expect(200);
    let token = ada.token();
    let good = claims("ada");
    let (unsigned, _) =
        signed(&good).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("parts");
    let wrong = [
        ("another key", signed_with(Algorithm::HS256, "another-secret-that-is-long-enough", &good)),
        ("another algorithm", signed_with(Algorithm::HS512, SECRET, &good)),
        ("no signature", format!("{unsigned}.")),
        ("alg none", format!("eyJhbGciOiJub25lIn0.{}.", unsigned.split_once('.').expect("parts").1)),
        ("over", signed(&with(good.clone(), "exp", json!(in_seconds(-60))))),
        ("no end", signed(&with(good.clone(), "exp", Value::Null))),
        ("to come", signed(&with(good.clone(), "nbf", json!(in_seconds(600))))),
        ("another audience", signed(&with(good.clone(), "aud", json!("shop")))),
        ("no audience", signed(&with(good.clone(), "aud", Value::Null))),
        ("no subject", signed(&with(good.clone(), "sub", Value::Null))),
        ("an empty subject", signed(&claims(""))),
        ("a subject with NUL", signed(&claims("a\0da"))),
        ("no token", String::new()),
    ];
    let mut texts = Vec::new();
    for (what, assertion) in wrong {
        println!("{what}");
        let answer = sign_in(&ada, &assertion).await.expect_problem(401, "wrong-credentials");
        assert!(answer.set_cookie("session_id").is_none(), "{what}");
        texts.push(answer.text());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(ada.token(), token, "a failure rotates nothing");
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn without_a_key_assertions_are_refused() {
    let server = Server::start().await;
    let refused = sign_in(&server.visitor(), &signed(&claims("ada"))).await;
    let refused = refused.expect_problem(400, "invalid-field");
    assert!(refused.text().contains("--jwt-key"), "{}", refused.text());
}

#[tokio::test]
async fn with_a_key_passwords_go_on_working() {
    let server = start(Server::with().user("alice")).await;
    server.visitor().log_in("alice").await.expect(200);
    server.visitor().log_in_with("alice", "wrong").await.expect_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn an_assertion_comes_without_a_password() {
    let server = start(Server::with().user("alice")).await;
    let (ada, assertion) = (server.visitor(), signed(&claims("ada")));
    for extra in [
        json!({"username": "alice"}),
        json!({"password": "wrong"}),
        json!({"username": "alice", "password": password_of("alice")}),
    ] {
        let body = with(extra, "assertion", json!(assertion));
        let both = ada.post("/api/auth/login", &body).as_json().send().await;
        both.expect_problem(400, "invalid-field");
    }
    let nothing = ada.post("/api/auth/login", &json!({"assertion": null})).as_json().send().await;
    nothing.expect_problem(400, "invalid-field");
    let number = ada.post("/api/auth/login", &json!({"assertion": 7})).as_json().send().await;
    number.expect_problem(400, "malformed-body");
    assert!(ada.session().is_none());
}

#[tokio::test]
async fn an_assertion_comes_as_json_and_from_a_known_origin() {
    let server = start(Server::with()).await;
    let (ada, body) = (server.visitor(), json!({"assertion": signed(&claims("ada"))}));
    ada.post("/api/auth/login", &body).send().await.expect_problem(415, "unsupported-media-type");
    let foreign = ada.post("/api/auth/login", &body).as_json().header("origin", "https://evil.example");
    foreign.send().await.expect_problem(403, "foreign-origin");
    assert!(ada.session().is_none());
    assert_eq!(server.number("SELECT COUNT(*) FROM session_tokens"), 0);
}

#[tokio::test]
async fn an_assertion_is_never_an_admin() {
    let server = start(Server::with().admin("root")).await;
    let id = server.texts("SELECT id FROM users").pop().expect("the admin's id");
    // With the admin's own id there is no session at all.
    let forged = server.visitor();
    sign_in(&forged, &signed(&claims(&id))).await.expect_problem(401, "wrong-credentials");
    assert!(forged.session().is_none());
    forged.get("/api/metrics/overview").send().await.expect_problem(401, "not-authorized");
    // What looks like a right gives none: names, other spellings, claims.
    for sub in ["root", &id.to_uppercase(), &format!(" {id}"), "admin"] {
        let visitor = server.visitor();
        let mut claims = claims(sub);
        for (name, value) in [("role", json!("admin")), ("roles", json!(["admin"])), ("admin", json!(true))] {
            claims[name] = value;
        }
        sign_in(&visitor, &signed(&claims)).await.expect(200);
        visitor.get("/api/metrics/overview").send().await.expect_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn an_admin_who_signs_in_by_assertion_loses_the_role() {
    let server = start(Server::with().admin("root")).await;
    let root = server.visitor();
    root.log_in_to_dashboard("root").await.expect(200);
    root.get("/api/metrics/overview").send().await.expect(200);
    sign_in(&root, &signed(&claims("ada"))).await.expect(200);
    root.get("/api/metrics/overview").send().await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn another_subject_on_the_same_browser_begins_a_new_visit() {
    let server = start(Server::with()).await;
    let ada = server.visitor();
    ada.view("/").await.expect(204);
    sign_in(&ada, &signed(&claims("ada"))).await.expect(200);
    sign_in(&ada, &signed(&claims("ada"))).await.expect(200);
    server.assert_visits(1);
    sign_in(&ada, &signed(&claims("bob"))).await.expect(200);
    server.assert_visits(2);
}

#[tokio::test]
async fn a_sign_in_without_a_visit_makes_none() {
    let server = start(Server::with()).await;
    let body = json!({"assertion": signed(&claims("ada")), "visit": false});
    let ada = server.visitor();
    ada.post("/api/auth/login", &body).as_json().send().await.expect(200);
    server.assert_visits(0);
    ada.ping().await.expect(204);
}

#[tokio::test]
async fn a_public_key_verifies_and_is_no_secret() {
    let pair = KeyPair::generate_for(&PKCS_ED25519).expect("a key pair");
    let (public, file) = (pair.public_key_pem(), KeyFile::holding(&pair.public_key_pem()));
    let server = Server::with().environment("VISITFLOW_JWT_KEY", &file.path()).start().await;
    let private = EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).expect("a private key");
    let token = encode(&Header::new(Algorithm::EdDSA), &claims("ada"), &private).expect("a token");
    sign_in(&server.visitor(), &token).await.expect(200);
    let confused = signed_with(Algorithm::HS256, &public, &claims("ada"));
    let refused = sign_in(&server.visitor(), &confused).await;
    refused.expect_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn the_audience_is_the_public_url_unless_it_is_said() {
    let meant = |aud: &str| signed(&with(claims("ada"), "aud", json!(aud)));
    let url = "https://stats.shop.example";
    let login = async |server: &Server, aud: &str| {
        let visitor = server.visitor();
        let body = json!({"assertion": meant(aud)});
        visitor.post("/api/auth/login", &body).as_json().header("origin", url).send().await
    };
    let by_url = start(Server::with().flag("--public-url", url)).await;
    login(&by_url, url).await.expect(200);
    login(&by_url, "visitflow").await.expect_problem(401, "wrong-credentials");
    let said = Server::with().flag("--public-url", url).environment("VISITFLOW_JWT_AUDIENCE", "client-5");
    let said = start(said).await;
    login(&said, "client-5").await.expect(200);
    login(&said, url).await.expect_problem(401, "wrong-credentials");
}

#[tokio::test]
async fn an_assertion_lasts_for_an_hour_at_most_or_for_what_jwt_max_age_says() {
    let for_minutes = |minutes: i64| signed(&with(claims("ada"), "exp", json!(in_seconds(minutes * 60))));
    let refused = async |server: &Server, minutes| {
        let answer = sign_in(&server.visitor(), &for_minutes(minutes)).await;
        answer.expect_problem(401, "wrong-credentials");
    };
    let by_default = start(Server::with()).await;
    sign_in(&by_default.visitor(), &for_minutes(59)).await.expect(200);
    refused(&by_default, 120).await;
    let said = start(Server::with().flag("--jwt-max-age", "3h")).await;
    sign_in(&said.visitor(), &for_minutes(120)).await.expect(200);
    refused(&said, 240).await;
}

#[tokio::test]
async fn sign_ins_by_assertion_count_in_the_limit_of_an_address() {
    let server = start(Server::with()).await;
    let (eve, body) = (server.visitor(), json!({"assertion": "a.b.c"}));
    let mut statuses = std::collections::BTreeMap::new();
    for _ in 0..2_300 {
        let guess = eve.post("/api/auth/login", &body).as_json().header("x-forwarded-for", "203.0.113.9");
        *statuses.entry(guess.send().await.status).or_insert(0) += 1;
    }
    assert!(statuses.contains_key(&401) && statuses.contains_key(&429), "{statuses:?}");
    assert_eq!(statuses.len(), 2, "{statuses:?}");
}

#[tokio::test]
async fn neither_files_nor_logs_hold_an_assertion_or_the_secret() {
    let mut server = start(Server::with().environment("VISITFLOW_LOG", "trace")).await;
    let ada = server.visitor();
    let right = signed(&claims("ada"));
    let wrong = signed(&with(claims("somebody-else"), "aud", json!("shop")));
    sign_in(&ada, &right).await.expect(200);
    sign_in(&ada, &wrong).await.expect(401);
    assert!(server.terminate().await.success());
    assert!(server.log().contains("`aud`"), "the log says what is wrong");
    for entry in fs::read_dir(server.directory()).expect("the server's directory") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        for secret in [SECRET, "somebody-else", &right, &wrong] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", path.display());
        }
    }
}

#[tokio::test]
async fn a_bad_key_file_is_named_at_start_and_by_check() {
    let server = Server::start().await;
    let short = KeyFile::holding("too-short\n");
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    for (file, hint) in [(short.path(), "openssl rand -base64 48"), ("missing-key".into(), "missing-key")] {
        for command in ["serve", "check"] {
            let said = server.fails(&[&[command, "--jwt-key", &file], &ports[..]].concat()).await;
            assert!(said.contains(&file) && said.contains(hint), "{command}: {said}");
            assert!(!said.contains("too-short") && !said.contains("panicked"), "{command}: {said}");
        }
    }
}

#[tokio::test]
async fn check_takes_a_good_key() {
    let mut server = Server::start().await;
    server.terminate().await;
    let key = KeyFile::holding(SECRET);
    let ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let said = server.run(&[&["check", "--jwt-key", &key.path()], &ports[..]].concat(), "").await;
    assert!(said.contains("ok    key for assertions"), "{said}");
}
