//! Who is not a person.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use isbot::Bots;

/// Plain HTTP clients. They run no page's script, so that a fact from one was sent on purpose (by a
/// shop's server, or by somebody who tries the API), unlike a crawler's.
const HTTP_CLIENTS: [&str; 22] = [
    "^curl",
    "^java/",
    "^lua-resty-http",
    "^php",
    "^php-curl-class",
    "^postmanruntime",
    "aiohttp",
    "apachebench/",
    "axios",
    "go-http-client",
    "guzzlehttp",
    "http_get",
    "httpclient",
    "httpurlconnection",
    "httpx",
    "libwww-perl",
    "node-fetch/",
    "okhttp",
    "pycurl",
    "python-requests",
    "python-urllib",
    "wget",
];

/// Answers are remembered for this many user agents; matching one anew takes some microseconds.
const REMEMBERED: usize = 4_096;

/// A longer user agent is judged by its beginning, and is not remembered.
const USER_AGENT_BYTES: usize = 512;

/// Tells crawlers from browsers by their user agent.
#[derive(Debug)]
pub struct BotFilter {
    bots: Bots,
    known: Mutex<HashMap<Box<str>, bool>>,
}

impl Default for BotFilter {
    fn default() -> Self {
        let mut bots = Bots::default();
        bots.remove(&HTTP_CLIENTS);
        Self { bots, known: Mutex::default() }
    }
}

impl BotFilter {
    /// Whether the user agent is a known robot's.
    #[must_use]
    pub fn is_bot(&self, user_agent: &str) -> bool {
        let user_agent = &user_agent[..user_agent.floor_char_boundary(USER_AGENT_BYTES)];
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(user_agent) {
            return *answer;
        }
        let answer = self.bots.is_bot(user_agent);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(user_agent.into(), answer);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crawlers_are_bots_and_browsers_and_http_clients_are_not() {
        let filter = BotFilter::default();
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36",
            "facebookexternalhit/1.1",
            "Slackbot 1.0",
        ] {
            assert!(filter.is_bot(bot), "{bot}");
            assert!(filter.is_bot(bot), "{bot}, remembered");
        }
        for person in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "curl/8.9.1",
            "python-requests/2.32",
            "",
        ] {
            assert!(!filter.is_bot(person), "{person}");
        }
        assert!(!filter.is_bot(&"é".repeat(5_000)));
    }
}
