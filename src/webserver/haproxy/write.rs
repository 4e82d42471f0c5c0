//! The section for a pair that no `bind` line loads yet: https with one certificate, plain text
//! sent on to it. Where HAProxy has the port already, a second section would share it at random:
//! then one more word of that line is told.

use std::net::SocketAddr;
use std::path::Path;

use super::config::{HaproxyConfig, HaproxyFrontend};
use crate::store::layout::ReleaseFile;
use crate::webserver::model::{
    BlockAddition, CIPHERS, ConfigBlock, ListenAddress, NewBlock, WrittenBlock,
};

/// What is written, and into what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HaproxyWriter<'a> {
    /// The pair and its names.
    pub new: NewBlock<'a>,
    pub config: &'a HaproxyConfig,
}

/// Where the site is when no section says.
const BACKEND: &str = "127.0.0.1:8000";

impl HaproxyWriter<'_> {
    /// The section, and what to change in present ones.
    #[must_use]
    pub(crate) fn write(&self) -> WrittenBlock {
        let (plain, tls) = self.new.ports;
        let file = self.certificate();
        let names: Vec<&str> = self.new.names.iter().map(|name| name.as_str()).collect();
        let head = format!(
            "# {}: written by certctl; yours to change.\n",
            names.join(", ")
        );
        if let Some(block) = self
            .config
            .blocks
            .iter()
            .find(|block| has(&block.listens, tls) && block.speaks_tls())
        {
            return Self::one_more(block, &file, &head);
        }
        let present = self
            .config
            .frontends
            .iter()
            .find(|it| !it.disabled && has(&it.listens, plain));
        let backend = present
            .and_then(|it| it.backend.clone())
            .filter(|it| self.config.backends.contains(it));
        let stem = self.stem();
        let mut text = format!(
            "{head}\n{}",
            self.frontend(&format!("{stem}-https"), tls, &tls_words(&file))
        );
        let upstream = match (&backend, present) {
            (Some(backend), Some(from)) => {
                text.push_str(&format!(
                    "    # As in {}:{}:\n    default_backend {backend}\n",
                    from.file.display(),
                    from.line
                ));
                backend.clone()
            }
            _ => {
                let server =
                    format!("backend {stem}-site\n    mode http\n    server site {BACKEND}\n");
                text.push_str(&format!("    default_backend {stem}-site\n\n{server}"));
                BACKEND.to_owned()
            }
        };
        let additions: Vec<BlockAddition> = present
            .filter(|it| !it.redirects)
            .map(redirect)
            .into_iter()
            .collect();
        if present.is_none() {
            text.push_str(&format!(
                "\n{}",
                self.frontend(&format!("{stem}-http"), plain, "")
            ));
            text.push_str("    http-request redirect scheme https code 301\n");
        }
        for addition in &additions {
            text.push_str(&comment(addition));
        }
        let taken_from = present.map(|it| format!("{}:{}", it.file.display(), it.line));
        WrittenBlock {
            text,
            upstream: Some(upstream),
            taken_from,
            additions,
            first: Vec::new(),
        }
    }

    fn one_more(block: &ConfigBlock, file: &str, head: &str) -> WrittenBlock {
        let lines = vec![format!("crt {file}")];
        let addition = BlockAddition {
            file: block.file.clone(),
            line: block.line,
            lines,
        };
        let place = format!("{}:{}", block.file.display(), block.line);
        let text = format!(
            "{head}# HAProxy has the port already: one more certificate is one more word of {place}\n\
             # (or one more file of the folder or list that it names):\n#     crt {file}\n"
        );
        WrittenBlock {
            text,
            upstream: None,
            taken_from: Some(place),
            additions: vec![addition],
            first: Vec::new(),
        }
    }

    /// The file that HAProxy is to load: the one with both, else the chain, whose key lies beside
    /// it.
    fn certificate(&self) -> String {
        let links = self.new.links;
        let link = links
            .iter()
            .find(|link| link.piece == ReleaseFile::Combined)
            .or_else(|| links.first());
        link.map(|link| word(&link.path)).unwrap_or_default()
    }

    /// What the sections are called: letters that HAProxy takes in a name.
    fn stem(&self) -> String {
        let first = self
            .new
            .names
            .first()
            .map(|name| name.as_str().replace('*', "_"))
            .unwrap_or_default();
        first
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect()
    }

    fn frontend(&self, name: &str, port: u16, words: &str) -> String {
        let mut text = format!("frontend {name}\n    mode http\n    bind :{port}{words}\n");
        if self.new.ipv6 {
            text.push_str(&format!("    bind :::{port} v6only{words}\n"));
        }
        if !words.is_empty() {
            text.push_str(
                "    option forwardfor\n    http-request set-header X-Forwarded-Proto https\n    \
                 # Once all is well, browsers may be told to stay with https for two years:\n    \
                 # http-response set-header Strict-Transport-Security max-age=63072000\n",
            );
        }
        text
    }
}

fn tls_words(file: &str) -> String {
    format!(" ssl crt {file} alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers {CIPHERS}")
}

/// Whether it has the port of all addresses, or of one.
fn has(listens: &[ListenAddress], port: u16) -> bool {
    let wide = |listen: &ListenAddress| {
        let loopback = listen
            .socket()
            .is_some_and(|socket: SocketAddr| socket.ip().is_loopback());
        listen.port == port && !listen.udp && !loopback
    };
    listens.iter().any(wide)
}

fn redirect(frontend: &HaproxyFrontend) -> BlockAddition {
    let line = "http-request redirect scheme https code 301 unless { ssl_fc } or \
        { path_beg /.well-known/ }";
    BlockAddition {
        file: frontend.file.clone(),
        line: frontend.line,
        lines: vec![line.to_owned()],
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
        "\n# To send plain text on to https (but for /.well-known/), add to the section at \
            {place}:\n{lines}"
    )
}

/// A path as a word of a configuration.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@~,=".contains(c);
    if text.chars().all(plain) {
        return text;
    }
    let escaped: String = text
        .chars()
        .flat_map(|c| "\\\"$".contains(c).then_some('\\').into_iter().chain([c]))
        .collect();
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
    use crate::webserver::model::{ConfigFile, NewBlock, WEB, WrittenBlock};

    fn write(text: &str) -> WrittenBlock {
        let world = HaproxyFiles {
            environment: HaproxyEnvironment::default(),
            folder: None,
            look: &mut |_| CrtPathContent::File(CrtCertificate::default()),
            text: &mut |_| None,
        };
        let text = ConfigFile {
            path: "/etc/haproxy/haproxy.cfg".into(),
            text: text.to_owned(),
        };
        let config = HaproxyConfig::read(&[text], world);
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
            ports: WEB,
        };
        HaproxyWriter {
            new,
            config: &config,
        }
        .write()
    }

    #[test]
    fn a_first_site() {
        insta::assert_snapshot!(write("").text, @r"
        # example.com, www.example.com: written by certctl; yours to change.

        frontend example.com-https
            mode http
            bind :443 ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            bind :::443 v6only ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            option forwardfor
            http-request set-header X-Forwarded-Proto https
            # Once all is well, browsers may be told to stay with https for two years:
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
    fn a_site_that_is_there_in_plain_text() {
        let written = write(
            "frontend web\n bind *:80\n default_backend app\nbackend app\n server a 127.0.0.1:1\n",
        );
        insta::assert_snapshot!(written.text, @r"
        # example.com, www.example.com: written by certctl; yours to change.

        frontend example.com-https
            mode http
            bind :443 ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            bind :::443 v6only ssl crt /etc/ssl/private/example.com.pem alpn h2,http/1.1 ssl-min-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
            option forwardfor
            http-request set-header X-Forwarded-Proto https
            # Once all is well, browsers may be told to stay with https for two years:
            # http-response set-header Strict-Transport-Security max-age=63072000
            # As in /etc/haproxy/haproxy.cfg:1:
            default_backend app

        # To send plain text on to https (but for /.well-known/), add to the section at /etc/haproxy/haproxy.cfg:1:
        #     http-request redirect scheme https code 301 unless { ssl_fc } or { path_beg /.well-known/ }
        ");
        assert_eq!(written.upstream.as_deref(), Some("app"));
        assert_eq!(
            written.taken_from.as_deref(),
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
    fn a_port_that_is_taken() {
        let written = write("frontend web\n bind *:443 ssl crt /x/other.pem\n");
        insta::assert_snapshot!(written.text, @r"
        # example.com, www.example.com: written by certctl; yours to change.
        # HAProxy has the port already: one more certificate is one more word of /etc/haproxy/haproxy.cfg:2
        # (or one more file of the folder or list that it names):
        #     crt /etc/ssl/private/example.com.pem
        ");
        assert_eq!(
            written.additions[0].lines,
            ["crt /etc/ssl/private/example.com.pem"]
        );
    }
}
