//! `--path-prefix`: a path of the site that a proxy forwards without rewriting.

use serde_json::json;
use visitflow_testkit::{Server, fact_id};

#[tokio::test]
async fn everything_is_served_with_the_prefix_and_without_it() {
    let server = Server::with().flag("--path-prefix", "/of/ours").start().await;
    let ada = server.visitor();
    for path in ["/of/ours/api/telemetry/page_view", "/api/telemetry/page_view"] {
        let view = json!({"id": fact_id(), "visitor_id": ada.id, "url": "https://shop.example/"});
        ada.post(path, &view).send().await.expect(204);
    }
    server.assert_visits(1);
    server.assert_page_views(2);
    for path in ["/visitflow.js", "/your-data", "/api/openapi.json"] {
        let plain = ada.get(path).send().await.expect(200);
        let prefixed = ada.get(&format!("/of/ours{path}")).send().await;
        assert_eq!((plain.status, plain.text()), (prefixed.status, prefixed.text()), "{path}");
    }
    for path in
        ["/of/api/openapi.json", "/of/oursapi/openapi.json", "/of/ours", "/of/ours/of/ours/api/openapi.json"]
    {
        ada.get(path).send().await.expect(404);
    }
}

#[tokio::test]
async fn the_scope_of_a_key_also_holds_under_the_prefix() {
    let server = Server::with().flag("--path-prefix", "/of/ours").start().await;
    let key = server.run(&["key", "add", "shop", "--scope", "write"], "").await;
    let ada = server.visitor();
    for path in ["/api/metrics/overview", "/of/ours/api/metrics/overview"] {
        ada.get(path).send().await.expect(401);
        ada.get(path).bearer(key.trim()).send().await.expect(403);
    }
}

#[tokio::test]
async fn without_the_flag_there_is_no_prefix() {
    let server = Server::start().await;
    server.visitor().get("/visits/api/openapi.json").send().await.expect(404);
}
