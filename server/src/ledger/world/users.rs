//! Users' passwords, and when their sessions were ended.

use super::World;
use crate::ledger::known::SessionsOf;
use crate::session::Millis;

impl World<'_, '_> {
    /// When all sessions of a user were ended at once, if that was at or after an instant. A command that comes for the
    /// first time is never that old.
    pub(in crate::ledger) fn ended_since(
        &mut self,
        user_id: &str,
        site: Option<&str>,
        at: Millis,
    ) -> Option<Millis> {
        if self.known.sign_ins_are_new {
            return None;
        }
        let of = SessionsOf::user(user_id, site);
        let ended_at = self.known.endings.get(&of).copied();
        self.wants.endings.insert(of);
        ended_at.filter(|ended_at| *ended_at >= at)
    }

    /// Notes that the sessions end, all at once.
    pub(in crate::ledger) fn note_ending(&mut self, of: SessionsOf, at: Millis) {
        let noted = self.endings.entry(of).or_insert(at);
        *noted = at.max(*noted);
    }

    /// Whether this is still the user's password hash, and the user is not disabled.
    pub(in crate::ledger) fn is_current(&mut self, user_id: &str, password_hash: &str) -> bool {
        let key = (user_id.to_owned(), password_hash.to_owned());
        let stored = self.known.accounts.contains(&key);
        self.wants.accounts.insert(key);
        self.passwords.get(user_id).map_or(stored, |changed| changed == password_hash)
    }

    /// Gives a user another password.
    pub(in crate::ledger) fn set_password(&mut self, user_id: &str, password_hash: &str) {
        self.passwords.insert(user_id.to_owned(), password_hash.to_owned());
    }
}
