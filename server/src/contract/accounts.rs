//! Users and API keys.

use clap::ValueEnum;

use crate::session::Millis;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Signs in.
    User,
    /// Reads the reports.
    Admin,
}

impl Role {
    /// Its name, on the command line and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// What a sign-in checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `u_` + UUIDv7.
    pub id: String,
    /// The name to sign in with.
    pub name: String,
    /// Argon2id as a PHC string.
    pub password_hash: String,
    /// Whether sign-ins are refused.
    pub disabled: bool,
}

/// What is shown of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// `u_` + UUIDv7.
    pub id: String,
    /// The name to sign in with.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// When the user was added.
    pub created_at: Millis,
    /// Since when sign-ins are refused.
    pub disabled_at: Option<Millis>,
}

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Read reports
    Read,
    /// Send facts
    Write,
    /// Read and erase the data of any visitor
    Erase,
    /// Ask whose session a token is, sign users of your site in and out, and end their sessions
    Session,
}

impl Scope {
    /// Its name, on the command line and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Erase => "erase",
            Self::Session => "session",
        }
    }
}

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The one site to which it is limited; none: all.
    pub site: Option<String>,
    /// When it stops working.
    pub expires_at: Option<Millis>,
}

impl ApiKey {
    /// Whether it may do this.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The scopes of a row, separated by commas. Unknown scopes are ignored.
    pub(crate) fn parse_scopes(text: &str) -> Vec<Scope> {
        text.split(',').filter_map(|name| Scope::from_str(name, false).ok()).collect()
    }

    pub(crate) fn scopes_text(&self) -> String {
        self.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
    }
}

/// What is shown of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The part of the key before the dot.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
    /// The rest.
    pub key: ApiKey,
}
