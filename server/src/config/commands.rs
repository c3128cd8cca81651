//! The command line and its subcommands.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::values::key_lifetime;
use super::{Common, DatabaseUrl, Serve};
use crate::contract::accounts::Scope;
use crate::database::postgres::url::PostgresUrl;
use crate::database::sqlite::Sqlite;

/// Consent-first visit tracking: stores facts (page views, events, orders, refunds) and the visits to which they
/// belong, and serves reports on them.
#[derive(Debug, Parser)]
#[command(name = "visitflow", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What all commands share.
    #[command(flatten)]
    pub common: Common,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Box<Serve>),
    /// Manage the users who sign in
    User {
        /// What to do.
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Manage the API keys for reports and for calls from other servers
    Key {
        /// What to do.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Migrate the database's schema to this version, then exit; with --from and --to, copy an installation from
    /// SQLite to Postgres
    Migrate(Move),
    /// Check the configuration, and whether the database and Redis can be reached
    Check(Box<Serve>),
}

/// `visitflow migrate`
#[derive(Debug, Args)]
pub struct Move {
    /// SQLite file to copy from: sqlite://visitflow.db. Stop the server that uses it first. The file is not changed
    #[arg(long, requires = "to", value_name = "URL")]
    pub from: Option<DatabaseUrl>,
    /// Postgres database to copy to: postgres://USER:PASSWORD@HOST:5432/DATABASE. It must be empty, or partly filled by
    /// an interrupted run of this command
    #[arg(long, requires = "from", value_name = "URL")]
    pub to: Option<DatabaseUrl>,
}

impl Move {
    /// From where to where, if an installation is to move.
    ///
    /// # Errors
    /// What is wrong with the URLs.
    pub fn ends(&self) -> Result<Option<(Sqlite, PostgresUrl)>, String> {
        let (Some(from), Some(to)) = (&self.from, &self.to) else { return Ok(None) };
        Ok(Some((from.sqlite("--from")?, to.postgres("--to")?)))
    }
}

/// `visitflow user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user, or change the password and role of an existing one. The password is asked for in a terminal;
    /// otherwise it is read from the first line of stdin
    Add {
        /// Name to sign in with
        name: String,
        /// Let the user read the reports; without it, an existing admin becomes an ordinary user
        #[arg(long)]
        admin: bool,
    },
    /// Refuse a user's sign-ins, and end all of the user's sessions
    Disable {
        /// Name of the user
        name: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Name of the user
        name: String,
    },
    /// Remove a user, and end all of the user's sessions; the user's visits are kept
    Remove {
        /// Name of the user
        name: String,
    },
    /// List the users: name, role, when they were added, when they were disabled
    List {
        /// Print JSON, with times in RFC 3339
        #[arg(long)]
        json: bool,
    },
}

/// `visitflow key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Add an API key and print it; it is shown only once
    Add {
        /// Name of the key, for example what it is used for
        name: String,
        /// What the key may do
        #[arg(long, value_delimiter = ',', default_value = "read,write")]
        scope: Vec<Scope>,
        /// Limit the key to the sessions of one site, such as shop.example (only with --scope session)
        #[arg(long, value_name = "HOST")]
        site: Option<String>,
        /// How long the key works, such as 90d or 12h; default: it never expires
        #[arg(long, value_parser = key_lifetime, value_name = "DURATION")]
        expires: Option<Duration>,
    },
    /// List the API keys: name, scopes, site, when they were added, when they expire
    List {
        /// Print JSON, with times in RFC 3339
        #[arg(long)]
        json: bool,
    },
    /// Revoke an API key; every server refuses it within a second
    Revoke {
        /// Name of the key
        name: String,
    },
}
