use super::stage::{OURS, Stage};
use std::path::Path;
use visitflow_testkit::Server;
use visitflow_testkit::site::{Site, example};

/// A folder of static pages, as a web server would have it, and visitflow beside it.
pub(super) async fn served(folder: &Path, stage: &Stage) -> Site {
    let configuration = format!(
        "pid nginx.pid; error_log stderr; events {{}}
        http {{
            types {{ text/html html; text/javascript js; application/wasm wasm; }}
            access_log off;
            server {{
                listen 127.0.0.1:8000;
                root {};
                error_page 404 /404.html;
                location = /old {{ return 302 /about; }}
                location / {{ try_files $uri $uri.html $uri/ =404; }}
                location /api/ {{ proxy_pass {}; proxy_set_header Host $http_host; }}
            }}
        }}",
        folder.display(),
        stage.witness.origin()
    );
    Site::nginx(None, &configuration).await
}

async fn bundled(page: &str) {
    let stage = Stage::before(Server::start().await).await;
    let site = served(&example("bundlers"), &stage).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn parcel_built_counts_after_consent() {
    bundled("dist/parcel/parcel.html").await;
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
