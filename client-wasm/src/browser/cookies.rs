//! `document.cookie`.

use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

/// How the client's cookies are written.
#[derive(Debug)]
pub(crate) struct Jar {
    /// `Domain` of the cookies; the page's host alone if none.
    pub(crate) domain: Option<String>,
    /// Whether `Secure` is written. It is left out only after [`Jar::relax`].
    secure: bool,
}

impl Jar {
    /// A jar of secure cookies.
    pub(crate) fn new(domain: Option<String>) -> Self {
        Self { domain, secure: true }
    }

    /// Leaves `Secure` out from now on where that is allowed: on an http page of a loopback host,
    /// whose browser may refuse secure cookies. Returns whether that changed anything.
    pub(crate) fn relax(&mut self) -> bool {
        let relaxed = self.secure && super::page::is_plain_loopback();
        self.secure &= !relaxed;
        relaxed
    }

    /// Writes a cookie: `Max-Age; Path=/; Secure; SameSite=Lax`.
    pub(crate) fn write(&self, name: &str, value: &str, max_age_s: u32) {
        self.write_to(name, value, max_age_s, self.domain.as_deref());
    }

    /// Deletes a cookie, that of the host and that of the domain.
    pub(crate) fn delete(&self, name: &str) {
        self.write_to(name, "", 0, None);
        if self.domain.is_some() {
            self.write(name, "", 0);
        }
    }

    fn write_to(&self, name: &str, value: &str, max_age_s: u32, domain: Option<&str>) {
        let mut text = String::from(name);
        for part in ["=", value, "; Max-Age=", &max_age_s.to_string(), "; Path=/"] {
            text.push_str(part);
        }
        if let Some(domain) = domain {
            text.push_str("; Domain=");
            text.push_str(domain);
        }
        if self.secure {
            text.push_str("; Secure");
        }
        text.push_str("; SameSite=Lax");
        if let Some(document) = document() {
            // Throws where cookies are forbidden altogether: then nothing sticks, which shows.
            let _ = document.set_cookie(&text);
        }
    }
}

/// The value of a cookie.
pub(crate) fn read(name: &str) -> Option<String> {
    let all = document()?.cookie().ok()?;
    all.split(';').find_map(|pair| {
        let value = pair.trim_start().strip_prefix(name)?.strip_prefix('=')?;
        Some(String::from(value))
    })
}

fn document() -> Option<HtmlDocument> {
    Some(web_sys::window()?.document()?.unchecked_into())
}
