//! Tests of the rules by which servers select a block for a name.

use super::{ListenSite, NameAnswer, own_sites};
use crate::pki::key::KeyAlgorithm;
use crate::store::layout::{ReleaseFile, StableLink};
use crate::webserver::apache;
use crate::webserver::model::{
    InstalledPaths, ListenAddress, ListenInterface, ServerConfig, ServerSoftware, TrafficKind,
};
use crate::webserver::nginx;
use crate::webserver::nginx::testing::names;

/// Asks which block answers for `host` at 127.0.0.1:443, or at the address of the first block.
fn answer_in_words(config: &ServerConfig, host: &str) -> String {
    let links = [
        StableLink::new("/c", ReleaseFile::FullChain),
        StableLink::new("/k", ReleaseFile::Key),
    ];
    let wanted = InstalledPaths {
        links: &links,
        names: &names(&["a.example"]),
        algorithm: KeyAlgorithm::Ed25519,
    };
    let first = &config.blocks()[0];
    let site = ListenSite {
        config,
        wanted: &wanted,
        part: TrafficKind::Http,
        listen: &first.listens[0],
    };
    match site.answer(host) {
        NameAnswer::Named(block) => format!("named {}", block.line),
        NameAnswer::Default(block) => format!("default {}", block.line),
        NameAnswer::Refused => "refused".to_owned(),
        NameAnswer::Unknown(blocks) => {
            let lines: Vec<String> = blocks.iter().map(|block| block.line.to_string()).collect();
            format!("unknown {}", lines.join(" "))
        }
    }
}

fn nginx_config(servers: &[&str]) -> ServerConfig {
    let blocks: Vec<String> = servers
        .iter()
        .map(|server| {
            format!("server {{ {server} ssl_certificate /x; ssl_certificate_key /y; }}\n")
        })
        .collect();
    nginx::testing::config(&format!("http {{ {} }}", blocks.concat())).to_server_config()
}

#[test]
fn nginx_selects_the_block_by_its_rules() {
    for (servers, host, expected) in [
        // An exact name, then the longest leading wildcard, then the longest trailing one.
        (
            vec![
                "listen 443 ssl; server_name a.*;",
                "listen 443 ssl; server_name *.example;",
                "listen 443 ssl; server_name *.b.example;",
                "listen 443 ssl; server_name a.b.example;",
            ],
            vec!["a.b.example", "c.b.example", "c.example", "a.test"],
            vec!["named 4", "named 3", "named 2", "named 1"],
        ),
        // The first of two blocks with one name.
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 443 ssl; server_name a.example;",
                "listen 443 ssl; server_name a.example;",
            ],
            vec!["a.example"],
            vec!["named 2"],
        ),
        // The first block is the default, unless another one says that it is.
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 443 ssl; server_name y.example;",
            ],
            vec!["a.example"],
            vec!["default 1"],
        ),
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 443 ssl default_server; server_name _;",
            ],
            vec!["a.example", "_"],
            vec!["default 2", "default 2"],
        ),
    ] {
        assert_answers(&servers, &host, &expected);
    }
}

fn assert_answers(servers: &[&str], hosts: &[&str], expected: &[&str]) {
    let config = nginx_config(servers);
    let shown: Vec<String> = hosts
        .iter()
        .map(|host| answer_in_words(&config, host))
        .collect();
    assert_eq!(shown, expected, "{servers:?}");
}

#[test]
fn nginx_compares_expressions_last_and_may_reject_a_name() {
    for (servers, host, expected) in [
        // The first regular expression that matches, if no name does.
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 443 ssl; server_name ~^b ~\\.Test$;",
                "listen 443 ssl; server_name ~^a;",
            ],
            vec!["a.example", "x.example", "a.test", "c.example"],
            vec!["named 3", "named 1", "named 2", "default 1"],
        ),
        // Only nginx knows what this expression matches, but a name goes before it.
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 443 ssl; server_name ~(?<=x)a;",
            ],
            vec!["a.example", "x.example"],
            vec!["unknown 2 1", "named 1"],
        ),
        // A block that rejects handshakes, by its name and as the default.
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 443 ssl; server_name a.example; ssl_reject_handshake on;",
                "listen 8443 ssl; server_name a.example;",
            ],
            vec!["a.example", "x.example", "y.example"],
            vec!["refused", "named 1", "default 1"],
        ),
        (
            vec!["listen 443 ssl; ssl_reject_handshake on;"],
            vec!["a.example"],
            vec!["refused"],
        ),
        // A regular expression of the default decides nothing.
        (
            vec!["listen 443 ssl; server_name ~(?<=x)a;"],
            vec!["a.example"],
            vec!["default 1"],
        ),
        // Blocks at other addresses and ports do not count.
        (
            vec![
                "listen 443 ssl; server_name x.example;",
                "listen 8443 ssl; listen [::]:443 ssl; server_name a.example;",
                "listen 127.0.0.1:443 ssl; server_name a.example;",
            ],
            vec!["a.example"],
            vec!["default 1"],
        ),
    ] {
        assert_answers(&servers, &host, &expected);
    }
}

#[test]
fn apache_selects_the_first_host_with_the_name() {
    let host = |names: &str| {
        format!(
            "<VirtualHost *:443>\n{names}\nSSLEngine on\nSSLCertificateFile /x\n\
             SSLCertificateKeyFile /y\n</VirtualHost>\n"
        )
    };
    let config = apache::testing::config(&format!(
        "Listen 443\n{}{}{}",
        host("ServerName x.example\nServerAlias *.b.example"),
        host("ServerName a.b.example"),
        host("ServerName a.example"),
    ))
    .to_server_config();
    for (name, expected) in [
        ("a.b.example", "named 2"),
        ("a.example", "named 15"),
        ("z.example", "default 2"),
    ] {
        assert_eq!(answer_in_words(&config, name), expected, "{name}");
    }
}

#[test]
fn haproxy_answers_by_the_certificate_and_may_refuse_other_names() {
    for (strict, expected) in [(false, "default 1"), (true, "refused")] {
        let mut config = nginx_config(&["listen 443 ssl; server_name x.example;"]);
        let mut blocks = config.blocks().to_vec();
        blocks[0].listens[0].strict = strict;
        config = ServerConfig::new(ServerSoftware::Haproxy, &config.file, blocks);
        assert_eq!(answer_in_words(&config, "a.example"), expected);
        assert_eq!(answer_in_words(&config, "x.example"), "named 1");
    }
}

#[test]
fn every_tls_address_of_the_certificate_is_a_site() {
    let config = nginx::testing::config(
        "http { server { listen 80; listen 443 ssl; listen [::1]:8443 ssl; listen 443 quic;\n\
         server_name a.example; ssl_certificate /c; ssl_certificate_key /k; } }",
    )
    .to_server_config();
    let links = [
        StableLink::new("/c", ReleaseFile::FullChain),
        StableLink::new("/k", ReleaseFile::Key),
    ];
    let wanted = InstalledPaths {
        links: &links,
        names: &names(&["a.example"]),
        algorithm: KeyAlgorithm::Ed25519,
    };
    let listens: Vec<String> = own_sites(&config, &wanted)
        .iter()
        .map(|site| site.listen.to_string())
        .collect();
    assert_eq!(listens, ["0.0.0.0:443", "[::1]:8443"]);
}

#[test]
fn a_socket_that_nobody_listens_on_is_refused() {
    let config = nginx_config(&["listen 443 ssl; server_name x.example;"]);
    let wanted = InstalledPaths {
        links: &[],
        names: &[],
        algorithm: KeyAlgorithm::Ed25519,
    };
    let listen = ListenAddress::on(ListenInterface::Unix("/s".to_owned()), 0);
    let site = ListenSite {
        config: &config,
        wanted: &wanted,
        part: TrafficKind::Http,
        listen: &listen,
    };
    assert!(matches!(site.answer("x.example"), NameAnswer::Refused));
}
