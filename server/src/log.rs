//! The log, on stderr. No token, address or password is ever put into it.
//!
//! | module | holds |
//! |---|---|
//! | this one | how the log begins and ends; the line of a panic |
//! | `filter` | what `--log` asks for |
//! | `writer` | stderr, written by its own thread, so that no request waits for a slow reader |

mod filter;
mod writer;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::time::Duration;

use clap::ValueEnum;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

pub use self::filter::Filter;
use self::writer::Writer;

/// How long the end of the process waits for lines that are not written yet, so that a reader that stalls does not block
/// it.
const FLUSH: Duration = Duration::from_secs(1);

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Plain text
    Text,
    /// One JSON object per line
    Json,
}

/// The log of this process.
#[derive(Debug)]
pub struct Log(Writer);

/// Begins to log, as the command line says.
///
/// # Errors
/// When stderr cannot be used, or no thread can be started.
pub fn begin(filter: Filter, format: LogFormat) -> std::io::Result<Log> {
    let writer = Writer::start(std::io::stderr())?;
    let most = filter.most();
    let filter =
        filter_fn(move |about| filter.allows(about.target(), *about.level())).with_max_level_hint(most);
    // A log that cannot be written (a full disk, a closed pipe) is lost and stops nothing.
    let lines = fmt::layer().log_internal_errors(false).with_writer(writer.clone());
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines).with(filter).init();
    let last = writer.clone();
    std::panic::set_hook(Box::new(move |panic| {
        tell_of(panic);
        last.flush(FLUSH); // the process may abort right after
    }));
    Ok(Log(writer))
}

/// Writes a panic as a line of the log: writing to stderr directly could wait for its reader.
fn tell_of(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let cause = panic.payload_as_str().unwrap_or("no message");
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(cause, place, backtrace, "a thread panicked; this is a bug in visitflow");
}

impl Log {
    /// Writes a plain line: the reason why the process ends.
    pub fn say(&self, line: &str) {
        self.0.push(format!("{line}\n").as_bytes());
    }

    /// Waits a bounded time until everything is written.
    pub fn flush(&self) {
        self.0.flush(FLUSH);
    }
}

/// Lines that were lost because nobody read stderr, or it could not be written.
#[must_use]
pub fn lines_dropped() -> u64 {
    writer::dropped()
}
