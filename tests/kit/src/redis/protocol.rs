//! As much of Redis's protocol as a test needs: RESP2,
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use serde_json::Value;
use std::io::{Error, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The answer to one command, over a connection of its own.
pub(super) async fn ask(address: &str, words: &[&str]) -> Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes()).await?;
    answer(&mut BufReader::new(stream)).await
}

async fn answer(from: &mut BufReader<TcpStream>) -> Result<Value> {
    let mut line = String::new();
    from.read_line(&mut line).await?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or_else(|| Error::other("no answer"))?;
    match kind {
        "+" => Ok(rest.into()),
        "-" => Err(Error::other(rest.to_owned())),
        ":" => Ok(number(rest)?.into()),
        "$" => text(from, number(rest)?).await,
        "*" => {
            let mut items = Vec::new();
            for _ in 0..number(rest)? {
                items.push(Box::pin(answer(from)).await?);
            }
            Ok(items.into())
        }
        _ => Err(Error::other(format!("not understood: {line}"))),
    }
}

/// A text of so many bytes; a negative length means null.
async fn text(from: &mut BufReader<TcpStream>, length: i64) -> Result<Value> {
    let Ok(length) = usize::try_from(length) else {
        return Ok(Value::Null);
    };
    let mut bytes = vec![0; length + 2];
    from.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes[..length]).into())
}

fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::other(format!("{text:?} is no number")))
}
