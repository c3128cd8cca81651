//! The binary `visitflow`: configuration, log, stores, listeners.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use visitflow_server::app::App;
use visitflow_server::config::{Cli, Command, Common, LogFormat, Serve};
use visitflow_server::serve::{self, Listeners};
use visitflow_server::{clock, commands};

fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    let done = log(&common).and_then(|()| match command {
        Command::Serve(config) => run(*config, common),
        Command::User { command } => Ok(commands::user(&common, command)?),
        Command::Key { command } => Ok(commands::key(&common, command)?),
        Command::Migrate => Ok(commands::migrate(&common)?),
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

fn log(common: &Common) -> Outcome {
    let filter = EnvFilter::builder()
        .parse(&common.log)
        .map_err(|error| format!("--log {:?}: {error}", common.log))?;
    // A log that cannot be written (a full disk, a closed pipe) is lost and stops nothing.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match common.log_format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

#[tokio::main]
async fn run(config: Serve, common: Common) -> Outcome {
    config.validate()?;
    let listeners = Listeners::bind(&config).await?;
    let (public, admin) = listeners.addresses()?;
    let (app, writer) = App::open(config, common.database_url.sqlite()?, clock::now())?;
    if !app.assets.has_client() {
        tracing::warn!(
            "this binary was built without the client and the pages; `cargo xtask build` builds all three"
        );
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
