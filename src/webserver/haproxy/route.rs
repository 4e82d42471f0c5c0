//! The sections of HAProxy with their modes and servers.

use std::path::PathBuf;

use super::lex::{HaproxyEnvironment, HaproxyWord, words};
use crate::webserver::model::ConfigFile;

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
