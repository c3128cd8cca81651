//! What an error of Postgres means: it is away, or it has refused the statement.

use std::error::Error as StdError;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// The message of Postgres, with its error code. Details are left out, because they repeat rows.
#[must_use]
pub fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} (SQLSTATE {})", said.message(), said.code().code()),
        None => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// Whether the same statement may succeed later: the connection was lost or never made, or the server shuts down,
/// starts, is a standby now, or lacks space or time. Otherwise the statement is the cause.
#[must_use]
pub fn is_away(error: &Error) -> bool {
    if let Some(code) = error.code() {
        return passes(code);
    }
    // InvalidInput is what the client itself refuses to send: a value that is too long, say.
    let lost = |io: &io::Error| io.kind() != io::ErrorKind::InvalidInput;
    error.is_closed() || error.source().and_then(|source| source.downcast_ref()).is_some_and(lost)
}

/// Whether the content is the cause, so that it would be refused again: data that no column takes (class 22), a
/// constraint (23), a limit of Postgres (54), or what the client cannot encode.
#[must_use]
pub fn is_refusal(error: &Error) -> bool {
    match error.code() {
        Some(code) => ["22", "23", "54"].contains(&&code.code()[..2.min(code.code().len())]),
        None => !is_away(error) && error.to_string().starts_with("error serializing"),
    }
}

/// Whether the statement ran out of time or memory.
#[must_use]
pub fn is_too_much(error: &Error) -> bool {
    error.code().is_some_and(|code| [SqlState::QUERY_CANCELED, SqlState::OUT_OF_MEMORY].contains(code))
}

/// Whether the writer's cache was wrong: another server has written since (`begin_batch`), or a fact is stored already.
/// (All other inserts of a batch have ON CONFLICT.)
#[must_use]
pub fn is_mistaken(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code() == "VF001" || *code == SqlState::UNIQUE_VIOLATION)
}

/// By class, <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn passes(code: &SqlState) -> bool {
    let class = &code.code()[..2.min(code.code().len())];
    let passing_classes = [
        "08", // the connection
        "28", // the password or pg_hba.conf has changed
        "3D", // the database is not there (yet)
        "40", // a deadlock, a conflict with another transaction or with a standby's recovery
        "53", // no disk, no memory, too many connections
        "57", // shut down, starting, statement_timeout
        "58", // the server's own input and output
    ];
    passing_classes.contains(&class)
        || [
            SqlState::READ_ONLY_SQL_TRANSACTION, // a standby by now
            SqlState::LOCK_NOT_AVAILABLE,        // lock_timeout
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

/// The error of Postgres within another error.
#[must_use]
pub fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_away_and_what_a_row_causes_is_refused() {
        for code in ["57P01", "57P03", "57014", "08006", "53300", "53100", "25006", "40P01", "40001", "55P03"]
        {
            assert!(passes(&SqlState::from_code(code)), "{code}");
        }
        for code in ["23505", "22021", "22003", "23514", "42P01", "XX000"] {
            assert!(!passes(&SqlState::from_code(code)), "{code}");
        }
    }
}
