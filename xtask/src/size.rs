//! `cargo xtask size`: what a page downloads, and its parts.

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::Path;

/// The files of the script tag: loader, glue and wasm are all that a page downloads, unless it asks for
/// more.
const FILES: &str = "pkg/dist/cdn";

/// Of what loader, glue and wasm are made: file, bytes and part to a line, separated by tabs; the largest
/// parts first.
const PARTS: &str = "pkg/dist/.parts";

/// Parts smaller than this are printed as one.
const SMALL: usize = 100;

/// Most bytes of them together, at brotli 11.
const BUDGET: usize = 16_000;

/// Most bytes of the loader, at brotli 11: it alone is waited for.
const LOADER_BUDGET: usize = 2_000;

/// The parts of a download, in the order in which a page asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Loader,
    Glue,
    Wasm,
    /// Only with an option, or where WebAssembly does not run.
    Extra,
}

impl Role {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// The sizes of one file in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Sizes {
    /// Of a part with so many bytes, as if all bytes were compressed alike.
    fn share(self, raw: usize) -> Self {
        let of = |whole: usize| (whole * raw + self.raw / 2) / self.raw.max(1);
        Self { raw, gzip: of(self.gzip), brotli: of(self.brotli) }
    }
}

/// Prints the table.
///
/// # Errors
///
/// The package is not built, or is larger than its budget.
pub(crate) fn run() -> Result<()> {
    let folder = crate::root().join(FILES);
    let mut rows = Vec::new();
    let entries =
        fs::read_dir(&folder).with_context(|| format!("{FILES} is missing; `cargo xtask build` makes it"))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(role) = role(&name) {
            rows.push((role, name, measure(&path)?));
        }
    }
    if rows.is_empty() {
        bail!("{FILES} contains no file that a page downloads; `cargo xtask build` makes them");
    }
    rows.sort_by_key(|(role, ..)| *role);
    let mut sum = Sizes::default();
    println!("{:<7} {:>9} {:>9} {:>9}", "", "raw", "gzip 9", "brotli 11");
    let (extras, files): (Vec<_>, Vec<_>) = rows.iter().partition(|(role, ..)| *role == Role::Extra);
    for (role, name, sizes) in &files {
        print_row(&role.name(), *sizes, name);
        if *role == Role::Loader && sizes.brotli > LOADER_BUDGET {
            bail!("the loader is {} bytes too large", sizes.brotli - LOADER_BUDGET);
        }
        sum.raw += sizes.raw;
        sum.gzip += sizes.gzip;
        sum.brotli += sizes.brotli;
    }
    print_row(
        "sum",
        sum,
        &format!("bytes; the limits are {BUDGET} in total and {LOADER_BUDGET} for the loader"),
    );
    println!("\nonly if a page needs it:");
    for (_, name, sizes) in extras {
        print_row("", *sizes, name);
    }
    println!("\nthe parts of these files, with their estimated share of gzip and brotli:");
    let list = fs::read_to_string(crate::root().join(PARTS))
        .with_context(|| format!("{PARTS} is missing; `cargo xtask build` makes it"))?;
    for (role, _, sizes) in files {
        for (part, raw) in parts(&list, &role.name()) {
            print_row(&role.name(), sizes.share(raw), &part);
        }
    }
    if sum.brotli > BUDGET {
        bail!(
            "the files of a page are {} bytes too large; see \"Size counts\" in CONTRIBUTING.md",
            sum.brotli - BUDGET
        );
    }
    Ok(())
}

fn print_row(title: &str, sizes: Sizes, note: &str) {
    let Sizes { raw, gzip, brotli } = sizes;
    println!("{title:<7} {raw:>9} {gzip:>9} {brotli:>9}  {note}");
}

/// The role of a file, if a page downloads it at all.
fn role(name: &str) -> Option<Role> {
    match Path::new(name).extension()?.to_str()? {
        "wasm" => Some(Role::Wasm),
        "js" if name == "visitflow.js" => Some(Role::Loader),
        "js" if name.matches('-').count() == 1 => Some(Role::Glue),
        "js" => Some(Role::Extra),
        _ => None,
    }
}

/// The parts of a file and their bytes; the small ones together come last.
fn parts(list: &str, file: &str) -> Vec<(String, usize)> {
    let lines = list.lines().filter_map(|line| {
        let (name, rest) = line.split_once('\t')?;
        let (bytes, part) = rest.split_once('\t')?;
        (name == file).then_some((part.to_owned(), bytes.parse().ok()?))
    });
    let (mut all, small): (Vec<(String, usize)>, Vec<_>) = lines.partition(|(_, bytes)| *bytes >= SMALL);
    if !small.is_empty() {
        all.push((format!("{} smaller parts", small.len()), small.iter().map(|(_, bytes)| bytes).sum()));
    }
    all
}

fn measure(file: &Path) -> Result<Sizes> {
    let bytes = fs::read(file)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)?;
    let mut brotli = Vec::new();
    let settings = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &settings)?;
    Ok(Sizes { raw: bytes.len(), gzip: gzip.finish()?.len(), brotli: brotli.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_names() {
        assert_eq!(role("visitflow.js"), Some(Role::Loader));
        assert_eq!(role("visitflow-0a1b2c.js"), Some(Role::Glue));
        assert_eq!(role("visitflow-0a1b2c.wasm"), Some(Role::Wasm));
        assert_eq!(role("visitflow-debug-0a1b2c.js"), Some(Role::Extra));
        assert_eq!(role("visitflow-consent-tcf.js"), Some(Role::Extra));
        assert_eq!(role("manifest.json"), None);
    }

    #[test]
    fn small_parts_are_one() {
        let list = "glue\t900\trequests.js\nwasm\t300\tanswered\nwasm\t60\tlogin\nwasm\t20\tend\n";
        assert_eq!(parts(list, "wasm"), [("answered".to_owned(), 300), ("2 smaller parts".to_owned(), 80)]);
        let share = Sizes { raw: 1000, gzip: 500, brotli: 401 }.share(300);
        assert_eq!((share.raw, share.gzip, share.brotli), (300, 150, 120));
    }
}
