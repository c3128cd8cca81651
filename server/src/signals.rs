//! What signals do. No signal that can be caught ends the server without draining.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::serve::tls::Tls;

/// Completes at SIGTERM, SIGINT or SIGQUIT, which stop the server.
///
/// # Errors
/// When signals cannot be caught; so for the other one.
pub fn stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let (mut interrupt, mut quit) = (signal(SignalKind::interrupt())?, signal(SignalKind::quit())?);
    Ok(async move {
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {}, _ = quit.recv() => {} }
    })
}

/// Handles the signals that do not stop the server: SIGHUP reads the certificate and its key again; SIGUSR1 and SIGUSR2,
/// which other programs use for their log files, do nothing.
///
/// # Errors
/// As above.
pub fn others(tls: Option<Arc<Tls>>) -> std::io::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let (mut one, mut two) = (signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?);
    Ok(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => reload(tls.as_deref()),
                _ = one.recv() => tracing::info!("SIGUSR1 has no effect; the log goes to stderr"),
                _ = two.recv() => tracing::info!("SIGUSR2 has no effect; the log goes to stderr"),
            }
        }
    })
}

fn reload(tls: Option<&Tls>) {
    match tls.map(Tls::reload) {
        None => tracing::info!(
            "SIGHUP: this server has no certificate to reload. Restart it to change flags; send SIGTERM to stop it"
        ),
        Some(Ok(())) => tracing::info!("SIGHUP: the certificate and its key were reloaded"),
        Some(Err(error)) => {
            tracing::error!(error, "SIGHUP: the new certificate cannot be used; the old one stays in use");
        }
    }
}
