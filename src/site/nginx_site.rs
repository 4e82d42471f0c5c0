//! The server blocks of a site for nginx: port 80 redirects to https, port 443 terminates TLS with
//! Mozilla's intermediate configuration (guidelines 6.0) and passes requests on or serves files.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use super::content::SiteContent;
use super::managed_file;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::webserver::model::{ServerConfig, ServerSoftware, SiteAddresses, quote};
use crate::webserver::nginx::NginxVersion;

const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// From this version on, HTTP/2 has a directive of its own (nginx's CHANGES, 1.25.1).
const HTTP2_DIRECTIVE: NginxVersion = NginxVersion(1, 25, 1);

/// From this version on, nginx changes the keys of session tickets (nginx's CHANGES, 1.23.2).
const ROTATED_TICKETS: NginxVersion = NginxVersion(1, 23, 2);

/// The cipher suites for TLS 1.2.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
    ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
    ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// The headers from which an application learns who asked for what, each with its value.
const HEADERS: [&str; 6] = [
    "Host $host",
    "X-Real-IP $remote_addr",
    "X-Forwarded-For $proxy_add_x_forwarded_for",
    "X-Forwarded-Host $host",
    "X-Forwarded-Proto $scheme",
    "Upgrade $http_upgrade",
];

/// The largest request that is accepted: nginx's own limit (1 MB) refuses most uploads.
const BODY_LIMIT: &str = "100m";
/// How long nginx waits for the application.
const UPSTREAM_TIMEOUT: &str = "300s";

/// A site, and the server that gets its blocks.
#[derive(Clone, Debug)]
pub(crate) struct NginxSite<'a> {
    /// The names that it answers to.
    pub names: &'a [DnsName],
    /// What its visitors get.
    pub content: &'a SiteContent,
    /// The certificate and its key.
    pub links: &'a [StableLink],
    /// The configuration without this site.
    pub config: &'a ServerConfig,
    /// The version of nginx, which decides the syntax.
    pub version: NginxVersion,
    /// Whether the machine supports IPv6.
    pub ipv6: bool,
    /// The folder of the files below `/.well-known/`, which CAs read over plain HTTP.
    pub well_known: PathBuf,
}

/// The lines of a file, which are indented by the depth of their block.
#[derive(Debug, Default)]
struct BlockLines {
    text: String,
    depth: usize,
}

impl BlockLines {
    fn add(&mut self, line: &str) {
        let indent = if line.is_empty() { 0 } else { 4 * self.depth };
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds a directive with its value.
    fn set(&mut self, directive: &str, value: &str) {
        self.add(&format!("{directive} {value};"));
    }

    fn open(&mut self, head: &str) {
        self.add(&format!("{head} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.add("}");
    }
}

impl NginxSite<'_> {
    /// Returns the content of the file.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut lines = BlockLines::default();
        lines
            .add("# Written by `certctl site`, which removes it with `--remove`. If you edit this");
        lines.add("# file, certctl no longer changes it.");
        if self.content.upstream().is_some() {
            lines.open(&format!("map $http_upgrade {}", self.connection_variable()));
            lines.add("default upgrade;");
            lines.add("'' close;");
            lines.close();
        }
        lines.add("");
        self.add_redirect(&mut lines);
        lines.add("");
        self.add_tls_block(&mut lines);
        managed_file::seal(&lines.text)
    }

    /// The block at port 80. A CA reads its validation files over plain HTTP.
    fn add_redirect(&self, lines: &mut BlockLines) {
        lines.open("server");
        for address in self.sites_at(HTTP).everywhere() {
            lines.set("listen", &listen_value(address, HTTP));
        }
        lines.set("server_name", &self.server_names());
        lines.add("");
        lines.open("location ^~ /.well-known/");
        lines.set("root", &path_value(&self.well_known));
        lines.close();
        lines.open("location /");
        lines.add("return 301 https://$host$request_uri;");
        lines.close();
        lines.close();
    }

    fn add_tls_block(&self, lines: &mut BlockLines) {
        let has_directive = self.version >= HTTP2_DIRECTIVE;
        lines.open("server");
        for address in self.sites_at(HTTPS).everywhere() {
            let listen = listen_value(address, HTTPS);
            let http2 = if has_directive || self.shares_socket(address) {
                ""
            } else {
                " http2"
            };
            lines.set("listen", &format!("{listen} ssl{http2}"));
        }
        if has_directive {
            lines.add("http2 on;");
        }
        lines.set("server_name", &self.server_names());
        lines.add("");
        for line in ServerSoftware::Nginx.certificate_lines(self.links) {
            lines.add(&line);
        }
        lines.add("ssl_protocols TLSv1.2 TLSv1.3;");
        lines.set("ssl_ciphers", CIPHERS);
        lines.add("ssl_prefer_server_ciphers off;");
        lines.add("ssl_session_timeout 1d;");
        lines.add("ssl_session_cache shared:certctl:10m;");
        if self.version < ROTATED_TICKETS {
            lines.add("ssl_session_tickets off;");
        }
        lines.add("");
        match self.content {
            SiteContent::Adopted => {}
            SiteContent::Static(folder) => add_files(lines, folder),
            SiteContent::Application(upstream) | SiteContent::Upstream(upstream) => {
                self.add_upstream(lines, &upstream.url);
            }
        }
        lines.close();
    }

    /// Passes requests on to an application.
    fn add_upstream(&self, lines: &mut BlockLines, url: &str) {
        lines.set("client_max_body_size", BODY_LIMIT);
        lines.open("location /");
        lines.set("proxy_pass", url);
        lines.add("proxy_http_version 1.1;");
        for header in HEADERS {
            lines.set("proxy_set_header", header);
        }
        let connection = self.connection_variable();
        lines.add(&format!("proxy_set_header Connection {connection};"));
        lines.set("proxy_read_timeout", UPSTREAM_TIMEOUT);
        lines.set("proxy_send_timeout", UPSTREAM_TIMEOUT);
        if url.starts_with("https:") {
            lines.add("proxy_ssl_server_name on;");
        }
        lines.close();
    }

    /// The variable with the value of `Connection`, which only this site uses.
    fn connection_variable(&self) -> String {
        let name = self.names.first().map(DnsName::as_str).unwrap_or_default();
        let is_part = |c: char| c.is_ascii_alphanumeric();
        let name: String = name
            .chars()
            .map(|c| if is_part(c) { c } else { '_' })
            .collect();
        format!("$certctl_connection_{name}")
    }

    fn server_names(&self) -> String {
        let names: Vec<&str> = self.names.iter().map(DnsName::as_str).collect();
        names.join(" ")
    }

    fn sites_at(&self, port: u16) -> SiteAddresses<'_> {
        SiteAddresses {
            config: self.config,
            port,
            ipv6: self.ipv6,
        }
    }

    /// Whether other sites use the same socket. `http2` on a `listen` line would switch it on for
    /// them, too.
    fn shares_socket(&self, address: IpAddr) -> bool {
        let wanted = SocketAddr::new(address, HTTPS);
        self.sites_at(HTTPS)
            .listens()
            .any(|listen| listen.socket() == Some(wanted))
    }
}

/// Serves the files of a folder, without hidden ones such as `.git`.
fn add_files(lines: &mut BlockLines, folder: &Path) {
    lines.set("root", &path_value(folder));
    lines.add("index index.html;");
    lines.open("location /");
    lines.add("try_files $uri $uri/ =404;");
    lines.close();
    lines.open("location ~ /\\.(?!well-known/)");
    lines.add("return 404;");
    lines.close();
}

/// A path as nginx reads it. A folder with `$` in its name cannot be written.
fn path_value(path: &Path) -> String {
    let text = path.display().to_string();
    quote(&text)
}

fn listen_value(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(any) if any.is_unspecified() => port.to_string(),
        address => SocketAddr::new(address, port).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::NginxSite;
    use crate::site::{SiteContent, UpstreamUrl};
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::nginx::NginxVersion;
    use crate::webserver::nginx::testing::{config, names};

    fn text(content: &SiteContent, version: NginxVersion, http: &str) -> String {
        let config = config(&format!("http {{ {http} }}")).to_server_config();
        let site = NginxSite {
            names: &names(&["a-b.example", "www.a-b.example"]),
            content,
            links: &[
                StableLink::new("/etc/ssl/a.pem", ReleaseFile::FullChain),
                StableLink::new("/etc/ssl/private/a.key", ReleaseFile::Key),
            ],
            config: &config,
            version,
            ipv6: true,
            well_known: PathBuf::from("/var/www/html"),
        };
        site.text()
    }

    #[test]
    fn an_upstream_site_redirects_and_passes_headers_on() {
        let upstream = UpstreamUrl::parse("http://127.0.0.1:8000").unwrap();
        let text = text(
            &SiteContent::Upstream(upstream),
            NginxVersion(1, 22, 1),
            "server { listen 80 default_server; }",
        );
        let body = text.split_once('\n').unwrap().1;
        insta::assert_snapshot!(body, @r"
# Written by `certctl site`, which removes it with `--remove`. If you edit this
# file, certctl no longer changes it.
map $http_upgrade $certctl_connection_a_b_example {
    default upgrade;
    '' close;
}

server {
    listen 80;
    listen [::]:80;
    server_name a-b.example www.a-b.example;

    location ^~ /.well-known/ {
        root /var/www/html;
    }
    location / {
        return 301 https://$host$request_uri;
    }
}

server {
    listen 443 ssl http2;
    listen [::]:443 ssl http2;
    server_name a-b.example www.a-b.example;

    ssl_certificate /etc/ssl/a.pem;
    ssl_certificate_key /etc/ssl/private/a.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_timeout 1d;
    ssl_session_cache shared:certctl:10m;
    ssl_session_tickets off;

    client_max_body_size 100m;
    location / {
        proxy_pass http://127.0.0.1:8000;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $certctl_connection_a_b_example;
        proxy_read_timeout 300s;
        proxy_send_timeout 300s;
    }
}
");
    }

    #[test]
    fn the_syntax_follows_the_version_and_the_other_sites() {
        let files = SiteContent::Static(PathBuf::from("/srv/a \"b\""));
        let new = text(&files, NginxVersion(1, 25, 1), "");
        assert!(
            new.contains("    listen [::]:443 ssl;\n    http2 on;\n"),
            "{new}"
        );
        assert!(new.contains("    root \"/srv/a \\\"b\\\"\";\n"), "{new}");
        assert!(!new.contains("map "), "{new}");

        let old = NginxVersion(1, 18, 0);
        let shared = text(
            &files,
            old,
            "server { listen 443 ssl; server_name x.example; }
             server { listen 192.0.2.1:443 ssl; server_name y.example; }",
        );
        assert!(shared.contains("    listen 443 ssl;\n"), "{shared}");
        assert!(
            shared.contains("    listen [::]:443 ssl http2;\n"),
            "{shared}"
        );
        assert!(
            shared.contains("    listen 192.0.2.1:443 ssl;\n"),
            "{shared}"
        );
    }
}
