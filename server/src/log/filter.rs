//! The value of `--log`: a level for visitflow itself, and levels for targets by their names.
//!
//! Invariant: lines of other crates are written from `warn` up, unless they are named. Below that some of them log the
//! data that they process: a database driver the parameters of its statements, a TLS library its keys.

use std::str::FromStr;

use tracing::Level;
use tracing::level_filters::LevelFilter;

/// The crates of this program.
const OWN: [&str; 2] = ["visitflow_server", "visitflow"];

/// The level for other crates.
const OTHERS: LevelFilter = LevelFilter::WARN;

/// Which lines are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    own: LevelFilter,
    /// The level of a target and of what is within it, the most specific one first.
    named: Vec<(String, LevelFilter)>,
}

impl Filter {
    /// Whether a line of this target and level is written.
    #[must_use]
    pub fn allows(&self, target: &str, level: Level) -> bool {
        let named = self.named.iter().find(|(name, _)| is_within(target, name));
        let is_own = OWN.iter().any(|own| is_within(target, own));
        let most = named.map_or(if is_own { self.own } else { OTHERS }, |(_, most)| *most);
        level <= most
    }

    /// The most verbose level of any target.
    #[must_use]
    pub fn most(&self) -> LevelFilter {
        let named = self.named.iter().map(|(_, level)| *level);
        named.chain([self.own, OTHERS]).max().unwrap_or(OTHERS)
    }
}

/// Whether a target is this one or within it: `h2::proto` is within `h2`, and `h2_util` is not.
fn is_within(target: &str, name: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = |text: &str| {
            let level = text.parse().map_err(|_| format!("{text:?} is not a level"));
            level.map_err(|wrong| format!("{wrong}; write error, warn, info, debug, trace or off"))
        };
        let mut filter = Self { own: LevelFilter::INFO, named: Vec::new() };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                None => filter.own = level(part)?,
                Some((name, _)) if !is_target(name.trim()) => {
                    return Err(format!(
                        "{name:?} is not the name of a crate or module; write a filter such as info,hyper=debug"
                    ));
                }
                Some((name, wanted)) => {
                    filter.named.push((name.trim().to_owned(), level(wanted.trim())?));
                }
            }
        }
        // Of two that match, the longer name is the more specific one; of equal names the last counts.
        filter.named.reverse();
        filter.named.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Ok(filter)
    }
}

/// Whether a text can be a target: a path of Rust, or a name with points as some crates give.
fn is_target(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn a_level_by_itself_is_that_of_visitflow_alone() {
        for text in
            ["trace", "TRACE", "5", "visitflow_server=trace", "visitflow_server=trace,visitflow=trace"]
        {
            let filter = filter(text);
            assert!(filter.allows("visitflow_server::ingest", Level::TRACE), "{text}");
            for other in ["rustls::msgs", "hyper", "visitflow_serverless", "log", ""] {
                assert!(filter.allows(other, Level::WARN), "{text} {other}");
                assert!(!filter.allows(other, Level::INFO), "{text} {other}");
            }
        }
        assert!(!filter("error").allows("visitflow", Level::WARN));
        assert!(!filter("off").allows("visitflow", Level::ERROR));
        assert_eq!(filter(""), filter("info"));
    }

    #[test]
    fn other_crates_are_opened_by_their_whole_names() {
        let all = filter("debug,h2=trace,h2::proto=off,tokio=trace");
        assert!(all.allows("h2", Level::TRACE) && all.allows("h2::client", Level::TRACE));
        assert!(!all.allows("h2::proto::h1", Level::ERROR));
        assert!(!all.allows("h2_util", Level::DEBUG) && !all.allows("tokio_postgres", Level::INFO));
        assert!(
            all.allows("visitflow_server", Level::DEBUG) && !all.allows("visitflow_server", Level::TRACE)
        );
        assert_eq!((all.most(), filter("error").most()), (LevelFilter::TRACE, LevelFilter::WARN));
        assert!(filter("hyper=off,hyper=info").allows("hyper", Level::INFO));
    }

    #[test]
    fn what_is_no_filter_is_told_what_one_is() {
        for (text, hint) in [
            ("loud", "write error, warn"),
            ("hyper", "write error, warn"),
            ("hyper=loud", "write error, warn"),
            ("=trace", "info,hyper=debug"),
            ("[span]=trace", "info,hyper=debug"),
        ] {
            let wrong = text.parse::<Filter>().unwrap_err();
            assert!(wrong.contains(hint), "{text}: {wrong}");
        }
    }
}
