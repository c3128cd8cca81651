//! Embeds the pages and the client, compressed at build time, so that the binary is the one file
//! to deploy. What has not been built is left out, and the server says so when it starts.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("..");
    let out = PathBuf::from(std::env::var("OUT_DIR").map_err(io::Error::other)?);
    println!("cargo::rerun-if-changed=sql"); // a new migration is a new program
    let mut table = String::from("&[\n");
    for folder in ["pkg/dist/cdn", "www/dist"] {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        if folder.is_dir() {
            list(&folder, &mut files)?;
        }
        files.sort();
        for file in files {
            let name =
                file.strip_prefix(&folder).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            embed(&file, &format!("/{name}"), &out, &mut table)?;
        }
    }
    table.push(']');
    fs::write(out.join("assets.rs"), table)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type()? {
            kind if kind.is_dir() => list(&entry.path(), files)?,
            kind if kind.is_file() && !hidden => files.push(entry.path()),
            _ => {}
        }
    }
    Ok(())
}

fn embed(file: &Path, name: &str, out: &Path, table: &mut String) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", file.display());
    let bytes = fs::read(file)?;
    let hash: String = Sha256::digest(&bytes).iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let mut brotli = Vec::new();
    brotli::BrotliCompress(
        &mut bytes.as_slice(),
        &mut brotli,
        &brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() },
    )?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bytes)?;
    let gzip = gzip.finish()?;
    let stored = |suffix: &str, content: &[u8]| -> io::Result<PathBuf> {
        let path = out.join(format!("{hash}.{suffix}"));
        fs::write(&path, content)?;
        Ok(path)
    };
    let _ = writeln!(
        table,
        "Embedded {{ name: {name:?}, hash: {hash:?}, plain: include_bytes!({:?}), brotli: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
        stored("plain", &bytes)?,
        stored("br", &brotli)?,
        stored("gz", &gzip)?,
    );
    Ok(())
}
