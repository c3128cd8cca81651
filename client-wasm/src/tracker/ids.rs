//! Identifiers from the browser's randomness.

use crate::browser::clock::random;
use uuid::{Builder, Uuid};
use visitflow_protocol::id::VISITOR_PREFIX;

/// Makes UUIDv7 (RFC 9562 §5.7) whose order is that of their making.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last_ms: u64,
}

impl Ids {
    /// The id of a fact that happened at `at_ms` by our clock. Of two in the same millisecond, the
    /// second takes the next one (RFC 9562 §6.2 allows to run ahead).
    pub(crate) fn next(&mut self, at_ms: u64) -> String {
        self.last_ms = at_ms.max(self.last_ms + 1);
        let mut bytes = [0; 16];
        fill(&mut bytes);
        let random = bytes.first_chunk().copied().unwrap_or_default();
        text("", Builder::from_unix_timestamp_millis(self.last_ms, &random))
    }
}

/// A new visitor: `v_` and a UUIDv4.
pub(crate) fn visitor() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    text(VISITOR_PREFIX, Builder::from_random_bytes(bytes))
}

fn fill(bytes: &mut [u8; 16]) {
    for four in bytes.chunks_exact_mut(4) {
        four.copy_from_slice(&random().to_le_bytes());
    }
}

fn text(prefix: &str, id: Builder) -> String {
    let mut text = String::from(prefix);
    text.push_str(id.into_uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    text
}
