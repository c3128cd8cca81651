//! The commands: one file each, with what the command holds, what must be looked up for it, what it does, its
//! provisional answer while the database is away, and its outcome. The first lines of each file say by what it is
//! serialised: which other commands may not be applied between its look-ups and its commit.
//!
//! | command | asked by |
//! |---|---|
//! | [`start`], [`facts`], [`engage`] | the client, while it measures |
//! | [`sign_in`], [`sign_out`], [`change_password`] | a user |
//! | [`end`], [`forget`], [`end_sessions`] | a browser, a user, an admin |
//! | [`link`], [`end_provisional`] | the writer itself |
//!
//! No command contains a secret, because it may stay in the spool for a while. ([`SignIn`] with a password and
//! [`ChangePassword`] contain hashes of passwords, and are not spooled.)

pub mod change_password;
pub mod end;
pub mod end_provisional;
pub mod end_sessions;
pub mod engage;
pub mod facts;
pub mod forget;
pub mod link;
pub mod sign_in;
pub mod sign_out;
pub mod start;

use serde::{Deserialize, Serialize};

pub use self::change_password::ChangePassword;
pub use self::end::End;
pub use self::end_provisional::EndProvisional;
pub use self::end_sessions::EndSessions;
pub use self::engage::Engage;
pub use self::facts::Facts;
pub use self::forget::Forget;
pub use self::link::Link;
pub use self::sign_in::SignIn;
pub use self::sign_out::SignOut;
pub use self::start::Start;
use super::known::Wants;
use super::left::Left;
use super::rules::{Answer, Held, Refused, Rules};
use super::world::World;
use crate::session::token::Proof;
use crate::session::{Millis, Ttl};

/// A command whose outcome somebody waits for.
pub trait Awaited: Into<Command> {
    /// What it did.
    type Outcome;

    /// Its outcome, out of that of any command.
    fn outcome(of_any: Outcome) -> Option<Self::Outcome>;
}

macro_rules! commands {
    ($($file:ident::$name:ident),+ $(,)?) => {
        /// What the ledger applies. Each command is described in its own file.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is documented as a type")]
        pub enum Command {
            $($name($name)),+
        }

        /// What a command did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Outcome {
            /// Nothing: the command rests on a provisional change of another server, which is not stored yet.
            Early,
            $(#[doc = concat!("What [`", stringify!($name), "`] did.")] $name($file::Outcome)),+
        }

        $(
            impl From<$name> for Command {
                fn from(command: $name) -> Self {
                    Self::$name(command)
                }
            }

            impl Awaited for $name {
                type Outcome = $file::Outcome;

                fn outcome(of_any: Outcome) -> Option<Self::Outcome> {
                    if let Outcome::$name(outcome) = of_any { Some(outcome) } else { None }
                }
            }
        )+

        impl Command {
            /// Notes what it will certainly want to know.
            pub(super) fn wants(&self, wants: &mut Wants, ttl: Ttl) {
                match self {
                    $(Self::$name(command) => command.wants(wants, ttl)),+
                }
            }

            /// Does it.
            pub(super) fn apply<'c>(&'c self, world: &mut World<'_, 'c>) -> Outcome {
                match self {
                    $(Self::$name(command) => Outcome::$name(command.apply(world))),+
                }
            }

            /// Its provisional answer while the database is away; none if it needs the database. `held` tells a session
            /// as this process has it.
            pub fn provisional(&self, held: Held<'_>, ttl: Ttl) -> Option<Answer<Outcome>> {
                match self {
                    $(Self::$name(command) => {
                        let Answer { outcome, record, is_kept } = command.provisional(held, ttl)?;
                        Some(Answer { outcome: Outcome::$name(outcome), record, is_kept })
                    }),+
                }
            }

            /// When it was received; none if that does not matter.
            #[must_use]
            pub fn now(&self) -> Option<Millis> {
                match self {
                    $(Self::$name(command) => command.now()),+
                }
            }

            /// How much work it is, in facts.
            #[must_use]
            pub fn weight(&self) -> usize {
                match self {
                    $(Self::$name(command) => command.weight()),+
                }
            }

            /// Whether a ping asked for it.
            #[must_use]
            pub fn is_of_ping(&self) -> bool {
                match self {
                    $(Self::$name(command) => command.is_of_ping()),+
                }
            }

            /// The candidate token, if it may begin a session.
            #[must_use]
            pub fn begins(&self) -> Option<Proof> {
                match self {
                    $(Self::$name(command) => command.begins()),+
                }
            }

            /// The token whose session it changes, and when.
            #[must_use]
            pub fn changes(&self) -> Option<(Proof, Millis)> {
                match self {
                    $(Self::$name(command) => command.changes()),+
                }
            }

            /// The outcome that is answered if the database refuses the command because of its content: it is kept in
            /// `dead_letters` then. None: the request has failed.
            #[must_use]
            pub fn set_aside(&self) -> Option<Outcome> {
                match self {
                    $(Self::$name(command) => command.set_aside().map(Outcome::$name)),+
                }
            }
        }

        impl Outcome {
            /// Whether another request was first, so that nothing was done.
            #[must_use]
            pub fn is_lost(self) -> bool {
                match self {
                    Self::Early => false,
                    $(Self::$name(outcome) => <$name as Rules>::is_lost(outcome)),+
                }
            }

            /// Whether the candidate token of a session that began is valid now.
            #[must_use]
            pub fn has_begun(self) -> bool {
                match self {
                    Self::Early => false,
                    $(Self::$name(outcome) => <$name as Rules>::has_begun(outcome)),+
                }
            }

            /// What of the command was not stored.
            #[must_use]
            pub fn refused(self) -> Refused {
                match self {
                    Self::Early => Refused::default(),
                    $(Self::$name(outcome) => <$name as Rules>::refused(outcome)),+
                }
            }
        }
    };
}

commands! {
    start::Start,
    facts::Facts,
    engage::Engage,
    sign_in::SignIn,
    sign_out::SignOut,
    change_password::ChangePassword,
    end::End,
    forget::Forget,
    end_sessions::EndSessions,
    link::Link,
    end_provisional::EndProvisional,
}

impl From<Left> for Command {
    fn from(left: Left) -> Self {
        match left {
            Left::Link(link) => link.into(),
            Left::EndSessions(end) => end.into(),
        }
    }
}
