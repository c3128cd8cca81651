//! The command line and its subcommands.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::values::key_lifetime;
use super::{Common, DatabaseUrl, Serve};
use crate::contract::accounts::Scope;
use crate::database::postgres::url::PostgresUrl;
use crate::database::sqlite::Sqlite;

/// Consent-first visit tracking: sessions, page views, orders and the reports over them.
#[derive(Debug, Parser)]
#[command(name = "visitflow", version, about, max_term_width = 100)]
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
    /// Manage the keys for reports and server-to-server calls
    Key {
        /// What to do.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Bring the database's schema up to date, then stop; with --from and --to, move an installation
    /// from SQLite to Postgres
    Migrate(Move),
    /// Say what is wrong with the configuration, and whether the stores answer
    Check(Box<Serve>),
}

/// `visitflow migrate`
#[derive(Debug, Args)]
pub struct Move {
    /// The SQLite file to read: sqlite://visitflow.db; no server may run on it. It stays as it is
    #[arg(long, requires = "to", value_name = "URL")]
    pub from: Option<DatabaseUrl>,
    /// The Postgres database to fill: postgres://USER:PASSWORD@HOST:5432/DATABASE; an empty one, or one
    /// that an interrupted migration has begun to fill
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
    /// Add a user, or set the password of one: asked for in a terminal, else one line of stdin
    Add {
        /// The name to sign in with
        name: String,
        /// May read the reports
        #[arg(long)]
        admin: bool,
    },
    /// Refuse a user's sign-ins and end all of that user's sessions
    Disable {
        /// The name
        name: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// The name
        name: String,
    },
    /// Remove a user and end all of that user's sessions; what was measured stays
    Remove {
        /// The name
        name: String,
    },
    /// List the users: name, role, when they were made, when they were disabled
    List {
        /// As JSON, times in ms since 1970
        #[arg(long)]
        json: bool,
    },
}

/// `visitflow key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Add an API key and print it; it is shown this once
    Add {
        /// What it is for
        name: String,
        /// What it may do
        #[arg(long, value_delimiter = ',', default_value = "read,write")]
        scope: Vec<Scope>,
        /// The one site whose sessions it may ask about, as reports name it (with the scope session alone)
        #[arg(long, value_name = "HOST")]
        site: Option<String>,
        /// When it stops working, from now: 90d, 12h
        #[arg(long, value_parser = key_lifetime, value_name = "DURATION")]
        expires: Option<Duration>,
    },
    /// List the API keys: name, scopes, site, when they were made, when they expire
    List {
        /// As JSON, times in ms since 1970
        #[arg(long)]
        json: bool,
    },
    /// Revoke an API key: every server refuses it within a second
    Revoke {
        /// Its name
        name: String,
    },
}
