//! Identifiers from the browser's randomness.

use crate::browser::clock;
use uuid::{Builder, Uuid};
use visitflow_protocol::id::VISITOR_PREFIX;

/// Makes UUIDv7 (RFC 9562 §5.7) whose order is that of their making.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// Server's clock minus ours, in ms; 0 until a start was answered.
    pub(crate) offset_ms: i64,
    last_ms: u64,
}

impl Ids {
    /// The id of a fact that happened at `at_ms` by our clock. Of two in the same millisecond, the
    /// second takes the next one (RFC 9562 §6.2 allows to run ahead).
    pub(crate) fn next(&mut self, at_ms: u64) -> String {
        let at_ms = at_ms.saturating_add_signed(self.offset_ms);
        self.last_ms = at_ms.max(self.last_ms + 1);
        let mut random = [0; 10];
        clock::random(&mut random);
        let id = Builder::from_unix_timestamp_millis(self.last_ms, &random).into_uuid();
        let mut text = String::new();
        write(&mut text, &id);
        text
    }
}

/// A new visitor: `v_` and a UUIDv4.
pub(crate) fn visitor() -> String {
    let mut random = [0; 16];
    clock::random(&mut random);
    let mut text = String::from(VISITOR_PREFIX);
    write(&mut text, &Builder::from_random_bytes(random).into_uuid());
    text
}

fn write(text: &mut String, id: &Uuid) {
    text.push_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}
