//! A site with a page for signed-in users alone. See README.md.

use std::env;
use std::error::Error;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use visitflow_session::{Session, SessionLayer, Sessions, User};

async fn home(session: Session) -> String {
    match (&session, session.user()) {
        (Session::Unknown(_), _) => "Welcome!".into(), // who it is shows when it is known again
        (_, Some(user)) => format!("Welcome back, {user}!"),
        (_, None) => "Welcome! Please sign in.".into(),
    }
}

async fn account(user: User) -> String {
    format!("The account of {}", user.id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = env::var("VISITFLOW_SERVER").unwrap_or_else(|_| "http://127.0.0.1:8080".into());
    let sessions = Sessions::new(&server, &env::var("SESSIONS_KEY").unwrap_or_default())?;
    let app = Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .layer(SessionLayer::new(sessions));
    let port = env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
