//! One spelling for each part of an address: RFC 3986 §6.2.2.1 and §6.2.2.2.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A part of an address that the `url` crate has parsed: escapes in upper case, unreserved characters
/// unescaped, and escapes for every character that an address must not contain.
pub(super) fn spelled(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        at += 1;
        if byte != b'%' {
            if is_allowed(byte) {
                text.push(char::from(byte));
            } else {
                escape(&mut text, byte);
            }
            continue;
        }
        match (bytes.get(at).and_then(digit), bytes.get(at + 1).and_then(digit)) {
            (Some(high), Some(low)) => {
                at += 2;
                let decoded = high << 4 | low;
                if is_unreserved(decoded) {
                    text.push(char::from(decoded));
                } else {
                    escape(&mut text, decoded);
                }
            }
            _ => escape(&mut text, b'%'),
        }
    }
    text
}

/// Cuts a canonical part at the end of a character, even if that character is written in escapes.
pub(super) fn cut(part: &mut String, max_bytes: usize) {
    if part.len() <= max_bytes {
        return;
    }
    let bytes = part.as_bytes();
    let mut end = max_bytes;
    while (1..=2).any(|back| end >= back && bytes[end - back] == b'%') {
        end -= 1;
    }
    // The first escape after the cut continues a character of UTF-8.
    while end >= 3 && bytes[end] == b'%' && matches!(bytes.get(end + 1), Some(b'8' | b'9' | b'A' | b'B')) {
        end -= 3;
    }
    part.truncate(end);
}

fn escape(text: &mut String, byte: u8) {
    text.push('%');
    text.push(char::from(HEX[usize::from(byte >> 4)]));
    text.push(char::from(HEX[usize::from(byte & 15)]));
}

fn digit(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What may be unescaped in a path, a query or a fragment (RFC 3986 §3.3 to §3.5).
fn is_allowed(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@/?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_spelling() {
        for (sent, kept) in [
            ("caf%c3%a9", "caf%C3%A9"),
            ("%7Eann%2d%2E%5f%41%7a%30", "~ann-._Az0"),
            ("a%2fb%3F%23%25%26%3d%2B", "a%2Fb%3F%23%25%26%3D%2B"),
            ("100%", "100%25"),
            ("%zz%4", "%25zz%254"),
            ("%2541", "%2541"),
            ("a|b^c`{d}\"<>\\[]", "a%7Cb%5Ec%60%7Bd%7D%22%3C%3E%5C%5B%5D"),
            ("!$&'()*+,;=:@/?", "!$&'()*+,;=:@/?"),
            ("%e4", "%E4"),
            ("", ""),
        ] {
            assert_eq!(spelled(sent), kept, "{sent}");
            assert_eq!(spelled(kept), kept, "{kept}, again");
        }
    }

    #[test]
    fn a_part_is_cut_at_a_character() {
        for (part, max, kept) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc"),
            ("a%C3%A4", 7, "a%C3%A4"),
            ("a%C3%A4", 6, "a"),
            ("a%C3%A4", 4, "a"),
            ("a%C3%A4", 2, "a"),
            ("a%C3%A4b", 7, "a%C3%A4"),
            ("a%E2%82%AC", 7, "a"),
            ("a%F0%9F%98%80", 10, "a"),
            ("%C3%A4%C3%A4", 9, "%C3%A4"),
            ("a%2Fb", 3, "a"),
            ("abc", 0, ""),
        ] {
            let mut text = part.to_owned();
            cut(&mut text, max);
            assert_eq!(text, kept, "{part} to {max}");
        }
    }
}
