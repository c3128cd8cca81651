//! Fills a SQLite file with page views, to see how what is large behaves. Make the file first:
//! `visitflow migrate --database-url sqlite://visitflow.db`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use visitflow_testkit::fill::fill;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (file, page_views) = (arguments.next(), arguments.next().and_then(|text| text.parse().ok()));
    let (Some(file), Some(page_views)) = (file, page_views) else {
        eprintln!("Usage: fill visitflow.db PAGE_VIEWS");
        return ExitCode::FAILURE;
    };
    match rusqlite::Connection::open(file).and_then(|mut database| fill(&mut database, page_views)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fill: {error}");
            ExitCode::FAILURE
        }
    }
}
