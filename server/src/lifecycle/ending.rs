//! What ends: a session, measuring, the sessions of a user, everything of a visitor.

use super::{Cookie, Hit, Lifecycle, Refusal, Right, UNREACHABLE};
use crate::contract::erasure::{AskedBy, Erased, Erasure};
use crate::ledger::commands::end_sessions::{EndSessions, Which};
use crate::ledger::commands::{End, Forget, end, end_sessions, forget};
use crate::session::Caller;
use crate::session::record::After;
use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;
use crate::session::visitor_key::VisitorKey;

impl Lifecycle {
    /// Ends the session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&self, hit: Hit) -> Result<Cookie, Refusal> {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match (self.sessions.touch(proof, None, hit.now).await, proof) {
            (Caller::Live { .. } | Caller::Unverified(_), Some(presented)) => {
                match self.ingest.commit(End { now: hit.now, presented }).await? {
                    end::Outcome::Done => Ok(Cookie::Clear),
                    end::Outcome::Lost => {
                        self.ends_elsewhere(presented, hit.now).await.map(Cookie::after_end)
                    }
                }
            }
            (Caller::Grace { .. }, _) => Ok(Cookie::Leave), // a newer cookie may be there already
            _ => Ok(Cookie::Clear),
        }
    }

    /// Stops measuring: the session leaves its visit. A signed-in user stays signed in, with a new token; a session
    /// without a user ends.
    ///
    /// # Errors
    /// When the database fails, or no store that can be reached has the session.
    pub async fn forget<E: From<Refusal> + From<getrandom::Error>>(&self, hit: Hit) -> Result<Cookie, E> {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match (self.sessions.touch(proof, None, hit.now).await, proof) {
            (Caller::Live { .. } | Caller::Grace { after: After::Rotation, .. }, Some(presented)) => {
                let candidate = SessionToken::rotate(presented.tag)?;
                let command = Forget { now: hit.now, presented, candidate: candidate.proof() };
                match self.ingest.commit(command).await.map_err(Refusal::from)? {
                    forget::Outcome::Rotated => Ok(self.keep(Some(candidate), hit.now).await),
                    forget::Outcome::Ended => Ok(Cookie::Clear),
                    forget::Outcome::Lost => {
                        self.lost(presented, hit.now).await?;
                        Ok(Cookie::Leave) // a newer cookie may be there already
                    }
                }
            }
            (Caller::Unverified(_), _) => Err(Refusal::from(UNREACHABLE).into()),
            (Caller::Grace { .. }, _) => Ok(Cookie::Leave),
            _ => Ok(Cookie::Clear),
        }
    }

    /// Ends sessions of a user.
    ///
    /// # Errors
    /// [`Refusal::Missing`] when the user has no such live session; [`Refusal::Rotated`] when the asking session
    /// was rotated or ended meanwhile; when the database fails.
    pub async fn end_sessions(&self, ending: EndSessions) -> Result<Cookie, Refusal> {
        let (asking, now) = (ending.asking, ending.now);
        let ends_itself = asking.is_some_and(|asking| ending.which == Which::One(asking.tag));
        match self.ingest.commit(ending.clone()).await? {
            end_sessions::Outcome::Lost => {
                match asking {
                    Some(asking) if ends_itself && self.ends_elsewhere(asking, now).await? => {
                        return Ok(Cookie::Clear);
                    }
                    Some(asking) => self.lost(asking, now).await?,
                    None => {}
                }
                Err(Refusal::Rotated)
            }
            end_sessions::Outcome::Missing if !self.ends_provisional(&ending).await? => Err(Refusal::Missing),
            end_sessions::Outcome::Missing | end_sessions::Outcome::Done => {
                Ok(if ends_itself { Cookie::Clear } else { Cookie::Leave })
            }
        }
    }

    /// Erases a visitor, and ends the sessions in the visitor's visits.
    ///
    /// # Errors
    /// [`Refusal::NotTheirs`] for a browser that does not hold the visitor's key.
    pub async fn erase(&self, hit: Hit, visitor: VisitorId, right: Right) -> Result<Cookie, Refusal> {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        let key = hit.key.as_ref().map(VisitorKey::hash);
        let by = match right {
            Right::Admin => AskedBy::Admin,
            Right::Key => AskedBy::Key,
            Right::Own => AskedBy::Visitor { key },
        };
        match self.ingest.erase(Erasure { visitor, by, now: hit.now }).await? {
            Erased::NotTheirs => Err(Refusal::NotTheirs),
            Erased::Done if proof.is_none() => Ok(Cookie::Leave),
            // A session outside the erased visits stays live.
            Erased::Done => Ok(match self.sessions.touch(proof, None, hit.now).await {
                Caller::Grace { after: After::End { .. }, .. } | Caller::Erased | Caller::Nothing => {
                    Cookie::Clear
                }
                _ => Cookie::Leave,
            }),
        }
    }
}
