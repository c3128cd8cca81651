//! Parameters whose values are secrets: `token=…`, `token:…` and `"token":"…"`, found in the decoded text.

use std::ops::Range;

use super::names::{self, Name};
use super::reading::Reading;
use super::tokens::looks_random;

/// Harmless on its own, but part of an answer to a sign-in (RFC 6749 §4.1.2) beside one of these.
const STATE_BESIDE: [&str; 8] =
    ["access_token", "client_id", "code", "error", "id_token", "iss", "redirect_uri", "session_state"];

/// The kind of a text, which tells what ends a value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// A path or a route: `/` ends a value.
    Path,
    /// A parameter of a query: `+` is a space.
    Query,
    /// Text for people: a name before `=` may be a word of a sentence.
    Prose,
}

/// A parameter that holds a secret.
#[derive(Debug)]
pub(super) struct Secret {
    /// Where its name begins.
    pub(super) name: usize,
    /// What must not be kept.
    pub(super) value: Range<usize>,
}

/// The secrets of a text, first to last.
pub(super) fn secrets(reading: &Reading<'_>, room: Room, answers_sign_in: bool) -> Vec<Secret> {
    let text = &reading.plain;
    let mut secrets: Vec<Secret> = Vec::new();
    let mut from = 0;
    while let Some(separator) = text[from..].find(['=', ':']).map(|at| from + at) {
        from = separator + 1;
        let parameter = Parameter { reading, room, separator, name: name_before(text, separator) };
        if let Some(value) = parameter.secret(answers_sign_in) {
            from = value.end;
            secrets.push(Secret { name: parameter.name.range.start, value });
        }
    }
    secrets
}

/// Whether a parameter occurs that an answer to a sign-in has.
pub(super) fn answers_sign_in(text: &str) -> bool {
    let parts = text.split(['?', '&', ';', '#', '/']).filter_map(|part| part.split_once('='));
    let mut names = parts.map(|(name, _)| name.to_lowercase());
    names.any(|name| STATE_BESIDE.contains(&name.as_str()))
}

/// `state` beside another part of an answer to a sign-in.
pub(super) fn is_state(name: &str, answers_sign_in: bool) -> bool {
    answers_sign_in && name.eq_ignore_ascii_case("state")
}

struct NamePart {
    range: Range<usize>,
    /// As in JSON.
    quoted: bool,
}

/// What comes before a `=` or `:`, back to a character that no name has.
fn name_before(text: &str, separator: usize) -> NamePart {
    let before = text[..separator].trim_end();
    if let Some(quoted) = before.strip_suffix(QUOTES) {
        let name = quoted.trim_end_matches('\\');
        let start = name.rfind(QUOTES).map_or(0, |at| at + 1);
        return NamePart { range: start..name.len(), quoted: true };
    }
    let ends = |c: char| c.is_whitespace() || "?&#;/=:,\"'<>(){}|\\".contains(c);
    let start = text[..separator].char_indices().rev().find(|(_, c)| ends(*c));
    NamePart { range: start.map_or(0, |(at, c)| at + c.len_utf8())..separator, quoted: false }
}

const QUOTES: [char; 2] = ['"', '\''];

/// What comes before a name in an address: `=` if the name is itself in a value.
const MARKS: [char; 6] = ['=', '?', '&', '#', ';', '/'];

/// How many bytes are checked to distinguish a secret from a word.
const JUDGED_BYTES: usize = 40;

/// Numbers with fewer digits after `code:` are years and error numbers.
const CODE_DIGITS: usize = 5;

/// A name and a separator; what follows may be a value.
struct Parameter<'a> {
    reading: &'a Reading<'a>,
    room: Room,
    separator: usize,
    name: NamePart,
}

impl Parameter<'_> {
    /// The value, if it must not be kept.
    fn secret(&self, answers_sign_in: bool) -> Option<Range<usize>> {
        let name = &self.text()[self.name.range.clone()];
        let assigns = self.text()[self.separator..].starts_with('=');
        let kind = names::secret(name);
        let is_certain = match kind {
            Some(_) if self.is_port() => return None,
            Some(Name::Plain) => true,
            Some(Name::Topic) => {
                // `?q=token:…` in a text is part of an address, not a title.
                assigns || self.name.quoted || self.room != Room::Prose || self.stands_behind(&MARKS)
            }
            Some(Name::Word | Name::Code) => self.is_parameter(),
            None if is_state(name, answers_sign_in) && self.is_parameter() => true,
            None => return None,
        };
        let (start, end) = self.value()?;
        let shown = || &self.text()[start..end.unwrap_or_else(|| self.bare_end(start, JUDGED_BYTES))];
        let is_credential = || {
            let is_code = || kind == Some(Name::Code) && is_long_number(shown());
            // Segments of a path are names of things: `/search/code:rust-2021-edition`.
            self.room != Room::Path && (looks_random(shown()) || is_code())
        };
        if !is_certain && !is_credential() {
            return None;
        }
        let value = start..end.unwrap_or_else(|| self.bare_end(start, usize::MAX));
        (!value.is_empty()).then_some(value)
    }

    fn text(&self) -> &str {
        &self.reading.plain
    }

    /// Whether this can only be a parameter, whatever its name means in a sentence.
    fn is_parameter(&self) -> bool {
        let marked = || self.stands_behind(&MARKS[1..]);
        let assigns = self.text()[self.separator..].starts_with('=');
        self.name.quoted || (assigns && (self.room != Room::Prose || marked()))
    }

    fn stands_behind(&self, marks: &[char]) -> bool {
        self.text()[..self.name.range.start].ends_with(marks)
    }

    /// Whether this is a host with a port, `//token.example:8080`.
    fn is_port(&self) -> bool {
        let behind = &self.text()[self.separator..];
        let digits =
            behind.strip_prefix(':').unwrap_or_default().bytes().take_while(u8::is_ascii_digit).count();
        (1..=5).contains(&digits) && self.text()[..self.name.range.start].ends_with("//")
    }

    /// Where the value begins, and where it ends if it is written in quotes or brackets.
    fn value(&self) -> Option<(usize, Option<usize>)> {
        let text = self.text();
        let behind = &text[self.separator + 1..];
        let written = if self.name.quoted { behind.trim_start() } else { behind };
        let unquoted = written.trim_start_matches('\\');
        if let Some(inside) = unquoted.strip_prefix(QUOTES) {
            let quote = unquoted.chars().next()?;
            let start = text.len() - inside.len();
            // After a bare name the quote may be the end of `href="…?token="`.
            let closing = || start + quoted_end(inside, quote, written.len() - unquoted.len());
            return Some((start, self.name.quoted.then(closing)));
        }
        let start = text.len() - written.len();
        let bracketed = self.name.quoted && written.starts_with(['[', '{']);
        Some((start, bracketed.then(|| start + bracketed_end(written))))
    }

    /// Where a value without quotes ends, or this many bytes after its start. What ends it is escaped no
    /// more often than the `=` before it.
    fn bare_end(&self, start: usize, max_bytes: usize) -> usize {
        let depth = self.reading.width(self.separator);
        let ends = |at: usize, c: char| match (c, self.room) {
            ('/', Room::Path) | ('+', Room::Query) => self.reading.width(at) == 1,
            (',' | '}' | ']', _) => self.name.quoted,
            ('&' | '#' | ';' | '"' | '\'' | '<' | '>', _) => self.reading.width(at) <= depth,
            _ => c.is_whitespace() && self.reading.width(at) <= depth,
        };
        let text = self.text();
        let mut characters = text[start..].char_indices().map(|(at, c)| (start + at, c));
        let end = characters.find(|(at, c)| at - start >= max_bytes || ends(*at, *c));
        end.map_or(text.len(), |(at, _)| at)
    }
}

/// Where the quote closes, which is escaped no more often than the one that opened.
fn quoted_end(inside: &str, quote: char, backslashes: usize) -> usize {
    let mut before = 0;
    for (at, c) in inside.char_indices() {
        if c == quote && before <= backslashes {
            return at - before;
        }
        before = if c == '\\' { before + 1 } else { 0 };
    }
    inside.len()
}

/// Where the bracket closes that this text begins with.
fn bracketed_end(text: &str) -> usize {
    let (mut depth, mut in_quotes, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => in_quotes = !in_quotes,
            '[' | '{' if !in_quotes => depth += 1,
            ']' | '}' if !in_quotes => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

/// Whether a value begins with a number like a one-time code.
fn is_long_number(value: &str) -> bool {
    value.bytes().take_while(u8::is_ascii_digit).count() >= CODE_DIGITS
}
