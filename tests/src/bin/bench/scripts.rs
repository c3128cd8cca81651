//! What wrk is to send: a Lua script a hit, and the visitors that it speaks for.

use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A kind of request that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    pub(crate) name: &'static str,
    path: &'static str,
    /// A Lua expression: the cookies.
    cookies: &'static str,
    /// A Lua expression: the body.
    body: &'static str,
    /// The table that grows by a row a request.
    pub(crate) table: Option<&'static str>,
}

/// The scripts of one target, as files.
#[derive(Debug)]
pub(crate) struct Scripts {
    directory: TempDir,
}

impl Scripts {
    /// What is measured.
    pub(crate) const HITS: [Hit; 3] = [
        Hit {
            name: "page_view",
            path: "/api/telemetry/page_view",
            cookies: "KNOWN[n]",
            body: r#"'{"id":"' .. fact_id() .. '","visitor_id":"' .. VISITOR[n] .. '","url":"https://shop.example/shoes/' .. random(5000) .. '?page=' .. random(9) .. '","title":"Shoes","referrer":"https://shop.example/"}'"#,
            table: Some("page_views"),
        },
        Hit { name: "ping", path: "/api/session/ping", cookies: "KNOWN[n]", body: "'{}'", table: None },
        Hit {
            name: "start",
            path: "/api/session/start",
            cookies: "'visitor_id=' .. stranger()",
            body: r#"'{"visitor_id":"' .. last_stranger .. '","url":"https://shop.example/shoes/' .. random(5000) .. '"}'"#,
            table: Some("sessions"),
        },
    ];

    /// Writes them for these visitors: their session cookie and their id.
    pub(crate) fn new(visitors: &[(String, String)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for scripts");
        let lines: Vec<String> =
            visitors.iter().map(|(session, visitor)| format!("{session} {visitor}\n")).collect();
        fs::write(directory.path().join("visitors"), lines.concat()).expect("a file of visitors");
        Self { directory }
    }

    /// The script of one run; the seed makes its ids its own.
    pub(crate) fn script(&self, hit: Hit, seed: u32) -> PathBuf {
        let visitors = self.directory.path().join("visitors");
        let script = include_str!("hit.lua")
            .replace("@VISITORS@", &visitors.to_string_lossy())
            .replace("@SEED@", &seed.to_string())
            .replace("@PATH@", hit.path)
            .replace("@COOKIES@", hit.cookies)
            .replace("@BODY@", hit.body);
        let path = self.directory.path().join(format!("{}-{seed}.lua", hit.name));
        fs::write(&path, script).expect("a script");
        path
    }
}
