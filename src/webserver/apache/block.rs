//! From directives to virtual hosts: where they answer, for which names, with which pairs.

use std::path::{Path, PathBuf};

use super::listen::{ListenSocket, VirtualAddress};
use super::read::{ApacheDirective, ParsedApache, flat};
use crate::store::layout::ReleaseFile;
use crate::webserver::model::{
    self, ConfigBlock, ConfiguredCertificate, ConfiguredPath, ListenAddress, NameSource,
    ServerName, ServerSoftware, TrafficKind,
};

/// One `<VirtualHost>`, or the main server around them.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    /// What any server says.
    pub block: ConfigBlock,
    /// What it passes `/` on to (`ProxyPass`), or the first thing that it passes anything on to.
    pub upstream: Option<String>,
    /// The folder that it serves.
    pub root: Option<PathBuf>,
    /// All that it says; `None` for the main server.
    pub directives: Option<Vec<ApacheDirective>>,
}

impl VirtualHost {
    /// All that it says; nothing for the main server.
    #[must_use]
    pub fn said(&self) -> &[ApacheDirective] {
        self.directives.as_deref().unwrap_or_default()
    }
}

/// What an install needs to know of a configuration.
#[derive(Clone, Debug)]
pub struct ApacheConfig {
    pub file: PathBuf,
    /// All virtual hosts in Apache's order, then the main server.
    pub hosts: Vec<VirtualHost>,
    /// The sockets that are opened.
    pub sockets: Vec<ListenSocket>,
    /// Every module, by both of its names.
    pub modules: Vec<String>,
    /// `PidFile`; absolute.
    pub pid: Option<PathBuf>,
    /// The patterns that are included and that sites may stand in; absolute.
    pub includes: Vec<PathBuf>,
    /// What only Apache can decide.
    pub doubts: Vec<String>,
    /// All directives, those that do not apply too.
    pub directives: Vec<ApacheDirective>,
}

/// Folders of modules and their settings, which are no place for a site.
const NOT_FOR_SITES: [&str; 4] = [
    "mods-enabled",
    "conf-enabled",
    "conf.modules.d",
    "modules.d",
];

impl ApacheConfig {
    /// Of what was read from `file`; `mapped` and `ipv6`: whether a socket for `[::]` takes IPv4
    /// too, and whether this machine speaks IPv6.
    #[must_use]
    pub fn new(read: ParsedApache, file: &Path, (mapped, ipv6): (bool, bool)) -> Self {
        let ParsedApache {
            directives,
            server_root,
            modules,
            mut doubts,
        } = read;
        let main = flat(&directives);
        let sockets: Vec<ListenSocket> = words(&main, "Listen")
            .filter_map(ListenSocket::parse)
            .collect();
        let sections: Vec<&ApacheDirective> = main
            .iter()
            .copied()
            .filter(|it| it.is("VirtualHost") && it.inside.is_some())
            .collect();
        let translator = Translator {
            main: &main,
            root: &server_root,
        };
        let mut hosts = Vec::new();
        for section in sections {
            let addresses: Vec<VirtualAddress> = section
                .arguments
                .iter()
                .filter_map(|word| VirtualAddress::parse(word))
                .collect();
            if addresses.len() < section.arguments.len() {
                doubts.push(format!(
                    "{}:{}: an address of it was not understood",
                    section.file.display(),
                    section.line
                ));
            }
            let through = addresses
                .iter()
                .flat_map(|address| address.through(&sockets, (mapped, ipv6)));
            hosts.push(translator.host(section, through.collect()));
        }
        hosts.push(translator.around(file, &hosts, &sockets, (mapped, ipv6)));
        share_proxy_protocol(&mut hosts);
        let pid = words(&main, "PidFile")
            .last()
            .map(|path| server_root.join(path));
        let includes = includes(&directives)
            .into_iter()
            .map(|pattern| server_root.join(pattern))
            .collect();
        Self {
            file: file.to_owned(),
            hosts,
            sockets,
            modules,
            pid,
            includes,
            doubts,
            directives,
        }
    }

    /// What any server says.
    #[must_use]
    pub fn neutral(&self) -> model::ServerConfig {
        let blocks = self.hosts.iter().map(|host| host.block.clone()).collect();
        let mut config = model::ServerConfig::new(ServerSoftware::Apache, &self.file, blocks);
        config.includes.clone_from(&self.includes);
        config.doubts.clone_from(&self.doubts);
        config
    }

    /// Whether a module is there: `ssl_module`.
    #[must_use]
    pub fn has(&self, module: &str) -> bool {
        self.modules.iter().any(|there| there == module)
    }
}

fn includes(directives: &[ApacheDirective]) -> Vec<String> {
    let mut found = Vec::new();
    for directive in directives
        .iter()
        .filter(|it| it.is_transparent() && it.applies)
    {
        let inside = directive.inside.as_deref().unwrap_or_default();
        if directive.is("Include") || directive.is("IncludeOptional") {
            let folder = |pattern: &&str| !NOT_FOR_SITES.iter().any(|name| pattern.contains(name));
            found.extend(directive.first().filter(folder).map(str::to_owned));
        }
        found.extend(includes(inside));
    }
    found
}

/// The first words of all directives of that name.
fn words<'a>(
    directives: &'a [&'a ApacheDirective],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    directives
        .iter()
        .filter(move |it| it.is(name))
        .filter_map(|it| it.first())
}

/// A host sees what the main server says where it says nothing itself.
struct Translator<'a> {
    main: &'a [&'a ApacheDirective],
    root: &'a Path,
}

impl Translator<'_> {
    fn host(&self, section: &ApacheDirective, listens: Vec<ListenAddress>) -> VirtualHost {
        let inner = flat(section.inside.as_deref().unwrap_or_default());
        let block = self.block(&inner, (&section.file, section.line), listens);
        self.with_content(block, &inner, section.inside.clone())
    }

    /// The main server: it answers on the sockets that no virtual host has.
    fn around(
        &self,
        file: &Path,
        hosts: &[VirtualHost],
        sockets: &[ListenSocket],
        machine: (bool, bool),
    ) -> VirtualHost {
        let any = VirtualAddress {
            host: None,
            port: None,
        };
        let taken = |listen: &ListenAddress| {
            let here = |other: &&ListenAddress| {
                other.port == listen.port && other.interface == listen.interface
            };
            hosts
                .iter()
                .flat_map(|host| &host.block.listens)
                .any(|other| here(&other))
        };
        let free: Vec<ListenAddress> = any
            .through(sockets, machine)
            .into_iter()
            .filter(|listen| !taken(listen))
            .collect();
        let said = |it: &&&ApacheDirective| it.is("ServerName") || it.is("SSLEngine");
        let place = self
            .main
            .iter()
            .find(said)
            .map_or((file, 1), |it| (it.file.as_path(), it.line));
        let block = self.block(self.main, place, free);
        self.with_content(block, self.main, None)
    }

    fn with_content(
        &self,
        block: ConfigBlock,
        inner: &[&ApacheDirective],
        directives: Option<Vec<ApacheDirective>>,
    ) -> VirtualHost {
        let root = words(inner, "DocumentRoot")
            .last()
            .or_else(|| words(self.main, "DocumentRoot").last());
        let root = root.map(|folder| self.root.join(folder));
        VirtualHost {
            block,
            upstream: upstream(inner),
            root,
            directives,
        }
    }

    fn block(
        &self,
        inner: &[&ApacheDirective],
        (file, line): (&Path, u32),
        listens: Vec<ListenAddress>,
    ) -> ConfigBlock {
        let tls = self
            .last(inner, "SSLEngine")
            .is_some_and(|word| !word.eq_ignore_ascii_case("off"));
        let proxied = self
            .last(inner, "RemoteIPProxyProtocol")
            .is_some_and(|word| word.eq_ignore_ascii_case("on"));
        let listens = listens
            .into_iter()
            .map(|listen| ListenAddress {
                ssl: tls,
                proxy_protocol: proxied && !self.excepted(inner),
                ..listen
            })
            .collect();
        let names = words(inner, "ServerName").last().and_then(server_name);
        let aliases = inner
            .iter()
            .filter(|it| it.is("ServerAlias"))
            .flat_map(|it| &it.arguments);
        ConfigBlock {
            file: file.to_owned(),
            line,
            part: TrafficKind::Http,
            names: names
                .into_iter()
                .chain(aliases.map(|word| alias(word)))
                .collect(),
            names_from: NameSource::Configuration,
            listens,
            pairs: self.pairs(inner),
            stapling: self.stapling(inner),
        }
    }

    fn last<'a>(&'a self, inner: &'a [&'a ApacheDirective], name: &'a str) -> Option<&'a str> {
        self.last_of(inner, name).and_then(ApacheDirective::first)
    }

    /// The last one of that name in the host, else in the main server.
    fn last_of<'a>(
        &'a self,
        inner: &'a [&'a ApacheDirective],
        name: &str,
    ) -> Option<&'a ApacheDirective> {
        let last = |level: &[&'a ApacheDirective]| level.iter().copied().rfind(|it| it.is(name));
        last(inner).or_else(|| last(self.main))
    }

    /// `SSLUseStapling on`, unless the server to ask is named.
    fn stapling(&self, inner: &[&ApacheDirective]) -> Option<String> {
        let on = self.last_of(inner, "SSLUseStapling").filter(|it| {
            it.first()
                .is_some_and(|word| word.eq_ignore_ascii_case("on"))
        });
        let elsewhere = self.last_of(inner, "SSLStaplingForceURL").is_some();
        on.filter(|_| !elsewhere)
            .map(|it| format!("{}:{}", it.file.display(), it.line))
    }

    /// Whether who asks from this machine sends no PROXY header.
    fn excepted(&self, inner: &[&ApacheDirective]) -> bool {
        let own = |word: &String| {
            ["127.0.0.", "::1", "localhost"]
                .iter()
                .any(|start| word.starts_with(start))
        };
        let all = inner
            .iter()
            .chain(self.main)
            .filter(|it| it.is("RemoteIPProxyProtocolExceptions"));
        all.flat_map(|it| &it.arguments).any(own)
    }

    /// The n-th certificate with the n-th key, or with the key in its own file; the chain file goes
    /// with all of them.
    fn pairs(&self, inner: &[&ApacheDirective]) -> Vec<ConfiguredCertificate> {
        let certificates = self.merged(inner, "SSLCertificateFile");
        let keys = self.merged(inner, "SSLCertificateKeyFile");
        let chain = self
            .last(inner, "SSLCertificateChainFile")
            .map(|word| self.path(word));
        let pair = |(index, certificate): (usize, ConfiguredPath)| {
            let mut files = match (&chain, keys.get(index)) {
                (None, None) => {
                    return ConfiguredCertificate {
                        files: vec![(ReleaseFile::Combined, certificate)],
                    };
                }
                (Some(chain), _) if *chain != certificate => {
                    vec![
                        (ReleaseFile::Cert, certificate),
                        (ReleaseFile::Ca, chain.clone()),
                    ]
                }
                _ => vec![(ReleaseFile::FullChain, certificate)],
            };
            let own = files[0].1.clone();
            files.push((ReleaseFile::Key, keys.get(index).cloned().unwrap_or(own)));
            ConfiguredCertificate { files }
        };
        certificates.into_iter().enumerate().map(pair).collect()
    }

    /// Those of a host, then those of the main server that are further back in the list than its
    /// own (`modssl_ctx_cfg_merge_certkeys_array`).
    fn merged(&self, inner: &[&ApacheDirective], name: &str) -> Vec<ConfiguredPath> {
        let own: Vec<&str> = words(inner, name).collect();
        let main: Vec<&str> = words(self.main, name).skip(own.len()).collect();
        own.into_iter()
            .chain(main)
            .map(|word| self.path(word))
            .collect()
    }

    fn path(&self, word: &str) -> ConfiguredPath {
        if word.contains("${") || word.starts_with("pkcs11:") {
            ConfiguredPath::Other(word.to_owned())
        } else {
            ConfiguredPath::File(self.root.join(word))
        }
    }
}

/// `[scheme://]host[:port]`
fn server_name(word: &str) -> Option<ServerName> {
    let host = word.split_once("://").map_or(word, |(_, rest)| rest);
    let host = host
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    (!host.is_empty()).then_some(ServerName::Exact(host))
}

/// A word of `ServerAlias`: `*` and `?` stand for anything, dots too.
fn alias(word: &str) -> ServerName {
    let word = word.to_ascii_lowercase();
    match word
        .strip_prefix('*')
        .filter(|base| base.starts_with('.') && !base.contains(['*', '?']))
    {
        Some(base) => ServerName::Below(base.to_owned()),
        None if word.contains(['*', '?']) => ServerName::Glob(word),
        None => ServerName::Exact(word),
    }
}

/// The `ProxyPass` of `/`, else the first one of all.
fn upstream(directives: &[&ApacheDirective]) -> Option<String> {
    let mut passes: Vec<(&str, &str)> = Vec::new();
    for directive in directives {
        match directive.arguments.as_slice() {
            [path, to, ..] if directive.is("ProxyPass") => passes.push((path, to)),
            [path] if directive.is("Location") => {
                let inside = flat(directive.inside.as_deref().unwrap_or_default());
                let to = inside
                    .into_iter()
                    .find(|it| it.is("ProxyPass"))
                    .and_then(|it| it.first());
                passes.extend(to.map(|to| (path.as_str(), to)));
            }
            _ => {}
        }
    }
    passes.retain(|(_, to)| *to != "!");
    passes.sort_by_key(|(path, _)| *path != "/");
    passes.first().map(|(_, to)| (*to).to_owned())
}

/// The PROXY header belongs to the address: one host that wants it wants it for all.
fn share_proxy_protocol(hosts: &mut [VirtualHost]) {
    let wanting: Vec<ListenAddress> = hosts
        .iter()
        .flat_map(|host| &host.block.listens)
        .filter(|listen| listen.proxy_protocol)
        .cloned()
        .collect();
    for listen in hosts.iter_mut().flat_map(|host| &mut host.block.listens) {
        let here = |other: &&ListenAddress| {
            other.port == listen.port && other.interface == listen.interface
        };
        listen.proxy_protocol |= wanting.iter().any(|other| here(&other));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::config;
    use crate::webserver::model::ConfigBlock;

    fn told(block: &ConfigBlock) -> String {
        let names: Vec<String> = block.names.iter().map(|name| name.text()).collect();
        let flags = |tls: bool, proxied: bool| {
            format!(
                "{}{}",
                if tls { "s" } else { "" },
                if proxied { "p" } else { "" }
            )
        };
        let listens = block
            .listens
            .iter()
            .map(|it| format!("{it}{}", flags(it.ssl, it.proxy_protocol)));
        let files = block.pairs.iter().map(|pair| {
            let file = |path: &Path| path.display().to_string();
            let words = pair.files.iter().map(|(piece, path)| {
                format!(
                    "{piece:?}={}",
                    path.file().map_or_else(|| "?".to_owned(), file)
                )
            });
            words.collect::<Vec<_>>().join("+")
        });
        let listens = listens.collect::<Vec<_>>().join(" ");
        [
            block.line.to_string(),
            names.join(" "),
            listens,
            files.collect::<Vec<_>>().join(" "),
        ]
        .join(" | ")
    }

    #[test]
    fn hosts_with_all_their_pairs() {
        let config = config(
            "Listen 80\nListen 443\nServerName main.example\nSSLCertificateFile /m.crt\nSSLCertificateKeyFile /m.key\n\
             <VirtualHost *:80>\nServerName http://A.example:80\nServerAlias www.a.example *.b.example w?w.c.example *\n\
             </VirtualHost>\n\
             <VirtualHost *:443>\nServerName a.example\nSSLEngine on\nSSLCertificateFile ssl/a.crt\nSSLCertificateKeyFile ${K}/a.key\n</VirtualHost>\n\
             <VirtualHost 192.0.2.1:443>\nSSLEngine On\nSSLCertificateFile /r.crt\nSSLCertificateFile /e.crt\n\
             SSLCertificateKeyFile /r.key\nSSLCertificateKeyFile /e.key\nSSLCertificateChainFile /c.crt\nRemoteIPProxyProtocol On\n</VirtualHost>\n\
             <VirtualHost 192.0.2.1:443>\nSSLEngine On\nServerName late.example\n</VirtualHost>",
        );
        let told: Vec<String> = config.neutral().blocks().iter().map(told).collect();
        let main = "FullChain=/m.crt+Key=/m.key";
        assert_eq!(
            told,
            [
                format!(
                    "6 | a.example www.a.example *.b.example w?w.c.example * | 0.0.0.0:80 \
                    [::]:80 | {main}"
                ),
                "10 | a.example | 0.0.0.0:443s [::]:443s | FullChain=/etc/apache2/ssl/a.crt+Key=?"
                    .to_owned(),
                "16 |  | 192.0.2.1:443sp | Cert=/r.crt+Ca=/c.crt+Key=/r.key \
                    Cert=/e.crt+Ca=/c.crt+Key=/e.key"
                    .to_owned(),
                format!("25 | late.example | 192.0.2.1:443sp | {main}"),
                format!("3 | main.example |  | {main}"),
            ]
        );
        assert_eq!(config.doubts, [""; 0]);
    }

    #[test]
    fn answers_that_the_certificate_must_name_a_server_for() {
        for (main, host, expected) in [
            ("", "", None),
            ("", "SSLUseStapling On", Some(3)),
            ("SSLUseStapling on", "", Some(1)),
            ("SSLUseStapling on", "SSLUseStapling off", None),
            (
                "SSLStaplingForceURL http://ocsp.example",
                "SSLUseStapling on",
                None,
            ),
        ] {
            let config = config(&format!(
                "{main}\n<VirtualHost *:443>\n{host}\n</VirtualHost>"
            ));
            let expected = expected.map(|line| format!("/etc/apache2/apache2.conf:{line}"));
            assert_eq!(config.hosts[0].block.stapling, expected, "{main} | {host}");
        }
    }

    #[test]
    fn one_file_for_all_and_the_main_server_alone() {
        let config = config(
            "Listen 443\nListen 127.0.0.1:8443\nSSLEngine on\nServerName m.example\nSSLCertificateFile /all.pem\n\
             <VirtualHost *:8443>\nSSLEngine off\nSSLCertificateFile /x.crt\nSSLCertificateChainFile /x.crt\nSSLCertificateKeyFile /x.key\n</VirtualHost>",
        );
        let told: Vec<String> = config.neutral().blocks().iter().map(told).collect();
        assert_eq!(
            told,
            [
                "6 |  | 127.0.0.1:8443 | FullChain=/x.crt+Key=/x.key",
                "3 | m.example | 0.0.0.0:443s [::]:443s | Combined=/all.pem",
            ]
        );
    }

    #[test]
    fn what_a_host_serves_and_where_sites_go() {
        let config = config(
            "IncludeOptional mods-enabled/*.conf\nIncludeOptional sites-enabled/*.conf\nListen 80\nDocumentRoot /srv/main\n\
             <VirtualHost *:80>\nServerName a.example\nProxyPass /static !\nProxyPass /x http://x/\nProxyPass / http://127.0.0.1:9000/\n</VirtualHost>\n\
             <VirtualHost *:80>\nServerName b.example\nDocumentRoot /srv/b\n</VirtualHost>\n\
             <VirtualHost *:80>\nServerName c.example\n<Location />\nProxyPass http://c/\n</Location>\n</VirtualHost>\n\
             <VirtualHost nonsense:port>\n</VirtualHost>",
        );
        let told: Vec<_> = config
            .hosts
            .iter()
            .map(|host| (host.upstream.as_deref(), host.root.as_deref()))
            .collect();
        let main = Some(Path::new("/srv/main"));
        let c = (Some("http://c/"), main);
        assert_eq!(
            told,
            [
                (Some("http://127.0.0.1:9000/"), main),
                (None, Some(Path::new("/srv/b"))),
                c,
                (None, main),
                (None, main)
            ]
        );
        let neutral = config.neutral();
        let folders: Vec<&Path> = neutral.including("x.conf").collect();
        assert_eq!(folders, [Path::new("/etc/apache2/sites-enabled")]);
        assert_eq!(config.doubts.len(), 1, "{:?}", config.doubts);
    }
}
