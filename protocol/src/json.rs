//! JSON where it needs no library.

/// Text that is JSON already (the properties of an event, the items of an order).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub String);

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        Ok(Self(String::from(Box::<str>::from(raw))))
    }
}

/// Writes one JSON object, field by field; absent values write nothing.
#[derive(Debug)]
pub struct Object {
    text: String,
}

impl Object {
    /// An object without fields.
    #[must_use]
    pub fn new() -> Self {
        Self { text: String::from("{") }
    }

    /// A text field.
    #[must_use]
    pub fn text(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.name(name);
            quote(&mut self.text, value);
        }
        self
    }

    /// A whole number.
    #[must_use]
    pub fn number(mut self, name: &str, value: Option<u64>) -> Self {
        if let Some(value) = value {
            self.name(name);
            digits(&mut self.text, value);
        }
        self
    }

    /// A flag; `false` writes nothing, because an absent flag means `false`.
    #[must_use]
    pub fn flag(mut self, name: &str, value: bool) -> Self {
        if value {
            self.name(name);
            self.text.push_str("true");
        }
        self
    }

    /// A value that is JSON already.
    #[must_use]
    pub fn json(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.name(name);
            self.text.push_str(value);
        }
        self
    }

    /// The finished object.
    #[must_use]
    pub fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        quote(&mut self.text, name);
        self.text.push(':');
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends `value` as a JSON string (RFC 8259 §7).
fn quote(out: &mut String, value: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\0'..='\u{1f}' => {
                let code = character as usize;
                out.push_str("\\u00");
                out.push(char::from(HEX[code >> 4]));
                out.push(char::from(HEX[code & 15]));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn digits(out: &mut String, value: u64) {
    if value >= 10 {
        digits(out, value / 10);
    }
    out.push(char::from(b'0' + (value % 10) as u8));
}
