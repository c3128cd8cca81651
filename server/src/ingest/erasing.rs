//! An erasure: a piece at a time, with batches of others between them.

use super::worker::{Erasing, Worker};
use crate::contract::erasure::{AskedBy, Erased, Piece};
use crate::database::error::{Result, StoreError};

impl Worker {
    /// Does a piece of the erasure whose turn it is.
    pub(super) async fn go_on_erasing(&mut self) {
        let Some(mut erasing) = self.erasing.pop_front() else { return };
        if let Some(erased) = self.erase(&mut erasing).await.transpose() {
            let _ = erasing.reply.send(erased); // what is erased stays erased
        } else {
            self.erasing.push_back(erasing);
        }
    }

    /// Erases a piece, in the store alone: while anything is in the spool, more of the visitor may be.
    /// Answers when it was the last.
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
                // A browser may repeat what is done.
                if erasing.rows > 0 || !matches!(asked.by, AskedBy::Visitor { .. }) {
                    self.metrics.erased(asked.by.kind());
                }
                Ok(Some(Erased::Done))
            }
        }
    }
}
