//! `cargo xtask demo`: the shop, the dashboard and the server, on this machine.

use crate::process::command;
use crate::{build, install};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The default of `visitflow serve --listen`.
const PORT: u16 = 8080;

/// A server on an empty database is ready within a second; a slow disk gets thirty.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The arguments of the command line.
pub(crate) struct Options {
    /// `--port`: this port and no other.
    port: Option<u16>,
}

impl Options {
    /// Reads the arguments after `demo`.
    ///
    /// # Errors
    ///
    /// An argument is unknown, or the port is not a port.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let mut port = None;
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let value = match argument.strip_prefix("--port") {
                Some("") => arguments.next().context("--port needs a number")?.as_str(),
                Some(value) if value.starts_with('=') => &value[1..],
                _ => bail!("demo does not know {argument:?}; its only option is --port PORT"),
            };
            let number = value.parse().with_context(|| format!("{value:?} is not a port"))?;
            port = Some(number);
        }
        Ok(Self { port })
    }
}

/// Builds and starts everything, prints the addresses, and waits for Ctrl-C.
///
/// # Errors
///
/// A build failed, or the server did not come up.
pub(crate) fn run(options: Options) -> Result<ExitCode> {
    install::for_build()?;
    build::all()?;

    let directory = crate::target().join("demo");
    fs::create_dir_all(&directory)?;
    let lock = File::create(directory.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!("a demo is already running; stop it with Ctrl-C in its terminal");
    }
    let database = format!("sqlite://{}", directory.join("visitflow.db").display());
    let admin = add_user(&database, "admin", &["--admin"])?;
    let customer = add_user(&database, "demo", &[])?;

    let public = choose_port(options.port)?;
    let private = free_port(PORT + 1)?;
    let log = directory.join("server.log");
    let mut server = start(&database, public, private, &log)?;
    let pid = Pid::from_raw(i32::try_from(server.id())?);
    // The server is in a process group of its own, so that one Ctrl-C is one signal to it.
    ctrlc::set_handler(move || {
        // The server may have ended by itself; then there is nothing to stop.
        let _ = kill(pid, Signal::SIGTERM);
    })?;
    wait_until_ready(&mut server, private, &log)?;

    println!();
    println!("visitflow is running.");
    println!();
    println!("  shop       http://127.0.0.1:{public}/demo");
    println!("             sign in as demo, password {customer}");
    println!("  dashboard  http://localhost:{public}/dashboard");
    println!("             sign in as admin, password {admin}");
    println!();
    println!("Two host names, because cookies do not cross them: so you are the customer in the shop and");
    println!("the admin on the dashboard at the same time.");
    println!();
    println!("  health     http://127.0.0.1:{private}/readyz");
    println!("  log        {}", log.display());
    println!();
    println!("The passwords are valid until the next start. Ctrl-C stops the server.");

    let status = server.wait()?;
    if status.success() {
        println!("stopped");
        return Ok(ExitCode::SUCCESS);
    }
    bail!("the server ended with {status}; its last words:\n{}", tail(&log));
}

fn start(database: &str, public: u16, private: u16, log: &Path) -> Result<Child> {
    command(&build::server_binary().to_string_lossy())
        .args(["serve", "--cookie-secure", "auto"])
        .args(["--database-url", database])
        .args(["--listen", &format!("127.0.0.1:{public}")])
        .args(["--admin-listen", &format!("127.0.0.1:{private}")])
        .stdout(File::create(log)?)
        .stderr(File::options().append(true).open(log)?)
        .process_group(0)
        .spawn()
        .context("cannot start the server")
}

/// Adds the user, or gives the user of an earlier run a new password; returns the password.
fn add_user(database: &str, name: &str, options: &[&str]) -> Result<String> {
    let password = password()?;
    let mut child = command(&build::server_binary().to_string_lossy())
        .args(["user", "add", name])
        .args(options)
        .args(["--database-url", database])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot run the server's binary")?;
    let mut stdin = child.stdin.take().context("stdin is a pipe")?;
    writeln!(stdin, "{password}")?;
    drop(stdin);
    if !child.wait()?.success() {
        bail!("`visitflow user add {name}` failed");
    }
    Ok(password)
}

/// Twenty letters and digits that are hard to confuse, about 98 bits.
fn password() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the operating system provides no random numbers: {error}"))?;
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    Ok(bytes.iter().map(letter).collect())
}

fn choose_port(asked: Option<u16>) -> Result<u16> {
    match asked {
        Some(port) if is_free(port) => Ok(port),
        Some(port) => bail!("port {port} is in use; choose another one, or omit --port"),
        None => free_port(PORT),
    }
}

/// The preferred port, or any free one.
fn free_port(wish: u16) -> Result<u16> {
    if is_free(wish) {
        return Ok(wish);
    }
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    println!("port {wish} is in use; using port {port}");
    Ok(port)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn wait_until_ready(server: &mut Child, port: u16, log: &Path) -> Result<()> {
    let deadline = Instant::now() + READY_WITHIN;
    while !is_ready(port) {
        if let Some(status) = server.try_wait()? {
            bail!("the server ended with {status}; its last words:\n{}", tail(log));
        }
        if Instant::now() > deadline {
            server.kill()?;
            server.wait()?;
            bail!("the server was not ready in time; its last words:\n{}", tail(log));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn the_port_is_an_option() {
        assert_eq!(parse(&[]).unwrap().port, None);
        assert_eq!(parse(&["--port", "9000"]).unwrap().port, Some(9000));
        assert_eq!(parse(&["--port=9000"]).unwrap().port, Some(9000));
        for wrong in [&["--port"][..], &["--port", "x"], &["--ports", "1"], &["9000"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn two_passwords_differ() {
        assert_ne!(password().unwrap(), password().unwrap());
        assert_eq!(password().unwrap().len(), 20);
    }
}
