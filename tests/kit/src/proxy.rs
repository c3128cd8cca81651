//! A bad line between the server and a store.
//!
//! It has a thread of its own, so that it goes on while a test waits.

use std::io::Result;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

/// What the line does now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// It is a good line.
    #[default]
    Pass,
    /// What was read in one go waits so long before it goes on.
    Slow(Duration),
    /// Connections are taken and stay open, and not a byte goes on.
    Stall,
    /// Nobody listens, and connections that were open are reset.
    Refuse,
}

/// A TCP proxy; dropping it closes the line.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    mode: Mode,
    /// Counts the resets: connections of an older number are reset.
    resets: u64,
}

impl Proxy {
    /// A good line to `host:port`, such as the address of a Postgres or a Redis.
    ///
    /// # Panics
    ///
    /// No port is free.
    pub async fn to(target: impl Into<String>) -> Self {
        let (target, (state, watched), (tell, told)) =
            (target.into(), watch::channel(State::default()), oneshot::channel());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(run(target, watched, tell));
        });
        Self { address: told.await.expect("a free port"), state }
    }

    /// `127.0.0.1:port` of this end.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Changes the line, for open connections too.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| {
            state.mode = mode;
            state.resets += u64::from(mode == Mode::Refuse);
        });
    }

    /// Resets every open connection (RST); new ones find a good line.
    pub fn reset(&self) {
        self.state.send_modify(|state| *state = State { mode: Mode::Pass, resets: state.resets + 1 });
    }
}

async fn run(target: String, mut watched: watch::Receiver<State>, tell: oneshot::Sender<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let _ = tell.send(address.clone());
    let mut listener = Some(listener);
    loop {
        let refuses = watched.borrow_and_update().mode == Mode::Refuse;
        listener = match listener {
            _ if refuses => None,
            None => TcpListener::bind(&address).await.ok(),
            open => open,
        };
        tokio::select! {
            changed = watched.changed() => if changed.is_err() { return },
            Some(client) = accept(listener.as_ref()) => {
                tokio::spawn(serve(client, target.clone(), watched.clone()));
            }
            // The port was not free yet.
            () = tokio::time::sleep(Duration::from_millis(5)), if listener.is_none() && !refuses => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

async fn serve(mut client: TcpStream, target: String, mut watched: watch::Receiver<State>) {
    let born = watched.borrow().resets;
    let mut reset = watched.clone();
    let connected = async {
        watched.wait_for(|state| state.mode != Mode::Stall).await.ok()?;
        TcpStream::connect(&target).await.ok()
    };
    let server = tokio::select! {
        server = connected => server,
        _ = reset.wait_for(|state| state.resets != born) => None,
    };
    let Some(mut server) = server else {
        let _ = client.set_zero_linger(); // so that the drop is a reset
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            // What breaks one way breaks the other: an end is passed on, and so is a reset.
            tokio::try_join!(
                pump(from_client, to_server, watched.clone()),
                pump(from_server, to_client, watched.clone())
            )
        };
        tokio::select! {
            ended = both => ended.is_ok(),
            _ = reset.wait_for(|state| state.resets != born) => false,
        }
    };
    if !ended {
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Passes one direction on until it ends. Invariant: what is read is written, unless there is a reset.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut watched: watch::Receiver<State>,
) -> Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        let state = watched.wait_for(|state| state.mode != Mode::Stall).await;
        let mode = state.map_or(Mode::Pass, |state| state.mode);
        if let Mode::Slow(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&bytes[..count]).await?;
    }
}
