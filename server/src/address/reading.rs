//! A text with all its escapes decoded, and where each character of that was written.
//!
//! Searches use the decoded text, and what they find is cut out of the written text. So `%253D` is `=` to every search,
//! and what is kept stays as it was sent.

use std::ops::Range;

/// A text, and its decoded form.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    sent: &'a str,
    /// Without escapes (`%3D`, and `\u003d` of JSON), even if the text was escaped several times. Bytes that are not UTF-8
    /// are read as Latin-1.
    pub(super) plain: String,
    /// Where each byte of `plain` was written.
    written: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    from: usize,
    to: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn of(sent: &'a str) -> Self {
        let mut bytes = Vec::with_capacity(sent.len());
        let mut places: Vec<Place> = Vec::with_capacity(sent.len());
        for (at, byte) in sent.bytes().enumerate() {
            bytes.push(byte);
            places.push(Place { from: at, to: at + 1 });
            // A decoded character may be the end of another escape.
            while let Some((length, escaped)) = escape_at_end(&bytes) {
                let start = bytes.len() - length;
                let place = Place { from: places[start].from, to: at + 1 };
                bytes.truncate(start);
                match escaped {
                    Escaped::Byte(byte) => bytes.push(byte),
                    Escaped::Character(character) => {
                        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                }
                places.truncate(start);
                places.resize(bytes.len(), place);
            }
        }
        let (mut plain, mut written) = (String::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
        let mut rest = places.into_iter();
        for chunk in bytes.utf8_chunks() {
            plain.push_str(chunk.valid());
            written.extend(rest.by_ref().take(chunk.valid().len()));
            for (byte, place) in chunk.invalid().iter().zip(rest.by_ref()) {
                plain.push(char::from(*byte));
                written.extend([place; 2]);
            }
        }
        Self { sent, plain, written }
    }

    /// How many bytes were written for the character at this byte of `plain`: more if it was escaped more often.
    pub(super) fn width(&self, at: usize) -> usize {
        self.written.get(at).map_or(0, |place| place.to - place.from)
    }

    /// The text as it was sent, with what these parts of `plain` were written as replaced; none if there is
    /// nothing to replace. Of parts that overlap, the first counts.
    pub(super) fn replaced(&self, mut parts: Vec<(Range<usize>, &str)>) -> Option<String> {
        parts.retain(|(part, _)| !part.is_empty());
        if parts.is_empty() {
            return None;
        }
        parts.sort_by_key(|(part, _)| part.start);
        let mut kept = String::with_capacity(self.sent.len());
        let (mut read, mut sent) = (0, 0);
        for (part, instead) in parts {
            if part.start < read {
                continue;
            }
            kept.push_str(&self.sent[sent..self.written[part.start].from]);
            kept.push_str(instead);
            (read, sent) = (part.end, self.written[part.end - 1].to);
        }
        kept.push_str(&self.sent[sent..]);
        Some(kept)
    }
}

/// Whether a character is invisible: a soft hyphen, a zero-width space, a mark of direction.
pub(super) fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

enum Escaped {
    Byte(u8),
    Character(char),
}

/// The escape that ends here: its length, and its character.
fn escape_at_end(bytes: &[u8]) -> Option<(usize, Escaped)> {
    if let [.., b'%', high, low] = bytes {
        return Some((3, Escaped::Byte(u8::try_from(hex(&[*high, *low])?).ok()?)));
    }
    match bytes.last_chunk::<6>()? {
        [b'\\', b'u', digits @ ..] => Some((6, Escaped::Character(char::from_u32(hex(digits)?)?))),
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_without_its_escapes() {
        for (sent, plain) in [
            ("", ""),
            ("Sch\u{f6}n", "Sch\u{f6}n"),
            ("a%3Db", "a=b"),
            ("a%253d%25253Db", "a==b"),
            ("%25252525253D", "="),
            ("%%34%30", "@"),
            ("%4\\u0030", "@"),
            ("\\u0074\\u00f6ken\\u0025\\u0033d", "t\u{f6}ken="),
            ("%5Cu003d", "="),
            ("sch%C3%B6n", "sch\u{f6}n"),
            ("sch%F6n%C3", "sch\u{f6}n\u{c3}"),
            ("100% %zz \\u12 \\ud800", "100% %zz \\u12 \\ud800"),
        ] {
            assert_eq!(Reading::of(sent).plain, plain, "{sent}");
        }
    }

    #[test]
    fn what_is_found_is_replaced_where_it_was_written() {
        for (sent, part, kept) in [
            ("a%3Db", "=", Some("a-b")),
            ("a%253Db%F6c", "=b\u{f6}", Some("a-c")),
            ("\u{e4}%C3%A4\\u00e4\u{e4}", "\u{e4}\u{e4}\u{e4}", Some("-\u{e4}")),
            ("a", "", None),
        ] {
            let reading = Reading::of(sent);
            let at = reading.plain.find(part).unwrap();
            assert_eq!(reading.replaced(vec![(at..at + part.len(), "-")]).as_deref(), kept, "{sent}");
        }
        let reading = Reading::of("a%3Db%3Dc");
        assert_eq!(reading.replaced(vec![(2..4, "2"), (0..2, "1"), (1..3, "3")]).unwrap(), "12c");
        assert_eq!((reading.width(0), reading.width(1), Reading::of("%253D").width(0)), (1, 3, 5));
    }
}
