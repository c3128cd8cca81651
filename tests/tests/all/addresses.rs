//! What is kept of addresses, referrers and sites.

use serde_json::{Value, json};
use visitflow_testkit::{Server, Visitor, fact_id};

async fn send(visitor: &Visitor, path: &str, mut body: Value) {
    body["id"] = json!(fact_id());
    visitor.post(path, &body).send().await.expect(204);
}

async fn view(visitor: &Visitor, body: Value) {
    send(visitor, "/api/telemetry/page_view", body).await;
}

#[tokio::test]
async fn one_page_has_one_path_however_it_is_spelled() {
    let server = Server::start().await;
    let ada = server.visitor();
    for rest in ["caf%c3%a9", "caf%C3%A9", "café", "~ann", "%7Eann", "app/#/inbox", "app/#!/inbox?a=1", "a#b"]
    {
        view(&ada, json!({"url": format!("https://SHOP.example:443/{rest}")})).await;
    }
    let paths = "SELECT path || ' ' || COUNT(*) FROM page_views GROUP BY path ORDER BY path";
    assert_eq!(server.texts(paths), ["/a 1", "/app/#!/inbox 1", "/app/#/inbox 1", "/caf%C3%A9 3", "/~ann 2"]);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE url LIKE 'https://shop.example/%'"), 8);
}

#[tokio::test]
async fn no_secret_and_no_mailbox_of_an_address_reaches_a_file_or_the_log() {
    let mut server = Server::with().environment("VISITFLOW_LOG", "trace").start().await;
    let key = server.add_key("shop").await;
    let ada = server.visitor();
    let own = |prefix: &str, length| format!("{prefix}{}.{:x<43}", "t".repeat(length), "s3cret");
    let secrets = [
        "https://ada:S3CRETPW@shop.example/a",
        "https://shop.example/a#access_token=S3CRETTOKEN",
        "https://shop.example/a?x=1&reset_token=S3CRETTOKEN",
        "https://shop.example/a;jsessionid=S3CRETTOKEN",
        "https://shop.example/a?next=%2Fb%3Fkey%3DS3CRETTOKEN",
        "https://shop.example/#/a?code=S3CRETTOKEN&state=S3CRETTOKEN",
        "https://shop.example/u/s3cret.ada@mail.example",
        "https://shop.example/?q=s3cret.ada%40mail.example",
        "https://shop.example/#/u/s3cret.ada%2540mail.example",
        "https://shop.example/?data={\"token\":\"S3CRETTOKEN\"}",
        "https://shop.example/?data=%257B%2522token%2522%253A%2522S3CRETTOKEN%2522%257D",
        "https://shop.example/?q=token:S3CRETTOKEN",
        "https://shop.example/?u=//ada:S3CRETPW@mail.example/",
        "https://shop.example/x,token=S3CRETTOKEN",
        &format!("https://shop.example/{}?x={}", own("s_", 22), own("vf_", 16)),
    ];
    for address in secrets {
        let start = json!({"visitor_id": ada.id, "url": address, "referrer": address});
        ada.without_session().post("/api/session/start", &start).send().await.expect(200);
        for anonymous in [false, true] {
            let texts = json!({"platform": address, "brands": "s3cret.ada@mail.example"});
            let fact = json!({
                "url": address, "referrer": address, "title": format!("Page {address}"), "device": texts,
                "name": "open s3cret.ada@mail.example", "props": {"to": [address], address: 1, "reset_token": "s3cret"}, "anonymous": anonymous,
            });
            view(&ada, fact.clone()).await;
            send(&ada, "/api/telemetry/event", fact.clone()).await;
            let by_key = ada.post("/api/telemetry/page_view", &fact).bearer(&key).cookie("");
            by_key.send().await.expect(204);
        }
        let order = json!({"id": fact_id(), "amount": "1.00", "currency": "EUR", "url": address, "items": [{"name": address}]});
        ada.post("/api/telemetry/order", &order).send().await.expect(204);
    }
    assert!(server.terminate().await.success());
    for entry in std::fs::read_dir(server.directory()).expect("the server's directory") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file").to_ascii_lowercase();
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"), "{}", path.display());
    }
}

#[tokio::test]
async fn a_query_is_kept_whole_where_the_operator_says_so() {
    let server = Server::with().flag("--keep-query", "all").start().await;
    view(&server.visitor(), json!({"url": "https://ada:pw@shop.example/?token=1&q=a@b.example#id_token=1"}))
        .await;
    assert_eq!(server.texts("SELECT url FROM page_views"), ["https://shop.example/?token=1&q=a@b.example"]);
}

#[tokio::test]
async fn an_app_is_a_referrer_and_a_page_s_own_host_is_none() {
    let server = Server::start().await;
    let app = "android-app://com.google.android.googlequicksearchbox/";
    for (referrer, site) in [
        (app, None),
        ("ios-app://544007664/x", None),
        ("https://www.search.example./?q=1", None),
        ("https://two.shop.example/a", Some("shop.example")),
        ("https://shop.example/a", Some("shop.example")),
        ("", None),
    ] {
        let body = json!({"site": site, "url": "https://two.shop.example/b", "referrer": referrer});
        view(&server.visitor(), body).await;
    }
    let hosts = "SELECT COALESCE(referrer_host, 'direct') || ' ' || COUNT(*) FROM sessions GROUP BY referrer_host ORDER BY 1";
    let expected =
        ["544007664 1", "com.google.android.googlequicksearchbox 1", "direct 3", "search.example 1"];
    assert_eq!(server.texts(hosts), expected);
}

#[tokio::test]
async fn a_wrong_optional_field_never_refuses_a_fact() {
    let server = Server::start().await;
    let long = "x".repeat(9_000);
    let odd = [json!(5), json!([]), json!({}), json!(true), json!(null), json!("\u{0}"), json!(long)];
    for value in &odd {
        let ada = server.visitor();
        let start = json!({"visitor_id": ada.id, "url": value, "referrer": value, "cookies": value});
        ada.post("/api/session/start", &start).send().await.expect(200);
        let beside = json!({
            "url": "https://shop.example/kept", "referrer": value, "title": value, "device": value,
            "sequence": value, "webdriver": if *value == json!(true) { json!(1) } else { value.clone() },
        });
        view(&ada, beside).await;
        let device = json!({"screen_width": value, "language": value, "mobile": value});
        view(&ada, json!({"url": "https://shop.example/kept", "device": device})).await;
        send(&ada, "/api/telemetry/event", json!({"name": "kept", "url": value, "props": value})).await;
        let order =
            json!({"id": fact_id(), "amount": "1.00", "currency": "EUR", "url": value, "items": value});
        ada.post("/api/telemetry/order", &order).send().await.expect(204);
    }
    let count = i64::try_from(odd.len()).expect("a few");
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE path = '/kept'"), 2 * count);
    assert_eq!(server.number("SELECT COUNT(*) FROM events"), count);
    assert_eq!(server.number("SELECT COUNT(*) FROM orders"), count);
    server.assert_visits(count);
}

#[tokio::test]
async fn a_long_address_is_cut_and_its_view_is_kept() {
    let server = Server::start().await;
    let ada = server.visitor();
    let long = "ä".repeat(3_000);
    view(&ada, json!({"url": format!("https://shop.example/a?utm_source=news&q={long}"), "title": long}))
        .await;
    view(&ada, json!({"url": format!("https://shop.example/{long}"), "referrer": format!("https://a.example/{long}")})).await;
    let kept = server.texts("SELECT url FROM page_views ORDER BY LENGTH(url)");
    assert_eq!(kept[0], "https://shop.example/a?utm_source=news");
    assert!((2_040..=2_048).contains(&kept[1].len()) && kept[1].ends_with("%C3%A4"), "{kept:?}");
    assert_eq!(server.texts("SELECT utm_source FROM sessions"), ["news"]);
}

#[tokio::test]
async fn with_sites_named_only_their_facts_are_taken() {
    let server =
        Server::with().flag("--site", "WWW.Shop.example").flag("--site", "bücher.example").start().await;
    let key = server.add_key("shop").await;
    let ada = server.visitor();
    for url in ["https://shop.example/", "https://www.SHOP.example.:8443/", "https://xn--bcher-kva.example/"]
    {
        view(&ada, json!({"url": url})).await;
    }
    view(&ada, json!({"url": "https://evil.example/", "site": "BÜCHER.example:80"})).await;
    let stored = || server.number("SELECT (SELECT COUNT(*) FROM page_views) + (SELECT COUNT(*) FROM events)");
    let (before, visits) = (stored(), server.number("SELECT COUNT(*) FROM sessions"));
    let eve = server.visitor();
    let evil = json!({"url": "https://evil.example/", "name": "x"});
    let named = json!({"url": "https://shop.example/", "site": "evil.example", "name": "x"});
    for body in [&evil, &named] {
        eve.post("/api/telemetry/event", body).without("origin").send().await.expect(204);
        let by_key = eve.post("/api/telemetry/event", body).bearer(&key).without("origin");
        by_key.send().await.expect(204).expect_no_cookie();
    }
    eve.post("/api/telemetry/event", &json!({"name": "x"})).without("origin").send().await.expect(204);
    view(&eve, evil).await;
    for start in [json!({"url": "https://evil.example/"}), json!({})] {
        eve.post("/api/session/start", &start).without("origin").send().await.expect(204).expect_no_cookie();
    }
    assert_eq!((stored(), server.number("SELECT COUNT(*) FROM sessions")), (before, visits));
    let metrics = server.ask_admin("/metrics").await.expect(200).text();
    assert!(metrics.contains("visitflow_dropped_total{reason=\"other_site\"} 8\n"), "{metrics}");
}
