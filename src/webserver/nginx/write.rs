//! Writes the server block for a certificate that no block names yet: TLS by Mozilla's intermediate
//! guideline 6.0, the content of the existing plain-text block for these names, and a redirect from
//! http to https, except for `/.well-known/`, where CAs look for domain validation files.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::block::{NginxBlock, NginxConfig};
use super::build::{Http2Syntax, NginxBuild, NginxVersion};
use super::parse::{NginxDirective, flat};
use super::print;
use crate::webserver::model::{
    BlockAddition, CIPHERS, ConfigBlock, ListenAddress, ListenInterface, NewBlock, ServerSoftware,
    TrafficKind, WrittenBlock, origin_comment,
};

/// What the new block is written from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NginxWriter<'a> {
    pub new: NewBlock<'a>,
    /// The nginx that will read the block.
    pub build: &'a NginxBuild,
    /// The existing configuration.
    pub config: &'a NginxConfig,
}

/// The address in the examples of gunicorn and Django.
const UPSTREAM: &str = "http://127.0.0.1:8000";

/// The headers that an application behind a proxy needs; without them it sees the proxy as the
/// client and http instead of https.
const HEADERS: [ProxyHeader; 4] = [
    ProxyHeader {
        name: "Host",
        value: "$host",
    },
    ProxyHeader {
        name: "X-Real-IP",
        value: "$remote_addr",
    },
    ProxyHeader {
        name: "X-Forwarded-For",
        value: "$proxy_add_x_forwarded_for",
    },
    ProxyHeader {
        name: "X-Forwarded-Proto",
        value: "$scheme",
    },
];

/// A request header that a proxy sets.
struct ProxyHeader {
    name: &'static str,
    value: &'static str,
}

impl ProxyHeader {
    fn directive(&self) -> NginxDirective {
        NginxDirective {
            name: "proxy_set_header".to_owned(),
            arguments: vec![self.name.to_owned(), self.value.to_owned()],
            file: PathBuf::new(),
            line: 0,
            block: None,
        }
    }

    fn is_among(&self, headers: &[NginxDirective]) -> bool {
        headers.iter().any(|header| {
            header
                .arguments
                .first()
                .is_some_and(|name| name.eq_ignore_ascii_case(self.name))
        })
    }
}

/// The content of the new block.
struct NginxContent {
    text: String,
    upstream: Option<String>,
}

impl NginxWriter<'_> {
    /// Writes the text of a new file next to nginx's others.
    #[must_use]
    pub(crate) fn write(&self) -> WrittenBlock {
        let plain: Vec<&NginxBlock> = self
            .config
            .blocks
            .iter()
            .filter(|block| self.is_plain(block))
            .collect();
        let source = plain.iter().copied().find(|block| is_site(block));
        let content = source.map_or_else(default_content, content_of);
        let additions: Vec<BlockAddition> = plain
            .iter()
            .filter(|block| !redirects(&block.directives))
            .map(|block| BlockAddition::new(&block.block, self.redirect_lines()))
            .collect();
        let mut text = format!("{}\n", self.new.heading());
        text.push_str(&self.plain_block(&plain));
        text.push_str(&self.tls_block(&content.text));
        for addition in &additions {
            text.push_str(&addition.redirect_comment("block"));
        }
        WrittenBlock {
            text,
            upstream: content.upstream,
            copied_from: source.map(|source| source.block.to_string()),
            additions,
            commands_before: Vec::new(),
        }
    }

    fn is_plain(&self, NginxBlock { block, .. }: &NginxBlock) -> bool {
        block.traffic == TrafficKind::Http && block.serves_in_plain_text(self.new.names)
    }

    /// A block that redirects the names that no plain-text block has yet; empty when all have one.
    fn plain_block(&self, plain: &[&NginxBlock]) -> String {
        let blocks: Vec<&ConfigBlock> = plain.iter().map(|block| &block.block).collect();
        let names = self.new.names_without_block(&blocks);
        if names.is_empty() {
            return String::new();
        }
        let listens = self.listens(self.new.ports.plain, "");
        let names = names.join(" ");
        let redirect = self.redirect();
        format!(
            "server {{\n{listens}    server_name {names};\n\n    \
             # CAs look for domain validation files here (acme-challenge, pki-validation); never redirect it.\n    \
             location ^~ /.well-known/ {{\n        root /var/www/html;\n        default_type text/plain;\n    }}\n\n    \
             location / {{\n        {redirect}\n    }}\n}}\n\n"
        )
    }

    fn redirect(&self) -> String {
        let port = self.new.https_port_suffix();
        format!("return 301 https://$host{port}$request_uri;")
    }

    fn tls_block(&self, content: &str) -> String {
        let flags = match self.build.http2 {
            Http2Syntax::Directive | Http2Syntax::Absent => " ssl",
            Http2Syntax::Listen => " ssl http2",
        };
        let http2 = match self.build.http2 {
            Http2Syntax::Directive => "    http2 on;\n",
            Http2Syntax::Listen | Http2Syntax::Absent => "",
        };
        let listens = self.listens(self.new.ports.tls, flags);
        // Before 1.23.2 ticket keys were not rotated: one stolen key decrypted all sessions.
        let tickets = if self.build.version < NginxVersion(1, 23, 2) {
            "    ssl_session_tickets off;\n"
        } else {
            ""
        };
        let certificate = ServerSoftware::Nginx
            .certificate_lines(self.new.links)
            .join("\n    ");
        format!(
            "server {{\n{listens}{http2}    server_name {};\n\n    {certificate}\n    \
             ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_ciphers {CIPHERS};\n    ssl_prefer_server_ciphers off;\n    \
             ssl_session_cache shared:certctl:10m;\n    ssl_session_timeout 1d;\n{tickets}    \
             # When everything works over https, uncomment this so that browsers insist on it for two years:\n    \
             # add_header Strict-Transport-Security \"max-age=63072000\" always;\n\n{content}}}\n",
            self.new.joined_names(" "),
        )
    }

    fn listens(&self, port: u16, flags: &str) -> String {
        let mut text = String::new();
        for address in self.listen_addresses(port) {
            let listen = match address {
                IpAddr::V4(any) if any.is_unspecified() => port.to_string(),
                address => SocketAddr::new(address, port).to_string(),
            };
            text.push_str(&format!("    listen {listen}{flags};\n"));
        }
        text
    }

    /// All addresses of both families, and the single addresses that existing blocks listen on,
    /// because nginx uses only the blocks of a single address for connections to it.
    fn listen_addresses(&self, port: u16) -> Vec<IpAddr> {
        let any4 = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        let any6 = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        let existing = self.existing_listens(port);
        let mut addresses = Vec::new();
        // A socket with `ipv6only=off` uses the IPv4 port too: a second one could not be bound.
        if !existing.iter().any(|listen| listen.dual_stack) {
            addresses.push(any4);
        }
        let listens_on_any6 = existing
            .iter()
            .any(|listen| listen.interface == ListenInterface::Address(any6));
        if self.new.ipv6 || listens_on_any6 {
            addresses.push(any6);
        }
        for listen in existing.iter().filter(|listen| !listen.proxy_protocol) {
            let ListenInterface::Address(address) = listen.interface else {
                continue;
            };
            if !address.is_loopback() && address != any4 && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// The addresses of that port in existing http blocks.
    fn existing_listens(&self, port: u16) -> Vec<&ListenAddress> {
        self.config
            .blocks
            .iter()
            .filter(|block| block.block.traffic == TrafficKind::Http)
            .flat_map(|block| &block.block.listens)
            .filter(|listen| listen.port == port && !listen.udp)
            .collect()
    }

    fn redirect_lines(&self) -> Vec<String> {
        vec![
            r#"if ($request_uri !~ "^/\.well-known/") {"#.to_owned(),
            format!("    {}", self.redirect()),
            "}".to_owned(),
        ]
    }
}

/// The content of a new site that no existing block serves.
fn default_content() -> NginxContent {
    NginxContent {
        text: proxy(UPSTREAM),
        upstream: Some(UPSTREAM.to_owned()),
    }
}

/// The content of an existing block: copied where that is possible, else a proxy to the same
/// application or the same folder.
fn content_of(source: &NginxBlock) -> NginxContent {
    let text = if can_be_copied(&source.directives) {
        copy(source)
    } else {
        match &source.upstream {
            Some(upstream) => proxy(upstream),
            None => root(source),
        }
    };
    NginxContent {
        text,
        upstream: source.upstream.clone(),
    }
}

/// Returns whether any of the directives redirects visitors to https.
fn redirects(directives: &[NginxDirective]) -> bool {
    flat(directives).into_iter().any(redirects_itself)
}

fn redirects_itself(directive: &NginxDirective) -> bool {
    let is_redirect = matches!(directive.name.as_str(), "return" | "rewrite");
    let mut arguments = directive.arguments.iter();
    (is_redirect && arguments.any(|word| word.starts_with("https://")))
        || redirects(directive.block.as_deref().unwrap_or_default())
}

/// Returns whether a block serves anything but redirects to https.
fn is_site(block: &NginxBlock) -> bool {
    let directives = flat(&block.directives);
    // `return` at the top level hides all locations.
    let returns = directives
        .iter()
        .any(|directive| directive.name == "return");
    let serves = directives
        .iter()
        .any(|directive| match directive.name.as_str() {
            "location" => !redirects_itself(directive),
            "root" => true,
            _ => false,
        });
    serves && !returns
}

/// Returns whether the new block has its own directive of that kind.
fn is_own_directive(directive: &NginxDirective) -> bool {
    directive.name.starts_with("ssl")
        || ["listen", "server_name", "http2"].contains(&directive.name.as_str())
}

/// Included files are copied as `include`, so they must not contain directives that the new block
/// has itself. The content of Lua blocks is not parsed.
fn can_be_copied(directives: &[NginxDirective]) -> bool {
    directives.iter().all(|directive| {
        let block = directive.block.as_deref().unwrap_or_default();
        let clashes = directive.name == "include" && flat(block).into_iter().any(is_own_directive);
        !clashes && !directive.name.ends_with("_by_lua_block") && can_be_copied(block)
    })
}

/// Everything that the existing block does, access rules included, with the missing headers of its
/// proxies added.
fn copy(block: &NginxBlock) -> String {
    let kept: Vec<NginxDirective> = block
        .directives
        .iter()
        .filter(|directive| !is_own_directive(directive) && !redirects_itself(directive))
        .map(|directive| with_headers(directive, &block.proxy_headers))
        .collect();
    let mut out = origin_comment(&block.block);
    print::directives(&mut out, &kept, 1);
    out
}

/// Adds the headers that a proxying location lacks. A header of its own replaces those inherited
/// from outer levels, so these are repeated.
fn with_headers(directive: &NginxDirective, inherited: &[NginxDirective]) -> NginxDirective {
    let mut directive = directive.clone();
    if directive.name == "include" {
        return directive;
    }
    let inside: Vec<NginxDirective> = directive.inside().into_iter().cloned().collect();
    let own: Vec<NginxDirective> = inside
        .iter()
        .filter(|inner| inner.name == "proxy_set_header")
        .cloned()
        .collect();
    let effective = if own.is_empty() { inherited } else { &own };
    let Some(block) = &mut directive.block else {
        return directive;
    };
    *block = block
        .iter()
        .map(|inner| with_headers(inner, effective))
        .collect();
    let missing: Vec<NginxDirective> = HEADERS
        .iter()
        .filter(|header| !header.is_among(effective))
        .map(ProxyHeader::directive)
        .collect();
    let is_proxy = inside.iter().any(|inner| inner.name == "proxy_pass");
    if is_proxy && !missing.is_empty() {
        if own.is_empty() {
            block.extend(effective.iter().cloned());
        }
        block.extend(missing);
    }
    directive
}

fn proxy(upstream: &str) -> String {
    let mut out = format!(
        "    location / {{\n        proxy_pass {};\n",
        print::word(upstream)
    );
    let headers: Vec<NginxDirective> = HEADERS.iter().map(ProxyHeader::directive).collect();
    print::directives(&mut out, &headers, 2);
    out.push_str("    }\n");
    out
}

fn root(block: &NginxBlock) -> String {
    let folder = block
        .root
        .as_deref()
        .unwrap_or_else(|| Path::new("/var/www/html"));
    format!("    root {};\n", print::word(&folder.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::NginxWriter;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::model::{DEFAULT_WEB_PORTS, NewBlock, WrittenBlock};
    use crate::webserver::nginx::NginxBuild;
    use crate::webserver::nginx::build::{Http2Syntax, NginxVersion};
    use crate::webserver::nginx::testing::{config, names};

    fn write(http: &str, certificate_names: &[&str], version: NginxVersion) -> WrittenBlock {
        let http2 = if version >= NginxVersion(1, 25, 1) {
            Http2Syntax::Directive
        } else {
            Http2Syntax::Listen
        };
        let links = [
            StableLink::new("/etc/ssl/example.com.fullchain.pem", ReleaseFile::FullChain),
            StableLink::new("/etc/ssl/private/example.com.key", ReleaseFile::Key),
        ];
        let writer = NginxWriter {
            new: NewBlock {
                names: &names(certificate_names),
                links: &links,
                ipv6: true,
                ports: DEFAULT_WEB_PORTS,
            },
            build: &NginxBuild {
                version,
                prefix: "/usr/share/nginx".into(),
                config: "/etc/nginx/nginx.conf".into(),
                pid: "/run/nginx.pid".into(),
                http2,
            },
            config: &config(&format!("http {{ {http} }}")),
        };
        writer.write()
    }

    #[test]
    fn a_new_site_gets_a_redirect_and_a_tls_block() {
        let written = write(
            "",
            &["example.com", "www.example.com"],
            NginxVersion(1, 26, 0),
        );
        insta::assert_snapshot!(written.text, @r#"
        # example.com, www.example.com: written by certctl; edit it as you like.

        server {
            listen 80;
            listen [::]:80;
            server_name example.com www.example.com;

            # CAs look for domain validation files here (acme-challenge, pki-validation); never redirect it.
            location ^~ /.well-known/ {
                root /var/www/html;
                default_type text/plain;
            }

            location / {
                return 301 https://$host$request_uri;
            }
        }

        server {
            listen 443 ssl;
            listen [::]:443 ssl;
            http2 on;
            server_name example.com www.example.com;

            ssl_certificate /etc/ssl/example.com.fullchain.pem;
            ssl_certificate_key /etc/ssl/private/example.com.key;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
            ssl_prefer_server_ciphers off;
            ssl_session_cache shared:certctl:10m;
            ssl_session_timeout 1d;
            # When everything works over https, uncomment this so that browsers insist on it for two years:
            # add_header Strict-Transport-Security "max-age=63072000" always;

            location / {
                proxy_pass http://127.0.0.1:8000;
                proxy_set_header Host $host;
                proxy_set_header X-Real-IP $remote_addr;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto $scheme;
            }
        }
        "#);
        assert_eq!(
            (written.upstream.as_deref(), written.copied_from),
            (Some("http://127.0.0.1:8000"), None)
        );
    }

    #[test]
    fn a_plain_text_site_is_copied() {
        let http = "server { listen 80; listen 192.0.2.1:80; server_name example.com; client_max_body_size 5m;
            location /static/ { alias /srv/static/; } location /api { proxy_set_header Host api; proxy_pass http://app/x; }
            location / { auth_basic \"a b\"; proxy_pass http://app; } }
            server { listen 192.0.2.1:443 ssl; server_name other.example; }";
        let written = write(
            http,
            &["example.com", "www.example.com"],
            NginxVersion(1, 22, 1),
        );
        insta::assert_snapshot!(written.text, @r#"
        # example.com, www.example.com: written by certctl; edit it as you like.

        server {
            listen 80;
            listen [::]:80;
            listen 192.0.2.1:80;
            server_name www.example.com;

            # CAs look for domain validation files here (acme-challenge, pki-validation); never redirect it.
            location ^~ /.well-known/ {
                root /var/www/html;
                default_type text/plain;
            }

            location / {
                return 301 https://$host$request_uri;
            }
        }

        server {
            listen 443 ssl http2;
            listen [::]:443 ssl http2;
            listen 192.0.2.1:443 ssl http2;
            server_name example.com www.example.com;

            ssl_certificate /etc/ssl/example.com.fullchain.pem;
            ssl_certificate_key /etc/ssl/private/example.com.key;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
            ssl_prefer_server_ciphers off;
            ssl_session_cache shared:certctl:10m;
            ssl_session_timeout 1d;
            ssl_session_tickets off;
            # When everything works over https, uncomment this so that browsers insist on it for two years:
            # add_header Strict-Transport-Security "max-age=63072000" always;

            # Copied from /etc/nginx/nginx.conf:1:
            client_max_body_size 5m;
            location /static/ {
                alias /srv/static/;
            }
            location /api {
                proxy_set_header Host api;
                proxy_pass http://app/x;
                proxy_set_header X-Real-IP $remote_addr;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto $scheme;
            }
            location / {
                auth_basic "a b";
                proxy_pass http://app;
                proxy_set_header Host $host;
                proxy_set_header X-Real-IP $remote_addr;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto $scheme;
            }
        }

        # To redirect http to https (except /.well-known/), add this to the block at /etc/nginx/nginx.conf:1:
        #     if ($request_uri !~ "^/\.well-known/") {
        #         return 301 https://$host$request_uri;
        #     }
        "#);
        assert_eq!(written.upstream.as_deref(), Some("http://app"));
        assert_eq!(
            written.copied_from.as_deref(),
            Some("/etc/nginx/nginx.conf:1")
        );
        assert_eq!(written.additions.len(), 1);
    }

    #[test]
    fn only_content_that_certctl_has_read_is_copied() {
        for (http, has, lacks) in [
            // It redirects already: there is nothing to copy and nothing to add.
            (
                "server { server_name example.com; return 301 https://$host$request_uri; }",
                "127.0.0.1:8000",
                "# To redirect",
            ),
            (
                "server { server_name example.com; location / { return 301 https://example.com$request_uri; } }",
                "127.0.0.1:8000",
                "301",
            ),
            // The redirect that an earlier install suggested was added: the rest is still copied.
            (
                "server { server_name example.com; if ($request_uri !~ x) { return 301 https://$host$request_uri; }
                 location / { proxy_pass http://app; } }",
                "proxy_pass http://app;",
                "301",
            ),
            // Lua blocks are not parsed, so they are not copied; the upstream is.
            (
                "server { server_name example.com; location / { access_by_lua_block { x() } proxy_pass http://app; } }",
                "proxy_pass http://app;",
                "lua",
            ),
            ("server { server_name example.com; root /srv/x; }", "root /srv/x;", "proxy_pass"),
            // Headers of outer levels are copied too.
            (
                "proxy_set_header X-Own a; server \
                    { server_name example.com; location / { proxy_pass http://app; } }",
                "proxy_set_header X-Own a;",
                "X-Own b",
            ),
        ] {
            let text = write(http, &["example.com"], NginxVersion(1, 22, 1)).text;
            assert!(text.contains(has) && !text.contains(lacks), "{http}\n{text}");
        }
    }
}
