//! What `listen` says: <https://nginx.org/en/docs/http/ngx_http_core_module.html#listen>.

use std::net::Ipv4Addr;

use crate::webserver::model::{ListenAddress, ListenInterface};

/// Without `listen`, nginx takes port 80 of all IPv4 addresses.
pub(crate) fn default_listen() -> ListenAddress {
    ListenAddress::on(ListenInterface::Address(Ipv4Addr::UNSPECIFIED.into()), 80)
}

/// The arguments of one `listen`; several for a range of ports, none when it says nothing that
/// nginx would take.
pub(crate) fn parse(arguments: &[String]) -> Vec<ListenAddress> {
    let Some((place, options)) = arguments.split_first() else {
        return Vec::new();
    };
    let has = |names: &[&str]| {
        options
            .iter()
            .any(|option| names.contains(&option.as_str()))
    };
    interfaces(place)
        .into_iter()
        .map(|(interface, port)| ListenAddress {
            ssl: has(&["ssl"]),
            proxy_protocol: has(&["proxy_protocol"]),
            udp: has(&["quic", "udp"]),
            default_server: has(&["default_server", "default"]),
            dual_stack: has(&["ipv6only=off"]),
            ..ListenAddress::on(interface, port)
        })
        .collect()
}

fn interfaces(place: &str) -> Vec<(ListenInterface, u16)> {
    if let Some(path) = place.strip_prefix("unix:") {
        return vec![(ListenInterface::Unix(path.to_owned()), 0)];
    }
    let any = || ListenInterface::Address(Ipv4Addr::UNSPECIFIED.into());
    if let Some(ports) = ports(place) {
        return ports.map(|port| (any(), port)).collect();
    }
    let (host, rest) = match place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => place
            .split_once(':')
            .map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let interface = match host {
        "*" => any(),
        "localhost" => ListenInterface::Address(Ipv4Addr::LOCALHOST.into()),
        host => host.parse().map_or_else(
            |_| ListenInterface::Host(host.to_ascii_lowercase()),
            ListenInterface::Address,
        ),
    };
    match rest.map_or(Some(80..=80), ports) {
        Some(ports) => ports.map(|port| (interface.clone(), port)).collect(),
        None => Vec::new(),
    }
}

/// `443` or `8000-8010`.
fn ports(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::{ListenAddress, parse};

    #[test]
    fn every_way_to_say_where() {
        for (text, expected) in [
            ("443 ssl", "0.0.0.0:443 ssl"),
            ("*:443 ssl default_server", "0.0.0.0:443 ssl default"),
            ("80", "0.0.0.0:80"),
            ("127.0.0.1", "127.0.0.1:80"),
            ("127.0.0.1:8443 ssl http2", "127.0.0.1:8443 ssl"),
            ("[::]:443 ssl ipv6only=off", "[::]:443 ssl dual"),
            ("[::1]", "[::1]:80"),
            (
                "[2001:db8::1]:443 ssl reuseport backlog=5",
                "[2001:db8::1]:443 ssl",
            ),
            ("localhost:8080", "127.0.0.1:8080"),
            ("www.Example.com:443 ssl", "www.example.com:443 ssl"),
            ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("443 quic reuseport", "0.0.0.0:443 udp"),
            ("10.0.0.1:443 ssl proxy_protocol", "10.0.0.1:443 ssl proxy"),
            ("8000-8002", "0.0.0.0:8000 0.0.0.0:8001 0.0.0.0:8002"),
            ("1.2.3.4:99999", ""),
            ("", ""),
        ] {
            let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let listens: Vec<String> = parse(&arguments).iter().map(told).collect();
            assert_eq!(listens.join(" "), expected, "{text}");
        }
    }

    fn told(listen: &ListenAddress) -> String {
        let flags = [
            (listen.ssl, " ssl"),
            (listen.proxy_protocol, " proxy"),
            (listen.udp, " udp"),
            (listen.default_server, " default"),
            (listen.dual_stack, " dual"),
        ];
        let flags: String = flags
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, name)| *name)
            .collect();
        format!("{listen}{flags}")
    }
}
