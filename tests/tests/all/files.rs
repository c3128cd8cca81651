//! The files that the server carries: client, dashboard, shop.

use std::collections::BTreeSet;
use visitflow_testkit::{Answer, Server, Visitor};

const PAGES: &[&str] = &["/dashboard", "/demo", "/your-data"];

/// The addresses of scripts, styles and modules that a text names between quotes.
fn addresses(text: &str) -> BTreeSet<String> {
    let quoted = text.split(['"', '\'', '`']);
    let files = quoted.filter(|part| [".js", ".css", ".wasm"].iter().any(|end| part.ends_with(end)));
    let names = files.filter(|part| !part.contains([' ', '<', '>', '{', ':']));
    names.map(|part| format!("/{}", part.trim_start_matches(['.', '/']))).collect()
}

async fn load(visitor: &Visitor, path: &str, encoding: &str) -> Answer {
    visitor.get(path).cookie("").header("accept-encoding", encoding).send().await
}

#[tokio::test]
async fn the_loader_is_fresh_for_an_hour_and_revalidated_by_its_etag() {
    let server = Server::start().await;
    let visitor = server.visitor();
    let first = load(&visitor, "/visitflow.js", "identity").await.expect(200);
    let control = first.header("cache-control").unwrap_or_default();
    assert!(control.contains("max-age=3600"), "{control:?}");
    assert!(first.header("content-type").unwrap_or_default().contains("javascript"));
    let etag = first.header("etag").expect("an ETag").to_owned();
    let again = visitor.get("/visitflow.js").header("if-none-match", &etag).send().await.expect(304);
    assert!(again.body.is_empty());
    assert_eq!(again.header("etag"), Some(etag.as_str()));
    visitor.get("/visitflow.js").header("if-none-match", "\"other\"").send().await.expect(200);
    let list = format!("\"other\", {etag}");
    visitor.get("/visitflow.js").header("if-none-match", &list).send().await.expect(304);
    let head = visitor.request("HEAD", "/visitflow.js").send().await.expect(200);
    assert!(head.body.is_empty());
}

/// What the loader may load: files that share its hash.
fn companions(loader: &str) -> impl Iterator<Item = String> + use<> {
    let mut words = loader.match_indices(".js").filter_map(|(end, _)| loader.get(end.checked_sub(8)?..end));
    let hash = words
        .find(|word| word.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .expect("the loader knows the hash");
    let scripts = ["", "capture-", "debug-", "fallback-", "session-"].map(|part| format!("{part}{hash}.js"));
    let names = scripts.into_iter().chain([format!("{hash}.wasm")]);
    names.map(|name| format!("/visitflow-{name}"))
}

#[tokio::test]
async fn hashed_files_are_immutable() {
    let server = Server::start().await;
    let visitor = server.visitor();
    let mut files = BTreeSet::new();
    for page in PAGES {
        files.extend(addresses(&load(&visitor, page, "identity").await.expect(200).text()));
    }
    files.extend(companions(&load(&visitor, "/visitflow.js", "identity").await.text()));
    files.remove("/visitflow.js");
    assert!(files.len() >= 5, "two scripts, two styles, glue or wasm: {files:?}");
    for file in &files {
        let answer = load(&visitor, file, "identity").await.expect(200);
        let control = answer.header("cache-control").unwrap_or_default();
        assert!(control.contains("immutable") && control.contains("max-age=31536000"), "{file}: {control:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{file}");
        let expected = match file.rsplit('.').next() {
            Some("css") => "text/css",
            Some("wasm") => "application/wasm",
            _ => "javascript",
        };
        let content_type = answer.header("content-type").unwrap_or_default();
        assert!(content_type.contains(expected), "{file}: {content_type:?}");
    }
}

#[tokio::test]
async fn files_are_sent_as_the_browser_can_read_them() {
    let server = Server::start().await;
    let visitor = server.visitor();
    for path in ["/visitflow.js", "/dashboard", "/demo"] {
        let plain = load(&visitor, path, "identity").await.expect(200);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let mut tags = BTreeSet::from([plain.header("etag").map(str::to_owned)]);
        for (accepted, sent) in
            [("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("gzip, br;q=0", "gzip")]
        {
            let answer = load(&visitor, path, accepted).await.expect(200);
            assert_eq!(answer.header("content-encoding"), Some(sent), "{path} {accepted}");
            assert!(answer.body.len() < plain.body.len(), "{path} {accepted}");
            assert!(answer.lists("vary", "accept-encoding"), "{path}: {:?}", answer.headers);
            tags.insert(answer.header("etag").map(str::to_owned));
        }
        assert!(!tags.contains(&None), "{path} has an ETag");
    }
}

#[tokio::test]
async fn pages_carry_their_safety_headers() {
    let server = Server::start().await;
    for page in PAGES {
        let answer = load(&server.visitor(), page, "identity").await.expect(200);
        assert!(answer.header("content-type").unwrap_or_default().starts_with("text/html"), "{page}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{page}: {policy}");
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{page}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{page}");
        assert_eq!(answer.header("referrer-policy"), Some("strict-origin-when-cross-origin"), "{page}");
        assert_eq!(answer.set_cookies(), [], "{page}");
    }
}

#[tokio::test]
async fn routes_of_the_shop_can_be_loaded_directly() {
    let server = Server::start().await;
    for path in ["/demo/", "/demo/products/larch-stool", "/demo/cart", "/dashboard/"] {
        let answer = load(&server.visitor(), path, "identity").await;
        let good = answer.status == 200 || (answer.status == 308 && answer.header("location").is_some());
        assert!(good, "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    let server = Server::start().await;
    let answer = server.visitor().get("/api/openapi.json").send().await.expect(200);
    let description = answer.json();
    assert!(description["openapi"].as_str().unwrap_or_default().starts_with("3."), "{description}");
    for path in ["/api/session/start", "/api/telemetry/page_view", "/api/auth/login", "/api/metrics/overview"]
    {
        assert!(description["paths"][path].is_object(), "{path} is described");
    }
}

#[tokio::test]
async fn a_folder_of_pages_serves_neither_hidden_files_nor_what_lies_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path(".git")).expect("a folder");
    for name in ["page.js", ".env", ".git/config"] {
        std::fs::write(path(name), "text").expect("a file");
    }
    for (link, to) in
        [("passwd.js", "/etc/passwd"), ("etc", "/etc"), ("zero.js", "/dev/zero"), ("env.js", ".env")]
    {
        std::os::unix::fs::symlink(to, path(link)).expect("a link");
    }
    nix::unistd::mkfifo(&path("pipe.js"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let server = Server::with().flag("--www", &folder.path().to_string_lossy()).start().await;
    let visitor = server.visitor();
    visitor.get("/page.js").send().await.expect(200);
    for hidden in ["/.env", "/.git/config", "/passwd.js", "/etc/passwd", "/zero.js", "/env.js", "/pipe.js"] {
        visitor.get(hidden).send().await.expect_problem(404, "not-found");
    }
    visitor.get("/page.js").send().await.expect(200);
}
