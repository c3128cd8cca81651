use super::protected::{protects_a_page, two_servers};
use std::fs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use visitflow_testkit::Postgres;
use visitflow_testkit::site::{Site, example};

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
            let _ = stream.write_all(answer.as_bytes()).await; // the client may have closed the connection
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
