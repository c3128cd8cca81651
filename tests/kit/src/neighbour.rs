//! Somebody well-behaved, while others are not.

use crate::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinHandle;

/// Sends good page views until it is told to stop; returns their ids.
#[derive(Debug)]
pub struct Neighbour {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<String>>,
}

impl Neighbour {
    /// Somebody who begins to send page views to this server.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (visitor, stopped) = (server.visitor(), stop.clone());
        let task = tokio::spawn(async move {
            let mut ids = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let view = visitor.page_view("/neighbour");
                visitor.send_view(&view).await.expect(204);
                ids.push(view["id"].as_str().expect("an id").to_owned());
            }
            ids
        });
        Self { stop, task }
    }

    /// Every page view that the neighbour sent is stored, and the server is well.
    ///
    /// # Panics
    ///
    /// One is missing, or the server is not well.
    pub async fn assert_unharmed(self, server: &Server) {
        self.stop.store(true, Ordering::Relaxed);
        let mut ids = self.task.await.expect("the neighbour's page views are taken");
        assert!(!ids.is_empty());
        let mut stored = server.texts("SELECT id FROM page_views WHERE path = '/neighbour'");
        ids.sort();
        stored.sort();
        assert_eq!(ids, stored);
        server.ask_admin("/readyz").await.expect(200);
    }
}
