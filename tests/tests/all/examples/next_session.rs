use super::protected::{protects_a_page, two_servers};
use super::stage::Stage;
use std::time::Instant;
use thirtyfour::By;
use visitflow_testkit::machine::{PATIENCE, free_port};
use visitflow_testkit::patience::until;
use visitflow_testkit::site::{Site, example, node};
use visitflow_testkit::{Postgres, Server, password_of};

/// The example on this port, with a server of visitflow and a key of its own there.
async fn next(port: u16, server: &Server, origin: &str) -> Site {
    let key = server.run(&["key", "add", "next", "--scope", "session"], "").await;
    let start = ["start", "--hostname", "127.0.0.1"];
    let mut next = node(&example("next-session"), "next/dist/bin/next", &start, port);
    next.env("VISITFLOW_SERVER", origin).env("SESSIONS_KEY", key.trim());
    Site::on(port, &mut next).await.expect("next start")
}

#[tokio::test(flavor = "multi_thread")]
async fn next_protects_a_page() {
    let postgres = Postgres::start().await;
    let (mut server, other) = two_servers(&postgres).await;
    let site = next(free_port(), &server, &server.origin()).await;
    protects_a_page(&site.origin(), &mut server, &other).await;
}

/// The answer that a proxy lets pass is rendered elsewhere in Next.js: the cookie has to come out all the same.
#[tokio::test(flavor = "multi_thread")]
async fn next_passes_the_cookie_on() {
    // A quarter of the idle limit after the last cookie there is another.
    let server = Server::with().user("alice").flag("--session-idle", "20s").start().await;
    let site = next(free_port(), &server, &server.origin()).await;
    let ada = server.visitor();
    ada.log_in("alice").await.expect(200);
    let url = format!("{}/account", site.origin());
    let deadline = Instant::now() + PATIENCE;
    let (cookies, caching) = loop {
        let request =
            reqwest::Client::new().get(&url).header("cookie", format!("session_id={}", ada.token()));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let texts = |name: &str| -> Vec<String> {
            answer
                .headers()
                .get_all(name)
                .iter()
                .map(|text| text.to_str().expect("text").to_owned())
                .collect()
        };
        if !texts("set-cookie").is_empty() {
            break (texts("set-cookie"), texts("cache-control").join(", "));
        }
        assert!(Instant::now() < deadline, "no cookie comes");
    };
    let token = ada.token();
    assert_eq!(cookies, [format!("session_id={token}; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=20")]);
    assert!(caching.contains("no-store"), "{caching}");
}

/// Waits until this is what `useUser()` says.
async fn says(stage: &Stage, status: &str) {
    until(&format!("useUser() says {status}"), async || {
        stage.browser.evaluate("document.querySelector('#who')?.textContent").await == status
    })
    .await;
}

/// The tab is shown again, after another was.
async fn is_shown_again(stage: &Stage) {
    stage.browser.evaluate("document.dispatchEvent(new Event('visibilitychange'))").await;
}

/// Waits until `<Sessions>` lists so many.
async fn lists(stage: &Stage, sessions: usize) {
    let count = "document.querySelectorAll('.visitflow-sessions li').length";
    until(&format!("{sessions} sessions"), async || stage.browser.evaluate(count).await == sessions).await;
}

async fn signs_in(stage: &Stage, home: &str) {
    stage.browser.open_page(home).await;
    says(stage, "signed-out").await;
    stage.shows("Welcome").await;
    stage.element("[name=name]").await.send_keys("alice").await.expect("a name");
    stage.element("[name=password]").await.send_keys(&password_of("alice")).await.expect("a password");
    stage.click("#sign-in").await;
    says(stage, "signed-in").await;
    let user = stage.server.texts("SELECT id FROM users").remove(0);
    stage.shows(&format!("The account of {user}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_follows_sign_in_and_sign_out_in_the_browser() {
    let port = free_port();
    let home = format!("http://127.0.0.1:{port}");
    let setup = Server::with().user("alice").flag("--allowed-origin", &home);
    let mut stage = Stage::before(setup.start().await).await;
    let _site = next(port, &stage.server, stage.witness.origin()).await;
    signs_in(&stage, &home).await;
    assert_eq!(stage.cookies().await, ["session_id"], "who signs in is not measured for it");

    // Another device is listed, and signed out from here.
    lists(&stage, 1).await;
    let phone = stage.server.visitor();
    phone.log_in("alice").await.expect(200);
    is_shown_again(&stage).await;
    lists(&stage, 2).await;
    stage.click(".visitflow-sessions > button").await;
    lists(&stage, 1).await;
    phone.get("/api/session").send().await.expect(401);

    // Another tab signs out; this one hears of it when it is shown again.
    let driver = &stage.browser.driver;
    let first = driver.window().await.expect("a tab");
    let second = driver.new_tab().await.expect("another tab");
    driver.switch_to_window(second).await.expect("the other tab");
    stage.browser.open_page(&home).await;
    stage.shows("Welcome back").await;
    stage.click("#sign-out").await;
    says(&stage, "signed-out").await;
    stage.shows("Welcome").await;
    driver.close_window().await.expect("the other tab closes");
    driver.switch_to_window(first).await.expect("the first tab");
    is_shown_again(&stage).await;
    says(&stage, "signed-out").await;
    driver.refresh().await.expect("the page loads again");
    let body = driver.find(By::Tag("body")).await.expect("a body").text().await.expect("its text");
    assert_eq!(body, "Please sign in.");

    // The server is away: nobody is signed out for that.
    signs_in(&stage, &home).await;
    stage.server.kill().await;
    is_shown_again(&stage).await;
    says(&stage, "unknown").await;
    stage.element("#sign-out").await;
    stage.browser.open_page(&home).await;
    stage.element("#unknown").await;
    stage.server.restart().await;
    says(&stage, "signed-in").await;
    stage.browser.driver.refresh().await.expect("the page loads again");
    stage.shows("Welcome back").await;
    stage.close().await;
}
