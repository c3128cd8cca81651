//! The forms of identifiers.

/// What a visitor's identifier begins with; a UUID follows.
pub const VISITOR_PREFIX: &str = "v_";

/// Whether `text` is `v_` followed by a UUID in its hyphenated form (RFC 9562 §4), any version.
#[must_use]
pub fn is_visitor_id(text: &str) -> bool {
    text.strip_prefix(VISITOR_PREFIX).is_some_and(is_uuid)
}

/// Whether `text` is a UUID of version 7, hyphenated: the form of a fact's identifier.
#[must_use]
pub fn is_uuid_v7(text: &str) -> bool {
    let bytes = text.as_bytes();
    is_uuid(text) && bytes[14] == b'7' && matches!(bytes[19], b'8' | b'9' | b'a' | b'b' | b'A' | b'B')
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_id_is_v_and_a_uuid() {
        assert!(is_visitor_id("v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80"));
        for bad in [
            "",
            "v_",
            "018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f80",
            "v_018f3a5e7c1b4f6a9d2e3b4c5d6e7f80",
            "v_018f3a5e-7c1b-4f6a-9d2e-3b4c5d6e7f8g",
        ] {
            assert!(!is_visitor_id(bad), "{bad}");
        }
    }

    #[test]
    fn a_fact_id_is_a_uuid_of_version_7() {
        assert!(is_uuid_v7("0193a5e7-7c1b-7f6a-9d2e-3b4c5d6e7f80"));
        for bad in [
            "0193a5e7-7c1b-4f6a-9d2e-3b4c5d6e7f80",
            "0193a5e7-7c1b-7f6a-cd2e-3b4c5d6e7f80",
            "x",
            "ééééééééé-ééééééé",
        ] {
            assert!(!is_uuid_v7(bad), "{bad}");
        }
    }
}
