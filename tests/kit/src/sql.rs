//! A few questions to a PostgreSQL by its address, each over a connection of its own.

use crate::machine::PATIENCE;
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

/// Runs statements.
///
/// # Panics
///
/// One of them is refused, or nobody answers in time.
pub async fn execute(url: &str, sql: &str) {
    rows(url, sql).await;
}

/// The one number that a query gives.
///
/// # Panics
///
/// The query is refused, or gives something else.
pub async fn number(url: &str, sql: &str) -> i64 {
    let texts = texts(url, sql).await;
    match texts.first().map(|text| text.parse()) {
        Some(Ok(number)) => number,
        _ => panic!("{sql}: {texts:?} is no number"),
    }
}

/// The texts of a query's first column, NULL as an empty text.
///
/// # Panics
///
/// The query is refused, or nobody answers in time.
pub async fn texts(url: &str, sql: &str) -> Vec<String> {
    rows(url, sql).await
}

/// Whether somebody answers there.
pub(crate) async fn answers(url: &str) -> bool {
    ask(url, "SELECT 1").await.is_ok()
}

async fn rows(url: &str, sql: &str) -> Vec<String> {
    let answer = tokio::time::timeout(PATIENCE, ask(url, sql)).await;
    match answer {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => panic!("{sql}: {error:?}"),
        Err(_) => panic!("{sql}: no answer in time"),
    }
}

/// The simple protocol gives every type as text: no type has to be known here.
async fn ask(url: &str, sql: &str) -> Result<Vec<String>, Error> {
    let client = connect(url).await?;
    let messages = client.simple_query(sql).await?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    });
    Ok(rows.collect())
}

/// A connection; it ends with its client.
async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // Its errors reach the client too.
        let _ = connection.await;
    });
    Ok(client)
}
