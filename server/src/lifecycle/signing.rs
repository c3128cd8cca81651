//! Who is signed in: sign in, sign out, change the password, and whose session a token is.

use super::{Cookie, Hit, Lifecycle, Refusal, UNREACHABLE};
use crate::ledger::commands::{ChangePassword, SignIn, SignOut, change_password, sign_in, sign_out};
use crate::session::record::{Record, SignedIn};
use crate::session::token::{Proof, SessionToken};
use crate::session::{Activity, Caller, Millis};
use crate::throttle::budget::Allowance;

impl Lifecycle {
    /// Whose session a token is, as it was everywhere within the last second; none without a live one.
    /// If `slides`, that keeps a signed-in session alive, and renews its cookie from time to time
    /// ([`Ttl::renews_cookie`](crate::session::Ttl::renews_cookie)).
    ///
    /// # Errors
    /// When no store that can be reached has the session.
    pub async fn identify(
        &self,
        token: SessionToken,
        slides: bool,
        now: Millis,
    ) -> Result<Option<(Record, Cookie)>, Refusal> {
        let proof = token.proof();
        let Some(mut record) = self.sessions.introspect(proof, slides, now).await? else { return Ok(None) };
        if !slides || record.user_id.is_none() {
            return Ok(Some((record, Cookie::Leave)));
        }
        let renews = self.sessions.ttl().renews_cookie(record.last_activity, now);
        record.slide(now);
        let cookie = match renews {
            true => self.keep_proven(Some((token, proof)), now).await,
            false => Cookie::Leave,
        };
        Ok(Some((record, cookie)))
    }

    /// Signs a verified user in. With `visit` the session's visit gets the user; without it the session leaves its
    /// visit.
    ///
    /// # Errors
    /// [`Refusal::Rotated`] when another request has rotated or ended the session; [`Refusal::Stale`]
    /// when `verified`, the password hash that was checked, is not the user's any more;
    /// [`Refusal::TooMany`] if a visit of another user would begin and may not.
    pub async fn sign_in<E: From<Refusal> + From<getrandom::Error>>(
        &self,
        hit: Hit,
        user: SignedIn,
        verified: Option<String>,
        visit: bool,
        allowance: Allowance<'_>,
    ) -> Result<Cookie, E> {
        let presented = match (self.arrive(&hit).await, &hit.token) {
            (Caller::Live { .. }, Some(token)) => Some(token.proof()),
            (Caller::Grace { .. }, _) => return Err(Refusal::Rotated.into()),
            (Caller::Unverified(_), _) => return Err(Refusal::from(UNREACHABLE).into()),
            _ => None,
        };
        let candidate = match &presented {
            Some(token) => SessionToken::rotate(token.tag)?,
            None => SessionToken::issue()?,
        };
        let most = u32::from(visit && presented.is_some());
        let held = allowance.take(most).map_err(Refusal::from)?;
        let command = SignIn { now: hit.now, presented, candidate: candidate.proof(), user, verified, visit };
        let outcome = self.ingest.commit(command).await;
        held.used(if let Ok(sign_in::Outcome::Done { begun }) = outcome { begun } else { 0 });
        match outcome.map_err(Refusal::from)? {
            sign_in::Outcome::Done { .. } => Ok(self.keep(Some(candidate), hit.now).await),
            sign_in::Outcome::Stale => Err(Refusal::Stale.into()),
            sign_in::Outcome::Lost => {
                if let Some(presented) = presented {
                    self.lost(presented, hit.now).await?;
                }
                Err(Refusal::Rotated.into())
            }
        }
    }

    /// Replaces the token and takes the user out of the session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out<E: From<Refusal> + From<getrandom::Error>>(&self, hit: Hit) -> Result<Cookie, E> {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match (self.sessions.touch(proof, Some(Activity::Visitor(hit.now)), hit.now).await, proof) {
            (Caller::Live { .. }, Some(presented)) => {
                let candidate = SessionToken::rotate(presented.tag)?;
                let command = SignOut { now: hit.now, presented, candidate: candidate.proof() };
                match self.ingest.commit(command).await.map_err(Refusal::from)? {
                    sign_out::Outcome::Done => Ok(self.keep(Some(candidate), hit.now).await),
                    sign_out::Outcome::Lost => {
                        Ok(Cookie::after_end(self.ends_elsewhere(presented, hit.now).await?))
                    }
                }
            }
            (Caller::Unverified(_), _) => Err(Refusal::from(UNREACHABLE).into()),
            (Caller::Grace { .. }, _) => Ok(Cookie::Leave),
            _ => Ok(Cookie::Clear),
        }
    }

    /// Gives a user another password, from a live session of that user: its token is replaced, the user's
    /// other sessions end. `verified` is the hash of the old password, which was checked.
    ///
    /// # Errors
    /// [`Refusal::Rotated`] when another request has rotated or ended the session; [`Refusal::Stale`] when
    /// the old password is not the user's any more; when the database fails.
    pub async fn change_password<E: From<Refusal> + From<getrandom::Error>>(
        &self,
        now: Millis,
        presented: Proof,
        user_id: String,
        verified: String,
        password_hash: String,
    ) -> Result<Cookie, E> {
        let token = SessionToken::rotate(presented.tag)?;
        let candidate = token.proof();
        let command = ChangePassword { now, presented, candidate, user_id, verified, password_hash };
        match self.ingest.commit(command).await.map_err(Refusal::from)? {
            change_password::Outcome::Done => Ok(self.keep(Some(token), now).await),
            change_password::Outcome::Stale => Err(Refusal::Stale.into()),
            change_password::Outcome::Lost => {
                self.lost(presented, now).await?;
                Err(Refusal::Rotated.into())
            }
        }
    }
}
