//! The options of a `bind` line: <https://docs.haproxy.org/2.6/configuration.html#5.1>.

use super::lex::HaproxyWord;
use crate::webserver::model::ListenAddress;

/// What a `bind` line says.
#[derive(Clone, Debug, Default)]
pub(crate) struct BindLine {
    pub(crate) listens: Vec<ListenAddress>,
    /// In their order.
    pub(crate) certificates: Vec<BindSource>,
    /// Names that no certificate has are refused; else the first certificate is shown.
    pub(crate) strict: bool,
}

/// Where certificates come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum BindSource {
    /// `crt`
    Crt(HaproxyWord),
    /// `crt-list`
    List(HaproxyWord),
}

/// Options that take a word, which is no option then.
const WITH_WORD: [&str; 46] = [
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

impl BindLine {
    /// Of the words after `bind`.
    pub(crate) fn parse(words: &[HaproxyWord]) -> Self {
        let Some((place, options)) = words.split_first() else {
            return Self::default();
        };
        let mut bind = Self {
            listens: super::address::parse(place),
            ..Self::default()
        };
        let (mut ssl, mut proxy, mut v6only) = (false, false, false);
        let mut options = options.iter();
        while let Some(option) = options.next() {
            match option.text.as_str() {
                "ssl" => ssl = true,
                "accept-proxy" => proxy = true,
                "strict-sni" => bind.strict = true,
                "v6only" => v6only = true,
                "crt" => bind
                    .certificates
                    .extend(options.next().cloned().map(BindSource::Crt)),
                // From 3.0: the one that is shown when no name fits.
                "default-crt" => {
                    let crt = options.next().cloned().map(BindSource::Crt);
                    bind.certificates.splice(0..0, crt);
                }
                "crt-list" => bind
                    .certificates
                    .extend(options.next().cloned().map(BindSource::List)),
                "uid" | "user" | "verify" => drop(options.next()),
                other if WITH_WORD.contains(&other) => drop(options.next()),
                _ => {}
            }
        }
        for listen in &mut bind.listens {
            (listen.ssl, listen.proxy_protocol, listen.strict) = (ssl, proxy, bind.strict);
            // Unless the whole system says otherwise (`net.ipv6.bindv6only`).
            let any6 = listen
                .socket()
                .is_some_and(|socket| socket.is_ipv6() && socket.ip().is_unspecified());
            listen.dual_stack = any6 && !v6only;
        }
        bind
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex::{HaproxyEnvironment, words};
    use super::{BindLine, BindSource};

    #[test]
    fn options_and_their_words_are_told_apart() {
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
            let mut told = bind.listens[0].to_string();
            let listen = &bind.listens[0];
            let flags = [
                (listen.ssl, " ssl"),
                (listen.strict, " strict"),
                (listen.proxy_protocol, " proxy"),
                (listen.dual_stack, " dual"),
            ];
            told.extend(flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name));
            for source in &bind.certificates {
                match source {
                    BindSource::Crt(word) => told.push_str(&format!(" {}", word.text)),
                    BindSource::List(word) => told.push_str(&format!(" @{}", word.text)),
                }
            }
            assert_eq!(told, expected, "{line}");
        }
        assert!(BindLine::parse(&[]).listens.is_empty());
    }
}
