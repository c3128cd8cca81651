//! How many connections may be open: in total, and for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::app::App;
use crate::http::client_ip;

/// Most open connections in total.
const CONNECTIONS: usize = 20_000;

/// Most open connections of one address (of IPv6: one /64); this machine and trusted proxies are exempt.
const CONNECTIONS_PER_ADDRESS: usize = 8_000;

/// File descriptors kept free for the database, its readers and the admin listener.
const FILES_RESERVED: usize = 128;

/// As many connections as the system has file descriptors for, up to [`CONNECTIONS`].
pub(super) fn most_connections() -> usize {
    let wanted = CONNECTIONS + FILES_RESERVED;
    let files = rlimit::increase_nofile_limit(wanted as u64)
        .map_or(1_024, |files| usize::try_from(files).unwrap_or(wanted));
    let connections = files.min(wanted).saturating_sub(FILES_RESERVED).max(16);
    if connections < CONNECTIONS / 4 {
        tracing::warn!(
            connections,
            "the limit of open files allows fewer connections; raise it with ulimit -n or LimitNOFILE"
        );
    }
    connections
}

/// Counts the open connections of each address.
#[derive(Debug, Default)]
pub(super) struct PerAddress(Mutex<HashMap<IpAddr, usize>>);

/// Counts one connection as open while it lives.
#[derive(Debug)]
pub(super) struct Admitted {
    counts: Arc<PerAddress>,
    peer: IpAddr,
    _turn: tokio::sync::OwnedSemaphorePermit,
    _metric: crate::observe::ConnectionGuard,
}

impl PerAddress {
    /// Admits one more connection, if the limits allow.
    pub(super) fn admit(
        self: &Arc<Self>,
        peer: IpAddr,
        turns: &Arc<Semaphore>,
        app: &App,
    ) -> Option<Admitted> {
        let turn = Arc::clone(turns).try_acquire_owned().ok()?;
        let peer = peer.to_canonical();
        let exempt = peer.is_loopback() || client_ip::is_trusted(peer, &app.config.trusted_proxies);
        let peer = client_ip::network(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS && !exempt {
            return None;
        }
        *count += 1;
        Some(Admitted { counts: Arc::clone(self), peer, _turn: turn, _metric: app.metrics.connection() })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}
