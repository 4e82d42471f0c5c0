//! The lines that make a server answer for the names of a certificate where no block does so yet.
//! They never say what the site serves: only its administrator knows that.

use std::net::{IpAddr, SocketAddr};

use super::config::ServerConfig;
use super::listen::{ListenAddress, ListenInterface};
use super::site_addresses::{SiteAddresses, is_public_at};
use super::software::ServerSoftware;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;

/// The port of https.
const HTTPS: u16 = 443;

/// A section that serves names in plain text and can serve them over TLS as well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PlainSite {
    /// `FILE:LINE`.
    pub place: String,
    /// The addresses that it listens on.
    pub listens: Vec<ListenAddress>,
}

/// The names and files of a certificate for which no block answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnservedNames<'a> {
    pub config: &'a ServerConfig,
    pub names: &'a [DnsName],
    pub links: &'a [StableLink],
    /// Whether the machine supports IPv6.
    pub ipv6: bool,
    pub plain_site: Option<&'a PlainSite>,
}

/// Lines, and where they belong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LinesToAdd {
    pub place: LinesPlace,
    pub lines: Vec<String>,
    /// Lines that belong outside of any block.
    pub outside: Vec<String>,
}

/// Where lines belong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LinesPlace {
    /// This existing block, `FILE:LINE`.
    Block(String),
    /// The ends of these lines, each `FILE:LINE`.
    LineEnds(Vec<String>),
    /// A block for these names, which the administrator has or writes.
    OwnBlock,
}

impl UnservedNames<'_> {
    /// Returns the lines in the syntax of the server.
    #[must_use]
    pub(crate) fn lines_to_add(&self) -> LinesToAdd {
        match self.config.software {
            ServerSoftware::Apache => self.apache_lines(),
            ServerSoftware::Haproxy => self.haproxy_lines(),
            ServerSoftware::Nginx => self.nginx_lines(),
        }
    }

    fn certificate_lines(&self) -> Vec<String> {
        self.config.software.certificate_lines(self.links)
    }

    fn nginx_lines(&self) -> LinesToAdd {
        let mut lines = Vec::new();
        for address in self.addresses() {
            let listen = match address {
                IpAddr::V4(any) if any.is_unspecified() => HTTPS.to_string(),
                address => SocketAddr::new(address, HTTPS).to_string(),
            };
            lines.push(format!("listen {listen} ssl;"));
        }
        if self.plain_site.is_none() {
            lines.push(format!("server_name {};", self.joined_names()));
        }
        lines.extend(self.certificate_lines());
        self.in_block(lines)
    }

    /// A virtual host has TLS for all of its addresses or for none: one for port 80 cannot be used.
    fn apache_lines(&self) -> LinesToAdd {
        let (own, others) = self.apache_names();
        let mut lines = vec![format!("ServerName {own}")];
        if !others.is_empty() {
            lines.push(format!("ServerAlias {}", others.join(" ")));
        }
        lines.push("SSLEngine on".to_owned());
        lines.extend(self.certificate_lines());
        let mut outside = Vec::new();
        if self.https_sites().listens().next().is_none() {
            outside.push(format!("Listen {HTTPS}"));
        }
        LinesToAdd {
            place: LinesPlace::OwnBlock,
            lines,
            outside,
        }
    }

    /// `ServerName` takes exactly one name; a wildcard can only be an alias.
    fn apache_names(&self) -> (String, Vec<&str>) {
        let names = || self.names.iter().map(DnsName::as_str);
        let plain = names().find(|name| !name.starts_with('*'));
        let first = plain.or_else(|| names().next()).unwrap_or_default();
        let own = first.strip_prefix("*.").unwrap_or(first);
        let others = names().filter(|name| *name != own).collect();
        (own.to_owned(), others)
    }

    /// Where HAProxy has the port already, a second section would get a random share of the
    /// connections: the certificate is added to the lines that open the port.
    fn haproxy_lines(&self) -> LinesToAdd {
        let certificate = self.certificate_lines().join(" ");
        let places = self.https_places();
        if !places.is_empty() {
            return LinesToAdd {
                place: LinesPlace::LineEnds(places),
                lines: vec![certificate],
                outside: Vec::new(),
            };
        }
        let mut lines = Vec::new();
        for address in self.addresses() {
            let bind = match address {
                IpAddr::V4(any) if any.is_unspecified() => format!(":{HTTPS}"),
                IpAddr::V6(any) if any.is_unspecified() => format!(":::{HTTPS} v6only"),
                IpAddr::V4(address) => format!("{address}:{HTTPS}"),
                IpAddr::V6(address) => format!("{address}:{HTTPS} v6only"),
            };
            lines.push(format!("bind {bind} ssl {certificate}"));
        }
        self.in_block(lines)
    }

    /// The lines that open the port beyond loopback with TLS, each once.
    fn https_places(&self) -> Vec<String> {
        let mut places = Vec::new();
        for block in self.config.blocks() {
            let opens = |listen: &ListenAddress| is_public_at(listen, HTTPS) && listen.ssl;
            let place = block.to_string();
            if block.listens.iter().any(opens) && !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn in_block(&self, lines: Vec<String>) -> LinesToAdd {
        let place = match self.plain_site {
            Some(site) => LinesPlace::Block(site.place.clone()),
            None => LinesPlace::OwnBlock,
        };
        LinesToAdd {
            place,
            lines,
            outside: Vec::new(),
        }
    }

    fn joined_names(&self) -> String {
        let names: Vec<&str> = self.names.iter().map(DnsName::as_str).collect();
        names.join(" ")
    }

    /// The addresses to listen on: those of the plain-text site, else all of this machine; and the
    /// single addresses that existing blocks use for https.
    fn addresses(&self) -> Vec<IpAddr> {
        let plain = self.plain_addresses();
        if plain.is_empty() {
            self.https_sites().everywhere()
        } else {
            self.https_sites().complete(plain)
        }
    }

    fn https_sites(&self) -> SiteAddresses<'_> {
        SiteAddresses {
            config: self.config,
            port: HTTPS,
            ipv6: self.ipv6,
        }
    }

    fn plain_addresses(&self) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        let listens = self.plain_site.iter().flat_map(|site| &site.listens);
        for listen in listens.filter(|listen| !listen.udp && !listen.ssl) {
            if let ListenInterface::Address(address) = listen.interface
                && !addresses.contains(&address)
            {
                addresses.push(address);
            }
        }
        addresses
    }
}

#[cfg(test)]
mod tests {
    use super::{LinesPlace, LinesToAdd, PlainSite, UnservedNames};
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::model::{ServerConfig, ServerSoftware};
    use crate::webserver::nginx::testing::{config, names};

    fn links() -> [StableLink; 2] {
        [
            StableLink::new("/c", ReleaseFile::FullChain),
            StableLink::new("/k", ReleaseFile::Key),
        ]
    }

    /// Returns the lines for an nginx whose http block has this content.
    fn nginx_lines(http: &str) -> LinesToAdd {
        let config = config(&format!("http {{ {http} }}"));
        let names = names(&["a.example", "www.a.example"]);
        let plain_site = config.plain_site(&names);
        let unserved = UnservedNames {
            config: &config.to_server_config(),
            names: &names,
            links: &links(),
            ipv6: true,
            plain_site: plain_site.as_ref(),
        };
        unserved.lines_to_add()
    }

    const FILES: [&str; 2] = ["ssl_certificate /c;", "ssl_certificate_key /k;"];

    #[test]
    fn a_plain_text_site_gets_the_same_addresses() {
        for (http, listens) in [
            (
                "server { listen 80; server_name a.example; root /srv; }",
                vec!["listen 443 ssl;"],
            ),
            (
                "server { listen [::]:80; listen 80; server_name *.a.example; location / { proxy_pass http://x; } }",
                vec!["listen [::]:443 ssl;", "listen 443 ssl;"],
            ),
            (
                "server { listen 192.0.2.1:80; server_name a.example; root /srv; }",
                vec!["listen 192.0.2.1:443 ssl;"],
            ),
            // Connections to the single address reach only the blocks that listen on it.
            (
                "server { listen 80; server_name a.example; root /srv; }
                 server { listen 192.0.2.1:443 ssl; server_name x.example; }",
                vec!["listen 443 ssl;", "listen 192.0.2.1:443 ssl;"],
            ),
            // The IPv4 port is in use already.
            (
                "server { listen 80; server_name a.example; root /srv; }
                 server { listen [::]:443 ssl ipv6only=off; server_name x.example; }",
                vec!["listen [::]:443 ssl;"],
            ),
        ] {
            let added = nginx_lines(http);
            let expected: Vec<&str> = listens.into_iter().chain(FILES).collect();
            assert_eq!(added.lines, expected, "{http}");
            assert_eq!(
                added.place,
                LinesPlace::Block("/etc/nginx/nginx.conf:1".to_owned())
            );
        }
    }

    #[test]
    fn redirecting_and_foreign_blocks_get_no_lines() {
        for http in [
            "",
            "server { listen 80; server_name x.example; root /srv; }",
            "server { listen 80; server_name a.example; return 301 https://$host$request_uri; }",
            "server { listen 80; server_name a.example; location / { return 301 https://a.example; } }",
        ] {
            let added = nginx_lines(http);
            let listens = ["listen 443 ssl;", "listen [::]:443 ssl;"];
            let names = ["server_name a.example www.a.example;"];
            let expected: Vec<&str> = listens.into_iter().chain(names).chain(FILES).collect();
            assert_eq!(added.lines, expected, "{http}");
            assert_eq!(added.place, LinesPlace::OwnBlock, "{http}");
        }
    }

    #[test]
    fn apache_gets_one_server_name() {
        let config = ServerConfig::new(ServerSoftware::Apache, "/a.conf".as_ref(), Vec::new());
        let unserved = UnservedNames {
            config: &config,
            names: &names(&["*.a.example", "a.example"]),
            links: &links(),
            ipv6: true,
            plain_site: None,
        };
        let added = unserved.lines_to_add();
        assert_eq!(
            added.lines,
            [
                "ServerName a.example",
                "ServerAlias *.a.example",
                "SSLEngine on",
                "SSLCertificateFile /c",
                "SSLCertificateKeyFile /k"
            ]
        );
        assert_eq!(added.outside, ["Listen 443"]);
    }

    #[test]
    fn haproxy_gets_addresses_or_a_further_certificate() {
        let both = [StableLink::new("/b", ReleaseFile::Combined)];
        let config = ServerConfig::new(ServerSoftware::Haproxy, "/h.cfg".as_ref(), Vec::new());
        let names = names(&["a.example"]);
        let mut unserved = UnservedNames {
            config: &config,
            names: &names,
            links: &both,
            ipv6: true,
            plain_site: None,
        };
        assert_eq!(
            unserved.lines_to_add().lines,
            ["bind :443 ssl crt /b", "bind :::443 v6only ssl crt /b"]
        );
        let site = PlainSite {
            place: "/h.cfg:7".to_owned(),
            listens: Vec::new(),
        };
        unserved.plain_site = Some(&site);
        assert_eq!(
            unserved.lines_to_add().place,
            LinesPlace::Block("/h.cfg:7".to_owned())
        );
        let used = crate::webserver::haproxy::testing::config(
            "frontend f\n bind :443 ssl crt /x.pem\n bind :::443 v6only ssl crt /x.pem\n",
        );
        let used = used.to_server_config();
        unserved.config = &used;
        let added = unserved.lines_to_add();
        assert_eq!(added.lines, ["crt /b"]);
        assert_eq!(
            added.place,
            LinesPlace::LineEnds(vec![
                "/etc/haproxy/haproxy.cfg:2".to_owned(),
                "/etc/haproxy/haproxy.cfg:3".to_owned()
            ])
        );
    }
}
