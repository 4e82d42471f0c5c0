//! Where a server passes requests to: the address of an application.

use std::fmt;
use std::path::PathBuf;

/// The address of an application behind a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum UpstreamAddress {
    /// A host name or an address without brackets, and a port.
    Socket {
        /// The host, as the configuration spells it.
        host: String,
        /// The port of the application.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl UpstreamAddress {
    /// Parses an address, with or without a scheme and a path: `http://127.0.0.1:8000/x`,
    /// `unix:/run/app.sock`, `localhost:9000`. `None` for variables and for names without a port.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            // Apache: `unix:/run/app.sock|fcgi://localhost/`.
            Some((scheme, _)) if scheme.starts_with("unix:") => ("", scheme),
            Some((scheme, rest)) => (scheme, rest),
            None => ("", text),
        };
        if rest.contains('$') {
            return None;
        }
        Self::parse_unix(rest).or_else(|| Self::parse_socket(scheme, rest))
    }

    fn parse_unix(text: &str) -> Option<Self> {
        let path = strip_any(text, &["unix:", "unix@"])
            .or_else(|| text.starts_with('/').then_some(text))?;
        let end = path.find([':', '|']).unwrap_or(path.len());
        Some(Self::Unix(path[..end].into()))
    }

    fn parse_socket(scheme: &str, text: &str) -> Option<Self> {
        let rest = strip_any(text, &["ipv4@", "ipv6@"]).unwrap_or(text);
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, default_port(scheme)?),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then(|| Self::Socket {
            host: host.to_owned(),
            port,
        })
    }
}

fn strip_any<'a>(text: &'a str, starts: &[&str]) -> Option<&'a str> {
    starts.iter().find_map(|start| text.strip_prefix(start))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

impl fmt::Display for UpstreamAddress {
    /// Formats the address as configurations spell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Socket { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UpstreamAddress;

    #[test]
    fn addresses_are_parsed_as_servers_spell_them() {
        for (text, address) in [
            ("http://127.0.0.1:8000", Some("127.0.0.1:8000")),
            ("http://127.0.0.1:8000/app/", Some("127.0.0.1:8000")),
            ("https://app.example", Some("app.example:443")),
            ("http://[::1]:8000/", Some("[::1]:8000")),
            ("http://[::1]", Some("[::1]:80")),
            (
                "http://unix:/run/gunicorn.sock:/x",
                Some("unix:/run/gunicorn.sock"),
            ),
            ("unix:/run/php/fpm.sock", Some("unix:/run/php/fpm.sock")),
            (
                "unix:/run/php/fpm.sock|fcgi://localhost/",
                Some("unix:/run/php/fpm.sock"),
            ),
            ("unix@/run/app.sock", Some("unix:/run/app.sock")),
            ("/run/app.sock", Some("unix:/run/app.sock")),
            ("ipv4@127.0.0.1:9", Some("127.0.0.1:9")),
            ("::1:8000", Some("[::1]:8000")),
            ("127.0.0.1:9000", Some("127.0.0.1:9000")),
            ("http://$backend:80", None),
            ("app", None),
            ("fcgi://localhost/", None),
            ("127.0.0.1:${PORT}", None),
            ("", None),
        ] {
            let parsed = UpstreamAddress::parse(text).map(|address| address.to_string());
            assert_eq!(parsed.as_deref(), address, "{text}");
        }
    }
}
