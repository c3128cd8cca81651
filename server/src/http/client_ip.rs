//! Whose request it is. The address serves limits only; it is neither stored nor logged.

use std::net::{IpAddr, Ipv6Addr};

use hyper::HeaderMap;
use ipnet::IpNet;

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// What limits count by: the address, of IPv6 the /64.
    pub key: IpAddr,
    /// Comes from this machine itself and was not forwarded: no limit by address applies.
    pub exempt: bool,
    /// The peer is a trusted proxy, so its other `X-Forwarded-*` headers count too.
    pub proxied: bool,
}

impl Client {
    /// The address that limits by address count, where they apply.
    #[must_use]
    pub fn counted(self) -> Option<IpAddr> {
        (!self.exempt).then_some(self.key)
    }
}

/// The rightmost address of `X-Forwarded-For` that is no trusted proxy, if the peer is one.
#[must_use]
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let is_trusted = |ip: &IpAddr| is_trusted(*ip, trusted);
    let peer = peer.to_canonical();
    let proxied = is_trusted(&peer);
    let forwarded = || -> Option<IpAddr> {
        let mut last = None;
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            for part in value.to_str().ok()?.rsplit(',') {
                let ip = part.trim().parse::<IpAddr>().ok()?.to_canonical();
                last = Some(ip);
                if !is_trusted(&ip) {
                    return last;
                }
            }
        }
        last
    };
    let was_forwarded = proxied && headers.contains_key("x-forwarded-for");
    let ip = if was_forwarded { forwarded().unwrap_or(peer) } else { peer };
    Client { key: network(ip), exempt: peer.is_loopback() && !was_forwarded, proxied }
}

/// Whether the address is one of our proxies.
#[must_use]
pub fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

/// What limits count by: of IPv6 the /64, for a subscriber has that many addresses.
#[must_use]
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !0 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(peer: &str, forwarded: &[&str]) -> (String, bool) {
        let headers = forwarded
            .iter()
            .map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()))
            .collect();
        let trusted = ["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let client = client(peer.parse().unwrap(), &headers, &trusted);
        (client.key.to_string(), client.exempt)
    }

    #[test]
    fn forwarded_addresses_count_only_from_a_trusted_proxy() {
        assert_eq!(see("203.0.113.9", &["198.51.100.1"]), ("203.0.113.9".into(), false));
        assert_eq!(see("127.0.0.1", &["198.51.100.1"]), ("198.51.100.1".into(), false));
    }

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        assert_eq!(see("127.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.7"]).0, "198.51.100.1");
        assert_eq!(see("127.0.0.1", &["1.2.3.4", "198.51.100.1"]).0, "198.51.100.1");
        assert_eq!(see("127.0.0.1", &["nonsense"]), ("127.0.0.1".into(), false));
    }

    #[test]
    fn this_machine_is_exempt_unless_it_forwards() {
        assert_eq!(see("127.0.0.1", &[]), ("127.0.0.1".into(), true));
        assert_eq!(see("::ffff:127.0.0.1", &[]), ("127.0.0.1".into(), true));
        assert_eq!(see("10.0.0.1", &[]), ("10.0.0.1".into(), false));
    }

    #[test]
    fn ipv6_counts_by_its_64() {
        assert_eq!(see("2001:db8:1:2:3:4:5:6", &[]).0, "2001:db8:1:2::");
    }
}
