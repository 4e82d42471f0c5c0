//! Parses `listen`: <https://nginx.org/en/docs/http/ngx_http_core_module.html#listen>.

use std::net::Ipv4Addr;

use crate::webserver::model::{ListenAddress, ListenInterface};

/// The address of a server without `listen`: port 80 of all IPv4 addresses.
pub(crate) fn default_listen() -> ListenAddress {
    ListenAddress::on(ListenInterface::Address(Ipv4Addr::UNSPECIFIED.into()), 80)
}

/// Parses the arguments of one `listen`: several addresses for a range of ports, none where nginx
/// would reject it.
pub(crate) fn parse(arguments: &[String]) -> Vec<ListenAddress> {
    let Some((place, options)) = arguments.split_first() else {
        return Vec::new();
    };
    interfaces(place)
        .into_iter()
        .map(|(interface, port)| ListenAddress {
            ssl: has_any(options, &["ssl"]),
            proxy_protocol: has_any(options, &["proxy_protocol"]),
            udp: has_any(options, &["quic", "udp"]),
            default_server: has_any(options, &["default_server", "default"]),
            dual_stack: has_any(options, &["ipv6only=off"]),
            ..ListenAddress::on(interface, port)
        })
        .collect()
}

fn has_any(options: &[String], names: &[&str]) -> bool {
    options
        .iter()
        .any(|option| names.contains(&option.as_str()))
}

fn interfaces(place: &str) -> Vec<(ListenInterface, u16)> {
    if let Some(path) = place.strip_prefix("unix:") {
        return vec![(ListenInterface::Unix(path.to_owned()), 0)];
    }
    if let Some(ports) = ports(place) {
        return ports.map(|port| (parse_host("*"), port)).collect();
    }
    let (host, port) = split_host_and_port(place);
    let interface = parse_host(host);
    match port.map_or(Some(80..=80), ports) {
        Some(ports) => ports.map(|port| (interface.clone(), port)).collect(),
        None => Vec::new(),
    }
}

fn split_host_and_port(place: &str) -> (&str, Option<&str>) {
    let bracketed = place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    if let Some((host, rest)) = bracketed {
        return (host, rest.strip_prefix(':'));
    }
    match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    }
}

fn parse_host(host: &str) -> ListenInterface {
    match host {
        "*" => ListenInterface::Address(Ipv4Addr::UNSPECIFIED.into()),
        "localhost" => ListenInterface::Address(Ipv4Addr::LOCALHOST.into()),
        host => match host.parse() {
            Ok(address) => ListenInterface::Address(address),
            Err(_) => ListenInterface::Host(host.to_ascii_lowercase()),
        },
    }
}

/// Parses `443` or `8000-8010`.
fn ports(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::{ListenAddress, parse};

    #[test]
    fn every_form_of_listen_is_parsed() {
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
            let listens: Vec<String> = parse(&arguments).iter().map(shown).collect();
            assert_eq!(listens.join(" "), expected, "{text}");
        }
    }

    fn shown(listen: &ListenAddress) -> String {
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
