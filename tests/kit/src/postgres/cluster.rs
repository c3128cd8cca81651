//! The files of a PostgreSQL, and the process on them.

use super::USER;
use crate::machine::target_directory;
use crate::process::Process;
use nix::unistd::{Uid, User};
use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tokio::sync::Mutex;

/// PostgreSQL refuses to run as root: then its processes are those of this user, which its Debian
/// package makes.
fn owner() -> Option<User> {
    if !Uid::effective().is_root() {
        return None;
    }
    let user = User::from_name("postgres").expect("the users can be read");
    Some(user.expect("there is no user `postgres`: PostgreSQL is not installed"))
}

/// One of PostgreSQL's programs: in `PATH`, or where Debian keeps the newest.
pub(super) fn program(name: &str) -> Command {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&inherited).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort();
    folders.extend(versions.iter().rev().map(|version| version.join("bin")));
    let found = folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    let found = found.unwrap_or_else(|| panic!("there is no `{name}`: `cargo xtask test install`"));
    let mut command = Command::new(found);
    if let Some(owner) = owner() {
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
    // The directory of the test may be one that PostgreSQL's user cannot enter.
    command.current_dir("/").env_clear().env("LC_ALL", "C");
    command
}

/// An empty directory that PostgreSQL's user owns.
pub(super) fn empty() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory for PostgreSQL");
    if let Some(owner) = owner() {
        let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
        chown(directory.path(), Some(user), Some(group)).expect("root can give a directory away");
    }
    directory
}

/// Where the database's files are; the log lies beside them.
pub(super) fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

pub(super) fn log(directory: &TempDir) -> String {
    fs::read_to_string(directory.path().join("log")).unwrap_or_default()
}

/// The files of an empty database, copied from a template: that takes a tenth of `initdb`'s time.
pub(super) async fn fresh() -> TempDir {
    let template = template().await;
    let directory = empty();
    copy(&template, &data(&directory));
    directory
}

/// The template outlives the tests: it lies in the target directory.
async fn template() -> PathBuf {
    static ONE_MAKES_IT: Mutex<()> = Mutex::const_new(());
    let _guard = ONE_MAKES_IT.lock().await;
    let version = program("postgres").arg("--version").output().expect("postgres runs").stdout;
    let version: String = String::from_utf8_lossy(&version).split_whitespace().skip(2).take(1).collect();
    let folder = target_directory().join("tmp");
    let template = folder.join(format!("postgres-{version}"));
    if template.join("PG_VERSION").is_file() {
        return template;
    }
    let directory = empty();
    init(&data(&directory)).await;
    fs::create_dir_all(&folder).expect("the target directory can be written");
    let draft = folder.join(format!("postgres-{version}.{}", std::process::id()));
    copy(&data(&directory), &draft);
    if fs::rename(&draft, &template).is_err() {
        // Another process was quicker.
        let _ = fs::remove_dir_all(&draft);
    }
    template
}

async fn init(data: &Path) {
    let mut command = program("initdb");
    command.args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--username", USER]);
    command.arg("--pgdata").arg(data).stdin(Stdio::null());
    let output = command.output().expect("initdb runs");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
    let statement = format!("CREATE DATABASE {USER};\n");
    let input = data.with_file_name("statement");
    fs::write(&input, statement).expect("the directory can be written");
    let mut single = program("postgres");
    single.args(["--single", "-D"]).arg(data).arg("postgres");
    single.stdin(File::open(input).expect("it was just written"));
    let output = single.output().expect("postgres runs");
    assert!(output.status.success(), "postgres: {}", String::from_utf8_lossy(&output.stderr));
}

/// With owners and modes: PostgreSQL refuses files that are not its own.
fn copy(from: &Path, to: &Path) {
    let output = Command::new("cp").arg("--archive").args([from, to]).output().expect("cp runs");
    assert!(output.status.success(), "cp: {}", String::from_utf8_lossy(&output.stderr));
}

/// Starts the process; what neither this nor `more` says is PostgreSQL's default, its durability above all.
pub(super) fn spawn(directory: &TempDir, port: u16, more: &[&str]) -> Process {
    let log = File::options().create(true).append(true).open(directory.path().join("log"));
    let log = log.expect("a log file");
    let mut command = program("postgres");
    command.arg("-D").arg(data(directory)).args(["-p", &port.to_string()]);
    let settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=100"];
    for setting in settings.iter().chain(more) {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("one file, two handles")).stderr(log);
    Process::start(&mut command)
}
