//! What wrk is to send: a Lua script a hit, and the visitors that it speaks for.

use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A kind of request that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    pub(crate) name: &'static str,
    method: &'static str,
    path: &'static str,
    content_type: &'static str,
    /// Whether it is a backend's, with an API key.
    by_key: bool,
    /// A Lua expression: the cookies.
    cookies: &'static str,
    /// A Lua expression: the body.
    body: &'static str,
    /// The table that grows by a row a request.
    pub(crate) table: Option<&'static str>,
    /// Requests per second; none: as many as there are answers.
    per_second: Option<u32>,
}

impl Hit {
    /// A tracker's request: JSON as text, as fast as it goes.
    const TRACKED: Self = Self {
        name: "",
        method: "POST",
        path: "",
        content_type: "text/plain",
        by_key: false,
        cookies: "KNOWN[n]",
        body: "''",
        table: None,
        per_second: None,
    };
    const INTROSPECT: Self = Self {
        name: "introspect",
        path: "/api/session/introspect",
        content_type: "application/json",
        by_key: true,
        cookies: "''",
        body: r#"'{"token":"' .. SIGNED_IN[n] .. '"}'"#,
        ..Self::TRACKED
    };
    const VERIFY: Self = Self {
        name: "verify",
        method: "GET",
        path: "/api/session/verify?require=user",
        cookies: "'session_id=' .. SIGNED_IN[n]",
        ..Self::TRACKED
    };
    const SESSION: Self = Self {
        name: "session",
        method: "GET",
        path: "/api/session",
        cookies: "'session_id=' .. SIGNED_IN[n]",
        ..Self::TRACKED
    };
    /// What a server of a busy site is asked.
    const BUSY: Option<u32> = Some(10_000);
}

/// The scripts of one target, as files.
#[derive(Debug)]
pub(crate) struct Scripts {
    directory: TempDir,
    key: String,
}

/// Names of files.
const VISITORS: &str = "visitors";
const USERS: &str = "users";

/// For whom wrk speaks.
#[derive(Debug)]
pub(crate) struct People {
    /// Session cookies and ids of visitors.
    pub(crate) visitors: Vec<(String, String)>,
    /// Session cookies of signed-in users, as many.
    pub(crate) signed_in: Vec<String>,
    /// A backend's API key.
    pub(crate) key: String,
}

impl Scripts {
    /// What is measured.
    pub(crate) const HITS: [Hit; 9] = [
        Hit {
            name: "page_view",
            path: "/api/telemetry/page_view",
            body: r#"'{"id":"' .. fact_id() .. '","visitor_id":"' .. VISITOR[n] .. '","url":"https://shop.example/shoes/' .. random(5000) .. '?page=' .. random(9) .. '","title":"Shoes","referrer":"https://shop.example/"}'"#,
            table: Some("page_views"),
            ..Hit::TRACKED
        },
        Hit { name: "ping", path: "/api/session/ping", body: "'{}'", ..Hit::TRACKED },
        Hit {
            name: "start",
            path: "/api/session/start",
            cookies: "'visitor_id=' .. stranger()",
            body: r#"'{"visitor_id":"' .. last_stranger .. '","url":"https://shop.example/shoes/' .. random(5000) .. '"}'"#,
            table: Some("sessions"),
            ..Hit::TRACKED
        },
        Hit::INTROSPECT,
        Hit { name: "introspect, 10,000/s", per_second: Hit::BUSY, ..Hit::INTROSPECT },
        Hit::VERIFY,
        Hit { name: "verify, 10,000/s", per_second: Hit::BUSY, ..Hit::VERIFY },
        Hit::SESSION,
        Hit { name: "session, 10,000/s", per_second: Hit::BUSY, ..Hit::SESSION },
    ];

    /// Writes them for these people.
    pub(crate) fn new(people: &People) -> Self {
        let directory = tempfile::tempdir().expect("a directory for scripts");
        let visitors = people.visitors.iter().map(|(session, visitor)| format!("{session} {visitor}\n"));
        let users = people.signed_in.iter().map(|session| format!("{session}\n"));
        for (name, lines) in [(VISITORS, visitors.collect::<String>()), (USERS, users.collect())] {
            fs::write(directory.path().join(name), lines).expect("a file of people");
        }
        Self { directory, key: people.key.clone() }
    }

    /// The script of one run; the seed makes its ids its own.
    pub(crate) fn script(&self, hit: Hit, seed: u32) -> PathBuf {
        let file = |name: &str| self.directory.path().join(name).to_string_lossy().into_owned();
        let authorization =
            if hit.by_key { format!(r"\r\nAuthorization: Bearer {}", self.key) } else { String::new() };
        let script = include_str!("hit.lua")
            .replace("@VISITORS@", &file(VISITORS))
            .replace("@USERS@", &file(USERS))
            .replace("@SEED@", &seed.to_string())
            .replace("@METHOD@", hit.method)
            .replace("@PATH@", hit.path)
            .replace("@CONTENT_TYPE@", hit.content_type)
            .replace("@AUTHORIZATION@", &authorization)
            .replace("@COOKIES@", hit.cookies)
            .replace("@BODY@", hit.body)
            .replace("@PER_SECOND@", &hit.per_second.unwrap_or_default().to_string());
        let path = self.directory.path().join(format!("{seed}.lua"));
        fs::write(&path, script).expect("a script");
        path
    }
}
