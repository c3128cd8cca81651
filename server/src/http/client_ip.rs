//! The client's address. It serves limits only; it is neither stored nor logged.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;
use ipnet::IpNet;

use super::fields;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// What limits count by: the address, of IPv6 the /64.
    pub key: IpAddr,
    /// Whether the request comes from this machine and was not forwarded: then no limit by address applies.
    pub exempt: bool,
    /// Whether the peer is a trusted proxy, so that its other `X-Forwarded-*` headers count too.
    pub proxied: bool,
}

impl Client {
    /// The address by which limits count, if they apply.
    #[must_use]
    pub fn counted(self) -> Option<IpAddr> {
        (!self.exempt).then_some(self.key)
    }
}

/// The rightmost address in `X-Forwarded-For` that is not a trusted proxy, if the peer is one.
///
/// Invariant: an unreadable hop never counts as the proxy that sent it, because all clients of the proxy share that
/// address. A hop that is not an address (`unknown`, a name) ends the search, and its text is what limits count by.
#[must_use]
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let peer = peer.to_canonical();
    let proxied = is_trusted(peer, trusted);
    let was_forwarded = proxied && headers.contains_key(FORWARDED_FOR);
    let key = if was_forwarded { forwarded(headers, trusted) } else { network(peer) };
    Client { key, exempt: peer.is_loopback() && !was_forwarded, proxied }
}

fn forwarded(headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut key = key_of_text(b"");
    for hop in fields::elements(headers, FORWARDED_FOR).rev() {
        let Some(ip) = std::str::from_utf8(hop).ok().and_then(address) else {
            return key_of_text(hop);
        };
        key = network(ip);
        if !is_trusted(ip, trusted) {
            break;
        }
    }
    key
}

/// The address of a hop, as proxies write it: with or without a port, brackets around IPv6, or a zone.
fn address(hop: &str) -> Option<IpAddr> {
    let plain = |text: &str| text.split('%').next()?.parse::<IpAddr>().ok();
    let ip = plain(hop)
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| plain(hop.strip_prefix('[')?.split_once(']')?.0))
        .or_else(|| hop.split_once(':')?.0.parse::<Ipv4Addr>().ok().map(IpAddr::V4))?;
    Some(ip.to_canonical())
}

/// What limits count by if a hop is not an address: a hash of its text without the port, in a block of addresses that
/// nobody has (fc00::/8, RFC 4193 §3.1).
fn key_of_text(hop: &[u8]) -> IpAddr {
    let digits = hop.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let name = hop[..hop.len() - digits].strip_suffix(b":").unwrap_or(hop);
    let mut hasher = DefaultHasher::new();
    name.to_ascii_lowercase().hash(&mut hasher);
    let network = 0xfc << 56 | hasher.finish() >> 8;
    Ipv6Addr::from_bits(u128::from(network) << 64).into()
}

/// Whether the address is a trusted proxy.
#[must_use]
pub fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

/// What limits count by: of IPv6 the /64, because one subscriber has that many addresses.
#[must_use]
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !0 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn see(peer: &str, forwarded: &[&[u8]]) -> (String, bool) {
        let headers = forwarded
            .iter()
            .map(|value| (FORWARDED_FOR.parse().unwrap(), HeaderValue::from_bytes(value).unwrap()))
            .collect();
        let trusted = ["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let client = client(peer.parse().unwrap(), &headers, &trusted);
        (client.key.to_string(), client.exempt)
    }

    fn key(forwarded: &[&[u8]]) -> String {
        let (key, exempt) = see("127.0.0.1", forwarded);
        assert!(!exempt, "{forwarded:?}");
        key
    }

    #[test]
    fn forwarded_addresses_count_only_from_a_trusted_proxy() {
        assert_eq!(see("203.0.113.9", &[b"198.51.100.1"]), ("203.0.113.9".into(), false));
        assert_eq!(see("127.0.0.1", &[b"198.51.100.1"]), ("198.51.100.1".into(), false));
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        assert_eq!(key(&[b"1.2.3.4, 198.51.100.1, 10.0.0.7"]), "198.51.100.1");
        assert_eq!(key(&[b"1.2.3.4", b"198.51.100.1"]), "198.51.100.1");
        assert_eq!(key(&[b"10.0.0.9, 10.0.0.7"]), "10.0.0.9");
    }

    #[test]
    fn ports_brackets_quotes_zones_and_empty_parts_hide_no_address() {
        for (written, ip) in [
            ("198.51.100.1:40000", "198.51.100.1"),
            ("198.51.100.1:", "198.51.100.1"),
            (" 198.51.100.1:40000 , 10.0.0.7:443", "198.51.100.1"),
            ("198.51.100.1, , ", "198.51.100.1"),
            ("\"198.51.100.1:40000\"", "198.51.100.1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("[::ffff:198.51.100.1]:443", "198.51.100.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::"),
            ("[2001:DB8:1:2:3:4:5:6]:443", "2001:db8:1:2::"),
            ("\"[2001:db8:1:2::6]:443\"", "2001:db8:1:2::"),
            ("[2001:db8:1:2::6]:x", "2001:db8:1:2::"),
            ("2001:db8:1:2::6%eth0", "2001:db8:1:2::"),
            ("[2001:db8:1:2::6%25eth0]:443", "2001:db8:1:2::"),
        ] {
            assert_eq!(key(&[written.as_bytes()]), ip, "{written}");
        }
        assert_eq!(key(&[b"1.2.3.4, caf\xe9", b"198.51.100.1:1"]), "198.51.100.1");
    }

    #[test]
    fn a_hop_that_is_no_address_is_a_key_of_its_own_and_never_the_proxy() {
        let odd: [&[u8]; 7] =
            [b"unknown", b"_hidden", b"198.51.100.300", b"caf\xe9", b"", b", ,", b"a.example:1"];
        let keys: Vec<_> = odd.iter().map(|hop| key(&[hop])).collect();
        for (hop, key) in odd.iter().zip(&keys) {
            assert!(key.starts_with("fc"), "{hop:?}: {key}");
        }
        assert_ne!(keys[0], keys[1]);
        assert_eq!(key(&[b"1.2.3.4, Unknown, 10.0.0.7"]), keys[0], "what is left of it is anybody's word");
        assert_eq!(keys[4], keys[5]);
        assert_eq!(keys[6], key(&[b"a.example:2"]), "a port makes no other client");
    }

    #[test]
    fn this_machine_is_exempt_unless_it_forwards() {
        assert_eq!(see("127.0.0.1", &[]), ("127.0.0.1".into(), true));
        assert_eq!(see("::ffff:127.0.0.1", &[]), ("127.0.0.1".into(), true));
        assert_eq!(see("10.0.0.1", &[]), ("10.0.0.1".into(), false));
        assert!(!see("127.0.0.1", &[b"unknown"]).1);
    }

    #[test]
    fn ipv6_counts_by_its_64() {
        assert_eq!(see("2001:db8:1:2:3:4:5:6", &[]).0, "2001:db8:1:2::");
    }
}
