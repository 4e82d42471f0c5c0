//! Translates the texts of an HAProxy configuration into blocks: every certificate that a `bind`
//! line loads is a block of its own, for the names of its filters or for those in the certificate.

use std::path::{Path, PathBuf};

use super::build::HaproxyBuild;
use super::condition::{ConditionalLine, OpenConditions};
use super::crt::{CrtExtras, CrtPathContent};
use super::crt_store::{CrtStores, StoreBases};
use super::expression::ConditionFacts;
use super::lex::{HaproxyEnvironment, HaproxyWord, LexError, text_at, words};
use super::passing::ProxySections;
use super::route::ProxyRoute;
use crate::webserver::model::pass_through::PassThrough;
use crate::webserver::model::{
    self, ConfigBlock, ConfigFile, ConfigPosition, ListenAddress, ServerSoftware, TrafficKind,
};

mod bind_blocks;

/// The environment of HAProxy and the files that its configuration refers to.
pub struct HaproxyFiles<'a> {
    /// The environment variables that HAProxy was started with.
    pub environment: HaproxyEnvironment,
    /// The HAProxy that reads it.
    pub build: HaproxyBuild,
    /// The folder that it was started in, if known.
    pub folder: Option<PathBuf>,
    /// Reads what exists at a certificate's path.
    pub read_crt: &'a mut dyn FnMut(&Path) -> CrtPathContent,
    /// Reads the text of a crt-list; `None` if it cannot be read.
    pub read_list: &'a mut dyn FnMut(&Path) -> Option<String>,
}

/// A `frontend` or `listen` section.
#[derive(Clone, Debug, Default)]
pub struct HaproxyFrontend {
    pub name: String,
    pub file: PathBuf,
    pub line: u32,
    pub listens: Vec<ListenAddress>,
    /// The value of `default_backend`, or the name of a `listen` section.
    pub backend: Option<String>,
    /// Whether it redirects visitors to https.
    pub redirects: bool,
    /// Whether the section is disabled.
    pub disabled: bool,
}

/// The configuration of HAProxy.
#[derive(Clone, Debug, Default)]
pub struct HaproxyConfig {
    pub file: PathBuf,
    /// Certificates and plain addresses, in HAProxy's order.
    pub blocks: Vec<ConfigBlock>,
    /// The sections that listen.
    pub frontends: Vec<HaproxyFrontend>,
    /// The names of the sections that serve: `backend` and `listen`.
    pub backends: Vec<String>,
    /// The sections that listen or have servers, with their modes and servers.
    pub routes: Vec<ProxyRoute>,
    /// The first condition that certctl cannot evaluate, or line that it cannot read.
    pub unclear: Option<String>,
    /// TCP frontends that pass TLS connections on.
    pub(crate) pass_through: Vec<PassThrough>,
    /// What certctl cannot evaluate: the position and the reason.
    pub doubts: Vec<String>,
}

impl HaproxyConfig {
    /// Reads the configuration files in order.
    #[must_use]
    pub fn read(texts: &[ConfigFile], files: HaproxyFiles<'_>) -> Self {
        let first = texts.first();
        let mut reader = HaproxyReader {
            config: Self {
                file: first.map(|text| text.path.clone()).unwrap_or_default(),
                ..Self::default()
            },
            files,
            conditions: OpenConditions::default(),
            section: HaproxySection::Other,
            extras: CrtExtras::default(),
            bases: StoreBases::default(),
            stores: CrtStores::default(),
            relative: RelativeBase::Started,
            proxies: ProxySections::default(),
            frontends_of_blocks: Vec::new(),
        };
        for text in texts {
            // Every file starts outside any section.
            reader.section = HaproxySection::Other;
            for (line, number) in text.text.lines().zip(1_u32..) {
                let position = ConfigPosition {
                    file: &text.path,
                    line: number,
                };
                reader.read_line(position, line);
            }
        }
        reader.remove_disabled();
        let mut config = reader.config;
        config.routes = reader.proxies.routes();
        config.pass_through = reader.proxies.pass_through();
        config.separate_ipv4_sockets();
        config
    }

    /// The configuration in the form that all servers share.
    #[must_use]
    pub fn to_server_config(&self) -> model::ServerConfig {
        let mut config =
            model::ServerConfig::new(ServerSoftware::Haproxy, &self.file, self.blocks.clone());
        config.doubts.clone_from(&self.doubts);
        config.pass_through.clone_from(&self.pass_through);
        config.unclear.clone_from(&self.unclear);
        config
    }

    /// If an IPv4 socket for all addresses exists, the IPv6 socket of that port accepts no IPv4
    /// connections.
    fn separate_ipv4_sockets(&mut self) {
        let ipv4_ports: Vec<u16> = self
            .blocks
            .iter()
            .flat_map(|block| &block.listens)
            .filter_map(ListenAddress::socket)
            .filter(|socket| socket.is_ipv4() && socket.ip().is_unspecified())
            .map(|socket| socket.port())
            .collect();
        let of_blocks = self.blocks.iter_mut().map(|block| &mut block.listens);
        let of_frontends = self
            .frontends
            .iter_mut()
            .map(|frontend| &mut frontend.listens);
        for listen in of_blocks.chain(of_frontends).flatten() {
            listen.dual_stack &= !ipv4_ports.contains(&listen.port);
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum HaproxySection {
    Global,
    /// `frontend`, `listen`: the last of the frontends.
    Frontend,
    Peers,
    CrtStore,
    Other,
}

/// What relative paths are relative to (`default-path`).
enum RelativeBase {
    /// The folder that HAProxy was started in.
    Started,
    /// The folder of the configuration file.
    Config,
    /// The folder above that of the configuration file.
    Parent,
    Origin(PathBuf),
}

struct HaproxyReader<'a> {
    config: HaproxyConfig,
    files: HaproxyFiles<'a>,
    conditions: OpenConditions,
    section: HaproxySection,
    extras: CrtExtras,
    bases: StoreBases,
    stores: CrtStores,
    relative: RelativeBase,
    proxies: ProxySections,
    /// The number of the frontend of each block; `None` for one of `peers`.
    frontends_of_blocks: Vec<Option<usize>>,
}

fn joined(words: &[HaproxyWord]) -> String {
    let mut texts = Vec::new();
    for word in words {
        texts.push(word.text.as_str());
    }
    texts.join(" ")
}

impl HaproxyReader<'_> {
    fn read_line(&mut self, position: ConfigPosition<'_>, line: &str) {
        let words = match words(line, &self.files.environment) {
            Ok(words) => words,
            Err(LexError) => {
                return self.unclear(
                    position,
                    "a quote, a variable or an escape is incomplete".to_owned(),
                );
            }
        };
        let facts = ConditionFacts {
            environment: &self.files.environment,
            build: &self.files.build,
        };
        match self.conditions.classify(&words, facts) {
            ConditionalLine::Read => {}
            ConditionalLine::UnknownCondition => {
                let condition = joined(&words[1..]);
                return self.unclear(
                    position,
                    format!(
                        "certctl cannot evaluate the condition {condition}; it assumes that it holds"
                    ),
                );
            }
            ConditionalLine::Directive | ConditionalLine::Skipped => return,
        }
        if let Some((keyword, arguments)) = words.split_first()
            && !self.opens_section(position, &keyword.text, arguments)
        {
            self.proxies.read(&keyword.text, arguments);
            self.read_in_section(position, &keyword.text, arguments);
        }
    }

    fn read_in_section(
        &mut self,
        position: ConfigPosition<'_>,
        keyword: &str,
        arguments: &[HaproxyWord],
    ) {
        match self.section {
            HaproxySection::Global => self.read_global(keyword, arguments),
            HaproxySection::Frontend => self.read_frontend(position, keyword, arguments),
            HaproxySection::Peers if keyword == "bind" => {
                self.read_bind(position, TrafficKind::Stream, arguments);
            }
            HaproxySection::CrtStore => self.stores.read(keyword, arguments, &self.bases),
            HaproxySection::Peers | HaproxySection::Other => {}
        }
    }

    fn opens_section(
        &mut self,
        position: ConfigPosition<'_>,
        keyword: &str,
        arguments: &[HaproxyWord],
    ) -> bool {
        let name = text_at(arguments, 0).to_owned();
        self.section = match keyword {
            "global" => HaproxySection::Global,
            "peers" => HaproxySection::Peers,
            "frontend" | "listen" => {
                let backend = (keyword == "listen").then(|| name.clone());
                self.config.backends.extend(backend.clone());
                self.config.frontends.push(HaproxyFrontend {
                    name,
                    file: position.file.to_owned(),
                    line: position.line,
                    backend,
                    ..HaproxyFrontend::default()
                });
                HaproxySection::Frontend
            }
            "backend" => {
                self.config.backends.push(name);
                HaproxySection::Other
            }
            "crt-store" => {
                self.stores.open(arguments, &self.bases);
                HaproxySection::CrtStore
            }
            "defaults" | "userlist" | "resolvers" | "mailers" | "cache" | "program"
            | "http-errors" | "ring" | "log-forward" | "fcgi-app" | "traces" | "log-profile"
            | "acme" => HaproxySection::Other,
            _ => return false,
        };
        self.proxies.open(position, keyword, arguments);
        true
    }

    fn read_global(&mut self, keyword: &str, arguments: &[HaproxyWord]) {
        let first = text_at(arguments, 0);
        let second = text_at(arguments, 1);
        match keyword {
            "crt-base" => self.bases.crt = Some(first.into()),
            "key-base" => self.bases.key = Some(first.into()),
            "ssl-load-extra-del-ext" => self.extras.strip = true,
            "ssl-load-extra-files" => {
                let mut kinds = arguments.iter().map(|word| word.text.as_str());
                self.extras.bundle = kinds.clone().any(|kind| ["all", "bundle"].contains(&kind));
                self.extras.key = kinds.any(|kind| ["all", "key"].contains(&kind));
            }
            "default-path" => {
                self.relative = match first {
                    "config" => RelativeBase::Config,
                    "parent" => RelativeBase::Parent,
                    "origin" => RelativeBase::Origin(second.into()),
                    _ => RelativeBase::Started,
                }
            }
            _ => self.read_environment(keyword, arguments),
        }
    }

    /// Reads a line that changes the environment.
    fn read_environment(&mut self, keyword: &str, arguments: &[HaproxyWord]) {
        let environment = &mut self.files.environment;
        let first = text_at(arguments, 0);
        let second = text_at(arguments, 1);
        match keyword {
            "setenv" => environment.assign(first, second),
            "presetenv" => environment.assign_default(first, second),
            "unsetenv" => {
                for name in arguments {
                    environment.remove(&name.text);
                }
            }
            "resetenv" => {
                let mut names = Vec::new();
                for word in arguments {
                    names.push(word.text.as_str());
                }
                environment.keep_only(&names);
            }
            _ => {}
        }
    }

    fn read_frontend(
        &mut self,
        position: ConfigPosition<'_>,
        keyword: &str,
        arguments: &[HaproxyWord],
    ) {
        let Some(frontend) = self.config.frontends.last_mut() else {
            return;
        };
        match keyword {
            "bind" => self.read_bind(position, TrafficKind::Http, arguments),
            "default_backend" => frontend.backend = Some(text_at(arguments, 0).to_owned()),
            "disabled" => frontend.disabled = true,
            "enabled" => frontend.disabled = false,
            "redirect" => frontend.redirects |= is_https_redirect(arguments),
            "http-request" => {
                if let Some((action, rule)) = arguments.split_first() {
                    frontend.redirects |= action.text == "redirect" && is_https_redirect(rule);
                }
            }
            "ssl-f-use" => self.doubt(
                position,
                "certctl does not support ssl-f-use (HAProxy 3.2)".to_owned(),
            ),
            _ => {}
        }
    }

    /// Records a doubt about which lines HAProxy reads.
    fn unclear(&mut self, position: ConfigPosition<'_>, what: String) {
        let unclear = &mut self.config.unclear;
        unclear.get_or_insert_with(|| format!("{position}: {what}"));
        self.doubt(position, what);
    }

    /// Removes the blocks of disabled sections, which do not listen.
    fn remove_disabled(&mut self) {
        let frontends = &self.config.frontends;
        let is_disabled = |number: &Option<usize>| {
            number
                .and_then(|number| frontends.get(number))
                .is_some_and(|frontend| frontend.disabled)
        };
        let mut disabled = self.frontends_of_blocks.iter().map(is_disabled);
        self.config
            .blocks
            .retain(|_| !disabled.next().unwrap_or_default());
    }

    fn doubt(&mut self, position: ConfigPosition<'_>, what: String) {
        let doubt = format!("{position}: {what}");
        if !self.config.doubts.contains(&doubt) {
            self.config.doubts.push(doubt);
        }
    }
}

/// Returns whether a redirect rule is `scheme https`.
fn is_https_redirect(rule: &[HaproxyWord]) -> bool {
    text_at(rule, 0) == "scheme" && text_at(rule, 1) == "https"
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{
        ConfigFile, CrtPathContent, HaproxyBuild, HaproxyConfig, HaproxyEnvironment, HaproxyFiles,
    };
    use crate::store::layout::ReleaseFile;
    use crate::webserver::haproxy::CrtCertificate;
    use crate::webserver::haproxy::list::parse_name;
    use crate::webserver::model::{ConfigBlock, ConfiguredPath, ListenAddress, ServerName};

    const CRT_LIST: &str = "apart.pem\n/x/z.pem [alpn h2] *.z !no.z\n/x/d.pem !*\n[\n";

    /// Parses a configuration whose certificates all exist, except those called `none*`. The name
    /// of a certificate is that of its file; files called `apart*` contain no key, and those called
    /// `dark*` cannot be read.
    fn read(text: &str) -> HaproxyConfig {
        let files = HaproxyFiles {
            environment: HaproxyEnvironment {
                set: vec![("SITE".to_owned(), "/e/site.pem".to_owned())],
                complete: true,
            },
            build: HaproxyBuild::default(),
            folder: None,
            read_crt: &mut |path| content_by_name(path),
            read_list: &mut |path| (path == Path::new("/l")).then(|| CRT_LIST.to_owned()),
        };
        HaproxyConfig::read(
            &[ConfigFile {
                path: PathBuf::from("/etc/haproxy/haproxy.cfg"),
                text: text.to_owned(),
            }],
            files,
        )
    }

    fn content_by_name(path: &Path) -> CrtPathContent {
        let file = path.file_name().unwrap().to_string_lossy();
        if path.extension().is_none() {
            let files = ["a.pem", "b.pem", "b.pem.key"];
            return CrtPathContent::Folder(files.map(|name| path.join(name)).into());
        }
        if file.starts_with("none") {
            return CrtPathContent::Nothing;
        }
        if file.starts_with("dark") {
            return CrtPathContent::Unreadable;
        }
        let names = file.trim_end_matches(".pem").replace('_', "*");
        CrtPathContent::File(CrtCertificate {
            names: names.split('+').map(parse_name).collect(),
            key: !file.starts_with("apart"),
            key_type: None,
        })
    }

    /// Formats a block as `LINE NAMES @ LISTENS: FILES`.
    fn shown(block: &ConfigBlock) -> String {
        let names: Vec<String> = block.names.iter().map(ServerName::text).collect();
        let listens: Vec<String> = block.listens.iter().map(shown_listen).collect();
        let files: Vec<String> = block
            .certificates
            .iter()
            .flat_map(|certificate| &certificate.files)
            .map(|(piece, path)| shown_file(*piece, path))
            .collect();
        format!(
            "{} {} @ {}: {}",
            block.line,
            names.join(","),
            listens.join(" "),
            files.join(" ")
        )
    }

    fn shown_listen(listen: &ListenAddress) -> String {
        let flags = [
            (listen.ssl, " ssl"),
            (listen.default_server, " default"),
            (listen.dual_stack, " dual"),
            (listen.strict, " strict"),
        ];
        let mut shown = listen.to_string();
        for (is_set, name) in flags {
            if is_set {
                shown.push_str(name);
            }
        }
        shown
    }

    fn shown_file(piece: ReleaseFile, path: &ConfiguredPath) -> String {
        let path = match path.file() {
            Some(path) => path.display().to_string(),
            None => "?".to_owned(),
        };
        if piece == ReleaseFile::Combined {
            path
        } else {
            format!("{path}({})", piece.file_name())
        }
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
            // Two key types for the same names.
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
            (
                "frontend f\n bind :443 ssl crt /x/a.pem\n disabled\nfrontend g\n bind :444 ssl crt /x/a.pem",
                &["5 a @ 0.0.0.0:444 ssl default: /x/a.pem"],
            ),
            // The order of certificates that share a name is kept.
            (
                "frontend f\n bind :443 ssl crt /x/a.pem crt /x/a+b.pem crt /y/a.pem",
                &[
                    "2 a @ 0.0.0.0:443 ssl default: /x/a.pem",
                    "2 a,b @ 0.0.0.0:443 ssl: /x/a+b.pem",
                    "2 a @ 0.0.0.0:443 ssl: /y/a.pem",
                ],
            ),
            (
                "global\n setenv X /x/a.pem\n unsetenv X\nfrontend f\n bind :443 ssl crt \"${X-/x/b.pem}\"",
                &["5 b @ 0.0.0.0:443 ssl default: /x/b.pem"],
            ),
        ] {
            let blocks: Vec<String> = read(text).blocks.iter().map(shown).collect();
            assert_eq!(blocks, expected, "{text}");
        }
    }

    #[test]
    fn what_certctl_cannot_evaluate_is_a_doubt() {
        for (text, expected) in [
            (
                "frontend f\n bind :443 ssl crt a.pem",
                "2: certctl cannot resolve the path of crt a.pem",
            ),
            (
                "frontend f\n bind :443 ssl crt \"${.FILE}\"",
                "2: certctl cannot resolve the path of crt ${.FILE}",
            ),
            (
                "frontend f\n bind :443 ssl crt @store/a",
                "2: certctl cannot resolve the path of crt @store/a",
            ),
            (
                "frontend f\n bind :443 ssl crt-list l",
                "2: certctl cannot resolve the path of crt-list l",
            ),
            (
                "frontend f\n bind :443 ssl crt-list /none",
                "2: certctl cannot read crt-list /none",
            ),
            (
                "frontend f\n bind :443 ssl crt /dark.pem",
                "2: certctl cannot read /dark.pem, so its names are unknown",
            ),
            (
                "frontend f\n bind fd@3 ssl crt /x/a.pem",
                "2: certctl cannot resolve the address fd@3",
            ),
            (
                "frontend f\n bind :443 \"ssl",
                "2: a quote, a variable or an escape is incomplete",
            ),
            (
                ".if version_atleast(2.8)\n.endif",
                "1: certctl cannot evaluate the condition version_atleast(2.8); it assumes that it \
                    holds",
            ),
            (
                "crt-store s\n load crt /x/a.pem\nfrontend f\n bind :443 ssl crt @s/b.pem",
                "4: certctl cannot resolve the path of crt @s/b.pem",
            ),
            (
                "frontend f\n bind :443 ssl crt-list /l",
                "/l:4: malformed line of a crt-list; /l:1: certctl cannot resolve the path of crt \
                    apart.pem",
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
    fn sections_that_listen_are_found() {
        let config = read(
            "defaults\n mode http\nfrontend web\n bind :80\n http-request redirect scheme https unless { ssl_fc }\n\
             default_backend app\nbackend app\n server a 127.0.0.1:1\nlisten stats\n bind 127.0.0.1:8404\n disabled\n",
        );
        let frontends: Vec<_> = config
            .frontends
            .iter()
            .map(|frontend| {
                (
                    frontend.name.as_str(),
                    frontend.line,
                    frontend.backend.as_deref(),
                    frontend.redirects,
                    frontend.disabled,
                )
            })
            .collect();
        assert_eq!(
            frontends,
            [
                ("web", 3, Some("app"), true, false),
                ("stats", 9, Some("stats"), false, true)
            ]
        );
        assert_eq!(config.backends, ["app", "stats"]);
    }
}
