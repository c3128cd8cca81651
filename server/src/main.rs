//! The binary `visitflow`: configuration, log, stores, listeners.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use visitflow_server::app::App;
use visitflow_server::assertion::Assertions;
use visitflow_server::config::{Cli, Command, Common, Serve};
use visitflow_server::serve::{self, Listeners};
use visitflow_server::{clock, commands, log};

/// Requests are many small, short-lived allocations on few threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    let done = log::begin(&common).map_err(Into::into).and_then(|()| match command {
        Command::Serve(config) => run(*config, common),
        Command::User { command } => Ok(commands::user(&common, command)?),
        Command::Key { command } => Ok(commands::key(&common, command)?),
        Command::Migrate(ends) => Ok(commands::migrate(&common, &ends)?),
        Command::Check(config) => Ok(commands::check(&common, &config)?),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("visitflow: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn run(config: Serve, common: Common) -> Outcome {
    config.validate()?;
    let assertions = Assertions::of(&config)?;
    let listeners = Listeners::bind(&config).await?;
    let (public, admin) = listeners.addresses()?;
    let (app, writer) = App::open(config, assertions, common.database_url.database()?, clock::now())?;
    if !app.assets.has_client() {
        tracing::warn!(
            "this binary was built without the client and the pages; `cargo xtask build` builds all three"
        );
    }
    if let Some(warning) = app.config.origin_warning() {
        tracing::warn!("{warning}");
    }
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tracing::info!(%public, %admin, tls = app.config.tls(), "listening");
    let app = Arc::new(app);
    serve::run(Arc::clone(&app), listeners, async move {
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
    })
    .await;
    app.lifecycle.ingest.stop().await;
    tokio::task::spawn_blocking(move || writer.join()).await?;
    tracing::info!("stopped");
    Ok(())
}
