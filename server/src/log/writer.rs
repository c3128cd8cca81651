//! Stderr, written by a thread of its own. A log call puts a line into a buffer of a bounded size and returns. If the
//! reader of stderr stalls and the buffer is full, lines are dropped and counted. When the buffer has been written, one
//! line says how many are missing.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait at most: some thousands of lines.
const WAITING_BYTES: usize = 1 << 20;

/// How long to wait if stderr is full and another program has made it non-blocking.
const PAUSE: Duration = Duration::from_millis(20);

/// Lines that no writer of this process has written.
static DROPPED: AtomicU64 = AtomicU64::new(0);

pub(super) fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Takes lines and never waits.
#[derive(Clone, Debug)]
pub(super) struct Writer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// Whether the thread is writing what it took out of `waiting`.
    writing: bool,
    /// How many lines were dropped, and how many of them a line has reported.
    dropped: u64,
    told: u64,
}

impl Writer {
    /// Starts the thread that writes to `out`. It ends with the process.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let writer = Self(Arc::default());
        let shared = Arc::clone(&writer.0);
        std::thread::Builder::new().name("log".into()).spawn(move || shared.write_all_to(out))?;
        Ok(writer)
    }

    /// Puts a line into the buffer, or drops it.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.0.lock();
        if state.waiting.len() + line.len() > WAITING_BYTES {
            state.drop_lines(1);
            return;
        }
        state.waiting.extend_from_slice(line);
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, at most so long.
    pub(super) fn flush(&self, patience: Duration) {
        let unwritten = |state: &mut State| state.writing || !state.waiting.is_empty();
        let waited = self.0.changed.wait_timeout_while(self.0.lock(), patience, unwritten);
        drop(waited); // in time or not, there is nothing else to do
    }
}

impl State {
    fn drop_lines(&mut self, lines: u64) {
        self.dropped += lines;
        DROPPED.fetch_add(lines, Ordering::Relaxed);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_to(&self, mut out: impl Write) {
        loop {
            let idle = |state: &mut State| state.waiting.is_empty();
            let waited = self.changed.wait_while(self.lock(), idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            let lines = std::mem::take(&mut state.waiting);
            state.writing = true;
            drop(state);
            let lost = write_lines(&mut out, &lines);
            let mut state = self.lock();
            state.writing = false;
            state.drop_lines(lost);
            // Only after a success: a line about lines that cannot be written would be one more.
            let recovered = lost == 0 && state.waiting.is_empty() && state.dropped > state.told;
            let missing = state.dropped - state.told;
            if recovered {
                state.told = state.dropped;
            }
            drop(state);
            if recovered {
                tracing::warn!(lines = missing, "log lines were dropped because nothing read stderr");
            }
            self.changed.notify_all();
        }
    }
}

/// Writes lines; returns how many could not be.
fn write_lines(out: &mut impl Write, mut lines: &[u8]) -> u64 {
    while !lines.is_empty() {
        match out.write(lines) {
            Ok(written @ 1..) => lines = &lines[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Ok(0) | Err(_) => return lines.iter().filter(|byte| **byte == b'\n').count() as u64,
        }
    }
    0
}

/// The buffer for one line, for the log's formatter.
impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Writer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A stderr whose reader reads when it is told to.
    struct Slow {
        may: mpsc::Receiver<()>,
        seen: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.may.recv().map_err(|_| ErrorKind::BrokenPipe)?;
            self.seen.send(bytes.to_owned()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted_and_nobody_waits() {
        let ((go, may), (seen, written)) = (mpsc::channel(), mpsc::channel());
        let writer = Writer::start(Slow { may, seen }).unwrap();
        let line = [b'x'; 1024];
        let before = dropped();
        // The first chunk is with the thread, which stalls; of the others one buffer fits.
        for _ in 0..3 * WAITING_BYTES / line.len() {
            writer.push(&line);
        }
        let missing = writer.0.lock().dropped;
        assert!(missing >= 1024 && dropped() - before >= missing, "{missing}");
        writer.flush(Duration::from_millis(1)); // the reader still stalls
        for _ in 0..4 {
            go.send(()).unwrap();
        }
        writer.flush(PATIENCE);
        let bytes: usize = written.try_iter().map(|chunk| chunk.len()).sum();
        assert_eq!(bytes as u64 + missing * 1024, 3 * WAITING_BYTES as u64);
        assert_eq!(writer.0.lock().told, missing);
    }

    #[test]
    fn a_stderr_that_fails_loses_lines_and_nothing_else() {
        let ((go, may), (seen, _)) = (mpsc::channel(), mpsc::channel());
        drop(go);
        let writer = Writer::start(Slow { may, seen }).unwrap();
        writer.push(b"one\ntwo\n");
        writer.flush(PATIENCE);
        let state = writer.0.lock();
        assert_eq!((state.dropped, state.told), (2, 0));
    }
}
