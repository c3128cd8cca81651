//! The ingest server.
fn main() {}
