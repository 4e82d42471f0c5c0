//! Which application the sections of HAProxy pass requests to, and whether they speak HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::config::{HaproxyConfig, HaproxyFrontend};
use super::lex::{HaproxyEnvironment, HaproxyWord, words};
use crate::webserver::model::{ConfigFile, ListenAddress, UpstreamAddress};

/// What a section understands of its traffic.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ProxyMode {
    /// Requests and responses.
    Http,
    /// Bytes, whatever they mean.
    #[default]
    Tcp,
}

/// A `frontend`, `listen` or `backend` section.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProxySection {
    pub name: String,
    pub file: PathBuf,
    pub line: u32,
    pub mode: ProxyMode,
    /// The addresses of its servers, as the configuration spells them.
    pub servers: Vec<String>,
    /// Whether rules choose among several backends.
    pub has_rules: bool,
}

/// Reads the sections of all files, in order.
pub(super) fn read_sections(
    texts: &[ConfigFile],
    environment: &HaproxyEnvironment,
) -> Vec<ProxySection> {
    let mut reader = SectionReader::default();
    for text in texts {
        reader.place = SectionPlace::Other;
        for (line, number) in text.text.lines().zip(1_u32..) {
            if let Ok(words) = words(line, environment) {
                reader.read_line(text, number, &words);
            }
        }
    }
    reader.sections
}

/// The kind of section that a line belongs to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum SectionPlace {
    Defaults,
    /// The last one of the sections.
    Proxy,
    #[default]
    Other,
}

#[derive(Default)]
struct SectionReader {
    sections: Vec<ProxySection>,
    place: SectionPlace,
    /// The mode of the last `defaults` section.
    default_mode: ProxyMode,
}

/// The first words of lines that open a section without servers.
const OTHER_SECTIONS: [&str; 16] = [
    "global",
    "peers",
    "userlist",
    "resolvers",
    "mailers",
    "cache",
    "program",
    "http-errors",
    "ring",
    "log-forward",
    "fcgi-app",
    "traces",
    "log-profile",
    "acme",
    "crt-store",
    "crt-list",
];

impl SectionReader {
    fn read_line(&mut self, file: &ConfigFile, line: u32, words: &[HaproxyWord]) {
        let word = |index: usize| words.get(index).map_or("", |word| word.text.as_str());
        match word(0) {
            "frontend" | "listen" | "backend" => {
                self.place = SectionPlace::Proxy;
                self.sections.push(ProxySection {
                    name: word(1).to_owned(),
                    file: file.path.clone(),
                    line,
                    mode: self.default_mode,
                    ..ProxySection::default()
                });
            }
            "defaults" => {
                self.place = SectionPlace::Defaults;
                self.default_mode = ProxyMode::Tcp;
            }
            other if OTHER_SECTIONS.contains(&other) => self.place = SectionPlace::Other,
            keyword => self.read_keyword(keyword, word(1), word(2)),
        }
    }

    fn read_keyword(&mut self, keyword: &str, first: &str, second: &str) {
        let mode = match first {
            "http" => ProxyMode::Http,
            _ => ProxyMode::Tcp,
        };
        let section = self.sections.last_mut();
        match (self.place, section, keyword) {
            (SectionPlace::Defaults, _, "mode") => self.default_mode = mode,
            (SectionPlace::Proxy, Some(section), "mode") => section.mode = mode,
            (SectionPlace::Proxy, Some(section), "server") => {
                section.servers.push(second.to_owned());
            }
            (SectionPlace::Proxy, Some(section), "use_backend" | "use-server") => {
                section.has_rules = true;
            }
            _ => {}
        }
    }
}

impl HaproxyConfig {
    /// Returns whether the section that listens at an address speaks HTTP.
    #[must_use]
    pub(crate) fn speaks_http(&self, address: SocketAddr) -> bool {
        let section = self
            .frontend_at(address)
            .and_then(|one| self.section_of(one));
        section.is_some_and(|section| section.mode == ProxyMode::Http)
    }

    /// Returns the servers to which the section at an address passes requests; none if rules choose
    /// among several backends.
    #[must_use]
    pub(crate) fn upstreams(&self, address: SocketAddr) -> Vec<UpstreamAddress> {
        let Some(frontend) = self.frontend_at(address) else {
            return Vec::new();
        };
        if self.section_of(frontend).is_none_or(|own| own.has_rules) {
            return Vec::new();
        }
        let backend = self.sections.iter().find(|section| {
            Some(&section.name) == frontend.backend.as_ref() && !section.servers.is_empty()
        });
        let servers = backend.into_iter().flat_map(|backend| &backend.servers);
        servers
            .filter_map(|server| UpstreamAddress::parse(server))
            .collect()
    }

    fn frontend_at(&self, address: SocketAddr) -> Option<&HaproxyFrontend> {
        let enabled = || self.frontends.iter().filter(|frontend| !frontend.disabled);
        let is_at = |listen: &ListenAddress| listen.socket() == Some(address);
        let exact = enabled().find(|frontend| frontend.listens.iter().any(is_at));
        exact.or_else(|| {
            let accepts = |listen: &ListenAddress| accepts_all(listen, address);
            enabled().find(|frontend| frontend.listens.iter().any(accepts))
        })
    }

    fn section_of(&self, frontend: &HaproxyFrontend) -> Option<&ProxySection> {
        self.sections
            .iter()
            .find(|section| section.line == frontend.line && section.file == frontend.file)
    }
}

/// Whether a socket for all addresses accepts connections to this one.
fn accepts_all(listen: &ListenAddress, address: SocketAddr) -> bool {
    listen.socket().is_some_and(|socket| {
        socket.ip().is_unspecified()
            && socket.port() == address.port()
            && (socket.is_ipv4() == address.is_ipv4() || listen.dual_stack)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::config;

    #[test]
    fn modes_and_applications_of_addresses_are_found() {
        let config = config(
            "defaults\n mode http\nfrontend web\n bind :80\n bind 127.0.0.1:443 ssl crt /x.pem\n default_backend app\n\
             backend app\n server a 127.0.0.1:8000 check\n server b unix@/run/b.sock\n\
             listen mail\n mode tcp\n bind :993 ssl crt /x.pem\n server m 127.0.0.1:143\n\
             frontend rules\n bind :8080\n use_backend app if { path_beg /x }\n default_backend app\n\
             defaults\n timeout client 1s\nlisten raw\n bind :81\n server r 127.0.0.1:1\n",
        );
        for (address, speaks_http, upstreams) in [
            (
                "127.0.0.1:80",
                true,
                &["127.0.0.1:8000", "unix:/run/b.sock"][..],
            ),
            (
                "127.0.0.1:443",
                true,
                &["127.0.0.1:8000", "unix:/run/b.sock"],
            ),
            ("127.0.0.2:443", false, &[]),
            ("127.0.0.1:993", false, &["127.0.0.1:143"]),
            ("127.0.0.1:8080", true, &[]),
            ("127.0.0.1:81", false, &["127.0.0.1:1"]),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(config.speaks_http(address), speaks_http, "{address}");
            let found = config.upstreams(address);
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, upstreams, "{address}");
        }
    }
}
