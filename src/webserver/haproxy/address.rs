//! The addresses of a `bind` line: <https://docs.haproxy.org/2.6/configuration.html#4.2-bind>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lex::HaproxyWord;
use crate::webserver::model::{ListenAddress, ListenInterface};

/// Parses a list `a:80,b:443`; an address that only HAProxy knows is a
/// [`ListenInterface::Unknown`].
pub(crate) fn parse(word: &HaproxyWord) -> Vec<ListenAddress> {
    if word.unresolved {
        return vec![unknown(&word.text)];
    }
    let mut listens = Vec::new();
    for text in word.text.split(',') {
        match parse_address(text) {
            Some(parsed) => listens.extend(parsed),
            None => listens.push(unknown(text)),
        }
    }
    listens
}

fn unknown(text: &str) -> ListenAddress {
    ListenAddress::on(ListenInterface::Unknown(text.to_owned()), 0)
}

/// Parses one address with a port or a range of ports, `[FAMILY@]HOST:PORT[-PORT]`, or a Unix
/// socket.
fn parse_address(text: &str) -> Option<Vec<ListenAddress>> {
    let (family, address) = text.split_once('@').unwrap_or(("", text));
    let (udp, family) = parse_family(family);
    if family == "unix" || (family.is_empty() && address.starts_with('/')) {
        let socket = ListenInterface::Unix(address.to_owned());
        return Some(vec![ListenAddress::on(socket, 0)]);
    }
    let any: IpAddr = match family.as_str() {
        "" | "ipv4" => Ipv4Addr::UNSPECIFIED.into(),
        "ipv6" => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let (host, ports) = address.rsplit_once(':')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let first: u16 = first.parse().ok()?;
    let last: u16 = last.parse().ok()?;
    let interface = parse_host(host, any);
    let mut listens = Vec::new();
    for port in first..=last {
        listens.push(ListenAddress {
            udp,
            ..ListenAddress::on(interface.clone(), port)
        });
    }
    Some(listens)
}

/// Returns whether the family before the `@` means UDP, and the IP family: `quic4` is UDP over
/// `ipv4`.
fn parse_family(family: &str) -> (bool, String) {
    match family.strip_prefix("quic") {
        Some(version) => (true, format!("ipv{version}")),
        None => (
            family.starts_with("udp"),
            family.replace("stream+", "").replace("udp", "ipv"),
        ),
    }
}

fn parse_host(host: &str, any: IpAddr) -> ListenInterface {
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if host.is_empty() || host == "*" {
        return ListenInterface::Address(any);
    }
    match host.parse() {
        Ok(address) => ListenInterface::Address(address),
        Err(_) => ListenInterface::Host(host.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::HaproxyWord;
    use super::parse;

    #[test]
    fn every_form_of_address_is_parsed() {
        for (text, expected) in [
            (":443", "0.0.0.0:443"),
            ("*:443", "0.0.0.0:443"),
            (":::443", "[::]:443"),
            ("[::]:443,:80", "[::]:443 0.0.0.0:80"),
            ("ipv4@:443", "0.0.0.0:443"),
            ("ipv6@:443", "[::]:443"),
            (
                "127.0.0.1:8000-8002",
                "127.0.0.1:8000 127.0.0.1:8001 127.0.0.1:8002",
            ),
            ("2001:db8::1:443", "[2001:db8::1]:443"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("WWW.example.com:443", "www.example.com:443"),
            ("/run/h.sock", "unix:/run/h.sock"),
            ("unix@/run/h.sock", "unix:/run/h.sock"),
            ("quic4@:443", "0.0.0.0:443"),
            ("abns@h", "abns@h"),
            ("fd@3", "fd@3"),
            ("127.0.0.1", "127.0.0.1"),
            (":99999", ":99999"),
        ] {
            let listens = parse(&HaproxyWord {
                text: text.to_owned(),
                unresolved: false,
            });
            let words: Vec<String> = listens.iter().map(ToString::to_string).collect();
            assert_eq!(words.join(" "), expected, "{text}");
            assert_eq!(
                listens.iter().any(|listen| listen.udp),
                text.starts_with("quic"),
                "{text}"
            );
        }
        let unresolved = parse(&HaproxyWord {
            text: "${ADDR}:443".to_owned(),
            unresolved: true,
        });
        assert_eq!(unresolved[0].to_string(), "${ADDR}:443");
    }
}
