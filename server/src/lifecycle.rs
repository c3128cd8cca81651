//! The steps of a session's life, between an endpoint and the writer: start, facts, ping, end,
//! forget, sign in, sign out. They know no HTTP; time and fresh tokens are arguments.
//!
//! Each step judges the presented token once, lets the writer commit what is to be committed, and
//! decides the cookie last: a token that was rotated or ended meanwhile is not sent again.

use std::sync::Arc;

use crate::contract::erasure::{AskedBy, Erased, Erasure};
use crate::database::error::StoreError;
use crate::ingest::{Ingest, Load};
use crate::ledger::command::{
    Command, Context, EndProvisional, Ending, Fact, Outcome, Run, Which, visits_at_most,
};
use crate::resolve::Sessions;
use crate::session::record::{After, Record, SignedIn, Standing};
use crate::session::token::{Proof, SessionToken};
use crate::session::visit::VisitorId;
use crate::session::visitor_key::{CandidateKey, VisitorKey};
use crate::session::{Activity, Caller, Millis};
use crate::throttle::TooMany;
use crate::throttle::budget::{Allowance, Held};

/// What a browser is to do with its session cookie.
#[derive(Clone, Debug)]
pub enum Cookie {
    /// Nothing: no `Set-Cookie`.
    Leave,
    /// Keep this token for so many ms: the idle limit of its session.
    Set(SessionToken, Millis),
    /// Delete it.
    Clear,
}

impl Cookie {
    /// After an end. If another request was first, the browser may have a newer cookie already.
    fn after_end(ended: bool) -> Self {
        if ended { Self::Clear } else { Self::Leave }
    }
}

/// What a browser is to do with its cookies after a request that may begin a visit.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// The session cookie.
    pub session: Cookie,
    /// The visitor's key to keep for a year, if one is to be set.
    pub key: Option<VisitorKey>,
}

impl From<Cookie> for Cookies {
    fn from(session: Cookie) -> Self {
        Self { session, key: None }
    }
}

/// Why a step was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// There is no live session.
    Expired,
    /// Another request rotated or ended the session a moment ago.
    Rotated,
    /// The user's password was changed, or the user disabled, while the request was on its way.
    Stale,
    /// The user has no such live session.
    Missing,
    /// The browser does not hold the visitor's key.
    NotTheirs,
    /// More visits would begin than the address may; nothing was done.
    TooMany(TooMany),
    /// The database failed, or no store could be reached; nothing was done.
    Store(StoreError),
}

impl From<TooMany> for Refusal {
    fn from(too_many: TooMany) -> Self {
        Self::TooMany(too_many)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who sends a request, and when.
#[derive(Clone, Debug)]
pub struct Hit {
    /// When the request was received.
    pub now: Millis,
    /// The token that it carries.
    pub token: Option<SessionToken>,
    /// The visitor that it names.
    pub visitor: Option<VisitorId>,
    /// The visitor whose key the browser may get: its request names the visitor, and it keeps cookies.
    pub key_of: Option<VisitorId>,
    /// The visitor's key that it carries.
    pub key: Option<VisitorKey>,
    /// The site of last resort, that of the host it was sent to; none if that one is not taken.
    pub site: Option<String>,
}

/// What a start did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// A session began.
    Begun,
    /// The live one goes on.
    Resumed,
    /// Nothing: the visitor's data was erased a while ago, or the site is not taken.
    Refused,
}

/// The right by which an erasure is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// A browser's, over its own visitor.
    Own,
    /// An admin's.
    Admin,
    /// An API key's.
    Key,
}

/// The page that a start names.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The site, if named.
    pub site: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
}

/// The steps.
#[derive(Debug)]
pub struct Lifecycle {
    /// Live sessions.
    pub sessions: Arc<Sessions>,
    /// The way to the database.
    pub ingest: Ingest,
}

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
        let outcome = self.commit_within(held, Command::Start { context, site, url, referrer }).await?;
        let started = match outcome {
            Outcome { erased: 1.., .. } | Outcome { of_other_sites: 1.., .. } => {
                return Ok((Started::Refused, Cookie::Leave.into()));
            }
            _ if live || (outcome.joined && !outcome.issued) => Started::Resumed,
            _ => Started::Begun,
        };
        let session = self.keep(if live { hit.token } else { candidate }, hit.now).await;
        Ok((started, Cookies { session, key: right_key([key, hit.key], outcome) }))
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
    ) -> Result<(Outcome, Cookies), E> {
        let named = || runs.iter().flat_map(|run| &run.facts).filter(|fact| !fact.anonymous);
        let recent = |fact: &&Fact| hit.now - fact.occurred_at < self.sessions.ttl().idle_ms;
        let activity = named()
            .map(|fact| fact.occurred_at)
            .max()
            .filter(|at| hit.now - at < self.sessions.ttl().idle_ms);
        let may_start = named().filter(recent).any(|fact| fact.kind.starts_a_visit());
        let token = hit.token.filter(|_| named().next().is_some());
        let proof = token.as_ref().map(SessionToken::proof);
        let caller = self.sessions.touch(proof, activity.map(Activity::Visitor), hit.now).await;
        let most = visits_at_most(&runs, &caller, hit.now, self.sessions.ttl());
        let held = allowance.take(most).map_err(Refusal::from)?;
        let has_none = matches!(caller, Caller::Erased | Caller::Nothing);
        let candidate = if may_start && has_none { issue()? } else { None };
        let has_no_visit = has_none || matches!(caller, Caller::Live { visit_id: None, .. });
        let (key, candidate_key) = new_key(hit.key_of.filter(|_| may_start && has_no_visit))?;
        let live = matches!(caller, Caller::Live { .. });
        let context = Context {
            now: hit.now,
            caller,
            candidate: candidate.as_ref().map(SessionToken::proof),
            visitor: None,
            key: candidate_key,
            site: hit.site,
        };
        let outcome = self.commit_within(held, Command::Facts { context, runs }).await?;
        // A fact that is older than the idle limit does not count as activity and sets no cookie.
        let session = match live && activity.is_some() {
            true => self.keep_proven(token.zip(proof), hit.now).await,
            false => self.keep(candidate.filter(|_| outcome.issued), hit.now).await,
        };
        Ok((outcome, Cookies { session, key: right_key([key, None], outcome) }))
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
                    self.commit(Command::Engagement { visit_id, page_view_id, engaged_ms, scroll_pct })
                        .await?;
                }
                Ok(self.keep_proven(hit.token.zip(proof), hit.now).await)
            }
            Caller::Unverified(_) => Err(UNREACHABLE.into()),
            _ => Err(Refusal::Expired),
        }
    }

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

    /// Ends the session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&self, hit: Hit) -> Result<Cookie, Refusal> {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match (self.sessions.touch(proof, None, hit.now).await, proof) {
            (Caller::Live { .. } | Caller::Unverified(_), Some(presented)) => {
                if self.commit(Command::End { now: hit.now, presented }).await?.lost {
                    return self.ends_elsewhere(presented, hit.now).await.map(Cookie::after_end);
                }
                Ok(Cookie::Clear)
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
                let command = Command::Forget { now: hit.now, presented, candidate: candidate.proof() };
                match self.commit(command).await? {
                    outcome if outcome.issued => Ok(self.keep(Some(candidate), hit.now).await),
                    outcome if outcome.lost => {
                        self.lost(presented, hit.now).await?;
                        Ok(Cookie::Leave) // a newer cookie may be there already
                    }
                    _ => Ok(Cookie::Clear),
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
    pub async fn end_sessions(&self, ending: Ending) -> Result<Cookie, Refusal> {
        let (asking, now) = (ending.asking, ending.now);
        let ends_itself = asking.is_some_and(|asking| ending.which == Which::One(asking.tag));
        match self.commit(Command::EndSessions(ending.clone())).await? {
            outcome if outcome.lost => {
                match asking {
                    Some(asking) if ends_itself && self.ends_elsewhere(asking, now).await? => {
                        return Ok(Cookie::Clear);
                    }
                    Some(asking) => self.lost(asking, now).await?,
                    None => {}
                }
                Err(Refusal::Rotated)
            }
            outcome if outcome.missing && !self.ends_provisional(&ending).await? => Err(Refusal::Missing),
            _ => Ok(if ends_itself { Cookie::Clear } else { Cookie::Leave }),
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
        let command = Command::ChangePassword { now, presented, candidate, user_id, verified, password_hash };
        match self.commit(command).await? {
            outcome if outcome.stale => Err(Refusal::Stale.into()),
            outcome if outcome.lost => {
                self.lost(presented, now).await?;
                Err(Refusal::Rotated.into())
            }
            _ => Ok(self.keep(Some(token), now).await),
        }
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
        let command =
            Command::SignIn { now: hit.now, presented, candidate: candidate.proof(), user, verified, visit };
        let outcome = self.commit(command).await;
        held.used(outcome.as_ref().map_or(0, |outcome| outcome.begun));
        match outcome? {
            outcome if outcome.stale => return Err(Refusal::Stale.into()),
            outcome if outcome.lost => {
                if let Some(presented) = presented {
                    self.lost(presented, hit.now).await?;
                }
                return Err(Refusal::Rotated.into());
            }
            _ => {}
        }
        Ok(self.keep(Some(candidate), hit.now).await)
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
                let command = Command::SignOut { now: hit.now, presented, candidate: candidate.proof() };
                if self.commit(command).await?.lost {
                    return Ok(Cookie::after_end(self.ends_elsewhere(presented, hit.now).await?));
                }
                Ok(self.keep(Some(candidate), hit.now).await)
            }
            (Caller::Unverified(_), _) => Err(Refusal::from(UNREACHABLE).into()),
            (Caller::Grace { .. }, _) => Ok(Cookie::Leave),
            _ => Ok(Cookie::Clear),
        }
    }

    /// Ends a session that was not found live, but that another server has begun or changed provisionally. Whether
    /// there was one: else another request was first.
    async fn ends_elsewhere(&self, presented: Proof, now: Millis) -> Result<bool, Refusal> {
        match self.provisional(presented, now).await? {
            Some(provisional) => self.end_provisional(&provisional, now).await,
            // The other server may have stored it a moment ago.
            None => Ok(!self.commit(Command::End { now, presented }).await?.lost),
        }
    }

    /// Ends the one session that was not found to be the user's, if it is provisional on another server. Whether there
    /// was one.
    ///
    /// # Errors
    /// Also where sessions of one site are to end: the site of its visit is not known yet.
    async fn ends_provisional(&self, ending: &Ending) -> Result<bool, Refusal> {
        let Which::One(tag) = ending.which else { return Ok(false) };
        let is_theirs =
            |record: &Record| ending.is_of(record) && !record.expired(ending.now, self.sessions.ttl());
        match self.sessions.provisional_elsewhere(tag, is_theirs, ending.now).await? {
            Some(_) if ending.site.is_some() => Err(UNSTORED.into()),
            Some(provisional) if self.end_provisional(&provisional, ending.now).await? => Ok(true),
            // The other server may have stored it a moment ago.
            _ => self
                .commit(Command::EndSessions(ending.clone()))
                .await
                .map(|again| !again.missing && !again.lost),
        }
    }

    /// Whether it is this server that has ended it.
    async fn end_provisional(&self, provisional: &Record, now: Millis) -> Result<bool, Refusal> {
        let presented = Proof { tag: provisional.tag, hash: provisional.secret_hash };
        let end = EndProvisional { now, presented, rests_on: provisional.generation };
        self.commit(Command::EndProvisional(end)).await.map(|outcome| !outcome.lost)
    }

    /// The session of this token that is provisional on another server.
    async fn provisional(&self, token: Proof, now: Millis) -> Result<Option<Record>, StoreError> {
        let is_live =
            |record: &Record| record.standing(&token.hash, now, self.sessions.ttl()) == Standing::Live;
        self.sessions.provisional_elsewhere(token.tag, is_live, now).await
    }

    /// Why a command did not find its session live: another request was first.
    ///
    /// # Errors
    /// When the session is live all the same: it is provisional on another server.
    async fn lost(&self, presented: Proof, now: Millis) -> Result<(), Refusal> {
        match self.provisional(presented, now).await? {
            Some(_) => Err(UNSTORED.into()),
            None => Ok(()),
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

    /// Judges the token of a request that may begin a session or a visit. A token whose session had ended before the
    /// request arrived counts as none. If the session ended while the request was on its way, the request begins
    /// nothing.
    async fn arrive(&self, hit: &Hit) -> Caller {
        let proof = hit.token.as_ref().map(SessionToken::proof);
        match self.sessions.touch(proof, Some(Activity::Visitor(hit.now)), hit.now).await {
            Caller::Grace { after: After::End { at }, .. } if at < hit.now => Caller::Nothing,
            caller => caller,
        }
    }

    async fn commit(&self, command: Command) -> Result<Outcome, Refusal> {
        Ok(self.ingest.commit(command).await?)
    }

    /// Commits a command that may begin visits, and returns to the allowance those that did not begin. A new session
    /// that joined a visit counts, too: otherwise one visitor could have any number of them.
    async fn commit_within(&self, held: Held<'_>, command: Command) -> Result<Outcome, Refusal> {
        let outcome = self.commit(command).await;
        held.used(outcome.as_ref().map_or(0, |outcome| outcome.begun.max(u32::from(outcome.issued))));
        outcome
    }

    /// The cookie of a token, decided now.
    async fn keep(&self, token: Option<SessionToken>, now: Millis) -> Cookie {
        let proven = token.map(|token| {
            let proof = token.proof();
            (token, proof)
        });
        self.keep_proven(proven, now).await
    }

    /// As [`Self::keep`], where the token has been hashed already.
    async fn keep_proven(&self, token: Option<(SessionToken, Proof)>, now: Millis) -> Cookie {
        let Some((token, proof)) = token else { return Cookie::Leave };
        match self.sessions.cookie_ms(proof, now).await {
            Some(length) => Cookie::Set(token, length),
            None => Cookie::Leave,
        }
    }
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
fn right_key(keys: [Option<VisitorKey>; 2], outcome: Outcome) -> Option<VisitorKey> {
    keys.into_iter().flatten().find(|key| outcome.key == Some(key.hash()))
}

/// No store that has the session can be reached, and this process does not know it.
const UNREACHABLE: StoreError =
    StoreError::Unavailable("the session cannot be checked: no store that has it can be reached");

/// The session is provisional on a server that cannot reach the database.
const UNSTORED: StoreError =
    StoreError::Unavailable("the session waits for a server that cannot reach the database");
