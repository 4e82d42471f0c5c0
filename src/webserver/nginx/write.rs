//! Writes the server block for a pair that no block names yet: TLS by Mozilla's intermediate
//! guideline 6.0, the site as the present plain-text block of these names serves it, and plain text
//! sent on to https, but for `/.well-known/`, where CAs look for proofs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use super::block::{NginxBlock, NginxConfig};
use super::build::{Http2Syntax, NginxBuild, NginxVersion};
use super::parse::{NginxDirective, flat};
use super::print;
use crate::pki::name::DnsName;
use crate::webserver::model::{
    BlockAddition, CIPHERS, ListenInterface, NewBlock, ServerSoftware, TrafficKind, WrittenBlock,
    name,
};

/// What is needed to write it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NginxWriter<'a> {
    pub new: NewBlock<'a>,
    /// The nginx that will read it.
    pub build: &'a NginxBuild,
    /// What it reads now.
    pub config: &'a NginxConfig,
}

/// Where gunicorn and Django's own examples listen.
const UPSTREAM: &str = "http://127.0.0.1:8000";

/// What an application behind a proxy must be told, or it takes every visitor for the proxy and
/// https for http.
const HEADERS: [(&str, &str); 4] = [
    ("Host", "$host"),
    ("X-Real-IP", "$remote_addr"),
    ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
    ("X-Forwarded-Proto", "$scheme"),
];

impl NginxWriter<'_> {
    /// The file to put beside nginx's others.
    #[must_use]
    pub(crate) fn write(&self) -> WrittenBlock {
        let plain: Vec<&NginxBlock> = self
            .config
            .blocks
            .iter()
            .filter(|block| self.is_plain(block))
            .collect();
        let source = plain.iter().copied().find(|block| is_site(block));
        let copied = source.filter(|block| can_be_copied(&block.directives));
        let upstream = match source {
            Some(block) => block.upstream.clone(),
            None => Some(UPSTREAM.to_owned()),
        };
        let mut text = self.heading();
        let open: Vec<String> = self.names_without(&plain);
        if !open.is_empty() {
            text.push_str(&self.plain_block(&open));
        }
        let content = match (copied, source) {
            (Some(block), _) => copy(block),
            (None, Some(block)) if upstream.is_none() => root(block),
            _ => proxy(upstream.as_deref().unwrap_or(UPSTREAM)),
        };
        text.push_str(&self.tls_block(&content));
        let missing = plain.iter().filter(|block| !redirects(&block.directives));
        let additions: Vec<BlockAddition> = missing.map(|block| self.addition(block)).collect();
        for addition in &additions {
            text.push_str(&comment(addition));
        }
        WrittenBlock {
            text,
            upstream,
            taken_from: source.map(|source| source.block.to_string()),
            additions,
            first: Vec::new(),
        }
    }

    /// Whether a block serves one of the names in plain text.
    fn is_plain(&self, NginxBlock { block, .. }: &NginxBlock) -> bool {
        block.part == TrafficKind::Http
            && block.serves(self.new.names)
            && block.speaks_plain()
            && !block.speaks_tls()
    }

    fn heading(&self) -> String {
        let names: Vec<&str> = self.new.names.iter().map(DnsName::as_str).collect();
        format!(
            "# {}: written by certctl; yours to change.\n\n",
            names.join(", ")
        )
    }

    /// The names that no present plain-text block has.
    fn names_without(&self, plain: &[&NginxBlock]) -> Vec<String> {
        let taken = |name: &&DnsName| {
            plain
                .iter()
                .any(|block| block.block.answers_to(&name::concrete(name)))
        };
        self.new
            .names
            .iter()
            .filter(|name| !taken(name))
            .map(|name| name.as_str().to_owned())
            .collect()
    }

    fn plain_block(&self, names: &[String]) -> String {
        let listens = self.listens(self.new.ports.0, "");
        let (names, redirect) = (names.join(" "), self.redirect());
        format!(
            "server {{\n{listens}    server_name {names};\n\n    \
             # Where CAs look for proofs of control (acme-challenge, pki-validation): never redirected.\n    \
             location ^~ /.well-known/ {{\n        root /var/www/html;\n        default_type text/plain;\n    }}\n\n    \
             location / {{\n        {redirect}\n    }}\n}}\n\n"
        )
    }

    fn redirect(&self) -> String {
        match self.new.ports.1 {
            443 => "return 301 https://$host$request_uri;".to_owned(),
            port => format!("return 301 https://$host:{port}$request_uri;"),
        }
    }

    fn tls_block(&self, content: &str) -> String {
        let (flags, http2) = match self.build.http2 {
            Http2Syntax::Directive => (" ssl", "    http2 on;\n"),
            Http2Syntax::Listen => (" ssl http2", ""),
            Http2Syntax::Absent => (" ssl", ""),
        };
        let listens = self.listens(self.new.ports.1, flags);
        let names: Vec<&str> = self.new.names.iter().map(DnsName::as_str).collect();
        // Tickets were not rotated before 1.23.2, so that one stolen key opened all sessions.
        let tickets = if self.build.version < NginxVersion(1, 23, 2) {
            "    ssl_session_tickets off;\n"
        } else {
            ""
        };
        let pair = ServerSoftware::Nginx.lines(self.new.links).join("\n    ");
        format!(
            "server {{\n{listens}{http2}    server_name {};\n\n    {pair}\n    \
             ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_ciphers {CIPHERS};\n    ssl_prefer_server_ciphers off;\n    \
             ssl_session_cache shared:certctl:10m;\n    ssl_session_timeout 1d;\n{tickets}    \
             # Once all is well, browsers may be told to stay with https for two years:\n    \
             # add_header Strict-Transport-Security \"max-age=63072000\" always;\n\n{content}}}\n",
            names.join(" "),
        )
    }

    /// All addresses of both families, and those single ones that nginx keeps apart from them.
    fn listens(&self, port: u16, flags: &str) -> String {
        let present = self
            .config
            .blocks
            .iter()
            .filter(|block| block.block.part == TrafficKind::Http);
        let present: Vec<_> = present
            .flat_map(|block| &block.block.listens)
            .filter(|it| it.port == port && !it.udp)
            .collect();
        let (any4, any6) = (
            IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::from(Ipv6Addr::UNSPECIFIED),
        );
        let mut addresses = Vec::new();
        // `ipv6only=off` has the IPv4 port already; a second socket for it could not be bound.
        if !present.iter().any(|listen| listen.dual_stack) {
            addresses.push(any4);
        }
        if self.new.ipv6
            || present
                .iter()
                .any(|listen| listen.interface == ListenInterface::Address(any6))
        {
            addresses.push(any6);
        }
        for listen in present.iter().filter(|listen| !listen.proxy_protocol) {
            match listen.interface {
                ListenInterface::Address(own)
                    if !own.is_loopback() && !addresses.contains(&own) && own != any4 =>
                {
                    addresses.push(own);
                }
                _ => {}
            }
        }
        let line = |address: &IpAddr| match address {
            IpAddr::V4(any) if any.is_unspecified() => format!("    listen {port}{flags};\n"),
            address => format!(
                "    listen {}{flags};\n",
                std::net::SocketAddr::new(*address, port)
            ),
        };
        addresses.iter().map(line).collect()
    }

    fn addition(&self, block: &NginxBlock) -> BlockAddition {
        let lines = [
            r#"if ($request_uri !~ "^/\.well-known/") {"#.to_owned(),
            format!("    {}", self.redirect()),
            "}".to_owned(),
        ];
        BlockAddition {
            file: block.block.file.clone(),
            line: block.block.line,
            lines: lines.into(),
        }
    }
}

fn comment(addition: &BlockAddition) -> String {
    let lines: String = addition
        .lines
        .iter()
        .map(|line| format!("#     {line}\n"))
        .collect();
    let place = format!("{}:{}", addition.file.display(), addition.line);
    format!(
        "\n# To send plain text on to https (but for /.well-known/), add to the block at \
            {place}:\n{lines}"
    )
}

/// Whether a block sends visitors to https already.
fn redirects(directives: &[NginxDirective]) -> bool {
    flat(directives).into_iter().any(redirects_itself)
}

fn redirects_itself(directive: &NginxDirective) -> bool {
    let moves = matches!(directive.name.as_str(), "return" | "rewrite");
    let to_https = |word: &String| word.starts_with("https://");
    (moves && directive.arguments.iter().any(to_https))
        || redirects(directive.block.as_deref().unwrap_or_default())
}

/// Whether a block serves anything but redirects to https.
fn is_site(block: &NginxBlock) -> bool {
    let serves = |directive: &&NginxDirective| match directive.name.as_str() {
        "location" => !redirects_itself(directive),
        "root" => true,
        _ => false,
    };
    let kept = flat(&block.directives).into_iter().filter(serves).count();
    // `return` at the top leaves nothing for the rest to do.
    kept > 0
        && !flat(&block.directives)
            .into_iter()
            .any(|it| it.name == "return")
}

/// What the new block says for itself.
fn is_ours(directive: &NginxDirective) -> bool {
    directive.name.starts_with("ssl")
        || ["listen", "server_name", "http2"].contains(&directive.name.as_str())
}

/// Included files are copied as `include`, so they must not say what the new block says for itself;
/// the inside of Lua blocks was not read.
fn can_be_copied(directives: &[NginxDirective]) -> bool {
    directives.iter().all(|directive| {
        let block = directive.block.as_deref().unwrap_or_default();
        let clash = directive.name == "include" && flat(block).into_iter().any(is_ours);
        !clash && !directive.name.ends_with("_by_lua_block") && can_be_copied(block)
    })
}

/// What the present block does, access rules and all, with the headers of its proxies made whole.
fn copy(block: &NginxBlock) -> String {
    let kept = block
        .directives
        .iter()
        .filter(|directive| !is_ours(directive) && !redirects_itself(directive));
    let kept: Vec<NginxDirective> = kept
        .map(|directive| with_headers(directive, &block.proxy_headers))
        .collect();
    let mut out = format!("    # As in {}:\n", block.block);
    print::directives(&mut out, &kept, 1);
    out
}

/// A location that passes on gets the headers that it lacks. One header of its own would cut it off
/// from those of the levels above, so these come with it.
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
    let passes = inside.iter().any(|inner| inner.name == "proxy_pass");
    if let Some(block) = &mut directive.block {
        *block = block
            .iter()
            .map(|inner| with_headers(inner, effective))
            .collect();
        let lacking: Vec<NginxDirective> = HEADERS
            .iter()
            .filter(|(name, _)| !has(effective, name))
            .map(header)
            .collect();
        if passes && !lacking.is_empty() {
            block.extend(effective.iter().filter(|_| own.is_empty()).cloned());
            block.extend(lacking);
        }
    }
    directive
}

fn has(headers: &[NginxDirective], name: &str) -> bool {
    headers.iter().any(|header| {
        header
            .arguments
            .first()
            .is_some_and(|set| set.eq_ignore_ascii_case(name))
    })
}

fn header((name, value): &(&str, &str)) -> NginxDirective {
    NginxDirective {
        name: "proxy_set_header".to_owned(),
        arguments: vec![(*name).to_owned(), (*value).to_owned()],
        file: PathBuf::new(),
        line: 0,
        block: None,
    }
}

fn proxy(upstream: &str) -> String {
    let mut out = format!(
        "    location / {{\n        proxy_pass {};\n",
        print::word(upstream)
    );
    print::directives(&mut out, &HEADERS.iter().map(header).collect::<Vec<_>>(), 2);
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
    use crate::webserver::model::{NewBlock, WEB, WrittenBlock};
    use crate::webserver::nginx::NginxBuild;
    use crate::webserver::nginx::build::{Http2Syntax, NginxVersion};
    use crate::webserver::nginx::testing::{config, names};

    fn write(http: &str, asked: &[&str], version: NginxVersion) -> WrittenBlock {
        let http2 = if version >= NginxVersion(1, 25, 1) {
            Http2Syntax::Directive
        } else {
            Http2Syntax::Listen
        };
        let (prefix, file, pid) = (
            "/usr/share/nginx".into(),
            "/etc/nginx/nginx.conf".into(),
            "/run/nginx.pid".into(),
        );
        let links = [
            StableLink::new("/etc/ssl/example.com.fullchain.pem", ReleaseFile::FullChain),
            StableLink::new("/etc/ssl/private/example.com.key", ReleaseFile::Key),
        ];
        let writer = NginxWriter {
            new: NewBlock {
                names: &names(asked),
                links: &links,
                ipv6: true,
                ports: WEB,
            },
            build: &NginxBuild {
                version,
                prefix,
                config: file,
                pid,
                http2,
            },
            config: &config(&format!("http {{ {http} }}")),
        };
        writer.write()
    }

    #[test]
    fn a_first_site() {
        let written = write(
            "",
            &["example.com", "www.example.com"],
            NginxVersion(1, 26, 0),
        );
        insta::assert_snapshot!(written.text, @r#"
        # example.com, www.example.com: written by certctl; yours to change.

        server {
            listen 80;
            listen [::]:80;
            server_name example.com www.example.com;

            # Where CAs look for proofs of control (acme-challenge, pki-validation): never redirected.
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
            # Once all is well, browsers may be told to stay with https for two years:
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
            (written.upstream.as_deref(), written.taken_from),
            (Some("http://127.0.0.1:8000"), None)
        );
    }

    #[test]
    fn a_site_that_is_there_in_plain_text() {
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
        # example.com, www.example.com: written by certctl; yours to change.

        server {
            listen 80;
            listen [::]:80;
            listen 192.0.2.1:80;
            server_name www.example.com;

            # Where CAs look for proofs of control (acme-challenge, pki-validation): never redirected.
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
            # Once all is well, browsers may be told to stay with https for two years:
            # add_header Strict-Transport-Security "max-age=63072000" always;

            # As in /etc/nginx/nginx.conf:1:
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

        # To send plain text on to https (but for /.well-known/), add to the block at /etc/nginx/nginx.conf:1:
        #     if ($request_uri !~ "^/\.well-known/") {
        #         return 301 https://$host$request_uri;
        #     }
        "#);
        assert_eq!(written.upstream.as_deref(), Some("http://app"));
        assert_eq!(
            written.taken_from.as_deref(),
            Some("/etc/nginx/nginx.conf:1")
        );
        assert_eq!(written.additions.len(), 1);
    }

    #[test]
    fn what_is_copied_and_what_is_not() {
        for (http, has, lacks) in [
            // It redirects already: nothing to take over, nothing to add.
            (
                "server { server_name example.com; return 301 https://$host$request_uri; }",
                "127.0.0.1:8000",
                "# To send",
            ),
            (
                "server { server_name example.com; location / { return 301 https://example.com$request_uri; } }",
                "127.0.0.1:8000",
                "301",
            ),
            // The lines of an earlier advice are there: the site behind them is still the site.
            (
                "server { server_name example.com; if ($request_uri !~ x) { return 301 https://$host$request_uri; }
                 location / { proxy_pass http://app; } }",
                "proxy_pass http://app;",
                "301",
            ),
            // The inside of Lua is not read, so not copied; its upstream is.
            (
                "server { server_name example.com; location / { access_by_lua_block { x() } proxy_pass http://app; } }",
                "proxy_pass http://app;",
                "lua",
            ),
            ("server { server_name example.com; root /srv/x; }", "root /srv/x;", "proxy_pass"),
            // Headers of the levels above come along.
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
