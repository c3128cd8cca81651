//! The examples, installed from the packed package and built, in a real browser before a real server.

use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use visitflow_e2e::browser::Browser;
use visitflow_e2e::machine::{PATIENCE, free_port};
use visitflow_e2e::recorder::Recorder;
use visitflow_e2e::site::{Site, copy, example, node};
use visitflow_e2e::{Postgres, Server, Visitor};

/// A server, and a witness of what it is asked.
struct Stage {
    server: Server,
    witness: Recorder,
    browser: Browser,
}

impl Stage {
    async fn before(server: Server) -> Self {
        let witness = Recorder::before(server.address()).await;
        Self { server, witness, browser: Browser::open().await }
    }

    async fn element(&self, css: &str) -> WebElement {
        let query = self.browser.driver.query(By::Css(css)).wait(PATIENCE, Duration::from_millis(20));
        query.and_displayed().first().await.unwrap_or_else(|error| panic!("no {css}: {error}"))
    }

    async fn click(&self, css: &str) {
        self.element(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Waits until the page's heading is this.
    async fn shows(&self, heading: &str) {
        let deadline = Instant::now() + PATIENCE;
        let now = "document.querySelector('h1')?.textContent";
        while self.browser.evaluate(now).await != heading {
            assert!(Instant::now() < deadline, "the page does not show {heading}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn cookies(&self) -> Vec<String> {
        let cookies = self.browser.driver.get_all_cookies().await.expect("the cookies");
        let mut names: Vec<String> = cookies.into_iter().map(|cookie| cookie.name).collect();
        names.sort();
        names
    }

    async fn until_cookies_are(&self, expected: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        while self.cookies().await != expected {
            assert!(Instant::now() < deadline, "{:?} are not {expected:?}", self.cookies().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Neither cookie nor storage nor WebAssembly, and nothing asked of visitflow but its script.
    async fn assert_silence(&self) {
        assert_eq!(self.cookies().await, [""; 0]);
        let kept = "[localStorage.length, sessionStorage.length]";
        assert_eq!(self.browser.evaluate(kept).await, json!([0, 0]));
        let wasm =
            "performance.getEntriesByType('resource').filter(({ name }) => name.includes('.wasm')).length";
        assert_eq!(self.browser.evaluate(wasm).await, 0);
        let mut asked = self.witness.requests();
        asked.retain(|request| request.contains("/api/") || request.contains("/visitflow-"));
        assert_eq!(asked, [""; 0]);
        self.server.assert_visits(0);
    }

    /// Waits until the server has these page views, in this order, and no others.
    async fn counted(&self, urls: &[&str]) {
        let stored = || self.server.texts("SELECT url FROM page_views ORDER BY occurred_at, id");
        let deadline = Instant::now() + PATIENCE;
        while stored().len() < urls.len() {
            assert!(Instant::now() < deadline, "{:?} are not {urls:?}", stored());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(stored(), urls);
    }

    /// Sends the event, and waits until it has arrived: what else was to come before is there, too.
    async fn plays(&self) {
        self.click("#play").await;
        let deadline = Instant::now() + PATIENCE;
        while self.server.number("SELECT COUNT(*) FROM events WHERE name = 'play'") != 1 {
            assert!(Instant::now() < deadline, "no event arrives");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A visitor of a site with the pages `/` and `/about`, who looks around and then consents.
    async fn looks_around_and_consents(&self, origin: &str) {
        let (home, about) = (format!("{origin}/"), format!("{origin}/about"));
        self.browser.open_page(&home).await;
        self.shows("Home").await;
        self.click("a[href='/about']").await;
        self.shows("About").await;
        self.click("a[href='/']").await;
        self.shows("Home").await;
        self.element("#accept").await;
        self.assert_silence().await;

        self.click("#accept").await;
        self.counted(&[&home]).await;
        self.click("a[href='/about']").await;
        self.shows("About").await;
        self.counted(&[&home, &about]).await;
        self.browser.driver.back().await.expect("one page back");
        self.shows("Home").await;
        self.plays().await;
        self.counted(&[&home, &about, &home]).await;
        self.server.assert_visits(1);
    }

    async fn close(self) {
        self.browser.close().await;
    }
}

const OURS: &[&str] = &["last_activity", "session_id", "visitor_id"];

/// An example that Vite serves, its proxy before the stage's server.
async fn vite(name: &str, mode: &[&str], stage: &Stage) -> Site {
    let arguments = [mode, &["--host", "127.0.0.1", "--strictPort"]].concat();
    Site::start(|port| {
        let mut command = node(&example(name), "vite/bin/vite.js", &arguments, port);
        command.env("VISITFLOW_SERVER", stage.witness.origin());
        command
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn vite_built_counts_after_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("vite", &["preview"], &stage).await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.click("#change").await;
    stage.click("#decline").await;
    stage.until_cookies_are(&[]).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn react_built_counts_after_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("react", &["preview"], &stage).await;
    stage.looks_around_and_consents(&site.origin()).await;
    stage.until_cookies_are(OURS).await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.click("a[href='/about']").await;
    stage.shows("About").await;
    stage.server.assert_page_views(3);
    stage.close().await;
}

/// Vite's development server: React runs every effect twice, and dependencies are not bundled.
#[tokio::test(flavor = "multi_thread")]
async fn react_in_strict_mode_counts_once() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("react", &[], &stage).await;
    stage.looks_around_and_consents(&site.origin()).await;
    let starts = stage.witness.requests();
    let starts = starts.iter().filter(|request| *request == "POST /api/session/start").count();
    assert!(starts <= 1, "{starts} starts");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn react_follows_the_property_consent() {
    let stage = Stage::before(Server::start().await).await;
    let site = vite("react", &[], &stage).await;
    let home = format!("{}/", site.origin());
    stage.browser.open_page(&home).await;
    stage.element("#accept").await;
    stage.assert_silence().await;
    // Another tab tells of its decision: here the property changes, and no hook is called.
    let decide = |consent: &str| {
        let change = format!("{{ key: 'consent', newValue: '{consent}' }}");
        format!("dispatchEvent(new StorageEvent('storage', {change}))")
    };
    stage.browser.evaluate(&decide("granted")).await;
    stage.counted(&[&home]).await;
    stage.until_cookies_are(OURS).await;
    stage.browser.evaluate(&decide("denied")).await;
    stage.until_cookies_are(&[]).await;
    stage.browser.evaluate(&decide("pending")).await;
    stage.click("#accept").await;
    stage.until_cookies_are(OURS).await;
    stage.server.assert_visits(2);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_renders_on_the_server_and_counts_after_consent() {
    // The site is another origin than the server, which has to know it.
    let port = free_port();
    let home = format!("http://127.0.0.1:{port}");
    let stage = Stage::before(Server::with().flag("--allowed-origin", &home).start().await).await;
    let start = ["start", "--hostname", "127.0.0.1"];
    let mut next = node(&example("next-ssr"), "next/dist/bin/next", &start, port);
    next.env("VISITFLOW_ENDPOINT", stage.witness.origin());
    let _site = Site::on(port, &mut next).await.expect("next start");
    let rendered = async |cookie: &str| {
        let request = reqwest::Client::new().get(&home).header("cookie", cookie);
        request.send().await.expect("an answer").text().await.expect("a page")
    };
    assert!(rendered("").await.contains("May we count your visit?"));
    let known = rendered("consent=granted").await;
    assert!(known.contains("Do not count me") && !known.contains("May we count"), "{known}");

    stage.looks_around_and_consents(&home).await;
    let all = ["consent", "last_activity", "session_id", "visitor_id"];
    stage.until_cookies_are(&all).await;
    // The site remembers: the next load counts without being asked.
    stage.browser.driver.refresh().await.expect("the page loads again");
    stage.element("#change").await;
    let (first, second) = (format!("{home}/"), format!("{home}/about"));
    stage.counted(&[&first, &second, &first, &first]).await;
    stage.click("#change").await;
    stage.until_cookies_are(&["consent"]).await;
    stage.server.assert_visits(1);
    stage.close().await;
}

/// The folder of the other bundlers, as a web server would have it, and visitflow beside it.
async fn bundled(page: &str) {
    let stage = Stage::before(Server::start().await).await;
    let configuration = format!(
        "pid nginx.pid; error_log stderr; events {{}}
        http {{
            types {{ text/html html; text/javascript js; application/wasm wasm; }}
            access_log off;
            server {{
                listen 127.0.0.1:8000;
                root {};
                location /api/ {{ proxy_pass {}; proxy_set_header Host $http_host; }}
            }}
        }}",
        example("bundlers").display(),
        stage.witness.origin()
    );
    let site = Site::nginx(None, &configuration).await;
    let first = format!("{}/{page}", site.origin());
    let second = format!("{first}?page=2");
    stage.browser.open_page(&first).await;
    stage.element("#accept").await;
    stage.assert_silence().await;
    stage.click("#accept").await;
    stage.counted(&[&first]).await;
    stage.click("#next").await;
    stage.counted(&[&first, &second]).await;
    stage.plays().await;
    stage.counted(&[&first, &second]).await;
    stage.until_cookies_are(OURS).await;
    stage.server.assert_visits(1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webpack_built_counts_after_consent() {
    bundled("webpack.html").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn esbuild_built_counts_after_consent() {
    bundled("esbuild.html").await;
}

/// The WebAssembly within the script, its bytes given to `init`.
#[tokio::test(flavor = "multi_thread")]
async fn slim_built_counts_after_consent() {
    bundled("slim.html").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_map_is_enough_without_a_bundler() {
    bundled("import-map.html").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_tag_counts_after_consent() {
    let site = tempfile::tempdir().expect("a folder");
    let packed = example("vite").join("node_modules/visitflow/dist/cdn");
    copy(&packed, site.path());
    copy(&example("script-tag"), &site.path().join("example"));
    let folder = site.path().to_string_lossy();
    let stage = Stage::before(Server::with().flag("--www", &folder).start().await).await;
    let first = format!("{}/example", stage.witness.origin());
    let second = format!("{first}/second");

    stage.browser.open_page(&first).await;
    stage.element("#accept").await;
    stage.assert_silence().await;
    stage.click("#accept").await;
    stage.counted(&[&first]).await;
    stage.browser.evaluate("history.pushState({}, '', '/example/second')").await;
    stage.counted(&[&first, &second]).await;
    stage.plays().await;
    stage.counted(&[&first, &second]).await;
    stage.click("#change").await;
    stage.until_cookies_are(&[]).await;
    stage.close().await;
}

/// The example's own configuration, before this server.
async fn reverse_proxy(server: &str) -> Site {
    let folder = example("reverse-proxy");
    let configuration = fs::read_to_string(folder.join("nginx.conf")).expect("its configuration");
    let upstream = "127.0.0.1:8080";
    assert!(configuration.contains(upstream), "the configuration names {upstream}");
    Site::nginx(Some(&folder), &configuration.replace(upstream, server)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_the_reverse_proxy_both_paths_are_one_visit() {
    let server = Server::with().flag("--trusted-proxy", "127.0.0.1/32").start().await;
    let stage = Stage::before(server).await;
    let site = reverse_proxy(stage.witness.origin().trim_start_matches("http://")).await;
    let (plain, prefixed) = (format!("{}/", site.origin()), format!("{}/prefix.html", site.origin()));
    for page in [&prefixed, &plain] {
        stage.browser.open_page(page).await;
        stage.element("#accept").await;
        stage.assert_silence().await;
    }
    stage.click("#accept").await;
    stage.counted(&[&plain]).await;
    stage.click("#next").await;
    stage.shows("Prefix").await;
    stage.counted(&[&plain, &prefixed]).await;
    stage.click("#next").await;
    stage.shows("Home").await;
    stage.counted(&[&plain, &prefixed, &plain]).await;
    stage.until_cookies_are(OURS).await;
    stage.server.assert_visits(1);
    let asked =
        "performance.getEntriesByType('resource').every(({ name }) => name.startsWith(location.origin))";
    assert_eq!(stage.browser.evaluate(asked).await, true, "the browser knows one host");
    stage.click("#decline").await;
    stage.until_cookies_are(&[]).await;
    stage.close().await;
}

#[tokio::test]
async fn the_reverse_proxy_tells_who_asks_and_how_and_passes_nothing_else() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let site = reverse_proxy(&upstream.local_addr().expect("an address").to_string()).await;
    let heads = tokio::spawn(async move {
        let mut heads = Vec::new();
        while heads.len() < 2 {
            let (mut stream, _) = upstream.accept().await.expect("a connection");
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.expect("a request");
            heads.push(String::from_utf8_lossy(&head[..length]).to_lowercase());
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("an answer");
        }
        heads
    });
    let http = reqwest::Client::new();
    let ask = async |path: &str| {
        let request = http.post(format!("{}{path}", site.origin()));
        let request = request.header("x-forwarded-for", "203.0.113.9").header("x-forwarded-proto", "https");
        request.send().await.expect("an answer").status().as_u16()
    };
    for path in
        ["/dashboard", "/api/metrics/overview", "/metrics-of-ours/dashboard", "/metrics-of-ours/metrics"]
    {
        assert_eq!(ask(path).await, 404, "{path}");
    }
    assert_eq!(ask("/api/session/ping").await, 204);
    assert_eq!(ask("/metrics-of-ours/api/session/ping?a=b").await, 204);
    let heads = heads.await.expect("two requests");
    assert!(heads[0].starts_with("post /api/session/ping http/1.1\r\n"), "{heads:?}");
    assert!(heads[1].starts_with("post /api/session/ping?a=b http/1.1\r\n"), "{heads:?}");
    let host = site.origin().replace("http://", "host: ");
    for head in heads {
        let lines: Vec<&str> = head.lines().collect();
        for line in [&*host, "x-forwarded-for: 203.0.113.9, 127.0.0.1", "x-forwarded-proto: http"] {
            assert!(lines.contains(&line), "no {line:?}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("x-forwarded-proto")).count(), 1);
    }
}

/// The statuses of a page for users alone, before a site of `origin`.
async fn account(origin: &str, visitor: &Visitor) -> (u16, String) {
    let request = reqwest::Client::new().get(format!("{origin}/account"));
    // What a client makes up counts for nothing.
    let request = request.header("x-visitflow-user", "root");
    let cookie = visitor.session().map(|token| format!("city=Köln; session_id={token}"));
    let answer = request.header("cookie", cookie.unwrap_or_default()).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// Sign-in, another tab's sign-out, a server that is away and an end on another server, seen from a page
/// for users alone.
async fn protects_a_page(origin: &str, server: &mut Server, other: &Server) {
    let ada = server.visitor();
    assert_eq!(account(origin, &ada).await.0, 401);
    ada.view("/").await.expect(204);
    assert_eq!(account(origin, &ada).await.0, 401, "a session, and nobody signed in");
    let user_id = ada.log_in("alice").await.expect(200).json()["user_id"].as_str().expect("text").to_owned();
    let signed_in = (200, format!("The account of {user_id}"));
    assert_eq!(account(origin, &ada).await, signed_in);

    let here = ada.snapshot();
    ada.log_out().await.expect(204);
    assert_eq!(account(origin, &here).await.0, 401, "another tab has signed out");
    assert_eq!(account(origin, &ada).await.0, 401);

    ada.log_in("alice").await.expect(200);
    server.kill().await;
    assert_eq!(account(origin, &ada).await.0, 503, "nobody can tell");
    server.restart().await;
    assert_eq!(account(origin, &ada).await, signed_in, "nobody was signed out");

    let last = ada.snapshot();
    ada.at(other).end().await.expect(204);
    let ended = Instant::now();
    while account(origin, &last).await.0 != 401 {
        assert!(ended.elapsed() < Duration::from_secs(1), "the session lives on");
    }
}

/// Two servers on one Postgres.
async fn two_servers(postgres: &Postgres) -> (Server, Server) {
    let setup = || Server::with().postgres(postgres);
    (setup().user("alice").start().await, setup().start().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn express_protects_a_page() {
    let postgres = Postgres::start().await;
    let (mut server, other) = two_servers(&postgres).await;
    let key = server.run(&["key", "add", "express", "--scope", "session"], "").await;
    let folder = example("express");
    let site = Site::start(|port| {
        let mut command = std::process::Command::new("node");
        command.arg("server.js").args(["--port", &port.to_string()]).current_dir(&folder);
        command.env("VISITFLOW_SERVER", server.origin()).env("SESSIONS_KEY", key.trim());
        command
    })
    .await;
    protects_a_page(&site.origin(), &mut server, &other).await;
}

/// An application that says who nginx says it is.
async fn application() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 8_192];
            let length = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
            let users: Vec<&str> =
                head.lines().filter_map(|line| line.strip_prefix("x-visitflow-user: ")).collect();
            let body = format!("The account of {}", users.join(" and "));
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await; // whoever asked may have gone
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_protects_a_page() {
    let postgres = Postgres::start().await;
    let (mut server, other) = two_servers(&postgres).await;
    let configuration =
        fs::read_to_string(example("nginx-auth-request").join("nginx.conf")).expect("its configuration");
    let mut own = configuration.clone();
    for (named, actual) in [("127.0.0.1:8080", server.address()), ("127.0.0.1:3000", application().await)] {
        assert!(own.contains(named), "the configuration names {named}");
        own = own.replace(named, &actual);
    }
    let site = Site::nginx(None, &own).await;
    let http = reqwest::Client::new();
    let forged = http.get(format!("{}/elsewhere", site.origin())).header("x-visitflow-user", "root");
    assert_eq!(forged.send().await.expect("an answer").text().await.expect("text"), "The account of ");
    let spelt = http.get(format!("{}/ACCOUNT", site.origin())).header("x-visitflow-user", "root");
    assert_eq!(spelt.send().await.expect("an answer").status(), 401);
    protects_a_page(&site.origin(), &mut server, &other).await;
}
