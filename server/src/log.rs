//! The log, on stderr. No token, address or password is ever put into it.

use tracing_subscriber::EnvFilter;

use crate::config::{Common, LogFormat};

/// Begins to log as the command line says.
///
/// # Errors
/// When `--log` is no filter.
pub fn begin(common: &Common) -> Result<(), String> {
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
