//! Translates directives into blocks: their addresses, names and certificates.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::forward;
use super::levels::DirectiveLevels;
use super::listen;
use super::name::server_name;
use super::parse::{NginxDirective, flat};
use super::upstream::{self, UpstreamGroup};
use crate::webserver::model::pass_through::PassThrough;
use crate::webserver::model::{
    self, ConfigBlock, ConfigPosition, ConfiguredCertificate, ConfiguredPath, ListenAddress,
    ListenInterface, ModelRule, NameSource, ServerName, ServerSoftware, TlsHandling, TrafficKind,
};

/// Parses the value of `ssl_certificate` or `ssl_certificate_key`.
fn certificate_path(text: &str, folder: &Path) -> ConfiguredPath {
    let special = ["data:", "engine:", "store:"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    if special || text.contains('$') {
        ConfiguredPath::Other(text.to_owned())
    } else {
        ConfiguredPath::File(folder.join(text))
    }
}

/// One `server { ... }` block.
#[derive(Clone, Debug)]
pub struct NginxBlock {
    /// The block in the form that all servers share.
    pub block: ConfigBlock,
    /// `ssl_stapling_file` and `ssl_trusted_certificate`, which belong to a certificate.
    pub related: Vec<NginxDirective>,
    /// All directives of the block.
    pub directives: Vec<NginxDirective>,
    /// Where it passes connections on to, if it does not decrypt them.
    pub(crate) pass_through: Option<PassThrough>,
}

/// The configuration of nginx.
#[derive(Clone, Debug)]
pub struct NginxConfig {
    pub file: PathBuf,
    /// All server blocks, in nginx's order.
    pub blocks: Vec<NginxBlock>,
    /// The `pid` directive; absolute.
    pub pid: Option<PathBuf>,
    /// The patterns of the http block's `include`; absolute.
    pub includes: Vec<PathBuf>,
    /// The groups of servers that `proxy_pass` may name.
    pub upstream_groups: Vec<UpstreamGroup>,
}

impl NginxConfig {
    /// Translates the directives of the main file `file` into blocks. Certificates are relative to
    /// its folder, other paths to `prefix`.
    #[must_use]
    pub fn new(directives: &[NginxDirective], file: &Path, prefix: &Path) -> Self {
        let folder = file.parent().unwrap_or_else(|| Path::new("/"));
        let main = flat(directives);
        let mut blocks = Vec::new();
        let mut includes = Vec::new();
        let mut upstream_groups = Vec::new();
        for directive in &main {
            if let Some(part) = traffic_kind(&directive.name) {
                let part = ServerPart { part, folder };
                blocks.extend(part.server_blocks(directive));
            }
            if directive.name == "http" {
                collect_include_patterns(directive, folder, &mut includes);
                upstream_groups.extend(upstream::upstream_groups(directive));
            }
        }
        share_flags(&mut blocks);
        let pid = main.iter().rfind(|directive| directive.name == "pid");
        let pid = pid.and_then(|pid| pid.only());
        Self {
            file: file.to_owned(),
            blocks,
            pid: pid.map(|pid| prefix.join(pid)),
            includes,
            upstream_groups,
        }
    }

    /// The configuration in the form that all servers share.
    #[must_use]
    pub fn to_server_config(&self) -> model::ServerConfig {
        let blocks = self
            .blocks
            .iter()
            .map(|server| server.block.clone())
            .collect();
        let mut config = model::ServerConfig::new(ServerSoftware::Nginx, &self.file, blocks);
        config.includes.clone_from(&self.includes);
        let pass_through = self.blocks.iter().flat_map(|server| &server.pass_through);
        config.pass_through = pass_through.cloned().collect();
        config
    }
}

fn traffic_kind(name: &str) -> Option<TrafficKind> {
    match name {
        "http" => Some(TrafficKind::Http),
        "mail" => Some(TrafficKind::Mail),
        "stream" => Some(TrafficKind::Stream),
        _ => None,
    }
}

/// Collects the `include` patterns of a block and of the files that it includes.
fn collect_include_patterns(outer: &NginxDirective, folder: &Path, found: &mut Vec<PathBuf>) {
    for directive in outer.block.iter().flatten() {
        if directive.name == "include" {
            found.extend(directive.only().map(|pattern| folder.join(pattern)));
            collect_include_patterns(directive, folder, found);
        }
    }
}

/// The `http`, `mail` or `stream` block, and the folder that its certificates are relative to.
struct ServerPart<'a> {
    part: TrafficKind,
    folder: &'a Path,
}

impl ServerPart<'_> {
    fn server_blocks(&self, directive: &NginxDirective) -> Vec<NginxBlock> {
        let (servers, outer): (Vec<_>, Vec<_>) = directive
            .inside()
            .into_iter()
            .partition(|inner| inner.name == "server" && inner.block.is_some());
        servers
            .into_iter()
            .map(|server| self.server_block(server, &outer))
            .collect()
    }

    fn server_block(&self, server: &NginxDirective, outer: &[&NginxDirective]) -> NginxBlock {
        let inner = server.inside();
        let levels = DirectiveLevels {
            inner: &inner,
            outer,
        };
        let block = ConfigBlock {
            file: server.file.clone(),
            line: server.line,
            traffic: self.part,
            names: server_names(&inner),
            names_from: NameSource::Configuration,
            listens: listens(&levels),
            certificates: self.certificates(&levels),
            stapling: stapling(&levels),
            handling: handling(&levels),
        };
        let pass_through = match self.part {
            TrafficKind::Stream => forward::pass_through(&levels, &block.listens),
            TrafficKind::Http | TrafficKind::Mail => None,
        };
        NginxBlock {
            block,
            related: related_directives(&levels),
            directives: server.block.clone().unwrap_or_default(),
            pass_through,
        }
    }

    /// Combines the n-th certificate with the n-th key.
    fn certificates(&self, levels: &DirectiveLevels<'_>) -> Vec<ConfiguredCertificate> {
        let mut levels = *levels;
        if !ModelRule::NginxInheritance.is_followed() {
            levels.outer = &[];
        }
        let certificates = levels.effective("ssl_certificate");
        let keys = levels.effective("ssl_certificate_key");
        let certificates = certificates.filter_map(|directive| directive.only());
        let keys = keys.filter_map(|directive| directive.only());
        certificates
            .zip(keys)
            .map(|(certificate, key)| {
                ConfiguredCertificate::two(
                    certificate_path(certificate, self.folder),
                    certificate_path(key, self.folder),
                )
            })
            .collect()
    }
}

fn handling(levels: &DirectiveLevels<'_>) -> TlsHandling {
    let scripts = [
        "ssl_certificate_by_lua",
        "ssl_certificate_by_lua_block",
        "ssl_certificate_by_lua_file",
        "ssl_client_hello_by_lua_block",
        "ssl_client_hello_by_lua_file",
    ];
    if levels.is_on("ssl_reject_handshake") {
        TlsHandling::Rejects
    } else if scripts
        .iter()
        .any(|name| levels.effective(name).next().is_some())
    {
        TlsHandling::Script
    } else {
        TlsHandling::Certificates
    }
}

/// The directives that name files which belong to one certificate.
fn related_directives(levels: &DirectiveLevels<'_>) -> Vec<NginxDirective> {
    let names = ["ssl_stapling_file", "ssl_trusted_certificate"];
    let found = names.into_iter().flat_map(|name| levels.effective(name));
    found.cloned().collect()
}

fn server_names(directives: &[&NginxDirective]) -> Vec<ServerName> {
    directives
        .iter()
        .filter(|directive| directive.name == "server_name")
        .flat_map(|directive| &directive.arguments)
        .map(|word| server_name(word))
        .collect()
}

fn listens(levels: &DirectiveLevels<'_>) -> Vec<ListenAddress> {
    let mut listens: Vec<ListenAddress> = levels
        .inner
        .iter()
        .filter(|directive| directive.name == "listen")
        .flat_map(|listen| listen::parse(&listen.arguments))
        .collect();
    if listens.is_empty() {
        listens.push(listen::default_listen());
    }
    // Before 1.25.1, `ssl on` applied to all addresses of the server.
    if levels.is_on("ssl") {
        for listen in &mut listens {
            listen.ssl = true;
        }
    }
    listens
}

/// The position of `ssl_stapling on`, unless the OCSP responses come from a file or from a
/// configured responder.
fn stapling(levels: &DirectiveLevels<'_>) -> Option<String> {
    let has_other_source = ["ssl_stapling_file", "ssl_stapling_responder"]
        .into_iter()
        .any(|name| levels.effective(name).next().is_some());
    if has_other_source {
        return None;
    }
    let enabling = levels
        .effective("ssl_stapling")
        .find(|directive| directive.only() == Some("on"))?;
    let position = ConfigPosition {
        file: &enabling.file,
        line: enabling.line,
    };
    Some(position.to_string())
}

/// What all blocks at one address share.
#[derive(Clone, Copy, Default)]
struct SharedFlags {
    ssl: bool,
    proxy_protocol: bool,
    dual_stack: bool,
}

/// These options belong to the address: one block that sets them sets them for all.
fn share_flags(blocks: &mut [NginxBlock]) {
    let mut flags: HashMap<_, SharedFlags> = HashMap::new();
    for NginxBlock { block, .. } in blocks.iter() {
        for listen in &block.listens {
            let shared = flags.entry(address_key(block.traffic, listen)).or_default();
            shared.ssl |= listen.ssl;
            shared.proxy_protocol |= listen.proxy_protocol;
            shared.dual_stack |= listen.dual_stack;
        }
    }
    for NginxBlock { block, .. } in blocks {
        for listen in &mut block.listens {
            if let Some(shared) = flags.get(&address_key(block.traffic, listen)) {
                listen.ssl = shared.ssl;
                listen.proxy_protocol = shared.proxy_protocol;
                listen.dual_stack = shared.dual_stack;
            }
        }
    }
}

/// What identifies a socket of nginx; the last part distinguishes UDP from TCP.
fn address_key(
    part: TrafficKind,
    listen: &ListenAddress,
) -> (TrafficKind, ListenInterface, u16, bool) {
    (part, listen.interface.clone(), listen.port, listen.udp)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::{config, names};
    use super::{NginxBlock, NginxConfig};
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::model::{BlockCoverage, ConfiguredCertificate};

    fn shown_certificates(block: &NginxBlock) -> String {
        let shown = |certificate: &ConfiguredCertificate| {
            let files = &certificate.files;
            format!("{:?}+{:?}", files[0].1, files[1].1)
        };
        let shown: Vec<String> = block.block.certificates.iter().map(shown).collect();
        shown.join(" ").replace("File(", "").replace([')', '"'], "")
    }

    #[test]
    fn certificates_are_inherited_and_relative_to_the_configuration() {
        let inherited = "ssl_certificate h.crt; ssl_certificate_key /h.key;";
        for (server, expected) in [
            ("", "/etc/nginx/h.crt+/h.key"),
            ("ssl_certificate s.crt;", "/etc/nginx/s.crt+/h.key"),
            (
                "ssl_certificate /s.crt; ssl_certificate_key s/s.key;",
                "/s.crt+/etc/nginx/s/s.key",
            ),
            (
                "ssl_certificate /a; ssl_certificate /b; ssl_certificate_key /c; \
                    ssl_certificate_key /d;",
                "/a+/c /b+/d",
            ),
            (
                "ssl_certificate /$ssl_server_name.crt;",
                "Other(/$ssl_server_name.crt+/h.key",
            ),
            (
                "ssl_certificate_key engine:x:y;",
                "/etc/nginx/h.crt+Other(engine:x:y",
            ),
            ("ssl_certificate \"data:$x\";", "Other(data:$x+/h.key"),
        ] {
            let config = config(&format!(
                "http {{ {inherited} server {{ listen 443 ssl; {server} }} }}"
            ));
            assert_eq!(shown_certificates(&config.blocks[0]), expected, "{server}");
        }
        assert_eq!(
            shown_certificates(&config("http { server { ssl_certificate /x; } }").blocks[0]),
            "",
            "a certificate without a key"
        );
    }

    fn config_with_every_part() -> NginxConfig {
        config(
            "user www-data;\npid run/x.pid;\nhttp {\n root html;\n upstream u { server 127.0.0.1:1; }\n server {\n \
             server_name a.example;\n location /x { proxy_pass http://x; }\n location / { proxy_pass http://u; }\n }\n}\n\
             stream { server { listen 8443 ssl; ssl_certificate /s; ssl_certificate_key /k; } }\n\
             mail { server { listen 993 ssl; } }",
        )
    }

    #[test]
    fn blocks_of_every_part_have_their_position() {
        let config = config_with_every_part();
        let positions: Vec<String> = config
            .blocks
            .iter()
            .map(|block| format!("{:?} {}", block.block.traffic, block.block))
            .collect();
        assert_eq!(
            positions,
            [
                "Http /etc/nginx/nginx.conf:6",
                "Stream /etc/nginx/nginx.conf:12",
                "Mail /etc/nginx/nginx.conf:13",
            ]
        );
    }

    #[test]
    fn paths_are_resolved() {
        let config = config_with_every_part();
        assert_eq!(
            config.pid.as_deref(),
            Some(Path::new("/usr/share/nginx/run/x.pid"))
        );
        let http = &config.blocks[0];
        assert_eq!(http.block.listens[0].to_string(), "0.0.0.0:80");
    }

    #[test]
    fn blocks_are_found_by_their_files() {
        let config = config_with_every_part().to_server_config();
        for (key, count) in [("/k", 1), ("/s", 0)] {
            let links = [
                StableLink::new("/s", ReleaseFile::FullChain),
                StableLink::new(key, ReleaseFile::Key),
            ];
            assert_eq!(config.blocks_naming(&links).count(), count, "{key}");
        }
        assert_eq!(config.blocks_mentioning(Path::new("/k")).count(), 1);
    }

    #[test]
    fn only_folders_included_by_http_are_for_sites() {
        let config = config(
            "include /etc/nginx/modules-enabled/*.conf; stream { include /s/*; }
             http { include mime.types; include conf.d/*.conf; include /etc/nginx/sites-enabled/*; include v/*/x.conf; }",
        )
        .to_server_config();
        let folders = |name: &str| {
            config
                .folders_including(name)
                .map(Path::to_owned)
                .collect::<Vec<_>>()
        };
        let conf = Path::new("/etc/nginx/conf.d").to_owned();
        let sites = Path::new("/etc/nginx/sites-enabled").to_owned();
        assert_eq!(folders("x.conf"), [conf, sites.clone()]);
        assert_eq!(folders("x"), [sites]);
    }

    #[test]
    fn tls_belongs_to_the_address() {
        let config = config(
            "http { server { listen 443 ssl; } server { listen 443; } server { listen 444; }
             server { listen 445; ssl on; } server { listen 80; listen [::]:443 ssl; } server { listen 443 quic; } }",
        );
        let speaks: Vec<_> = config
            .to_server_config()
            .blocks()
            .iter()
            .map(|block| (block.speaks_tls(), block.speaks_plain()))
            .collect();
        let tls = (true, false);
        let plain = (false, true);
        let both = (true, true);
        let udp = (false, false);
        assert_eq!(speaks, [tls, tls, plain, tls, both, udp]);
    }

    #[test]
    fn stapling_without_a_configured_responder_is_found() {
        for (http, server, expected) in [
            ("", "", None),
            ("", "\nssl_stapling on;", Some(2)),
            ("ssl_stapling on;", "", Some(1)),
            ("ssl_stapling on;", "ssl_stapling off;", None),
            ("", "ssl_stapling on; ssl_stapling_file /x;", None),
            (
                "ssl_stapling_responder http://ocsp.example;",
                "ssl_stapling on;",
                None,
            ),
        ] {
            let config = config(&format!(
                "http {{ {http} server {{ listen 443 ssl; {server} }} }}"
            ));
            let expected = expected.map(|line| format!("/etc/nginx/nginx.conf:{line}"));
            assert_eq!(
                config.blocks[0].block.stapling, expected,
                "{http} | {server}"
            );
        }
    }

    #[test]
    fn coverage_requires_all_names_of_the_block() {
        let certificate = names(&["example.com", "*.example.com"]);
        let lacks = |names: &[&str]| {
            BlockCoverage::MissingNames(names.iter().map(|&name| name.to_owned()).collect())
        };
        for (server_name, expected) in [
            ("example.com www.Example.com", BlockCoverage::All),
            (".example.com", BlockCoverage::All),
            ("*.example.com _", BlockCoverage::All),
            ("_", BlockCoverage::Nameless),
            ("\"\"", BlockCoverage::Nameless),
            ("example.com example.org", lacks(&["example.org"])),
            ("*.www.example.com", lacks(&["*.www.example.com"])),
            ("a.b.example.com", lacks(&["a.b.example.com"])),
            (
                "example.*",
                BlockCoverage::UnknownPatterns(vec!["example.*".to_owned()]),
            ),
            (
                "~^x$ example.com",
                BlockCoverage::UnknownPatterns(vec!["~^x$".to_owned()]),
            ),
            ("~^x$ example.org", lacks(&["example.org"])),
        ] {
            let config = config(&format!(
                "http {{ server {{ server_name {server_name}; }} }}"
            ));
            assert_eq!(
                config.blocks[0].block.coverage(&certificate),
                expected,
                "{server_name}"
            );
        }
        assert_eq!(
            config("http { server { } }").blocks[0]
                .block
                .coverage(&certificate),
            BlockCoverage::Nameless
        );
    }

    /// A configuration that certbot has edited, and the one of gunicorn's documentation.
    const IN_THE_WILD: &str = r#"
user www-data;
pid /run/nginx.pid;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 768; # multi_accept on;
}
http {
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status "$http_user_agent"';
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    geo $limited { default 1; 10.0.0.0/8 0; }
    server {
        server_name shop.example www.shop.example; # managed by hand
        location ~* \.(?:css|js)$ { expires 1y; add_header Cache-Control "public"; }
        location ~ "^/[a-z]{2}/(?<page>.*)$" { rewrite ^ /$page last; }
        listen [::]:443 ssl ipv6only=on; # managed by Certbot
        listen 443 ssl; # managed by Certbot
        ssl_certificate /etc/letsencrypt/live/shop.example/fullchain.pem; # managed by Certbot
        ssl_certificate_key /etc/letsencrypt/live/shop.example/privkey.pem; # managed by Certbot
        include /etc/letsencrypt/options-ssl-nginx.conf;
    }
    server {
        if ($host = www.shop.example) {
            return 301 https://$host$request_uri;
        } # managed by Certbot
        listen 80; listen [::]:80;
        server_name shop.example www.shop.example;
        return 404; # managed by Certbot
    }
    upstream app_server { server unix:/tmp/gunicorn.sock fail_timeout=0; }
    server { listen 80 default_server; return 444; }
    server {
        listen 80 deferred;
        client_max_body_size 4G;
        server_name app.example;
        root /path/to/app/current/public;
        location / { try_files $uri @proxy_to_app; }
        location @proxy_to_app {
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Host $http_host;
            proxy_redirect off;
            proxy_pass http://app_server;
        }
        error_page 500 502 503 504 /500.html;
    }
}"#;

    #[test]
    fn common_configurations_are_understood() {
        let config = config(IN_THE_WILD);
        let shown = |block: &NginxBlock| {
            let names: Vec<String> = block.block.names.iter().map(|name| name.text()).collect();
            let listens: Vec<String> = block
                .block
                .listens
                .iter()
                .map(ToString::to_string)
                .collect();
            let upstreams = config.upstreams(&block.block);
            let upstreams: Vec<String> = upstreams.iter().map(ToString::to_string).collect();
            format!(
                "{} | {} | {}",
                names.join(" "),
                listens.join(" "),
                upstreams.join(" ")
            )
        };
        let shown: Vec<String> = config.blocks.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "shop.example www.shop.example | [::]:443 0.0.0.0:443 | ",
                "shop.example www.shop.example | 0.0.0.0:80 [::]:80 | ",
                " | 0.0.0.0:80 | ",
                "app.example | 0.0.0.0:80 | unix:/tmp/gunicorn.sock",
            ]
        );
        let live = "/etc/letsencrypt/live/shop.example/";
        assert_eq!(
            shown_certificates(&config.blocks[0]),
            format!("{live}fullchain.pem+{live}privkey.pem")
        );
        assert!(
            config.blocks[0].block.speaks_tls()
                && config.blocks[1..].iter().all(|it| !it.block.speaks_tls())
        );
    }

    #[test]
    fn sites_are_found_by_name() {
        let config = config(
            "http { server { server_name example.com; } server { server_name www.example.com; }
             server { server_name *.example.com; } server { server_name .example.com; } server { server_name ~x; }
             server { server_name example.*; } server { } server { server_name a.b.example.com; } }",
        )
        .to_server_config();
        let serving = |certificate_names: &[&str]| -> Vec<usize> {
            let certificate_names = names(certificate_names);
            let lines: Vec<String> = config
                .blocks_serving(&certificate_names)
                .map(|block| block.names[0].text())
                .collect();
            let all: Vec<String> = config
                .blocks()
                .iter()
                .map(|b| b.names.first().map(|n| n.text()).unwrap_or_default())
                .collect();
            lines
                .iter()
                .map(|line| all.iter().position(|name| name == line).unwrap())
                .collect()
        };
        assert_eq!(serving(&["example.com"]), [0, 3, 5]);
        assert_eq!(serving(&["www.example.com"]), [1, 2, 3]);
        assert_eq!(serving(&["*.example.com"]), [1, 2, 3]);
        assert_eq!(serving(&["example.org"]), [5]);
    }
}
