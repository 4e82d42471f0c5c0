//! The options of a `bind` line: <https://docs.haproxy.org/2.6/configuration.html#5.1>.

use super::lex::HaproxyWord;
use crate::webserver::model::ListenAddress;

/// A parsed `bind` line.
#[derive(Clone, Debug, Default)]
pub(crate) struct BindLine {
    pub listens: Vec<ListenAddress>,
    /// The sources of its certificates, in order.
    pub certificates: Vec<BindSource>,
    /// Whether names that no certificate has are refused; otherwise the first certificate is
    /// served.
    pub strict: bool,
}

/// A source of certificates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum BindSource {
    /// `crt`
    Crt(HaproxyWord),
    /// `crt-list`
    List(HaproxyWord),
}

/// Options that take an argument.
const OPTIONS_WITH_ARGUMENT: [&str; 46] = [
    "accept-netscaler-cip",
    "alpn",
    "backlog",
    "ca-file",
    "ca-ignore-err",
    "ca-sign-file",
    "ca-sign-pass",
    "ca-verify-file",
    "cc",
    "ciphers",
    "ciphersuites",
    "client-sigalgs",
    "crl-file",
    "crt-ignore-err",
    "curves",
    "ecdhe",
    "expose-fd",
    "gid",
    "group",
    "guid-prefix",
    "id",
    "idle-ping",
    "interface",
    "label",
    "level",
    "maxconn",
    "mode",
    "mss",
    "name",
    "namespace",
    "nbconn",
    "nice",
    "npn",
    "ocsp-update",
    "process",
    "proto",
    "quic-cc-algo",
    "quic-socket",
    "severity-output",
    "shards",
    "sigalgs",
    "ssl-max-ver",
    "ssl-min-ver",
    "tcp-ut",
    "thread",
    "tls-ticket-keys",
];

/// The options of a `bind` line that concern its addresses.
#[derive(Default)]
struct AddressOptions {
    ssl: bool,
    accept_proxy: bool,
    v6only: bool,
}

impl BindLine {
    /// Parses the words after `bind`.
    pub(crate) fn parse(words: &[HaproxyWord]) -> Self {
        let Some((addresses, options)) = words.split_first() else {
            return Self::default();
        };
        let mut bind = Self {
            listens: super::address::parse(addresses),
            ..Self::default()
        };
        let address_options = bind.parse_options(options);
        for listen in &mut bind.listens {
            listen.ssl = address_options.ssl;
            listen.proxy_protocol = address_options.accept_proxy;
            listen.strict = bind.strict;
            // Unless the whole system is set otherwise (`net.ipv6.bindv6only`).
            let socket = listen.socket();
            let is_any_ipv6 =
                socket.is_some_and(|socket| socket.is_ipv6() && socket.ip().is_unspecified());
            listen.dual_stack = is_any_ipv6 && !address_options.v6only;
        }
        bind
    }

    fn parse_options(&mut self, options: &[HaproxyWord]) -> AddressOptions {
        let mut address_options = AddressOptions::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.text.as_str() {
                "ssl" => address_options.ssl = true,
                "accept-proxy" => address_options.accept_proxy = true,
                "v6only" => address_options.v6only = true,
                "strict-sni" => self.strict = true,
                "crt" => self
                    .certificates
                    .extend(options.next().cloned().map(BindSource::Crt)),
                // From 3.0: the certificate for names that none has.
                "default-crt" => {
                    let crt = options.next().cloned().map(BindSource::Crt);
                    self.certificates.splice(0..0, crt);
                }
                "crt-list" => self
                    .certificates
                    .extend(options.next().cloned().map(BindSource::List)),
                "uid" | "user" | "verify" => drop(options.next()),
                other if OPTIONS_WITH_ARGUMENT.contains(&other) => drop(options.next()),
                _ => {}
            }
        }
        address_options
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::{HaproxyEnvironment, words};
    use super::{BindLine, BindSource};

    #[test]
    fn options_are_distinguished_from_their_arguments() {
        for (line, expected) in [
            (
                ":443 ssl crt /a.pem crt /b alpn h2,http/1.1",
                "0.0.0.0:443 ssl /a.pem /b",
            ),
            (":80", "0.0.0.0:80"),
            (":443 name ssl", "0.0.0.0:443"),
            (
                ":443 ssl crt-list /l strict-sni crt /d verify required ca-file crt",
                "0.0.0.0:443 ssl strict @/l /d",
            ),
            (
                ":443 accept-proxy ssl crt /a user crt",
                "0.0.0.0:443 ssl proxy /a",
            ),
            (":::443 v6only,x ssl", "[::]:443 ssl dual"),
            (":::443 v6only ssl", "[::]:443 ssl"),
            (":443 ssl crt /a default-crt /d", "0.0.0.0:443 ssl /d /a"),
            (":443 ssl crt", "0.0.0.0:443 ssl"),
        ] {
            let bind = BindLine::parse(&words(line, &HaproxyEnvironment::default()).unwrap());
            let listen = &bind.listens[0];
            let mut shown = listen.to_string();
            let flags = [
                (listen.ssl, " ssl"),
                (listen.strict, " strict"),
                (listen.proxy_protocol, " proxy"),
                (listen.dual_stack, " dual"),
            ];
            shown.extend(flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name));
            for source in &bind.certificates {
                match source {
                    BindSource::Crt(word) => shown.push_str(&format!(" {}", word.text)),
                    BindSource::List(word) => shown.push_str(&format!(" @{}", word.text)),
                }
            }
            assert_eq!(shown, expected, "{line}");
        }
        assert!(BindLine::parse(&[]).listens.is_empty());
    }
}
