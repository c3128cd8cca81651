//! Erasures: one piece at a time, with batches between the pieces.

use super::worker::{Erasing, Worker};
use crate::contract::erasure::{AskedBy, Erased, Piece};
use crate::database::error::{Result, StoreError};

impl Worker {
    /// Does the next piece of the erasure that is next.
    pub(super) async fn go_on_erasing(&mut self) {
        let Some(mut erasing) = self.erasing.pop_front() else { return };
        if let Some(erased) = self.erase(&mut erasing).await.transpose() {
            let _ = erasing.reply.send(erased); // what is erased stays erased
        } else {
            self.erasing.push_back(erasing);
        }
    }

    /// Erases a piece, in the database alone: while the spool holds commands, it may hold more of the visitor.
    /// Returns the outcome if it was the last piece.
    async fn erase(&mut self, erasing: &mut Erasing) -> Result<Option<Erased>> {
        if self.draining {
            return Err(StoreError::Unavailable("erasure needs the database, and an empty spool"));
        }
        let Erasing { asked, rows: before, .. } = *erasing;
        match self.store.erase(&asked, before).await.inspect_err(|error| self.trouble(error))? {
            Piece::NotTheirs => Ok(Some(Erased::NotTheirs)),
            Piece::Done { rows, ended, last } => {
                self.sessions.publish(&ended, asked.now).await;
                erasing.rows += rows;
                if !last {
                    return Ok(None);
                }
                // A browser may repeat an erasure that is done.
                if erasing.rows > 0 || !matches!(asked.by, AskedBy::Visitor { .. }) {
                    self.metrics.erased(asked.by.kind());
                }
                Ok(Some(Erased::Done))
            }
        }
    }
}
