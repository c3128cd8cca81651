//! The values of flags.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use clap::ValueEnum;
use ipnet::IpNet;
use jiff::SpanRelativeTo;

use crate::session::Millis;

/// Which cookies get `Secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CookieSecure {
    /// All, except on plain HTTP on loopback
    Auto,
    /// All
    Always,
    /// None: for tests on plain HTTP
    Never,
}

/// The session cookie's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CookiePrefix {
    /// session_id
    None,
    /// __Host-session_id, which other subdomains cannot set
    Host,
}

/// How to treat a browser's Global Privacy Control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gpc {
    /// Store what this browser sends without a visit and without a visitor
    Honour,
    /// Ignore the signal: the site has its own lawful basis
    Ignore,
}

/// Which orders are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Orders {
    /// Orders from browsers, and orders with an API key
    Any,
    /// Only orders with an API key
    Server,
}

/// A length in ms.
pub(super) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// A length of time, such as `90s`, `30m` or `1d 12h`. A day has 24 hours; months and years have no one length.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|_| "this is not a duration")?;
    let length = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| "months and years differ in length; use days or weeks")?;
    length.try_into().map_err(|_| "a duration cannot be negative".into())
}

/// As [`duration`]; the error has examples.
fn duration_such_as(examples: &str, text: &str) -> Result<Duration, String> {
    duration(text).map_err(|error| format!("{error}; for example: {examples}"))
}

/// How long a session lasts.
pub(super) fn session_length(text: &str) -> Result<Duration, String> {
    let length = duration_such_as("30m or 24h", text)?;
    let (least, most) = (Duration::from_secs(1), Duration::from_secs(400 * 86_400));
    if (least..=most).contains(&length) { Ok(length) } else { Err("write a duration from 1s to 400d".into()) }
}

/// How long an API key works.
pub(super) fn key_lifetime(text: &str) -> Result<Duration, String> {
    let length = duration_such_as("90d or 12h", text)?;
    let least = Duration::from_secs(1);
    if length >= least { Ok(length) } else { Err("a key must be valid for at least 1s".into()) }
}

/// How long a connection may wait for its client.
pub(super) fn idle_timeout(text: &str) -> Result<Duration, String> {
    let length = duration_such_as("30s or 2m", text)?;
    let (least, most) = (Duration::from_secs(1), Duration::from_secs(3_600));
    if (least..=most).contains(&length) { Ok(length) } else { Err("write a duration from 1s to 1h".into()) }
}

/// The limit of the spool, in bytes.
pub(super) fn spool_size(text: &str) -> Result<u64, String> {
    let units = [('K', 10), ('M', 20), ('G', 30)];
    let last = text.chars().next_back().unwrap_or_default().to_ascii_uppercase();
    let (digits, shift) = match units.iter().find(|(unit, _)| *unit == last) {
        Some((_, shift)) => (&text[..text.len() - 1], *shift),
        None => (text, 0),
    };
    let number: u64 =
        digits.parse().map_err(|_| "write a number of bytes, such as 1073741824, 512M or 2G")?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| (1 << 20..=1 << 40).contains(bytes))
        .ok_or_else(|| "write a size from 1M to 1024G".into())
}

/// A site, in the form in which it is stored.
pub(super) fn site_name(name: &str) -> Result<String, String> {
    crate::site::normalize(name).ok_or_else(|| "write a host name such as shop.example".into())
}

/// The domain of cookies, without the dot that browsers ignore.
pub(super) fn cookie_domain(domain: &str) -> Result<String, String> {
    let domain = domain.trim_start_matches('.').to_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !domain.is_empty() && domain.len() <= 253 && domain.chars().all(allowed) {
        Ok(domain)
    } else {
        Err("write a domain such as example.com".into())
    }
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse()
        .or_else(|_| address())
        .map_err(|_| "write a network such as 10.0.0.0/8, or one address, such as 10.0.0.1".into())
}

/// An address to listen on. A port alone means all addresses: `[::]`, which includes IPv4. Of the addresses of a name the
/// first of IPv4 counts: `localhost` is 127.0.0.1.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || {
        format!(
            "{text:?} is not an address; write 127.0.0.1:8080, localhost:8080, [::1]:8080, or :8080 for all addresses"
        )
    };
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port.parse().map_err(|_| wrong())?;
    match host {
        "" | "*" => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ if host.contains([':', '/', '[', ']']) => Err(wrong()),
        _ => {
            let found =
                (host, port).to_socket_addrs().map_err(|error| format!("{host}: {error}; {}", wrong()))?;
            let addresses: Vec<_> = found.collect();
            let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
            first.copied().ok_or_else(wrong)
        }
    }
}
