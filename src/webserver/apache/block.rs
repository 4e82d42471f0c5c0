//! Translates directives into virtual hosts: their addresses, names and certificates.

use std::path::{Path, PathBuf};

use super::build::ApacheVersion;
use super::listen::{ListenSocket, SocketSupport, VirtualAddress};
use super::managed::ManagedDomain;
use super::names::{host_of, server_names};
use super::precedence::{self, HostEngine, RankedListen, SslEngine};
use super::read::{ApacheDirective, ParsedApache, first_words, flat};
use crate::store::layout::ReleaseFile;
use crate::webserver::model::{
    self, ConfigBlock, ConfigPosition, ConfiguredCertificate, ConfiguredPath, ListenAddress,
    ModelRule, NameSource, ServerName, ServerSoftware, TlsHandling, TrafficKind, UpstreamAddress,
};

/// One `<VirtualHost>`, or the main server around them.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    /// The host in the form that all servers share.
    pub block: ConfigBlock,
    /// Its `SSLEngine`, or that of the main server.
    pub(crate) engine: SslEngine,
    /// The target of the `ProxyPass` for `/`, else of the first `ProxyPass`.
    pub upstream: Option<String>,
    /// Its directives; `None` for the main server.
    pub directives: Option<Vec<ApacheDirective>>,
}

impl VirtualHost {
    /// The directives of its section; none for the main server.
    #[must_use]
    pub fn section_directives(&self) -> &[ApacheDirective] {
        self.directives.as_deref().unwrap_or_default()
    }

    fn engine(&mut self) -> HostEngine<'_> {
        HostEngine {
            listens: &mut self.block.listens,
            engine: self.engine,
        }
    }
}

/// The configuration of Apache.
#[derive(Clone, Debug)]
pub struct ApacheConfig {
    pub file: PathBuf,
    /// All virtual hosts in Apache's order, then the main server.
    pub hosts: Vec<VirtualHost>,
    /// The sockets that are opened.
    pub sockets: Vec<ListenSocket>,
    /// Every loaded module, by both of its names.
    pub modules: Vec<String>,
    /// `PidFile`; absolute.
    pub pid: Option<PathBuf>,
    /// The included patterns that may contain sites; absolute.
    pub includes: Vec<PathBuf>,
    /// What certctl cannot evaluate: the position and the reason.
    pub doubts: Vec<String>,
    /// The first doubt about which directives there are.
    pub unclear: Option<String>,
    /// All directives, including those that do not apply.
    pub directives: Vec<ApacheDirective>,
}

/// Folders of modules and their settings, where no site belongs.
const NOT_FOR_SITES: [&str; 4] = [
    "mods-enabled",
    "conf-enabled",
    "conf.modules.d",
    "modules.d",
];

impl ApacheConfig {
    /// Translates what was parsed from `file` into virtual hosts.
    #[must_use]
    pub fn new(parsed: ParsedApache, file: &Path, support: SocketSupport) -> Self {
        let ParsedApache {
            directives,
            server_root,
            modules,
            version,
            mut doubts,
        } = parsed;
        let unclear = doubts.first().cloned();
        let main = flat(&directives);
        let sockets: Vec<ListenSocket> = first_words(&main, "Listen")
            .filter_map(ListenSocket::parse)
            .collect();
        let translator = HostTranslator {
            main: &main,
            root: &server_root,
            sockets: &sockets,
            support,
            version,
            domains: ManagedDomain::find_all(&main),
        };
        let hosts = translator.hosts(file, &mut doubts);
        let pid = first_words(&main, "PidFile").last();
        let pid = pid.map(|path| server_root.join(path));
        let includes = site_includes(&directives)
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
            unclear,
            directives,
        }
    }

    /// The configuration in the form that all servers share.
    #[must_use]
    pub fn to_server_config(&self) -> model::ServerConfig {
        let blocks = self.hosts.iter().map(|host| host.block.clone()).collect();
        let mut config = model::ServerConfig::new(ServerSoftware::Apache, &self.file, blocks);
        config.includes.clone_from(&self.includes);
        config.doubts.clone_from(&self.doubts);
        config.unclear.clone_from(&self.unclear);
        config
    }

    /// Returns the address to which a host passes requests; none if it passes none, or the
    /// configuration does not show it.
    #[must_use]
    pub(crate) fn upstreams(&self, block: &ConfigBlock) -> Vec<UpstreamAddress> {
        let is_same = |other: &ConfigBlock| other.file == block.file && other.line == block.line;
        let host = self.hosts.iter().find(|host| is_same(&host.block));
        let upstream = host.and_then(|host| host.upstream.as_deref());
        upstream
            .and_then(UpstreamAddress::parse)
            .into_iter()
            .collect()
    }

    /// Returns whether a module is loaded: `ssl_module`.
    #[must_use]
    pub fn has(&self, module: &str) -> bool {
        self.modules.iter().any(|loaded| loaded == module)
    }
}

/// The addresses of a `<VirtualHost>` section; adds a doubt where one was not understood.
fn virtual_addresses(section: &ApacheDirective, doubts: &mut Vec<String>) -> Vec<VirtualAddress> {
    let addresses: Vec<VirtualAddress> = section
        .arguments
        .iter()
        .filter_map(|word| VirtualAddress::parse(word))
        .collect();
    if addresses.len() < section.arguments.len() {
        doubts.push(format!(
            "{}: certctl does not understand an address of this virtual host",
            section.position()
        ));
    }
    addresses
}

/// The included patterns that a new site may be put into.
fn site_includes(directives: &[ApacheDirective]) -> Vec<String> {
    let mut found = Vec::new();
    for directive in directives {
        if !directive.is_transparent() || !directive.applies {
            continue;
        }
        if let Some(pattern) = directive.first()
            && (directive.is("Include") || directive.is("IncludeOptional"))
            && !NOT_FOR_SITES.iter().any(|name| pattern.contains(name))
        {
            found.push(pattern.to_owned());
        }
        found.extend(site_includes(
            directive.inside.as_deref().unwrap_or_default(),
        ));
    }
    found
}

/// Translates directives into hosts. A host inherits the directives of the main server that it does
/// not set itself.
struct HostTranslator<'a> {
    main: &'a [&'a ApacheDirective],
    root: &'a Path,
    sockets: &'a [ListenSocket],
    support: SocketSupport,
    version: ApacheVersion,
    domains: Vec<ManagedDomain>,
}

impl HostTranslator<'_> {
    /// All virtual hosts in their order, then the main server.
    fn hosts(&self, file: &Path, doubts: &mut Vec<String>) -> Vec<VirtualHost> {
        let sections = self
            .main
            .iter()
            .filter(|section| section.is("VirtualHost") && section.inside.is_some());
        let mut hosts = Vec::new();
        let mut listens = Vec::new();
        for section in sections {
            let addresses = virtual_addresses(section, doubts);
            listens.push(self.ranked_listens(&addresses));
            hosts.push(self.virtual_host(section, &addresses));
        }
        precedence::keep_most_specific(&mut listens);
        for (host, listens) in hosts.iter_mut().zip(listens) {
            self.add_listens(host, listens);
        }
        hosts.push(self.main_server(file, &hosts));
        let mut engines: Vec<HostEngine<'_>> = hosts.iter_mut().map(VirtualHost::engine).collect();
        precedence::mark_tls(&mut engines);
        share_proxy_protocol(&mut hosts);
        hosts
    }

    /// A host without its addresses.
    fn virtual_host(&self, section: &ApacheDirective, addresses: &[VirtualAddress]) -> VirtualHost {
        let inner = flat(section.inside.as_deref().unwrap_or_default());
        let mut block = self.block(&inner, section.position());
        // Apache looks up the name of a host that has only specific addresses in the DNS.
        let has_name = inner.iter().any(|directive| directive.is("ServerName"));
        let has_any_address = addresses.iter().any(|address| address.host.is_none());
        if !has_name && has_any_address && ModelRule::ApacheMainName.is_followed() {
            let name = first_words(self.main, "ServerName").last();
            let name = name.and_then(host_of).map(ServerName::Inherited);
            block.names.extend(name);
        }
        self.with_content(block, &inner, section.inside.clone())
    }

    fn ranked_listens(&self, addresses: &[VirtualAddress]) -> Vec<RankedListen> {
        let mut ranked = Vec::new();
        for address in addresses {
            let listens = address.listens_on(self.sockets, self.support);
            ranked.extend(
                listens
                    .into_iter()
                    .map(|listen| RankedListen::new(listen, address)),
            );
        }
        ranked
    }

    fn add_listens(&self, host: &mut VirtualHost, listens: Vec<RankedListen>) {
        let inner = flat(host.section_directives());
        let expects_proxy = self.expects_proxy(&inner);
        let listens: Vec<ListenAddress> = listens
            .into_iter()
            .map(|ranked| ListenAddress {
                proxy_protocol: expects_proxy,
                ..ranked.listen
            })
            .collect();
        host.block.listens = listens;
    }

    /// Returns whether clients on this machine must send a PROXY header to a host.
    fn expects_proxy(&self, inner: &[&ApacheDirective]) -> bool {
        let is_on = self
            .last_word(inner, "RemoteIPProxyProtocol")
            .is_some_and(|word| word.eq_ignore_ascii_case("on"));
        is_on && !self.excepts_this_machine(inner)
    }

    /// The main server, which answers on the sockets that no virtual host uses.
    fn main_server(&self, file: &Path, hosts: &[VirtualHost]) -> VirtualHost {
        let any = VirtualAddress {
            host: None,
            port: None,
        };
        let mut listens = any.listens_on(self.sockets, self.support);
        listens.retain(|listen| {
            let mut used = hosts.iter().flat_map(|host| &host.block.listens);
            !used.any(|other| is_same_address(other, listen))
        });
        let named = self
            .main
            .iter()
            .find(|directive| directive.is("ServerName") || directive.is("SSLEngine"));
        let position = named.map_or(ConfigPosition { file, line: 1 }, |directive| {
            directive.position()
        });
        let expects_proxy = self.expects_proxy(self.main);
        for listen in &mut listens {
            listen.proxy_protocol = expects_proxy;
        }
        let mut block = self.block(self.main, position);
        block.listens = listens;
        // mod_md does not provide certificates to the main server (`MDBaseServer`).
        block.certificates = self.certificates(self.main, &[]);
        self.with_content(block, self.main, None)
    }

    fn with_content(
        &self,
        block: ConfigBlock,
        inner: &[&ApacheDirective],
        directives: Option<Vec<ApacheDirective>>,
    ) -> VirtualHost {
        VirtualHost {
            block,
            engine: SslEngine::parse(self.last_word(inner, "SSLEngine"), self.version),
            upstream: upstream(inner),
            directives,
        }
    }

    fn block(&self, inner: &[&ApacheDirective], position: ConfigPosition<'_>) -> ConfigBlock {
        let names = server_names(inner);
        ConfigBlock {
            file: position.file.to_owned(),
            line: position.line,
            traffic: TrafficKind::Http,
            certificates: self.certificates(inner, &names),
            names,
            names_from: NameSource::Configuration,
            listens: Vec::new(),
            stapling: self.stapling(inner),
            handling: TlsHandling::Certificates,
        }
    }

    fn last_word<'a>(&'a self, inner: &'a [&'a ApacheDirective], name: &'a str) -> Option<&'a str> {
        self.last_of(inner, name).and_then(ApacheDirective::first)
    }

    /// The last directive of that name in the host, else in the main server.
    fn last_of<'a>(
        &'a self,
        inner: &'a [&'a ApacheDirective],
        name: &str,
    ) -> Option<&'a ApacheDirective> {
        let own = inner.iter().rfind(|directive| directive.is(name));
        let inherited = self.main.iter().rfind(|directive| directive.is(name));
        own.or(inherited).copied()
    }

    /// The position of `SSLUseStapling on`, unless the responder is configured.
    fn stapling(&self, inner: &[&ApacheDirective]) -> Option<String> {
        let directive = self.last_of(inner, "SSLUseStapling")?;
        let is_on = directive
            .first()
            .is_some_and(|word| word.eq_ignore_ascii_case("on"));
        let has_responder = self.last_of(inner, "SSLStaplingForceURL").is_some();
        (is_on && !has_responder).then(|| directive.position().to_string())
    }

    /// Returns whether clients on this machine connect without a PROXY header.
    fn excepts_this_machine(&self, inner: &[&ApacheDirective]) -> bool {
        let mut exceptions = inner
            .iter()
            .chain(self.main)
            .filter(|directive| directive.is("RemoteIPProxyProtocolExceptions"))
            .flat_map(|directive| &directive.arguments);
        exceptions.any(|address| {
            ["127.0.0.", "::1", "localhost"]
                .iter()
                .any(|start| address.starts_with(start))
        })
    }

    /// Combines the n-th certificate with the n-th key, or with the key in the certificate's file.
    /// The chain file belongs to all of them. mod_md adds those of a managed domain with one of the
    /// `names`.
    fn certificates(
        &self,
        inner: &[&ApacheDirective],
        names: &[ServerName],
    ) -> Vec<ConfiguredCertificate> {
        let certificates = self.merged_paths(inner, "SSLCertificateFile");
        let keys = self.merged_paths(inner, "SSLCertificateKeyFile");
        let chain = self
            .last_word(inner, "SSLCertificateChainFile")
            .map(|word| self.path(word));
        let mut keys = keys.into_iter();
        let mut certificates: Vec<ConfiguredCertificate> = certificates
            .into_iter()
            .map(|certificate| configured_certificate(certificate, keys.next(), chain.as_ref()))
            .collect();
        let mut domains = self.domains.iter();
        if let Some(domain) = domains.find(|domain| domain.covers(names))
            && ModelRule::ApacheManagedDomain.is_followed()
        {
            self.add_managed(&mut certificates, domain);
        }
        certificates
    }

    /// Adds the files of a managed domain. Those that mod_md requests itself are in its own store; as
    /// long as it has none, it uses its own only where the host has no others.
    fn add_managed(&self, certificates: &mut Vec<ConfiguredCertificate>, domain: &ManagedDomain) {
        let mut keys = domain.keys.iter().map(|word| self.path(word));
        for word in &domain.certificates {
            let certificate = self.path(word);
            certificates.push(configured_certificate(certificate, keys.next(), None));
        }
        if certificates.is_empty()
            && let Some(name) = domain.names.first()
        {
            let store = ConfiguredPath::Other(format!("mod_md: {name}"));
            let files = vec![(ReleaseFile::Combined, store)];
            certificates.push(ConfiguredCertificate::in_files(files));
        }
    }

    /// The paths of a host, then those of the main server beyond the number of the host's own
    /// (`modssl_ctx_cfg_merge_certkeys_array`).
    fn merged_paths(&self, inner: &[&ApacheDirective], name: &str) -> Vec<ConfiguredPath> {
        let own: Vec<&str> = first_words(inner, name).collect();
        let inherits = own.is_empty() || ModelRule::ApacheInheritance.is_followed();
        let main = first_words(self.main, name).filter(|_| inherits);
        let main: Vec<&str> = main.skip(own.len()).collect();
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

fn configured_certificate(
    certificate: ConfiguredPath,
    key: Option<ConfiguredPath>,
    chain: Option<&ConfiguredPath>,
) -> ConfiguredCertificate {
    let has_own_key = key.as_ref().is_some_and(|key| *key != certificate);
    if !has_own_key && chain.is_none() {
        return ConfiguredCertificate::in_files(vec![(ReleaseFile::Combined, certificate)]);
    }
    let key = key.unwrap_or_else(|| certificate.clone());
    let mut files = match chain {
        Some(chain) if *chain != certificate => {
            vec![
                (ReleaseFile::Cert, certificate),
                (ReleaseFile::Ca, chain.clone()),
            ]
        }
        _ => vec![(ReleaseFile::FullChain, certificate)],
    };
    files.push((ReleaseFile::Key, key));
    ConfiguredCertificate::in_files(files)
}

/// The target of the `ProxyPass` for `/`, else of the first `ProxyPass`.
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

/// The PROXY protocol belongs to the address: one host that expects it enables it for all.
fn share_proxy_protocol(hosts: &mut [VirtualHost]) {
    let expecting: Vec<ListenAddress> = hosts
        .iter()
        .flat_map(|host| &host.block.listens)
        .filter(|listen| listen.proxy_protocol)
        .cloned()
        .collect();
    for listen in hosts.iter_mut().flat_map(|host| &mut host.block.listens) {
        listen.proxy_protocol |= expecting.iter().any(|other| is_same_address(other, listen));
    }
}

fn is_same_address(one: &ListenAddress, other: &ListenAddress) -> bool {
    one.port == other.port && one.interface == other.interface
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::config;
    use crate::webserver::model::ConfigBlock;

    fn shown(block: &ConfigBlock) -> String {
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
        let files = block.certificates.iter().map(|certificate| {
            let file = |path: &Path| path.display().to_string();
            let words = certificate.files.iter().map(|(piece, path)| {
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
    fn hosts_have_their_addresses_names_and_certificates() {
        let config = config(
            "Listen 80\nListen 443\nServerName main.example\nSSLCertificateFile /m.crt\nSSLCertificateKeyFile /m.key\n\
             <VirtualHost *:80>\nServerName http://A.example:80\nServerAlias www.a.example *.b.example w?w.c.example *\n\
             </VirtualHost>\n\
             <VirtualHost *:443>\nServerName a.example\nSSLEngine on\nSSLCertificateFile ssl/a.crt\nSSLCertificateKeyFile ${K}/a.key\n</VirtualHost>\n\
             <VirtualHost 192.0.2.1:443>\nSSLEngine On\nSSLCertificateFile /r.crt\nSSLCertificateFile /e.crt\n\
             SSLCertificateKeyFile /r.key\nSSLCertificateKeyFile /e.key\nSSLCertificateChainFile /c.crt\nRemoteIPProxyProtocol On\n</VirtualHost>\n\
             <VirtualHost 192.0.2.1:443>\nSSLEngine On\nServerName late.example\n</VirtualHost>",
        );
        let shown: Vec<String> = config
            .to_server_config()
            .blocks()
            .iter()
            .map(shown)
            .collect();
        let main = "FullChain=/m.crt+Key=/m.key";
        assert_eq!(
            shown,
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
    fn stapling_without_a_configured_responder_is_found() {
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
    fn the_main_server_answers_on_unused_sockets() {
        let config = config(
            "Listen 443\nListen 127.0.0.1:8443\nSSLEngine on\nServerName m.example\nSSLCertificateFile /all.pem\n\
             <VirtualHost *:8443>\nSSLEngine off\nSSLCertificateFile /x.crt\nSSLCertificateChainFile /x.crt\nSSLCertificateKeyFile /x.key\n</VirtualHost>",
        );
        let shown: Vec<String> = config
            .to_server_config()
            .blocks()
            .iter()
            .map(shown)
            .collect();
        assert_eq!(
            shown,
            [
                "6 | m.example | 127.0.0.1:8443 | FullChain=/x.crt+Key=/x.key",
                "3 | m.example | 0.0.0.0:443s [::]:443s | Combined=/all.pem",
            ]
        );
    }

    #[test]
    fn upstreams_and_site_folders_are_found() {
        let config = config(
            "IncludeOptional mods-enabled/*.conf\nIncludeOptional sites-enabled/*.conf\nListen 80\nDocumentRoot /srv/main\n\
             <VirtualHost *:80>\nServerName a.example\nProxyPass /static !\nProxyPass /x http://x/\nProxyPass / http://127.0.0.1:9000/\n</VirtualHost>\n\
             <VirtualHost *:80>\nServerName b.example\nDocumentRoot /srv/b\n</VirtualHost>\n\
             <VirtualHost *:80>\nServerName c.example\n<Location />\nProxyPass http://c/\n</Location>\n</VirtualHost>\n\
             <VirtualHost nonsense:port>\n</VirtualHost>",
        );
        let shown: Vec<_> = config
            .hosts
            .iter()
            .map(|host| host.upstream.as_deref())
            .collect();
        assert_eq!(
            shown,
            [
                Some("http://127.0.0.1:9000/"),
                None,
                Some("http://c/"),
                None,
                None
            ]
        );
        let server_config = config.to_server_config();
        let folders: Vec<&Path> = server_config.folders_including("x.conf").collect();
        assert_eq!(folders, [Path::new("/etc/apache2/sites-enabled")]);
        assert_eq!(config.doubts.len(), 1, "{:?}", config.doubts);
    }
}
