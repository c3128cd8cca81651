//! The record of a token, and what a presented token is worth at an instant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::limits::{Millis, Ttl};
use super::token::{Proof, SecretHash, Tag};

/// For this long after a rotation or an end, facts that carry the old token still reach their
/// visit: they were in flight. The token has no right beyond that.
pub const GRACE_MS: Millis = 60_000;

/// Replaced secrets that a record holds; with more rotations than that the oldest is dropped.
pub const RETIRED_MAX: usize = 8;

/// A rotation counts so many generations, and so does a provisional end. A server that stores what was done before may
/// give the session other visits meanwhile, which counts one each: the rotation is later than these.
pub const ROTATION_COUNTS: u64 = 1 << 10;

/// A stored end counts so many generations. Servers that cannot reach the database may have
/// changed the session provisionally since: the end is later than all these changes. The end of a session that was found idle counts
/// one, for a server elsewhere may know of activity.
pub const END_COUNTS: u64 = 1 << 32;

/// More generations than a session gets by provisional changes while the database is away.
pub const PROVISIONAL_MAX: u64 = 1 << 26;

/// A secret that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Hash of the replaced secret.
    pub secret_hash: SecretHash,
    /// When it was replaced.
    pub at: Millis,
    /// The visit that the session had then: facts with this secret still belong to it.
    pub visit_id: Option<Uuid>,
}

/// A token's record: a row of `session_tokens`, and its copy in the session store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Names the record.
    pub tag: Tag,
    /// Hash of the one secret that is valid.
    pub secret_hash: SecretHash,
    /// Counts changes of the visit, rotations ([`ROTATION_COUNTS`]) and the end ([`END_COUNTS`]); a store refuses to replace a
    /// record by one of an earlier generation.
    pub generation: u64,
    /// The visit that hits of this session belong to; none for a sign-in to the dashboard.
    pub visit_id: Option<Uuid>,
    /// The signed-in user.
    pub user_id: Option<String>,
    /// When that user signed in.
    pub signed_in_at: Option<Millis>,
    /// Start of the absolute limit.
    pub created_at: Millis,
    /// Start of the idle limit.
    pub last_activity: Millis,
    /// Set once, when the session was ended or found expired.
    pub ended_at: Option<Millis>,
    /// Whether it has the long limits: see [`SignedIn::remember`].
    pub remembered: bool,
    /// See [`SignedIn::device`].
    pub device: Option<String>,
    /// Secrets that were replaced, [`RETIRED_MAX`] at most: those of the last day if they were read from the database.
    pub retired: Vec<Retired>,
}

/// What a sign-in makes of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The user.
    pub user_id: String,
    /// Browser and system, in words such as "Firefox on Linux".
    pub device: Option<String>,
    /// Whether the session has the long limits, `--session-remember` and `--session-remember-max`.
    pub remember: bool,
}

/// A sign-in with the user alone: no device, not remembered.
impl<T: Into<String>> From<T> for SignedIn {
    fn from(user_id: T) -> Self {
        Self { user_id: user_id.into(), ..Self::default() }
    }
}

/// What the grace period of a token began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum After {
    /// A rotation replaced it: the browser holds a newer cookie, or will in a moment.
    Rotation,
    /// Its session was ended.
    End {
        /// When.
        at: Millis,
    },
}

/// What a presented token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Valid.
    Live,
    /// Rotated or ended less than [`GRACE_MS`] ago: its facts reach their visit, nothing more.
    Grace(After),
    /// Its session was erased with its visitor. Whether the secret was right cannot be found out any more.
    Erased,
    /// Expired, ended, or never issued.
    Dead,
}

impl Record {
    /// The record of a token that was just issued.
    #[must_use]
    pub fn open(token: Proof, visit_id: Option<Uuid>, user: Option<SignedIn>, now: Millis) -> Self {
        let mut record = Self {
            tag: token.tag,
            secret_hash: token.hash,
            generation: 1,
            visit_id,
            user_id: None,
            signed_in_at: None,
            created_at: now,
            last_activity: now,
            ended_at: None,
            remembered: false,
            device: None,
            retired: Vec::new(),
        };
        record.is_of(user, now);
        record
    }

    /// Sets the user. If the session gets limits of the other kind, they begin anew: a session that is not remembered
    /// any more may be older than the short limit.
    fn is_of(&mut self, user: Option<SignedIn>, now: Millis) {
        self.signed_in_at = user.as_ref().map(|_| now);
        let remembered = user.as_ref().is_some_and(|user| user.remember);
        if std::mem::replace(&mut self.remembered, remembered) != remembered {
            self.created_at = now;
        }
        (self.user_id, self.device) = match user {
            Some(user) => (Some(user.user_id), user.device),
            None => (None, None),
        };
    }

    /// What `presented` is worth at `now`.
    #[must_use]
    pub fn standing(&self, presented: &SecretHash, now: Millis, ttl: Ttl) -> Standing {
        if self.is_erased() {
            return Standing::Erased;
        }
        let recent = |at: Millis| now - at < GRACE_MS;
        let retired = self.retired.iter().any(|old| old.secret_hash == *presented && recent(old.at));
        let current = self.secret_hash == *presented;
        match self.ended_at {
            Some(at) if (current || retired) && recent(at) && !self.expired(at, ttl) => {
                Standing::Grace(After::End { at })
            }
            Some(_) => Standing::Dead,
            None if self.expired(now, ttl) => Standing::Dead,
            None if current => Standing::Live,
            None if retired => Standing::Grace(After::Rotation),
            None => Standing::Dead,
        }
    }

    /// Whether a copy of the record may judge a secret. It may call a secret dead only if the session has ended:
    /// otherwise another server may have issued a secret that the copy does not know, or seen activity in a session
    /// that looks idle.
    #[must_use]
    pub fn can_judge(&self, presented: &SecretHash, now: Millis, ttl: Ttl) -> bool {
        self.ended_at.is_some() || self.standing(presented, now, ttl) != Standing::Dead
    }

    /// Whether the record decides about a secret: the secret is or was valid, or the session has ended.
    #[must_use]
    pub fn knows(&self, presented: &SecretHash) -> bool {
        self.has_had(presented) || self.ended_at.is_some()
    }

    /// Whether a secret is or was this session's.
    #[must_use]
    pub fn has_had(&self, secret: &SecretHash) -> bool {
        self.secret_hash == *secret || self.retired.iter().any(|old| old.secret_hash == *secret)
    }

    /// Whether the session was erased with its visitor: nothing else is left of it.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.secret_hash == SecretHash::ERASED
    }

    /// Whether the idle or the absolute limit has passed.
    #[must_use]
    pub fn expired(&self, now: Millis, ttl: Ttl) -> bool {
        now >= self.expires_at(ttl)
    }

    /// When the session expires if nothing more happens.
    #[must_use]
    pub fn expires_at(&self, ttl: Ttl) -> Millis {
        let (idle_ms, max_ms) = ttl.limits(self.remembered);
        (self.last_activity + idle_ms).min(self.created_at + max_ms)
    }

    /// Notes activity; time never runs backwards.
    pub fn slide(&mut self, at: Millis) {
        self.last_activity = self.last_activity.max(at);
    }

    /// The visit that facts with this secret belong to.
    #[must_use]
    pub fn visit_of(&self, presented: &SecretHash) -> Option<Uuid> {
        let retired = self.retired.iter().find(|old| old.secret_hash == *presented);
        retired.map_or(self.visit_id, |old| old.visit_id)
    }

    /// Replaces the secret and the user. From now on the old secret is dead, but for its grace period.
    pub fn rotate(&mut self, token: Proof, user: Option<SignedIn>, now: Millis) {
        self.replace_secret(token, now);
        self.is_of(user, now);
    }

    /// Takes the session out of its visit and replaces the secret. The user stays signed in, with the same limits.
    pub fn forget(&mut self, token: Proof, now: Millis) {
        self.replace_secret(token, now);
        self.visit_id = None;
    }

    fn replace_secret(&mut self, token: Proof, now: Millis) {
        self.retired.retain(|old| now - old.at < GRACE_MS);
        if self.retired.len() == RETIRED_MAX {
            self.retired.remove(0);
        }
        self.retired.push(Retired { secret_hash: self.secret_hash, at: now, visit_id: self.visit_id });
        self.secret_hash = token.hash;
        self.generation += ROTATION_COUNTS;
        self.slide(now);
    }

    /// Gives the session a visit, or takes it away.
    pub fn set_visit(&mut self, visit_id: Option<Uuid>) {
        self.visit_id = visit_id;
        self.generation += 1;
    }

    /// Ends the session for good.
    pub fn end(&mut self, at: Millis) {
        self.end_as(at, END_COUNTS);
    }

    /// Ends the session as far as this server can tell: the database is away, and may have a later change.
    pub fn end_provisionally(&mut self, at: Millis) {
        self.end_as(at, ROTATION_COUNTS);
    }

    fn end_as(&mut self, at: Millis, generations: u64) {
        if self.ended_at.is_none() {
            self.ended_at = Some(at);
            self.generation += generations;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::SessionToken;
    use super::*;

    const TTL: Ttl = Ttl::DEFAULT;

    fn opened() -> (Record, SessionToken) {
        let token = SessionToken::issue().unwrap();
        (Record::open(token.proof(), None, None, 0), token)
    }

    #[test]
    fn idle_limit_slides_and_is_exclusive_at_its_end() {
        let (mut record, token) = opened();
        assert_eq!(record.standing(&token.hash(), TTL.idle_ms - 1, TTL), Standing::Live);
        assert_eq!(record.standing(&token.hash(), TTL.idle_ms, TTL), Standing::Dead);
        record.slide(1_000_000);
        assert_eq!(record.standing(&token.hash(), TTL.idle_ms, TTL), Standing::Live);
        record.slide(5);
        assert_eq!(record.last_activity, 1_000_000);
    }

    #[test]
    fn absolute_limit_is_not_extended_by_activity() {
        let (mut record, token) = opened();
        record.slide(TTL.max_ms - 1);
        assert_eq!(record.standing(&token.hash(), TTL.max_ms - 1, TTL), Standing::Live);
        assert_eq!(record.standing(&token.hash(), TTL.max_ms, TTL), Standing::Dead);
    }

    #[test]
    fn a_remembered_session_has_the_long_limits() {
        let (mut record, _) = opened();
        let rotate = |record: &mut Record, remember: bool, now: Millis| {
            let token = SessionToken::rotate(record.tag).unwrap();
            record.rotate(token.proof(), Some(SignedIn { remember, ..SignedIn::from("u") }), now);
        };
        rotate(&mut record, true, 10);
        assert_eq!(record.expires_at(TTL), 10 + TTL.remember_idle_ms);
        record.slide(10 + TTL.remember_max_ms - 5);
        assert_eq!(record.expires_at(TTL), 10 + TTL.remember_max_ms);
        rotate(&mut record, true, 20 + TTL.max_ms);
        assert_eq!(record.created_at, 10, "the limits go on");
        let later = 30 + TTL.max_ms;
        rotate(&mut record, false, later);
        assert_eq!((record.created_at, record.remembered), (later, false), "others begin");
        record.last_activity = later;
        assert_eq!(record.expires_at(TTL), later + TTL.idle_ms);
    }

    #[test]
    fn who_signs_out_is_not_remembered() {
        let (mut record, _) = opened();
        let token = || SessionToken::rotate(record.tag).unwrap().proof();
        let (first, second) = (token(), token());
        let user = SignedIn { remember: true, device: Some("Firefox".into()), ..SignedIn::from("u") };
        record.rotate(first, Some(user), 0);
        record.rotate(second, None, TTL.max_ms * 2);
        assert_eq!((record.remembered, &record.device, &record.user_id), (false, &None, &None));
        assert!(!record.expired(TTL.max_ms * 2 + 1, TTL), "the session goes on");
    }

    #[test]
    fn a_rotated_secret_is_dead_at_once_and_has_a_minute_of_grace() {
        let (mut record, old) = opened();
        let new = SessionToken::rotate(record.tag).unwrap();
        record.rotate(new.proof(), Some("u".into()), 10);
        assert_eq!(record.standing(&new.hash(), 10, TTL), Standing::Live);
        assert_eq!(record.standing(&old.hash(), 10, TTL), Standing::Grace(After::Rotation));
        assert_eq!(record.standing(&old.hash(), 10 + GRACE_MS - 1, TTL), Standing::Grace(After::Rotation));
        assert_eq!(record.standing(&old.hash(), 10 + GRACE_MS, TTL), Standing::Dead);
    }

    #[test]
    fn a_session_that_is_taken_out_of_its_visit_stays_signed_in_under_a_new_secret() {
        let (mut record, first) = opened();
        let visit = Uuid::from_u128(7);
        record.set_visit(Some(visit));
        let signed_in = SessionToken::rotate(record.tag).unwrap();
        record.rotate(signed_in.proof(), Some("u".into()), 10);
        let forgotten = SessionToken::rotate(record.tag).unwrap();
        record.forget(forgotten.proof(), 20);
        assert_eq!(
            (record.user_id.as_deref(), record.signed_in_at, record.created_at),
            (Some("u"), Some(10), 0)
        );
        assert_eq!((record.visit_id, record.generation), (None, 2 + 2 * ROTATION_COUNTS));
        assert_eq!(record.standing(&forgotten.hash(), 20, TTL), Standing::Live);
        assert_eq!(record.standing(&signed_in.hash(), 20, TTL), Standing::Grace(After::Rotation));
        record.set_visit(Some(Uuid::from_u128(8)));
        for old in [first, signed_in] {
            assert_eq!(record.visit_of(&old.hash()), Some(visit));
        }
        assert_eq!(record.visit_of(&forgotten.hash()), Some(Uuid::from_u128(8)));
    }

    #[test]
    fn an_ended_session_has_a_minute_of_grace_and_stays_ended() {
        let (mut record, token) = opened();
        record.end(10);
        record.end(99);
        assert_eq!(record.ended_at, Some(10));
        assert_eq!(record.standing(&token.hash(), 11, TTL), Standing::Grace(After::End { at: 10 }));
        assert_eq!(record.standing(&token.hash(), 10 + GRACE_MS, TTL), Standing::Dead);
    }

    #[test]
    fn an_end_is_later_than_provisional_changes_meanwhile() {
        let (mut stored, _) = opened();
        let mut provisional = stored.clone();
        for now in 0..1_000 {
            provisional.rotate(SessionToken::rotate(provisional.tag).unwrap().proof(), Some("u".into()), now);
            provisional.set_visit(None);
        }
        provisional.end_provisionally(1_000);
        stored.end(5);
        assert!(stored.generation > provisional.generation);
    }

    #[test]
    fn a_session_that_was_found_expired_does_not_cross() {
        let (mut record, token) = opened();
        record.end(TTL.idle_ms);
        assert_eq!(record.standing(&token.hash(), TTL.idle_ms + 1, TTL), Standing::Dead);
    }

    #[test]
    fn another_secret_under_a_known_tag_is_worth_nothing() {
        let (record, _) = opened();
        let forged = SessionToken::rotate(record.tag).unwrap();
        assert_eq!(record.standing(&forged.hash(), 1, TTL), Standing::Dead);
    }
}
