//! Writes the virtual host for a certificate that no block names yet: TLS by Mozilla's intermediate
//! guideline 6.0, the content of the existing plain-text host for these names, and a redirect from
//! http to https, except for `/.well-known/`, where CAs look for domain validation files.

use super::block::{ApacheConfig, VirtualHost};
use super::read::{ApacheDirective, flat};
use crate::webserver::model::{
    BlockAddition, CIPHERS, ConfigBlock, NewBlock, ServerSoftware, WrittenBlock, origin_comment,
};

/// What the new virtual host is written from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApacheWriter<'a> {
    pub new: NewBlock<'a>,
    /// The existing configuration.
    pub config: &'a ApacheConfig,
}

/// The usual folder of a site's files.
const ROOT: &str = "/var/www/html";

impl ApacheWriter<'_> {
    /// Writes the text of a new file next to Apache's others.
    #[must_use]
    pub(crate) fn write(&self) -> WrittenBlock {
        let plain: Vec<&VirtualHost> = self
            .config
            .hosts
            .iter()
            .filter(|host| self.is_plain(host))
            .collect();
        let source = plain.iter().copied().find(|host| is_site(host));
        let content = source.map_or_else(|| self.default_content(), copy);
        let additions: Vec<BlockAddition> = plain
            .iter()
            .filter(|host| !redirects(host.section_directives()))
            .map(|host| BlockAddition::new(&host.block, self.redirect_lines().into()))
            .collect();
        let mut text = self.heading();
        text.push_str(&self.plain_host(&plain));
        text.push_str(&self.tls_host(&content));
        for addition in &additions {
            text.push_str(&addition.redirect_comment("host"));
        }
        let upstream = source.and_then(|host| host.upstream.clone());
        let first = self.enable_modules_command(upstream.as_deref());
        WrittenBlock {
            text,
            upstream,
            copied_from: source.map(|host| host.block.to_string()),
            additions,
            commands_before: first.into_iter().collect(),
        }
    }

    /// Returns whether a host serves one of the names on the http port, in plain text.
    fn is_plain(&self, host: &VirtualHost) -> bool {
        let mut listens = host.block.listens.iter();
        host.directives.is_some()
            && host.block.serves_in_plain_text(self.new.names)
            && listens.any(|listen| listen.port == self.new.ports.plain)
    }

    fn heading(&self) -> String {
        let mut text = format!("{}\n", self.new.heading());
        let port = self.new.ports.tls;
        if !listens_on(&self.config.directives, port) {
            text.push_str(&format!("Listen {port}\n\n"));
        }
        text
    }

    /// A host that redirects the names that no plain-text host has yet; empty when all have one.
    fn plain_host(&self, plain: &[&VirtualHost]) -> String {
        let blocks: Vec<&ConfigBlock> = plain.iter().map(|host| &host.block).collect();
        let names = self.new.names_without_block(&blocks);
        if names.is_empty() {
            return String::new();
        }
        let redirect: String = self
            .redirect_lines()
            .iter()
            .map(|line| format!("    {line}\n"))
            .collect();
        format!(
            "<VirtualHost *:{}>\n{}    DocumentRoot {ROOT}\n\n    \
             # Redirects all paths except the one where CAs look for domain validation files.\n{redirect}</VirtualHost>\n\n",
            self.new.ports.plain,
            name_directives(&names)
        )
    }

    fn redirect_lines(&self) -> [String; 3] {
        let port = self.new.https_port_suffix();
        [
            r#"<LocationMatch "^/(?!\.well-known/)">"#.to_owned(),
            format!(r#"    Redirect permanent "https://%{{SERVER_NAME}}{port}%{{REQUEST_URI}}""#),
            "</LocationMatch>".to_owned(),
        ]
    }

    fn tls_host(&self, content: &str) -> String {
        let names: Vec<String> = self
            .new
            .names
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect();
        let certificate = ServerSoftware::Apache
            .certificate_lines(self.new.links)
            .join("\n    ");
        format!(
            "<VirtualHost *:{}>\n{}\n    SSLEngine on\n    {certificate}\n    SSLProtocol -all +TLSv1.2 +TLSv1.3\n    \
             SSLCipherSuite {CIPHERS}\n    SSLHonorCipherOrder off\n    SSLSessionTickets off\n    \
             <IfModule http2_module>\n        Protocols h2 http/1.1\n    </IfModule>\n    \
             # When everything works over https, uncomment this so that browsers insist on it for two years (a2enmod headers):\n    \
             # Header always set Strict-Transport-Security \"max-age=63072000\"\n\n{content}</VirtualHost>\n",
            self.new.ports.tls,
            name_directives(&names),
        )
    }

    /// The files of the main server, where no host serves the names yet.
    fn default_content(&self) -> String {
        let main = self
            .config
            .hosts
            .iter()
            .find(|host| host.directives.is_none());
        let root = main
            .and_then(|host| host.root.clone())
            .unwrap_or_else(|| ROOT.into());
        format!("    DocumentRoot \"{}\"\n", root.display())
    }

    /// The command that enables the modules that the new host needs and Apache has not loaded.
    fn enable_modules_command(&self, upstream: Option<&str>) -> Option<String> {
        let mut missing = Vec::new();
        if !self.config.has("ssl_module") {
            missing.push("ssl");
        }
        if upstream.is_some() && !self.config.has("headers_module") {
            missing.push("headers");
        }
        if missing.is_empty() {
            return None;
        }
        Some(format!("sudo a2enmod {}", missing.join(" ")))
    }
}

/// `ServerName` takes exactly one name; a wildcard can only be an alias.
fn name_directives(names: &[String]) -> String {
    let plain = names
        .iter()
        .position(|name| !name.starts_with('*'))
        .unwrap_or(0);
    let own = names[plain].strip_prefix("*.").unwrap_or(&names[plain]);
    let others: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != own)
        .collect();
    let alias = if others.is_empty() {
        String::new()
    } else {
        format!("    ServerAlias {}\n", others.join(" "))
    };
    format!("    ServerName {own}\n{alias}")
}

/// Returns whether a `Listen` for the port exists, even one that depends on a module which is not
/// loaded (Debian's ports.conf).
fn listens_on(directives: &[ApacheDirective], port: u16) -> bool {
    let port_text = port.to_string();
    directives.iter().any(|directive| {
        let address = directive.first().filter(|_| directive.is("Listen"));
        let is_on_port =
            address.is_some_and(|word| word.rsplit(':').next() == Some(port_text.as_str()));
        is_on_port || listens_on(directive.inside.as_deref().unwrap_or_default(), port)
    })
}

/// Returns whether a directive redirects visitors to https.
fn redirects_itself(directive: &ApacheDirective) -> bool {
    let names = [
        "Redirect",
        "RedirectMatch",
        "RedirectPermanent",
        "RedirectTemp",
        "RewriteRule",
    ];
    let mut arguments = directive.arguments.iter();
    names.iter().any(|name| directive.is(name))
        && arguments.any(|word| word.starts_with("https://"))
}

fn redirects(directives: &[ApacheDirective]) -> bool {
    directives.iter().any(|directive| {
        redirects_itself(directive) || redirects(directive.inside.as_deref().unwrap_or_default())
    })
}

/// Returns whether a host serves anything but redirects to https.
fn is_site(host: &VirtualHost) -> bool {
    let directives = flat(host.section_directives());
    // `Redirect` applies to the whole host and hides the rest.
    let redirects_all = directives
        .iter()
        .any(|directive| redirects_itself(directive) && directive.is("Redirect"));
    !redirects_all && directives.into_iter().any(serves_content)
}

fn serves_content(directive: &ApacheDirective) -> bool {
    let names = ["DocumentRoot", "ProxyPass", "ProxyPassMatch"];
    let is_other_section = directive
        .inside
        .as_deref()
        .is_some_and(|inside| !redirects(inside));
    is_other_section || names.iter().any(|name| directive.is(name))
}

/// Returns whether the new host has its own directive of that kind.
fn is_own_directive(directive: &ApacheDirective) -> bool {
    let own = ["ServerName", "ServerAlias", "Protocols", "ServerPath"];
    own.iter().any(|name| directive.is(name))
        || directive.name.to_ascii_lowercase().starts_with("ssl")
}

/// Copies everything that the existing host does, access rules included; a header tells the
/// application behind it that clients use https.
fn copy(host: &VirtualHost) -> String {
    let mut out = origin_comment(&host.block);
    print(&mut out, &without_redirects(host.section_directives()), 1);
    if host.upstream.is_some() {
        let mut directives = host.section_directives().iter();
        if !directives.any(|directive| directive.is("ProxyPreserveHost")) {
            out.push_str("    ProxyPreserveHost On\n");
        }
        out.push_str("    RequestHeader set X-Forwarded-Proto https\n");
    }
    out
}

/// Omits redirects to https together with the conditions before them, and directives that the new
/// host has itself. A mod_wsgi daemon may be defined only once and serves both hosts.
fn without_redirects(directives: &[ApacheDirective]) -> Vec<&ApacheDirective> {
    let mut kept: Vec<&ApacheDirective> = Vec::new();
    for directive in directives
        .iter()
        .filter(|directive| !is_own_directive(directive))
    {
        let inside = directive.inside.as_deref().unwrap_or_default();
        if redirects_itself(directive) {
            while kept.last().is_some_and(|last| last.is("RewriteCond")) {
                kept.pop();
            }
        } else if !redirects(inside) && !directive.is("WSGIDaemonProcess") {
            kept.push(directive);
        }
    }
    if !kept.iter().any(|directive| directive.is("RewriteRule")) {
        kept.retain(|directive| !directive.is("RewriteEngine"));
    }
    kept
}

/// Prints directives as they were written, each level indented by four more spaces; `Include` is
/// not expanded.
fn print(out: &mut String, directives: &[&ApacheDirective], depth: usize) {
    let indent = "    ".repeat(depth);
    for directive in directives {
        let words = format!("{} {}", directive.name, directive.raw);
        let line = words.trim_end();
        match &directive.inside {
            Some(inside) if !directive.is("Include") && !directive.is("IncludeOptional") => {
                out.push_str(&format!("{indent}<{line}>\n"));
                print(out, &inside.iter().collect::<Vec<_>>(), depth + 1);
                out.push_str(&format!("{indent}</{}>\n", directive.name));
            }
            _ => out.push_str(&format!("{indent}{line}\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::config;
    use super::ApacheWriter;
    use crate::pki::name::DnsName;
    use crate::store::layout::{ReleaseFile, StableLink};
    use crate::webserver::model::{DEFAULT_WEB_PORTS, NewBlock, WrittenBlock};

    fn write(text: &str, certificate_names: &[&str]) -> WrittenBlock {
        let names: Vec<DnsName> = certificate_names
            .iter()
            .map(|name| DnsName::parse(name).unwrap())
            .collect();
        let links = [
            StableLink::new("/etc/ssl/example.com.fullchain.pem", ReleaseFile::FullChain),
            StableLink::new("/etc/ssl/private/example.com.key", ReleaseFile::Key),
        ];
        let new = NewBlock {
            names: &names,
            links: &links,
            ipv6: true,
            ports: DEFAULT_WEB_PORTS,
        };
        ApacheWriter {
            new,
            config: &config(text),
        }
        .write()
    }

    #[test]
    fn a_new_site_gets_a_redirect_and_a_tls_host() {
        let written = write(
            "Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\nDocumentRoot /srv/www",
            &["*.example.com", "example.com"],
        );
        assert_eq!(written.commands_before, ["sudo a2enmod ssl"]);
        insta::assert_snapshot!(written.text);
    }

    #[test]
    fn a_plain_text_site_is_copied() {
        let written = write(
            "Listen 80\nLoadModule ssl_module /m/mod_ssl.so\nLoadModule headers_module /m/mod_headers.so\n\
             <VirtualHost *:80>\nServerName example.com\nServerAlias www.example.com\n# a comment\nRewriteEngine On\n\
             RewriteCond %{HTTP_HOST} ^www\nRewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]\n\
             <Location \"/admin\">\nRequire ip 10.0.0.0/8\n</Location>\n\
             ProxyPass \"/\" \"http://127.0.0.1:9000/\"\nProxyPassReverse / http://127.0.0.1:9000/\n\
             WSGIDaemonProcess x\nErrorLog ${APACHE_LOG_DIR}/x.log\nIncludeOptional conf/x.conf\n</VirtualHost>",
            &["example.com", "www.example.com"],
        );
        assert_eq!(written.upstream.as_deref(), Some("http://127.0.0.1:9000/"));
        assert_eq!(
            (written.commands_before.len(), written.additions.len()),
            (0, 0),
            "{written:?}"
        );
        insta::assert_snapshot!(written.text);
    }

    #[test]
    fn redirecting_hosts_are_not_copied() {
        for host in [
            "Redirect permanent / https://example.com/",
            "DocumentRoot /x\nRedirect / https://example.com/",
            "RewriteEngine On\nRewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]",
        ] {
            let text = format!(
                "Listen 80\n<VirtualHost *:80>\nServerName example.com\n{host}\n</VirtualHost>"
            );
            let written = write(&text, &["example.com"]);
            assert_eq!(
                (written.copied_from.as_deref(), written.additions.len()),
                (None, 0),
                "{host}"
            );
            assert!(
                written.text.contains("DocumentRoot \"/var/www/html\""),
                "{}",
                written.text
            );
        }
        let text = "Listen 80\n<VirtualHost *:80>\nServerName example.com\nDocumentRoot \
            /x\n</VirtualHost>";
        assert_eq!(write(text, &["example.com"]).additions.len(), 1);
    }
}
