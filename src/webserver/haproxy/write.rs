//! Writes the sections for a certificate that no `bind` line loads yet: https with one certificate,
//! and a redirect from http. Where HAProxy uses the port already, a second section would get a
//! random share of the connections; then the certificate is an addition to the existing line.

use std::path::Path;

use super::config::{HaproxyConfig, HaproxyFrontend};
use crate::store::layout::ReleaseFile;
use crate::webserver::model::{
    BlockAddition, CIPHERS, ConfigBlock, ListenAddress, NewBlock, WrittenBlock, origin_comment,
};

/// What the new sections are written from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HaproxyWriter<'a> {
    /// The certificate and its names.
    pub new: NewBlock<'a>,
    pub config: &'a HaproxyConfig,
}

/// The application's address where no existing section names one.
const BACKEND: &str = "127.0.0.1:8000";

impl HaproxyWriter<'_> {
    /// Writes the new sections, and what to change in existing ones.
    #[must_use]
    pub(crate) fn write(&self) -> WrittenBlock {
        let https_bind = self
            .config
            .blocks
            .iter()
            .find(|block| listens_on(&block.listens, self.new.ports.tls) && block.speaks_tls());
        match https_bind {
            Some(block) => self.add_to_bind(block),
            None => self.new_sections(),
        }
    }

    /// HAProxy already listens on the port: adds the certificate to the existing `bind` line.
    fn add_to_bind(&self, block: &ConfigBlock) -> WrittenBlock {
        let file = self.certificate();
        let place = block.to_string();
        let text = format!(
            "{}# HAProxy already listens on this port. Add the certificate to the end of the line {place}\n\
             # (or to the folder or list that this line names):\n#     crt {file}\n",
            self.new.heading()
        );
        WrittenBlock {
            text,
            upstream: None,
            copied_from: Some(place),
            additions: vec![BlockAddition::new(block, vec![format!("crt {file}")])],
            commands_before: Vec::new(),
        }
    }

    fn new_sections(&self) -> WrittenBlock {
        let ports = self.new.ports;
        let http = self
            .config
            .frontends
            .iter()
            .find(|frontend| !frontend.disabled && listens_on(&frontend.listens, ports.plain));
        let stem = self.stem();
        let mut text = format!("{}\n", self.new.heading());
        text.push_str(&self.https_frontend(&stem));
        let upstream = match http.and_then(|frontend| self.backend_of(frontend)) {
            Some(source) => {
                text.push_str(&origin_comment(&source.origin));
                text.push_str(&format!("    default_backend {}\n", source.backend));
                source.backend
            }
            None => {
                text.push_str(&default_backend(&stem));
                BACKEND.to_owned()
            }
        };
        let redirecting = http.filter(|frontend| !frontend.redirects);
        let additions: Vec<BlockAddition> =
            redirecting.map(redirect_addition).into_iter().collect();
        if http.is_none() {
            text.push_str(&self.http_frontend(&stem));
        }
        for addition in &additions {
            text.push_str(&addition.redirect_comment("section"));
        }
        WrittenBlock {
            text,
            upstream: Some(upstream),
            copied_from: http.map(place_of),
            additions,
            commands_before: Vec::new(),
        }
    }

    /// The backend of an existing section, where it is configured.
    fn backend_of(&self, frontend: &HaproxyFrontend) -> Option<BackendSource> {
        let backend = frontend.backend.clone()?;
        if !self.config.backends.contains(&backend) {
            return None;
        }
        Some(BackendSource {
            backend,
            origin: place_of(frontend),
        })
    }

    /// The file that HAProxy loads: the one with chain and key, else the chain, next to which it
    /// finds the key.
    fn certificate(&self) -> String {
        let links = self.new.links;
        let link = links
            .iter()
            .find(|link| link.piece == ReleaseFile::Combined)
            .or_else(|| links.first());
        link.map(|link| word(&link.path)).unwrap_or_default()
    }

    /// The first name of the certificate, in the characters that HAProxy allows in section names.
    fn stem(&self) -> String {
        let first = self.new.names.first();
        let name = first.map_or_else(String::new, |name| name.as_str().replace('*', "_"));
        name.chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect()
    }

    fn https_frontend(&self, stem: &str) -> String {
        let options = format!(
            " ssl crt {} alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers {CIPHERS}",
            self.certificate()
        );
        let mut text = self.frontend(&format!("{stem}-https"), self.new.ports.tls, &options);
        text.push_str(
            "    option forwardfor\n    http-request set-header X-Forwarded-Proto https\n    \
             # When everything works over https, uncomment this so that browsers insist on it for two years:\n    \
             # http-response set-header Strict-Transport-Security max-age=63072000\n",
        );
        text
    }

    fn http_frontend(&self, stem: &str) -> String {
        let frontend = self.frontend(&format!("{stem}-http"), self.new.ports.plain, "");
        format!("\n{frontend}    http-request redirect scheme https code 301\n")
    }

    fn frontend(&self, name: &str, port: u16, options: &str) -> String {
        let mut text = format!("frontend {name}\n    mode http\n    bind :{port}{options}\n");
        if self.new.ipv6 {
            text.push_str(&format!("    bind :::{port} v6only{options}\n"));
        }
        text
    }
}

/// A backend that an existing section uses.
struct BackendSource {
    backend: String,
    /// The section, `FILE:LINE`.
    origin: String,
}

fn place_of(frontend: &HaproxyFrontend) -> String {
    format!("{}:{}", frontend.file.display(), frontend.line)
}

fn default_backend(stem: &str) -> String {
    format!(
        "    default_backend {stem}-site\n\nbackend {stem}-site\n    mode http\n    \
         server site {BACKEND}\n"
    )
}

/// Returns whether the port is open beyond loopback.
fn listens_on(listens: &[ListenAddress], port: u16) -> bool {
    listens.iter().any(|listen| {
        let socket = listen.socket();
        let is_loopback = socket.is_some_and(|socket| socket.ip().is_loopback());
        listen.port == port && !listen.udp && !is_loopback
    })
}

fn redirect_addition(frontend: &HaproxyFrontend) -> BlockAddition {
    let line = "http-request redirect scheme https code 301 unless { ssl_fc } or \
        { path_beg /.well-known/ }";
    BlockAddition {
        file: frontend.file.clone(),
        line: frontend.line,
        lines: vec![line.to_owned()],
    }
}

/// A path as a word of a configuration.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let needs_quotes = text
        .chars()
        .any(|c| !c.is_alphanumeric() && !"/._-+:@~,=".contains(c));
    if !needs_quotes {
        return text;
    }
    let mut escaped = String::new();
    for c in text.chars() {
        if "\\\"$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::{HaproxyConfig, HaproxyWriter};
    use crate::pki::name::DnsName;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::haproxy::{
        CrtCertificate, CrtPathContent, HaproxyEnvironment, HaproxyFiles,
    };
    use crate::webserver::model::{ConfigFile, DEFAULT_WEB_PORTS, NewBlock, WrittenBlock};

    fn write(text: &str) -> WrittenBlock {
        let files = HaproxyFiles {
            build: super::super::HaproxyBuild::default(),
            environment: HaproxyEnvironment::default(),
            folder: None,
            read_crt: &mut |_| CrtPathContent::File(CrtCertificate::default()),
            read_list: &mut |_| None,
        };
        let text = ConfigFile {
            path: "/etc/haproxy/haproxy.cfg".into(),
            text: text.to_owned(),
        };
        let config = HaproxyConfig::read(&[text], files);
        let names = [
            DnsName::parse("example.com").unwrap(),
            DnsName::parse("www.example.com").unwrap(),
        ];
        let links = [StableLink::new(
            "/etc/ssl/private/example.com.pem",
            ReleaseFile::Combined,
        )];
        let new = NewBlock {
            names: &names,
            links: &links,
            ipv6: true,
            ports: DEFAULT_WEB_PORTS,
        };
        HaproxyWriter {
            new,
            config: &config,
        }
        .write()
    }

    #[test]
    fn a_new_site_gets_two_frontends_and_a_backend() {
        insta::assert_snapshot!(write("").text, @r"
        # example.com, www.example.com: written by certctl; edit it as you like.

        frontend example.com-https
            mode http
            bind :443 ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            bind :::443 v6only ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            option forwardfor
            http-request set-header X-Forwarded-Proto https
            # When everything works over https, uncomment this so that browsers insist on it for two years:
            # http-response set-header Strict-Transport-Security max-age=63072000
            default_backend example.com-site

        backend example.com-site
            mode http
            server site 127.0.0.1:8000

        frontend example.com-http
            mode http
            bind :80
            bind :::80 v6only
            http-request redirect scheme https code 301
        ");
    }

    #[test]
    fn the_backend_of_a_plain_text_site_is_reused() {
        let written = write(
            "frontend web\n bind *:80\n default_backend app\nbackend app\n server a 127.0.0.1:1\n",
        );
        insta::assert_snapshot!(written.text, @r"
        # example.com, www.example.com: written by certctl; edit it as you like.

        frontend example.com-https
            mode http
            bind :443 ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            bind :::443 v6only ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            option forwardfor
            http-request set-header X-Forwarded-Proto https
            # When everything works over https, uncomment this so that browsers insist on it for two years:
            # http-response set-header Strict-Transport-Security max-age=63072000
            # Copied from /etc/haproxy/haproxy.cfg:1:
            default_backend app

        # To redirect http to https (except /.well-known/), add this to the section at /etc/haproxy/haproxy.cfg:1:
        #     http-request redirect scheme https code 301 unless { ssl_fc } or { path_beg /.well-known/ }
        ");
        assert_eq!(written.upstream.as_deref(), Some("app"));
        assert_eq!(
            written.copied_from.as_deref(),
            Some("/etc/haproxy/haproxy.cfg:1")
        );
        let redirects = write(
            "frontend web\n bind *:80\n http-request redirect scheme https\n default_backend no\n",
        );
        assert!(
            redirects.additions.is_empty() && redirects.text.contains("server site 127.0.0.1:8000")
        );
    }

    #[test]
    fn a_certificate_is_added_to_the_line_of_a_used_port() {
        let written = write("frontend web\n bind *:443 ssl crt /x/other.pem\n");
        insta::assert_snapshot!(written.text, @r"
        # example.com, www.example.com: written by certctl; edit it as you like.
        # HAProxy already listens on this port. Add the certificate to the end of the line /etc/haproxy/haproxy.cfg:2
        # (or to the folder or list that this line names):
        #     crt /etc/ssl/private/example.com.pem
        ");
        assert_eq!(
            written.additions[0].lines,
            ["crt /etc/ssl/private/example.com.pem"]
        );
    }
}
