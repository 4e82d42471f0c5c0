//! From the texts of an HAProxy configuration to what an install asks about: every certificate that
//! a `bind` line loads is a block of its own, for the names of its filters or for those in it.

use std::path::{Path, PathBuf};

use super::bind::{BindLine, BindSource};
use super::condition::{ConditionalLine, OpenConditions};
use super::crt::{CrtExtras, CrtPathContent, LoadedCrt, expand};
use super::lex::{HaproxyEnvironment, HaproxyWord, LexError, OverwriteMode, words};
use super::list;
use crate::webserver::model::{
    self, ConfigBlock, ConfigFile, ConfiguredPath, ListenAddress, ListenInterface, NameSource,
    ServerName, ServerSoftware, TrafficKind,
};

/// What a configuration is read with.
pub struct HaproxyFiles<'a> {
    /// What HAProxy was started with.
    pub environment: HaproxyEnvironment,
    /// The folder that it was started in, where that is known.
    pub folder: Option<PathBuf>,
    /// What lies at a path.
    pub look: &'a mut dyn FnMut(&Path) -> CrtPathContent,
    /// The text of a crt-list, if it can be read.
    pub text: &'a mut dyn FnMut(&Path) -> Option<String>,
}

/// A `frontend` or `listen` section.
#[derive(Clone, Debug, Default)]
pub struct HaproxyFrontend {
    pub name: String,
    pub file: PathBuf,
    pub line: u32,
    pub listens: Vec<ListenAddress>,
    /// `default_backend`, or its own name where it is a `listen` section.
    pub backend: Option<String>,
    /// It sends its visitors to https.
    pub redirects: bool,
    /// It is not started.
    pub disabled: bool,
}

/// What an install needs to know of a configuration.
#[derive(Clone, Debug, Default)]
pub struct HaproxyConfig {
    pub file: PathBuf,
    /// Certificates and plain addresses, in HAProxy's order.
    pub blocks: Vec<ConfigBlock>,
    /// The sections that listen.
    pub frontends: Vec<HaproxyFrontend>,
    /// The names of the sections that serve: `backend` and `listen`.
    pub backends: Vec<String>,
    /// What only HAProxy can tell, and where.
    pub doubts: Vec<String>,
}

impl HaproxyConfig {
    #[must_use]
    pub fn read(texts: &[ConfigFile], world: HaproxyFiles<'_>) -> Self {
        let file = texts
            .first()
            .map(|text| text.path.clone())
            .unwrap_or_default();
        let config = Self {
            file,
            ..Self::default()
        };
        let mut reader = Reader {
            config,
            world,
            conditions: OpenConditions::default(),
            section: Section::Other,
            extras: CrtExtras::default(),
            base: None,
            relative: Relative::Started,
        };
        for text in texts {
            // Every file begins with a section of its own.
            reader.section = Section::Other;
            for (line, number) in text.text.lines().zip(1_u32..) {
                reader.line(
                    &Place {
                        file: &text.path,
                        line: number,
                    },
                    line,
                );
            }
        }
        let mut config = reader.config;
        config.settle();
        config
    }

    /// What is asked of every server's configuration.
    #[must_use]
    pub fn neutral(&self) -> model::ServerConfig {
        let mut config =
            model::ServerConfig::new(ServerSoftware::Haproxy, &self.file, self.blocks.clone());
        config.doubts.clone_from(&self.doubts);
        config
    }

    /// Where all of IPv4 has a socket of its own, one of IPv6 gets none of it.
    fn settle(&mut self) {
        let plain = |listen: &ListenAddress| {
            listen
                .socket()
                .filter(|it| it.is_ipv4() && it.ip().is_unspecified())
        };
        let own: Vec<u16> = self
            .blocks
            .iter()
            .flat_map(|block| &block.listens)
            .filter_map(plain)
            .map(|it| it.port())
            .collect();
        let listens = self.blocks.iter_mut().map(|block| &mut block.listens);
        for listen in listens
            .chain(
                self.frontends
                    .iter_mut()
                    .map(|frontend| &mut frontend.listens),
            )
            .flatten()
        {
            listen.dual_stack &= !own.contains(&listen.port);
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Section {
    Global,
    /// `frontend`, `listen`: the last of the frontends.
    Frontend,
    Peers,
    Other,
}

/// What a relative path is relative to (`default-path`).
enum Relative {
    /// The folder that HAProxy was started in.
    Started,
    /// That of the configuration file.
    Config,
    /// The one above it.
    Parent,
    Origin(PathBuf),
}

struct Place<'a> {
    file: &'a Path,
    line: u32,
}

struct Reader<'a> {
    config: HaproxyConfig,
    world: HaproxyFiles<'a>,
    conditions: OpenConditions,
    section: Section,
    extras: CrtExtras,
    /// `crt-base`
    base: Option<PathBuf>,
    relative: Relative,
}

impl Reader<'_> {
    fn line(&mut self, place: &Place<'_>, line: &str) {
        let words = match words(line, &self.world.environment) {
            Ok(words) => words,
            Err(LexError) => {
                return self.doubt(place, "a quote or a variable is not closed".to_owned());
            }
        };
        match self.conditions.take(&words, &self.world.environment) {
            ConditionalLine::Read => {}
            ConditionalLine::Untold => {
                let what = words[1..]
                    .iter()
                    .map(|word| word.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                return self.doubt(
                    place,
                    format!("only HAProxy can tell whether {what} holds; it is read as if it did"),
                );
            }
            ConditionalLine::Theirs | ConditionalLine::LeftOut => return,
        }
        if let Some((keyword, rest)) = words.split_first()
            && !self.opens_section(place, &keyword.text, rest)
        {
            match self.section {
                Section::Global => self.global(&keyword.text, rest),
                Section::Frontend => self.frontend(place, &keyword.text, rest),
                Section::Peers if keyword.text == "bind" => {
                    self.bind(place, TrafficKind::Stream, rest)
                }
                Section::Peers | Section::Other => {}
            }
        }
    }

    fn opens_section(&mut self, place: &Place<'_>, keyword: &str, rest: &[HaproxyWord]) -> bool {
        let name = rest
            .first()
            .map(|word| word.text.clone())
            .unwrap_or_default();
        self.section = match keyword {
            "global" => Section::Global,
            "peers" => Section::Peers,
            "frontend" | "listen" => {
                let backend = (keyword == "listen").then(|| name.clone());
                self.config.backends.extend(backend.clone());
                let (file, line) = (place.file.to_owned(), place.line);
                self.config.frontends.push(HaproxyFrontend {
                    name,
                    file,
                    line,
                    backend,
                    ..HaproxyFrontend::default()
                });
                Section::Frontend
            }
            "backend" => {
                self.config.backends.push(name);
                Section::Other
            }
            "crt-store" => {
                let what = "certificates of a crt-store are not understood (HAProxy 3.0): what \
                    names one is left alone";
                self.doubt(place, what.to_owned());
                Section::Other
            }
            "defaults" | "userlist" | "resolvers" | "mailers" | "cache" | "program"
            | "http-errors" | "ring" | "log-forward" | "fcgi-app" | "traces" | "log-profile"
            | "acme" => Section::Other,
            _ => return false,
        };
        true
    }

    fn global(&mut self, keyword: &str, rest: &[HaproxyWord]) {
        let text = |at: usize| {
            rest.get(at)
                .map(|word| word.text.as_str())
                .unwrap_or_default()
        };
        match keyword {
            "crt-base" => self.base = Some(text(0).into()),
            "ssl-load-extra-del-ext" => self.extras.strip = true,
            "ssl-load-extra-files" => {
                let has =
                    |names: &[&str]| rest.iter().any(|word| names.contains(&word.text.as_str()));
                self.extras = CrtExtras {
                    bundle: has(&["all", "bundle"]),
                    key: has(&["all", "key"]),
                    ..self.extras
                };
            }
            "default-path" => {
                self.relative = match text(0) {
                    "config" => Relative::Config,
                    "parent" => Relative::Parent,
                    "origin" => Relative::Origin(text(1).into()),
                    _ => Relative::Started,
                }
            }
            "setenv" => self
                .world
                .environment
                .assign(text(0), text(1), OverwriteMode(true)),
            "presetenv" => self
                .world
                .environment
                .assign(text(0), text(1), OverwriteMode(false)),
            _ => {}
        }
    }

    fn frontend(&mut self, place: &Place<'_>, keyword: &str, rest: &[HaproxyWord]) {
        let word = |at: usize| {
            rest.get(at)
                .map(|word| word.text.as_str())
                .unwrap_or_default()
        };
        let Some(frontend) = self.config.frontends.last_mut() else {
            return;
        };
        match keyword {
            "bind" => self.bind(place, TrafficKind::Http, rest),
            "default_backend" => frontend.backend = Some(word(0).to_owned()),
            "disabled" => frontend.disabled = true,
            "redirect" => frontend.redirects |= word(0) == "scheme" && word(1) == "https",
            "http-request" => {
                frontend.redirects |=
                    (word(0), word(1), word(2)) == ("redirect", "scheme", "https");
            }
            "ssl-f-use" => self.doubt(
                place,
                "ssl-f-use is not understood (HAProxy 3.2)".to_owned(),
            ),
            _ => {}
        }
    }

    fn bind(&mut self, place: &Place<'_>, part: TrafficKind, rest: &[HaproxyWord]) {
        let bind = BindLine::parse(rest);
        if part == TrafficKind::Http
            && let Some(frontend) = self.config.frontends.last_mut()
        {
            frontend.listens.extend(bind.listens.iter().cloned());
        }
        let mut blocks: Vec<ConfigBlock> = Vec::new();
        for source in &bind.certificates {
            for block in self.certificates(place, source) {
                match blocks
                    .iter_mut()
                    .find(|other| other.names == block.names && !block.names.is_empty())
                {
                    // Two kinds of key for the same names.
                    Some(other) => other.pairs.extend(block.pairs),
                    None => blocks.push(block),
                }
            }
        }
        if blocks.is_empty() {
            blocks.push(self.block(place, None, Vec::new()));
        }
        for (index, block) in blocks.iter_mut().enumerate() {
            block.part = part;
            block.listens = bind.listens.clone();
            block
                .listens
                .iter_mut()
                .for_each(|listen| listen.default_server = index == 0 && !bind.strict);
        }
        for listen in bind
            .listens
            .iter()
            .filter(|listen| matches!(listen.interface, ListenInterface::Unknown(_)))
        {
            self.doubt(place, format!("only HAProxy can tell where {listen} is"));
        }
        self.config.blocks.extend(blocks);
    }

    fn certificates(&mut self, place: &Place<'_>, source: &BindSource) -> Vec<ConfigBlock> {
        match source {
            BindSource::Crt(word) => {
                let loaded = self.load(place, place, word);
                loaded
                    .into_iter()
                    .map(|loaded| self.block(place, Some(loaded), Vec::new()))
                    .collect()
            }
            BindSource::List(word) => self.list(place, word),
        }
    }

    fn list(&mut self, place: &Place<'_>, word: &HaproxyWord) -> Vec<ConfigBlock> {
        let path = match self.resolve(place, word, None) {
            ConfiguredPath::File(path) => path,
            ConfiguredPath::Other(text) => {
                self.doubt(
                    place,
                    format!("only HAProxy can tell where crt-list {text} is"),
                );
                return Vec::new();
            }
        };
        let Some(text) = (self.world.text)(&path) else {
            self.doubt(place, format!("crt-list {} cannot be read", path.display()));
            return Vec::new();
        };
        let (listed, broken) = list::read(&text);
        for line in broken {
            self.doubt(
                &Place { file: &path, line },
                "it is no line of a crt-list".to_owned(),
            );
        }
        let mut blocks = Vec::new();
        for entry in listed {
            let own = Place {
                file: &path,
                line: entry.line,
            };
            let word = HaproxyWord {
                text: entry.path,
                open: false,
            };
            for loaded in self.load(place, &own, &word) {
                let mut block = self.block(&own, Some(loaded), Vec::new());
                if let Some(filters) = &entry.filters {
                    block.names = filters.names.clone();
                    block
                        .names
                        .extend(filters.except.iter().cloned().map(ServerName::Except));
                    block.names_from = NameSource::Configuration;
                }
                blocks.push(block);
            }
        }
        blocks
    }

    fn block(
        &self,
        place: &Place<'_>,
        loaded: Option<LoadedCrt>,
        listens: Vec<ListenAddress>,
    ) -> ConfigBlock {
        let (names, pairs) =
            loaded.map_or_else(Default::default, |loaded| (loaded.names, vec![loaded.pair]));
        ConfigBlock {
            file: place.file.to_owned(),
            line: place.line,
            part: TrafficKind::Http,
            names,
            names_from: NameSource::Certificate,
            listens,
            pairs,
            // It sends what lies beside the certificate (`.ocsp`).
            stapling: None,
        }
    }

    /// What `word` loads, which stands at `own`, on behalf of the `bind` line at `place`.
    fn load(&mut self, place: &Place<'_>, own: &Place<'_>, word: &HaproxyWord) -> Vec<LoadedCrt> {
        let path = match self.resolve(place, word, self.base.as_deref()) {
            ConfiguredPath::File(path) => path,
            ConfiguredPath::Other(text) => {
                self.doubt(
                    own,
                    format!("only HAProxy can tell which file crt {text} is"),
                );
                return vec![LoadedCrt::other(&text)];
            }
        };
        let loaded = expand(&path, self.extras, self.world.look);
        for one in loaded.iter().filter(|one| one.unreadable) {
            if let Some((_, ConfiguredPath::File(file))) = one.pair.files.first() {
                self.doubt(
                    own,
                    format!("{} cannot be read: its names are not known", file.display()),
                );
            }
        }
        loaded
    }

    fn resolve(
        &self,
        place: &Place<'_>,
        word: &HaproxyWord,
        base: Option<&Path>,
    ) -> ConfiguredPath {
        let other = || ConfiguredPath::Other(word.text.clone());
        // `@store/file` is one of a crt-store.
        if word.open || word.text.is_empty() || word.text.starts_with('@') {
            return other();
        }
        let path = base.map_or_else(|| PathBuf::from(&word.text), |base| base.join(&word.text));
        let config = place.file.parent();
        let folder = match &self.relative {
            Relative::Started => self.world.folder.as_deref(),
            Relative::Config => config,
            Relative::Parent => config.and_then(Path::parent),
            Relative::Origin(folder) => Some(folder.as_path()),
        };
        let path = folder.unwrap_or_else(|| Path::new("")).join(path);
        if path.is_absolute() {
            ConfiguredPath::File(path)
        } else {
            other()
        }
    }

    fn doubt(&mut self, place: &Place<'_>, what: String) {
        let doubt = format!("{}:{}: {what}", place.file.display(), place.line);
        if !self.config.doubts.contains(&doubt) {
            self.config.doubts.push(doubt);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{ConfigFile, CrtPathContent, HaproxyConfig, HaproxyEnvironment, HaproxyFiles};
    use crate::store::layout::ReleaseFile;
    use crate::webserver::haproxy::CrtCertificate;
    use crate::webserver::haproxy::list::name;
    use crate::webserver::model::{ConfigBlock, ServerName};

    /// A file is there unless it is called `none`; its certificate is for its own name; `both*`
    /// hold the key too.
    fn read(text: &str) -> HaproxyConfig {
        let lying = |path: &Path| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.extension() {
                None => CrtPathContent::Folder(vec![
                    path.join("a.pem"),
                    path.join("b.pem"),
                    path.join("b.pem.key"),
                ]),
                Some(_) if file.starts_with("none") => CrtPathContent::Nothing,
                Some(_) if file.starts_with("dark") => CrtPathContent::Unreadable,
                Some(_) => {
                    let names = file.trim_end_matches(".pem").replace('_', "*");
                    CrtPathContent::File(CrtCertificate {
                        names: names.split('+').map(name).collect(),
                        key: !file.starts_with("apart"),
                    })
                }
            }
        };
        let list = "apart.pem\n/x/z.pem [alpn h2] *.z !no.z\n/x/d.pem !*\n[\n";
        let world = HaproxyFiles {
            environment: HaproxyEnvironment {
                set: vec![("SITE".to_owned(), "/e/site.pem".to_owned())],
                complete: true,
            },
            folder: None,
            look: &mut |path| lying(path),
            text: &mut |path| (path == Path::new("/l")).then(|| list.to_owned()),
        };
        HaproxyConfig::read(
            &[ConfigFile {
                path: PathBuf::from("/etc/haproxy/haproxy.cfg"),
                text: text.to_owned(),
            }],
            world,
        )
    }

    /// `LINE NAMES @ LISTENS: FILES`
    fn told(block: &ConfigBlock) -> String {
        let names: Vec<String> = block.names.iter().map(ServerName::text).collect();
        let listen = |listen: &crate::webserver::model::ListenAddress| {
            let flags = [
                (listen.ssl, " ssl"),
                (listen.default_server, " default"),
                (listen.dual_stack, " dual"),
                (listen.strict, " strict"),
            ];
            let flags: String = flags
                .iter()
                .filter(|(set, _)| *set)
                .map(|(_, name)| *name)
                .collect();
            format!("{listen}{flags}")
        };
        let listens: Vec<String> = block.listens.iter().map(listen).collect();
        let files = block.pairs.iter().flat_map(|pair| &pair.files);
        let file = |(piece, path): &(ReleaseFile, crate::webserver::model::ConfiguredPath)| {
            let path = path
                .file()
                .map_or_else(|| "?".to_owned(), |path| path.display().to_string());
            if *piece == ReleaseFile::Combined {
                path
            } else {
                format!("{path}({})", piece.file_name())
            }
        };
        let files: Vec<String> = files.map(file).collect();
        format!(
            "{} {} @ {}: {}",
            block.line,
            names.join(","),
            listens.join(" "),
            files.join(" ")
        )
    }

    #[test]
    fn every_certificate_is_a_block() {
        for (text, expected) in [
            (
                "frontend f\n bind :80\n bind :443 ssl crt /x/a.pem crt /x/b.pem",
                &[
                    "2  @ 0.0.0.0:80 default: ",
                    "3 a @ 0.0.0.0:443 ssl default: /x/a.pem",
                    "3 b @ 0.0.0.0:443 ssl: /x/b.pem",
                ][..],
            ),
            (
                "listen l\n bind :443 ssl crt /x/folder",
                &[
                    "2 a @ 0.0.0.0:443 ssl default: /x/folder/a.pem",
                    "2 b @ 0.0.0.0:443 ssl: /x/folder/b.pem",
                ],
            ),
            (
                "global\n crt-base /base\nfrontend f\n bind :443 ssl crt apart.pem strict-sni",
                &[
                    "4 apart @ 0.0.0.0:443 ssl strict: /base/apart.pem(fullchain.pem) \
                        /base/apart.pem.key(key.pem)",
                ],
            ),
            (
                "global\n crt-base /base\nfrontend f\n bind :443 ssl crt-list /l",
                &[
                    "1 apart @ 0.0.0.0:443 ssl default: /base/apart.pem(fullchain.pem) \
                        /base/apart.pem.key(key.pem)",
                    "2 *.z,!no.z @ 0.0.0.0:443 ssl: /x/z.pem",
                    "3  @ 0.0.0.0:443 ssl: /x/d.pem",
                ],
            ),
            // Two kinds of key for the same names.
            (
                "frontend f\n bind :443 ssl crt /x/a+b.pem crt /y/a+b.pem",
                &["2 a,b @ 0.0.0.0:443 ssl default: /x/a+b.pem /y/a+b.pem"],
            ),
            (
                "frontend f\n bind :443 ssl crt /x/none.pem",
                &["2  @ 0.0.0.0:443 ssl default: /x/none.pem"],
            ),
            (
                "frontend f\n bind :443 ssl crt \"$SITE\" crt \"${NO-/x/a.pem}\"",
                &[
                    "2 site @ 0.0.0.0:443 ssl default: /e/site.pem",
                    "2 a @ 0.0.0.0:443 ssl: /x/a.pem",
                ],
            ),
            (
                "frontend f\n bind :443 ssl crt a.pem",
                &["2  @ 0.0.0.0:443 ssl default: ?"],
            ),
            (
                "global\n default-path config\nfrontend f\n bind :443 ssl crt a.pem",
                &["4 a @ 0.0.0.0:443 ssl default: /etc/haproxy/a.pem"],
            ),
            (
                "global\n default-path parent\nfrontend f\n bind :443 ssl crt a.pem",
                &["4 a @ 0.0.0.0:443 ssl default: /etc/a.pem"],
            ),
            (
                "global\n default-path origin /o\n crt-base c\nfrontend f\n bind :443 ssl crt a.pem",
                &["5 a @ 0.0.0.0:443 ssl default: /o/c/a.pem"],
            ),
            (
                "frontend f\n bind :::443 ssl crt /x/a.pem",
                &["2 a @ [::]:443 ssl default dual: /x/a.pem"],
            ),
            (
                "frontend f\n bind :443 ssl crt /x/a.pem\n bind :::443 ssl crt /x/a.pem",
                &[
                    "2 a @ 0.0.0.0:443 ssl default: /x/a.pem",
                    "3 a @ [::]:443 ssl default: /x/a.pem",
                ],
            ),
            (
                "backend b\n server s 127.0.0.1:1 ssl crt /x/a.pem\ndefaults\n mode http",
                &[],
            ),
            (
                ".if 0\nfrontend f\n bind :443 ssl crt /x/a.pem\n.endif",
                &[],
            ),
        ] {
            let blocks: Vec<String> = read(text).blocks.iter().map(told).collect();
            assert_eq!(blocks, expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        for (text, expected) in [
            (
                "frontend f\n bind :443 ssl crt a.pem",
                "2: only HAProxy can tell which file crt a.pem is",
            ),
            (
                "frontend f\n bind :443 ssl crt \"${.FILE}\"",
                "2: only HAProxy can tell which file crt ${.FILE} is",
            ),
            (
                "frontend f\n bind :443 ssl crt @store/a",
                "2: only HAProxy can tell which file crt @store/a is",
            ),
            (
                "frontend f\n bind :443 ssl crt-list l",
                "2: only HAProxy can tell where crt-list l is",
            ),
            (
                "frontend f\n bind :443 ssl crt-list /none",
                "2: crt-list /none cannot be read",
            ),
            (
                "frontend f\n bind :443 ssl crt /dark.pem",
                "2: /dark.pem cannot be read: its names are not known",
            ),
            (
                "frontend f\n bind fd@3 ssl crt /x/a.pem",
                "2: only HAProxy can tell where fd@3 is",
            ),
            (
                "frontend f\n bind :443 \"ssl",
                "2: a quote or a variable is not closed",
            ),
            (
                ".if version_atleast(2.8)\n.endif",
                "1: only HAProxy can tell whether version_atleast(2.8) holds; it is read as if it \
                    did",
            ),
            (
                "crt-store s\n load crt a.pem",
                "1: certificates of a crt-store are not understood (HAProxy 3.0): what names one \
                    is left alone",
            ),
            (
                "frontend f\n bind :443 ssl crt-list /l",
                "/l:4: it is no line of a crt-list; /l:1: only HAProxy can tell which file crt \
                    apart.pem is",
            ),
            ("frontend f\n bind :443 ssl crt /x/a.pem", ""),
        ] {
            let doubts = read(text).doubts.join("; ");
            assert_eq!(
                doubts.replace("/etc/haproxy/haproxy.cfg:", ""),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn sections_that_listen() {
        let config = read(
            "defaults\n mode http\nfrontend web\n bind :80\n http-request redirect scheme https unless { ssl_fc }\n\
             default_backend app\nbackend app\n server a 127.0.0.1:1\nlisten stats\n bind 127.0.0.1:8404\n disabled\n",
        );
        let told: Vec<_> = config
            .frontends
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.line,
                    it.backend.as_deref(),
                    it.redirects,
                    it.disabled,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("web", 3, Some("app"), true, false),
                ("stats", 9, Some("stats"), false, true)
            ]
        );
        assert_eq!(config.backends, ["app", "stats"]);
    }
}
