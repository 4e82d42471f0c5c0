//! A site whose names, web server and CA are on loopback, for the tests of `certctl order`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::dns::{NameServer, TsigKey, port_53};
use super::install_sandbox::tree;
use super::json::Json;
use super::nginx::Nginx;
use super::pebble::{Pebble, PebbleOptions};
use super::{Run, Sandbox};

/// The names in the zone shop.example.
pub const NAMES: [&str; 2] = ["shop.example", "www.shop.example"];

/// A site whose names, web server and CA are on loopback.
pub struct OrderLab {
    pub sandbox: Sandbox,
    pub resolver: IpAddr,
    pub site: IpAddr,
    pub pebble: Pebble,
    pub knot: NameServer,
}

impl OrderLab {
    /// `number` is different in each test.
    pub fn start(number: u8, options: PebbleOptions) -> Self {
        let records = |site: IpAddr| format!("@ A {site}\nwww A {site}");
        Self::with_records(number, options, records, None)
    }

    /// The same with other records for the names, from the address of the site. pebble resolves names
    /// at `ca_name_server`, or at the same server.
    pub fn with_records(
        number: u8,
        options: PebbleOptions,
        records: impl FnOnce(IpAddr) -> String,
        ca_name_server: Option<SocketAddr>,
    ) -> Self {
        let name_server = port_53(0, number * 3);
        let site = port_53(1, number * 3).ip();
        let ca = port_53(2, number * 3).ip();
        let hosts = format!(
            "ns1 A {}\nns2 A {}\n{}",
            name_server.ip(),
            name_server.ip(),
            records(site)
        );
        let key = TsigKey::new("certctl");
        let knot = NameServer::knot_with_updates(&[name_server], &hosts, &key, "");
        let sandbox = Sandbox::new();
        let credentials = format!(
            "[dns.rfc2136]\nnameserver = \"{name_server}\"\ntsig_key = \"{}\"\ntsig_secret = \"{}\"\n",
            key.name, key.secret
        );
        sandbox.write_key("tree/etc/certctl/credentials.toml", credentials);
        std::fs::create_dir_all(sandbox.join("webroot")).unwrap();
        Self {
            pebble: Pebble::start(ca, ca_name_server.unwrap_or(name_server), options),
            sandbox,
            resolver: name_server.ip(),
            site,
            knot,
        }
    }

    /// The block that serves the webroot on port 80.
    pub fn plain_block(&self) -> String {
        let webroot = self.sandbox.join("webroot");
        format!(
            "server {{ listen {}:80; server_name {}; root {}; }}\n",
            self.site,
            NAMES.join(" "),
            webroot.display()
        )
    }

    /// The same and a block for TLS, which redirects nothing.
    pub fn both_blocks(&self) -> String {
        self.blocks_in(&self.sandbox.join("tree").display().to_string())
    }

    /// The same for a certificate that is installed in another tree.
    pub fn blocks_in(&self, root: &str) -> String {
        let root = root.trim_end_matches('/');
        format!(
            "{}server {{ listen {}:443 ssl; server_name {};\nssl_protocols TLSv1.2 TLSv1.3;\n\
             ssl_certificate {root}/etc/ssl/shop.example.fullchain.pem;\n\
             ssl_certificate_key {root}/etc/ssl/private/shop.example.key; return 204; }}\n",
            self.plain_block(),
            self.site,
            NAMES.join(" ")
        )
    }

    pub fn resolver(&self) -> IpAddr {
        self.resolver
    }

    pub fn nginx(&self, http: &str) -> Nginx {
        Nginx::start(&self.sandbox.join("nginx"), http)
    }

    pub fn words(&self, names: &[&str], more: &[&str]) -> Vec<String> {
        let words = ["--root", "tree", "order"].iter().chain(names);
        let mut words: Vec<String> = words.map(ToString::to_string).collect();
        let options = [
            ("--ca", self.pebble.directory()),
            ("--trust", self.pebble.roots().display().to_string()),
            ("--resolver", self.resolver.to_string()),
        ];
        for (option, value) in options {
            words.extend([option.to_owned(), value]);
        }
        words.extend(more.iter().map(ToString::to_string));
        words
    }

    pub fn order(&self, more: &[&str]) -> Run {
        let files = ["--webroot", "webroot", "--agree-tos", "--json"];
        self.order_names(&NAMES, &[&files[..], more].concat())
    }

    pub fn order_names(&self, names: &[&str], more: &[&str]) -> Run {
        let words = self.words(names, more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.sandbox.run(&words)
    }

    /// The files in a folder of the state.
    pub fn state(&self, folder: &str) -> Vec<PathBuf> {
        let path = self.sandbox.join("tree/var/lib/certctl").join(folder);
        tree(&path).into_keys().collect()
    }

    pub fn webroot_files(&self) -> Vec<PathBuf> {
        let path = self.sandbox.join("webroot/.well-known/acme-challenge");
        tree(&path).into_keys().collect()
    }
}

/// The verdict of a document.
pub fn verdict(document: &Json) -> &str {
    document["verdict"].as_str().unwrap()
}

/// The fingerprint of its first certificate.
pub fn sha256(document: &Json) -> String {
    document["certificates"][0]["sha256"]
        .as_str()
        .unwrap()
        .to_owned()
}
