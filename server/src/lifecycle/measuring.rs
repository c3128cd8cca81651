//! What the client asks for while it measures: start, facts, ping.

use super::{Cookie, Cookies, Hit, Lifecycle, Page, Refusal, Started, UNREACHABLE};
use crate::ingest::Load;
use crate::ledger::commands::{Engage, Facts, Start, facts, start};
use crate::ledger::context::{Attached, Context};
use crate::ledger::kinds::Run;
use crate::session::token::SessionToken;
use crate::session::visit::VisitorId;
use crate::session::visitor_key::{CandidateKey, VisitorKey};
use crate::session::{Activity, Caller};
use crate::throttle::budget::Allowance;

impl Lifecycle {
    /// Starts a session, or resumes the live one. `issue` makes the token of a new session; it is called only if one
    /// is needed, and returns none if the browser would not keep the cookie. A key that the browser sent is set again
    /// if it is the visitor's; a new one is set if the visitor has none yet.
    ///
    /// # Errors
    /// [`Refusal::Expired`] for a token that was rotated a moment ago, or ended while the request was
    /// on its way: the browser has a newer token, or should have none. [`Refusal::TooMany`] if a visit
    /// may not begin.
    pub async fn start<E: From<Refusal> + From<getrandom::Error>>(
        &self,
        hit: Hit,
        page: Page,
        allowance: Allowance<'_>,
        issue: impl FnOnce() -> Result<Option<SessionToken>, E>,
    ) -> Result<(Started, Cookies), E> {
        let caller = self.arrive(&hit).await;
        if let Caller::Grace { .. } = caller {
            return Err(Refusal::Expired.into());
        }
        if caller.visit_id().is_some() {
            return Ok((Started::Resumed, self.keep(hit.token, hit.now).await.into()));
        }
        let live = matches!(caller, Caller::Live { .. });
        let held = allowance.take(1).map_err(Refusal::from)?;
        let candidate = if live { None } else { issue()? };
        let (key, candidate_key) = new_key(hit.key_of)?;
        let Page { site, url, referrer } = page;
        let context = Context {
            now: hit.now,
            caller,
            candidate: candidate.as_ref().map(SessionToken::proof),
            visitor: hit.visitor,
            key: candidate_key,
            site: hit.site,
        };
        let outcome = self.ingest.commit(Start { context, site, url, referrer }).await;
        let attached = outcome.as_ref().map(|outcome| outcome.attached);
        held.used(attached.as_ref().map_or(0, may_have_begun));
        let start::Outcome { attached, refused } = outcome.map_err(Refusal::from)?;
        if refused.is_some() {
            return Ok((Started::Refused, Cookie::Leave.into()));
        }
        let resumed = live || (attached.joined && !attached.issued);
        let started = if resumed { Started::Resumed } else { Started::Begun };
        let session = self.keep(if live { hit.token } else { candidate }, hit.now).await;
        Ok((started, Cookies { session, key: right_key([key, hit.key], attached) }))
    }

    /// Stores facts. Returns their outcome after the commit. `issue` as in [`Self::start`]; it is not called for facts
    /// that may not start a session. A key is set if the visitor had none.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] if more visits might begin than may; when the database fails. Nothing of the
    /// request was stored then.
    pub async fn facts<E: From<Refusal> + From<getrandom::Error>>(
        &self,
        hit: Hit,
        runs: Vec<Run>,
        allowance: Allowance<'_>,
        issue: impl FnOnce() -> Result<Option<SessionToken>, E>,
    ) -> Result<(facts::Outcome, Cookies), E> {
        let named = || runs.iter().flat_map(|run| &run.facts).filter(|fact| !fact.anonymous);
        let recent = || named().filter(|fact| !fact.is_late(hit.now, self.sessions.ttl()));
        let activity = recent().map(|fact| fact.occurred_at).max();
        let may_start = recent().any(|fact| fact.kind.starts_a_visit());
        let token = hit.token.filter(|_| named().next().is_some());
        let proof = token.as_ref().map(SessionToken::proof);
        let caller = self.sessions.touch(proof, activity.map(Activity::Visitor), hit.now).await;
        let live = matches!(caller, Caller::Live { .. });
        let has_none = matches!(caller, Caller::Erased | Caller::Nothing);
        let has_no_visit = has_none || matches!(caller, Caller::Live { visit_id: None, .. });
        let (now, site) = (hit.now, hit.site);
        let context = Context { now, caller, candidate: None, visitor: None, key: None, site };
        let mut command = Facts { context, runs };
        let held = allowance.take(command.begins_at_most(self.sessions.ttl())).map_err(Refusal::from)?;
        let candidate = if may_start && has_none { issue()? } else { None };
        let (key, candidate_key) = new_key(hit.key_of.filter(|_| may_start && has_no_visit))?;
        command.context.candidate = candidate.as_ref().map(SessionToken::proof);
        command.context.key = candidate_key;
        let outcome = self.ingest.commit(command).await;
        let attached = outcome.as_ref().map(|outcome| outcome.attached);
        held.used(attached.as_ref().map_or(0, may_have_begun));
        let outcome = outcome.map_err(Refusal::from)?;
        // A fact that is older than the idle limit does not count as activity and sets no cookie.
        let session = match live && activity.is_some() {
            true => self.keep_proven(token.zip(proof), hit.now).await,
            false => self.keep(candidate.filter(|_| outcome.attached.issued), hit.now).await,
        };
        Ok((outcome, Cookies { session, key: right_key([key, None], outcome.attached) }))
    }

    /// Keeps a live session alive; starts nothing. `engagement`: page view, milliseconds, per cent.
    ///
    /// # Errors
    /// [`Refusal::Expired`] without a live session.
    pub async fn ping(
        &self,
        hit: Hit,
        engagement: Option<(uuid::Uuid, i64, i64)>,
    ) -> Result<Cookie, Refusal> {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match self.sessions.touch(proof, Some(Activity::Visitor(hit.now)), hit.now).await {
            Caller::Live { visit_id, .. } => {
                if let (Some(visit_id), Some((page_view_id, engaged_ms, scroll_pct))) = (visit_id, engagement)
                {
                    self.ingest.admit(Load::Ping)?;
                    self.ingest.commit(Engage { visit_id, page_view_id, engaged_ms, scroll_pct }).await?;
                }
                Ok(self.keep_proven(hit.token.zip(proof), hit.now).await)
            }
            Caller::Unverified(_) => Err(UNREACHABLE.into()),
            _ => Err(Refusal::Expired),
        }
    }
}

/// How many visits count against the allowance. A new session that joined a visit counts, too: otherwise one visitor
/// could have any number of them.
fn may_have_begun(attached: &Attached) -> u32 {
    attached.begun.max(u32::from(attached.issued))
}

/// A fresh key for a visitor, and its hash as the candidate.
fn new_key(
    visitor: Option<VisitorId>,
) -> Result<(Option<VisitorKey>, Option<CandidateKey>), getrandom::Error> {
    let Some(visitor) = visitor else { return Ok((None, None)) };
    let key = VisitorKey::issue()?;
    let candidate = CandidateKey { visitor, hash: key.hash() };
    Ok((Some(key), Some(candidate)))
}

/// The key that is the visitor's, as the database says.
fn right_key(keys: [Option<VisitorKey>; 2], attached: Attached) -> Option<VisitorKey> {
    keys.into_iter().flatten().find(|key| attached.key == Some(key.hash()))
}
