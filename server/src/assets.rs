//! The client, the dashboard and the demo: precompressed within the binary, or with `--www` unchanged from a folder.
//!
//! A page `NAME/index.html` is served at `/NAME`, and at every address below it, because the page has routes of its own.
//! Files with a content hash in their name are cached for ever, the loader for an hour.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use crate::http::fields;
use crate::http::reply::{self, Reply};

/// A file of the binary.
#[derive(Debug)]
struct Embedded {
    name: &'static str,
    hash: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

const EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The names of the embedded files.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|file| file.name)
}

/// What pages may do: load nothing from elsewhere, use nothing inline, not be framed.
const PAGE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The pages and the client.
#[derive(Debug)]
pub struct Assets {
    folder: Option<PathBuf>,
}

/// A file to send.
#[derive(Debug)]
pub enum Asset {
    /// From the binary.
    Built {
        /// Its place among the embedded files.
        index: usize,
    },
    /// From the folder of `--www`.
    Loose {
        /// Its name, for its type.
        name: String,
        /// Its content.
        content: Vec<u8>,
    },
}

impl Assets {
    /// The files of the binary, or those of `folder`.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Whether there is a client to serve.
    #[must_use]
    pub fn has_client(&self) -> bool {
        self.find("/visitflow.js").is_some()
    }

    /// The file for a request's path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Asset> {
        candidates(path).find_map(|name| match &self.folder {
            None => EMBEDDED.iter().position(|file| file.name == name).map(|index| Asset::Built { index }),
            Some(folder) => {
                loose(folder, &name).map(|content| Asset::Loose { name: name.into_owned(), content })
            }
        })
    }
}

/// The file itself, or the page of which the path is a route.
fn candidates(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let first = path[1.min(path.len())..].split('/').next().unwrap_or("");
    let last = path.rsplit('/').next().unwrap_or("");
    let page = (!first.is_empty() && !last.contains('.')).then(|| Cow::Owned(format!("/{first}/index.html")));
    let file = (!path.ends_with(".html")).then_some(Cow::Borrowed(path));
    file.into_iter().chain(page)
}

/// A regular file of the folder. Files elsewhere, and names or folders that begin with a dot, are not served, even if a
/// link leads to them. A pipe or a device would block the reader.
fn loose(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let named = Path::new(name.trim_start_matches('/'));
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(named).canonicalize().ok()?;
    let real = file.strip_prefix(&folder).ok()?;
    let served = is_public(named) && is_public(real) && file.metadata().is_ok_and(|file| file.is_file());
    if served { std::fs::read(file).ok() } else { None }
}

/// Whether a path goes down only, and by no name that begins with a dot.
fn is_public(path: &Path) -> bool {
    path.components().all(|component| match component {
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    })
}

/// Sends a file, in the smallest coding that the browser accepts, or 304.
#[must_use]
pub fn serve(asset: Asset, asked: &HeaderMap) -> Reply {
    match asset {
        Asset::Loose { name, content } => {
            let mut answer = typed(&name, content.into());
            reply::set(&mut answer, header::CACHE_CONTROL, "no-cache");
            answer
        }
        Asset::Built { index } => built(
            &EMBEDDED[index],
            &fields::text(asked, "accept-encoding").unwrap_or_default(),
            &fields::text(asked, "if-none-match").unwrap_or_default(),
        ),
    }
}

fn built(file: &'static Embedded, accepted: &str, known: &str) -> Reply {
    let accepts = |coding: &str| {
        accepted.split(',').any(|offer| {
            let (name, quality) = offer.split_once(';').unwrap_or((offer, ""));
            name.trim() == coding && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    let (content, coding) = if accepts("br") && file.brotli.len() < file.plain.len() {
        (file.brotli, Some("br"))
    } else if accepts("gzip") && file.gzip.len() < file.plain.len() {
        (file.gzip, Some("gzip"))
    } else {
        (file.plain, None)
    };
    // Weak, because the same content has several codings (RFC 9110 §8.8.3).
    let tag = format!("W/\"{}\"", file.hash);
    let fresh = known.split(',').any(|known| known.trim() == tag || known.trim() == "*");
    let mut answer = if fresh {
        reply::with_status(StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        typed(file.name, Bytes::from_static(content))
    };
    if let (Some(coding), false) = (coding, fresh) {
        reply::set(&mut answer, header::CONTENT_ENCODING, coding);
    }
    reply::set(&mut answer, header::VARY, "Accept-Encoding");
    reply::set(&mut answer, header::CACHE_CONTROL, caching(file.name));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

fn caching(name: &str) -> &'static str {
    if name == "/visitflow.js" {
        "public, max-age=3600"
    } else if is_hashed(name) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Whether a name contains a hash of the content: `visitflow-01234567.wasm`.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or("");
    stem.rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn typed(name: &str, content: Bytes) -> Reply {
    let extension = name.rsplit('.').next().unwrap_or("");
    let content_type = match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    };
    let mut answer = reply::text(content, content_type);
    if extension == "html" {
        reply::set(&mut answer, header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    }
    // Pages of any site may load the client and its wasm, without cookies.
    reply::set(&mut answer, header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    if matches!(extension, "js" | "mjs" | "wasm") {
        reply::set(&mut answer, header::HeaderName::from_static("timing-allow-origin"), "*");
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Embedded =
        Embedded { name: "/visitflow.js", hash: "00ff", plain: b"plain text", brotli: b"br", gzip: b"gzip!" };

    fn coding(accepted: &str) -> Option<String> {
        let answer = built(Box::leak(Box::new(Embedded { ..FILE })), accepted, "");
        answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_smallest_accepted_form_is_sent() {
        assert_eq!(coding("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(coding("gzip").as_deref(), Some("gzip"));
        assert_eq!(coding("br;q=0, gzip;q=0.5").as_deref(), Some("gzip"));
        assert_eq!(coding(""), None);
    }

    #[test]
    fn a_known_tag_gets_304() {
        let answer = built(Box::leak(Box::new(Embedded { ..FILE })), "br", "\"x\", W/\"00ff\"");
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
        assert!(answer.headers().contains_key(header::ETAG));
    }

    #[test]
    fn hashed_names_are_immutable_and_the_loader_keeps_an_hour() {
        assert_eq!(caching("/assets/shop-01234567.css"), "public, max-age=31536000, immutable");
        assert_eq!(caching("/visitflow.js"), "public, max-age=3600");
        assert_eq!(caching("/demo/index.html"), "no-cache");
    }

    #[test]
    fn a_page_answers_for_its_routes_and_no_path_leaves_the_folder() {
        let names = |path| candidates(path).map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(names("/demo/cart"), ["/demo/cart", "/demo/index.html"]);
        assert_eq!(names("/visitflow.js"), ["/visitflow.js"]);
        assert_eq!(names("/demo/index.html"), [""; 0]);
        assert_eq!(names("/demo/nope.js"), ["/demo/nope.js"]);
        assert_eq!(names("/"), ["/"]);
        assert_eq!(loose(Path::new("/"), "/../etc/passwd"), None);
    }

    #[test]
    fn a_folder_serves_its_own_regular_files_alone() {
        use std::os::unix::fs::symlink;
        let (outside, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = place.path().join(".www");
        std::fs::create_dir_all(folder.join(".git")).unwrap();
        std::fs::create_dir_all(folder.join("sub/.hidden")).unwrap();
        std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
        for name in ["page.js", ".env", ".git/config", "sub/file.js", "sub/.hidden/file.js"] {
            std::fs::write(folder.join(name), name).unwrap();
        }
        for (link, to) in [
            ("out.txt", outside.path().join("secret.txt")),
            ("out", outside.path().to_owned()),
            ("up.txt", "../../secret.txt".into()),
            ("env.txt", ".env".into()),
            ("null", "/dev/null".into()),
            ("zero", "/dev/zero".into()),
            ("gone", "nowhere".into()),
            ("round", "round".into()),
            ("in.js", "sub/file.js".into()),
        ] {
            symlink(to, folder.join(link)).unwrap();
        }
        let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe.js")).status().unwrap();
        let socket = std::os::unix::net::UnixListener::bind(folder.join("socket"));
        assert!(pipe.success() && socket.is_ok());
        assert_eq!(loose(&folder, "/page.js").unwrap(), b"page.js");
        assert_eq!(loose(&folder, "/sub/file.js").unwrap(), b"sub/file.js");
        assert_eq!(loose(&folder, "/in.js").unwrap(), b"sub/file.js", "a link within the folder");
        for name in [
            "/.env",
            "/.git/config",
            "/sub/.hidden/file.js",
            "/out.txt",
            "/out/secret.txt",
            "/up.txt",
            "/env.txt",
            "/null",
            "/zero",
            "/gone",
            "/round",
            "/pipe.js",
            "/socket",
            "/sub",
            "/",
            "/sub/../page.js",
            "/./.env",
            "/page.js/",
            "/page.js\0",
        ] {
            assert_eq!(loose(&folder, name), None, "{name}");
        }
    }
}
