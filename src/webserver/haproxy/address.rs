//! The addresses of a `bind` line: <https://docs.haproxy.org/2.6/configuration.html#4.2-bind>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lex::HaproxyWord;
use crate::webserver::model::{ListenAddress, ListenInterface};

/// All of a list `a:80,b:443`; what only HAProxy can tell is an [`ListenInterface::Unknown`].
pub(crate) fn parse(word: &HaproxyWord) -> Vec<ListenAddress> {
    let unknown = |text: &str| {
        vec![ListenAddress::on(
            ListenInterface::Unknown(text.to_owned()),
            0,
        )]
    };
    if word.open {
        return unknown(&word.text);
    }
    word.text
        .split(',')
        .flat_map(|one| place(one).unwrap_or_else(|| unknown(one)))
        .collect()
}

fn place(text: &str) -> Option<Vec<ListenAddress>> {
    let (family, rest) = text.split_once('@').unwrap_or(("", text));
    let (udp, family) = match family.strip_prefix("quic") {
        Some(version) => (true, format!("ipv{version}")),
        None => (
            family.starts_with("udp"),
            family.replace("stream+", "").replace("udp", "ipv"),
        ),
    };
    if family == "unix" || (family.is_empty() && rest.starts_with('/')) {
        return Some(vec![ListenAddress::on(
            ListenInterface::Unix(rest.to_owned()),
            0,
        )]);
    }
    let any: IpAddr = match family.as_str() {
        "" | "ipv4" => Ipv4Addr::UNSPECIFIED.into(),
        "ipv6" => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let (host, ports) = rest.rsplit_once(':')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let ports = first.parse::<u16>().ok()?..=last.parse().ok()?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let interface = match host {
        "" | "*" => ListenInterface::Address(any),
        host => host.parse().map_or_else(
            |_| ListenInterface::Host(host.to_ascii_lowercase()),
            ListenInterface::Address,
        ),
    };
    Some(
        ports
            .map(|port| ListenAddress {
                udp,
                ..ListenAddress::on(interface.clone(), port)
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::lex::HaproxyWord;
    use super::parse;

    #[test]
    fn every_way_to_say_where() {
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
                open: false,
            });
            let told: Vec<String> = listens.iter().map(ToString::to_string).collect();
            assert_eq!(told.join(" "), expected, "{text}");
            assert_eq!(
                listens.iter().any(|listen| listen.udp),
                text.starts_with("quic"),
                "{text}"
            );
        }
        let open = parse(&HaproxyWord {
            text: "${ADDR}:443".to_owned(),
            open: true,
        });
        assert_eq!(open[0].to_string(), "${ADDR}:443");
    }
}
