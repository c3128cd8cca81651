//! Which user agents are robots.
//!
//! | file in `bots/` | holds |
//! |---|---|
//! | `crawlers.txt` | the patterns of npm's `crawler-user-agents`, which are case-sensitive |
//! | `isbot.txt` | the patterns of npm's `isbot` |
//! | `left_out.txt` | those of both that people's browsers match as well |
//! | `own.txt` | patterns that both lack |
//!
//! `cargo xtask bots` brings the first two up to date.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use regex::bytes::{Regex, RegexBuilder};

/// For how many user agents the answer is cached; matching one again takes some microseconds.
const CACHED: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");

/// A longer user agent is not cached.
const CACHED_BYTES: usize = 512;

/// A longer user agent is judged by its beginning.
const JUDGED_BYTES: usize = 2_048;

/// Longest compiled form of a pattern of `--bot-pattern`, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// Recognizes robots by their user agent.
#[derive(Debug)]
pub struct BotFilter {
    patterns: Vec<Regex>,
    known: Mutex<LruCache<Box<[u8]>, bool>>,
}

impl BotFilter {
    /// The filter with further patterns, as [`pattern`] takes them.
    ///
    /// # Errors
    /// What is wrong with a pattern.
    pub fn new(further: &[String]) -> Result<Self, String> {
        let left_out: Vec<&str> = lines(include_str!("bots/left_out.txt")).collect();
        let crawlers = lines(include_str!("bots/crawlers.txt")).filter(|line| !left_out.contains(line));
        let isbot = lines(include_str!("bots/isbot.txt")).filter(|line| !left_out.contains(line));
        let mut folded: Vec<&str> = isbot.chain(lines(include_str!("bots/own.txt"))).collect();
        folded.extend(further.iter().map(String::as_str));
        // If all alternatives are plain texts, the regex crate searches for all of them at once.
        let (plain, other): (Vec<&str>, Vec<&str>) = crawlers.partition(|line| is_plain(line));
        let patterns = [any(plain, false), any(other, false), any(folded, true)];
        let patterns = patterns.into_iter().collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        Ok(Self { patterns, known: Mutex::new(LruCache::new(CACHED)) })
    }

    /// Whether the user agent is a robot's.
    #[must_use]
    pub fn is_bot(&self, user_agent: &[u8]) -> bool {
        let judge = || {
            let beginning = &user_agent[..user_agent.len().min(JUDGED_BYTES)];
            self.patterns.iter().any(|pattern| pattern.is_match(beginning))
        };
        if user_agent.len() > CACHED_BYTES {
            return judge();
        }
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known().get(user_agent) {
            return *answer;
        }
        let answer = judge();
        known().put(user_agent.into(), answer);
        answer
    }
}

/// A pattern of `--bot-pattern`: a regular expression, case-insensitive.
///
/// # Errors
/// What is wrong with it.
pub fn pattern(text: &str) -> Result<String, String> {
    let compiled = any([text], true).map_err(|error| error.to_string())?;
    if compiled.is_match(b"") {
        return Err("this pattern matches every user agent; write one that matches only robots".into());
    }
    Ok(text.to_owned())
}

fn any<'p>(patterns: impl IntoIterator<Item = &'p str>, fold_case: bool) -> Result<Regex, regex::Error> {
    let alternatives: Vec<String> = patterns.into_iter().map(|pattern| format!("(?:{pattern})")).collect();
    let limit = PATTERN_BYTES * alternatives.len().max(16);
    let mut builder = RegexBuilder::new(&alternatives.join("|"));
    // A user agent is bytes; only ASCII letters have a case here.
    builder.unicode(false).case_insensitive(fold_case).size_limit(limit).build()
}

/// Whether a pattern is a plain text, perhaps with escapes.
fn is_plain(pattern: &str) -> bool {
    let mut escaped = false;
    pattern.chars().all(|character| {
        let plain = if escaped { !character.is_alphanumeric() } else { !"^$.|?*+([{".contains(character) };
        escaped = !escaped && character == '\\';
        plain
    })
}

fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(further: &[&str]) -> BotFilter {
        BotFilter::new(&further.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    /// The lines of a corpus that the filter judges wrongly.
    fn misjudged(corpus: &'static str, robots: bool) -> (usize, Vec<&'static str>) {
        let filter = filter(&[]);
        let all: Vec<&str> = lines(corpus).collect();
        let wrong = all.iter().copied().filter(|line| filter.is_bot(line.as_bytes()) != robots).collect();
        (all.len(), wrong)
    }

    #[test]
    fn at_most_three_in_a_hundred_robots_are_counted() {
        let (all, counted) = misjudged(include_str!("bots/test_robots.txt"), true);
        println!("of {all} robots {} are counted: {counted:#?}", counted.len());
        assert!(counted.len() * 100 <= all * 3, "{counted:#?}");
    }

    #[test]
    fn no_person_is_dropped() {
        let (all, dropped) = misjudged(include_str!("bots/test_people.txt"), false);
        println!("of {all} people's user agents {} are dropped", dropped.len());
        assert_eq!(dropped, [] as [&str; 0]);
    }

    #[test]
    fn tools_and_fetchers_are_robots_and_readers_of_feeds_are_people() {
        let filter = filter(&[]);
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36";
        for robot in [
            "Inoreader/1.0 (feed fetcher)",
            "Mozilla/5.0 (compatible; Inoreader/1.0)",
            "Feedbin feed-id:1373711 - 142 subscribers",
            "Monit/5.33.0",
            "NewRelicPinger/1.0 (4711)",
            "Freshping/1.0",
            "FlareSolverr/3.3.21",
            "Bluesky Cardyb/1.1",
            "hey/0.0.1",
            "lua-resty-http/0.17.1 (Lua) ngx_lua/10025",
            "hyper/1.4",
            "Varnish",
            "Gatus/1.0",
            &format!("{browser} puppeteer/22.1"),
            &format!("{browser} Browserbase/1.0"),
        ] {
            assert!(filter.is_bot(robot.as_bytes()), "{robot}");
        }
        for person in [
            "NetSurf/3.10 (Linux)",
            &format!("{browser} Inoreader/7.0"),
            &format!("{browser} Feedbin/1.0"),
            &format!("{browser} heyday/1 hyperpanel/1"),
        ] {
            assert!(!filter.is_bot(person.as_bytes()), "{person}");
        }
    }

    #[test]
    fn a_user_agent_is_bytes_and_may_be_long() {
        let filter = filter(&[]);
        assert!(filter.is_bot("Mozilla/5.0 (compatible; \u{dc}n\u{ef}code-Crawler/1.0; bot)".as_bytes()));
        assert!(filter.is_bot(b"Mozilla/5.0 (compatible; \xfc-bot/1.0)"));
        assert!(!filter.is_bot(b"\xff\xfe") && !filter.is_bot(b""));
        assert!(!filter.is_bot("\u{e9}".repeat(5_000).as_bytes()));
        let late = format!("Mozilla/5.0 {}Googlebot/2.1", "x ".repeat(400));
        assert!(filter.is_bot(late.as_bytes()));
    }

    #[test]
    fn an_answer_is_cached_for_some_user_agents_only() {
        let filter = filter(&[]);
        for number in 0..CACHED.get() + 100 {
            assert!(!filter.is_bot(format!("Browser {number}").as_bytes()));
        }
        assert_eq!(filter.known.lock().unwrap().len(), CACHED.get());
        assert!(filter.is_bot(b"Googlebot/2.1") && filter.is_bot(b"Googlebot/2.1"));
    }

    #[test]
    fn a_pattern_may_be_added_and_names_no_everybody() {
        let filter = filter(&["acme-(probe|check)", "^probe"]);
        assert!(filter.is_bot(b"Mozilla/5.0 ACME-Probe/1.0") && filter.is_bot(b"probe 1"));
        assert!(!filter.is_bot(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"));
        for bad in ["", ".*", "a|", "("] {
            assert!(pattern(bad).is_err(), "{bad}");
        }
        assert_eq!(pattern("acme").as_deref(), Ok("acme"));
    }

    #[test]
    fn what_is_left_out_is_there() {
        let all = [include_str!("bots/crawlers.txt"), include_str!("bots/isbot.txt")].map(lines);
        let all: Vec<&str> = all.into_iter().flatten().collect();
        for line in lines(include_str!("bots/left_out.txt")) {
            assert!(all.contains(&line), "{line}: take it out of left_out.txt");
        }
    }

    #[test]
    fn the_document_names_the_versions_of_the_lists() {
        let document = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/privacy.md"));
        for list in [include_str!("bots/crawlers.txt"), include_str!("bots/isbot.txt")] {
            // `# <package> <version>, <licence> …`
            let head = list.strip_prefix("# ").and_then(|rest| rest.split_once(','));
            let (package, version) = head.unwrap().0.split_once(' ').unwrap();
            let named = format!("[{package}](https://www.npmjs.com/package/{package}) {version} (");
            assert!(document.contains(&named), "docs/privacy.md does not say: {named}");
        }
    }
}
