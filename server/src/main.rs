//! The binary `visitflow`: reads the configuration, opens log, databases and listeners, and runs the command.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use visitflow_server::app::App;
use visitflow_server::assertion::Assertions;
use visitflow_server::config::commands::{Cli, Command};
use visitflow_server::config::{Common, Serve, environment};
use visitflow_server::serve::{self, Listeners};
use visitflow_server::{clock, commands, log, signals};

/// Requests are many small, short-lived allocations on few threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    let log = match log::begin(common.log.clone(), common.log_format) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("visitflow: cannot write a log: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = execute(command, common);
    if let Err(error) = &done {
        log.say(&format!("visitflow: {error}"));
    }
    log.flush();
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn execute(command: Command, common: Common) -> Outcome {
    match command {
        Command::Serve(config) => run(*config, common),
        Command::User { command } => Ok(commands::user::run(&common, command)?),
        Command::Key { command } => Ok(commands::key::run(&common, command)?),
        Command::Migrate(ends) => Ok(commands::migrate(&common, &ends)?),
        Command::Check(config) => Ok(commands::check(&common, &config)?),
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn run(config: Serve, common: Common) -> Outcome {
    config.validate(&common.database_url)?;
    for mistake in config.mistakes().into_iter().chain(environment::mistakes()) {
        tracing::warn!("{mistake}");
    }
    if let Some(warning) = config.origin_warning() {
        tracing::warn!("{warning}");
    }
    for note in config.notes() {
        tracing::info!("{note}");
    }
    let assertions = Assertions::of(&config)?;
    let listeners = Listeners::bind(&config).await?;
    let (public, admin) = listeners.addresses()?;
    tokio::spawn(signals::others(listeners.tls())?);
    let database = common.database_url.database()?;
    let store = database.to_string();
    let (app, writer) = App::open(config, assertions, database, clock::now())?;
    if !app.assets.has_client() {
        tracing::warn!(
            "this binary was built without the client and the pages; `cargo xtask build` builds a complete one"
        );
    }
    let stop = signals::stop()?;
    tracing::info!(%public, %admin, tls = app.config.tls(), database = store, "listening");
    let app = Arc::new(app);
    serve::run(Arc::clone(&app), listeners, stop).await;
    app.lifecycle.ingest.stop().await;
    tokio::task::spawn_blocking(move || writer.join()).await?;
    tracing::info!("stopped");
    Ok(())
}
