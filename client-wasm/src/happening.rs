//! What the shell tells of: something that happened in the browser, or that is due.

/// One of [`Happening::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The page came back from the back/forward cache.
    Restored,
    /// The visitor did something.
    Activity,
    /// The visitor scrolled.
    Scroll,
    /// Visibility or focus changed.
    Look,
    /// The page goes away, perhaps for good.
    Hide,
    /// The network is back.
    Online,
    /// This tab has the lock.
    Locked,
    /// Consent was taken back in another tab.
    Revoked,
    /// A ping is due.
    Ping,
    /// The time has come to try again.
    Wake,
}

impl Happening {
    /// All of them by their numbers, with the names that the shell has for these.
    pub const ALL: [(Self, &str); 10] = [
        (Self::Restored, "RESTORED"),
        (Self::Activity, "ACTIVITY"),
        (Self::Scroll, "SCROLL"),
        (Self::Look, "LOOK"),
        (Self::Hide, "HIDE"),
        (Self::Online, "ONLINE"),
        (Self::Locked, "LOCKED"),
        (Self::Revoked, "REVOKED"),
        (Self::Ping, "PING"),
        (Self::Wake, "WAKE"),
    ];

    /// What a number stands for.
    #[must_use]
    pub fn of(number: usize) -> Option<Self> {
        Self::ALL.get(number).map(|(happening, _)| *happening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_at_its_number() {
        for (at, (happening, name)) in Happening::ALL.into_iter().enumerate() {
            assert_eq!(happening as usize, at, "{name}");
        }
    }
}
