//! Which user agents are counted, and which are not.

use serde_json::json;
use visitflow_testkit::{Server, fact_id};

#[tokio::test]
async fn curl_is_not_counted_but_a_phone_and_a_server_with_a_key_are() {
    let server = Server::with().flag("--bot-pattern", "acme-(probe|check)").start().await;
    let key = server.add_key("shop").await;
    let phone = "Mozilla/5.0 (Linux; Android 14; CUBOT KINGKONG STAR) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/141.0.0.0 Mobile Safari/537.36";
    for (agent, stored) in [
        ("curl/8.9.1", 0),
        ("python-requests/2.32.0", 0),
        ("Mozilla/5.0 (compatible; Ünïcode-Crawler/1.0; bot)", 0),
        ("Mozilla/5.0 ACME-Probe/2", 0),
        (phone, 1),
    ] {
        let path = fact_id();
        let view = json!({"url": format!("https://shop.example/{path}")});
        let sent = server.visitor().post("/api/telemetry/page_view", &view).header("user-agent", agent);
        sent.send().await.expect(204);
        let count = format!("SELECT COUNT(*) FROM page_views WHERE path = '/{path}'");
        assert_eq!(server.number(&count), stored, "{agent}");
    }
    let view = json!({"url": "https://shop.example/by-key"});
    let by_key = server.visitor().post("/api/telemetry/page_view", &view).bearer(&key);
    by_key.header("user-agent", "python-requests/2.32.0").send().await.expect(204);
    assert_eq!(server.number("SELECT COUNT(*) FROM page_views WHERE path = '/by-key'"), 1);
}
