//! Writes the virtual host for a pair that no block names yet: TLS by Mozilla's intermediate
//! guideline 6.0, the site as the present plain-text host of these names serves it, and plain text
//! sent on to https, but for `/.well-known/`, where CAs look for proofs.

use super::block::{ApacheConfig, VirtualHost};

use super::read::{ApacheDirective, flat};
use crate::pki::name::DnsName;
use crate::webserver::model::name::concrete;
use crate::webserver::model::{BlockAddition, CIPHERS, NewBlock, ServerSoftware, WrittenBlock};

/// What is needed to write it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApacheWriter<'a> {
    pub new: NewBlock<'a>,
    /// What Apache reads now.
    pub config: &'a ApacheConfig,
}

/// Where a site's files are where nobody says.
const ROOT: &str = "/var/www/html";

impl ApacheWriter<'_> {
    /// The file to put beside Apache's others.
    #[must_use]
    pub(crate) fn write(&self) -> WrittenBlock {
        let plain: Vec<&VirtualHost> = self
            .config
            .hosts
            .iter()
            .filter(|host| self.is_plain(host))
            .collect();
        let source = plain.iter().copied().find(|host| is_site(host));
        let mut text = self.heading();
        let open = self.names_without(&plain);
        if !open.is_empty() {
            text.push_str(&self.plain_host(&open));
        }
        let content = source.map_or_else(|| self.files(), copy);
        text.push_str(&self.tls_host(&content));
        let missing = plain.iter().filter(|host| !redirects(host.said()));
        let additions: Vec<BlockAddition> = missing.map(|host| self.addition(host)).collect();
        for addition in &additions {
            text.push_str(&comment(addition));
        }
        let mut modules = vec![("ssl_module", "ssl")];
        if source.is_some_and(|host| host.upstream.is_some()) {
            modules.push(("headers_module", "headers"));
        }
        modules.retain(|(module, _)| !self.config.has(module));
        let names: Vec<&str> = modules.iter().map(|(_, name)| *name).collect();
        let first = if names.is_empty() {
            Vec::new()
        } else {
            vec![format!("sudo a2enmod {}", names.join(" "))]
        };
        WrittenBlock {
            text,
            upstream: source.and_then(|host| host.upstream.clone()),
            taken_from: source.map(|host| host.block.to_string()),
            additions,
            first,
        }
    }

    /// Whether a host serves one of the names in plain text.
    fn is_plain(&self, host: &VirtualHost) -> bool {
        let block = &host.block;
        host.directives.is_some()
            && block.serves(self.new.names)
            && block.speaks_plain()
            && !block.speaks_tls()
            && block
                .listens
                .iter()
                .any(|listen| listen.port == self.new.ports.0)
    }

    fn heading(&self) -> String {
        let names: Vec<&str> = self.new.names.iter().map(DnsName::as_str).collect();
        let mut text = format!(
            "# {}: written by certctl; yours to change.\n\n",
            names.join(", ")
        );
        if !listens_on(&self.config.directives, self.new.ports.1) {
            text.push_str(&format!("Listen {}\n\n", self.new.ports.1));
        }
        text
    }

    /// The names that no present plain-text host has.
    fn names_without(&self, plain: &[&VirtualHost]) -> Vec<String> {
        let taken = |name: &&DnsName| {
            plain
                .iter()
                .any(|host| host.block.answers_to(&concrete(name)))
        };
        self.new
            .names
            .iter()
            .filter(|name| !taken(name))
            .map(|name| name.as_str().to_owned())
            .collect()
    }

    fn plain_host(&self, names: &[String]) -> String {
        let redirect: String = self
            .redirect()
            .iter()
            .map(|line| format!("    {line}\n"))
            .collect();
        format!(
            "<VirtualHost *:{}>\n{}    DocumentRoot {ROOT}\n\n    \
             # All but where CAs look for proofs of control (acme-challenge, pki-validation).\n{redirect}</VirtualHost>\n\n",
            self.new.ports.0,
            naming(names)
        )
    }

    fn redirect(&self) -> [String; 3] {
        let port = match self.new.ports.1 {
            443 => String::new(),
            port => format!(":{port}"),
        };
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
        let pair = ServerSoftware::Apache.lines(self.new.links).join("\n    ");
        format!(
            "<VirtualHost *:{}>\n{}\n    SSLEngine on\n    {pair}\n    SSLProtocol -all +TLSv1.2 +TLSv1.3\n    \
             SSLCipherSuite {CIPHERS}\n    SSLHonorCipherOrder off\n    SSLSessionTickets off\n    \
             <IfModule http2_module>\n        Protocols h2 http/1.1\n    </IfModule>\n    \
             # Once all is well, browsers may be told to stay with https for two years (a2enmod headers):\n    \
             # Header always set Strict-Transport-Security \"max-age=63072000\"\n\n{content}</VirtualHost>\n",
            self.new.ports.1,
            naming(&names),
        )
    }

    /// Where no host serves the names yet: the files of the main server.
    fn files(&self) -> String {
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

    fn addition(&self, host: &VirtualHost) -> BlockAddition {
        BlockAddition {
            file: host.block.file.clone(),
            line: host.block.line,
            lines: self.redirect().into(),
        }
    }
}

/// `ServerName` wants one; a wildcard can only be an alias.
fn naming(names: &[String]) -> String {
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

/// Whether a `Listen` for the port is there, if only once a module is loaded (Debian's ports.conf).
fn listens_on(directives: &[ApacheDirective], port: u16) -> bool {
    directives.iter().any(|directive| {
        let here = directive.is("Listen")
            && directive
                .first()
                .is_some_and(|word| word.rsplit(':').next() == Some(port.to_string().as_str()));
        here || listens_on(directive.inside.as_deref().unwrap_or_default(), port)
    })
}

fn comment(addition: &BlockAddition) -> String {
    let lines: String = addition
        .lines
        .iter()
        .map(|line| format!("#     {line}\n"))
        .collect();
    let place = format!("{}:{}", addition.file.display(), addition.line);
    format!(
        "\n# To send plain text on to https (but for /.well-known/), add to the host at \
            {place}:\n{lines}"
    )
}

/// Whether a directive sends visitors to https.
fn redirects_itself(directive: &ApacheDirective) -> bool {
    let moves = [
        "Redirect",
        "RedirectMatch",
        "RedirectPermanent",
        "RedirectTemp",
        "RewriteRule",
    ];
    let to_https = |word: &String| word.starts_with("https://");
    moves.iter().any(|name| directive.is(name)) && directive.arguments.iter().any(to_https)
}

fn redirects(directives: &[ApacheDirective]) -> bool {
    directives.iter().any(|directive| {
        redirects_itself(directive) || redirects(directive.inside.as_deref().unwrap_or_default())
    })
}

/// Whether a host serves anything but redirects to https.
fn is_site(host: &VirtualHost) -> bool {
    let all = flat(host.said());
    let serves = |directive: &&&ApacheDirective| {
        directive.is("DocumentRoot")
            || directive.is("ProxyPass")
            || directive.is("ProxyPassMatch")
            || (directive.inside.is_some()
                && !redirects(directive.inside.as_deref().unwrap_or_default()))
    };
    // A redirect of everything leaves nothing for the rest to do.
    let whole =
        |directive: &&ApacheDirective| redirects_itself(directive) && directive.is("Redirect");
    all.iter().any(|directive| serves(&directive)) && !all.iter().any(whole)
}

/// What the new host says for itself.
fn is_ours(directive: &ApacheDirective) -> bool {
    let own = ["ServerName", "ServerAlias", "Protocols", "ServerPath"];
    own.iter().any(|name| directive.is(name))
        || directive.name.to_ascii_lowercase().starts_with("ssl")
}

/// What the present host does, access rules and all; an application behind it is told that it is
/// https.
fn copy(host: &VirtualHost) -> String {
    let mut out = format!("    # As in {}:\n", host.block);
    print(&mut out, &without_redirects(host.said()), 1);
    if host.upstream.is_some() {
        if !host
            .said()
            .iter()
            .any(|directive| directive.is("ProxyPreserveHost"))
        {
            out.push_str("    ProxyPreserveHost On\n");
        }
        out.push_str("    RequestHeader set X-Forwarded-Proto https\n");
    }
    out
}

/// Conditions of a rule that goes go with it; a daemon of mod_wsgi may be named once only and
/// serves both hosts.
fn without_redirects(directives: &[ApacheDirective]) -> Vec<&ApacheDirective> {
    let mut kept: Vec<&ApacheDirective> = Vec::new();
    for directive in directives.iter().filter(|directive| !is_ours(directive)) {
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

/// Directives as they were written, each level four blanks deeper; `Include` as it was.
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
    use crate::webserver::model::{NewBlock, WEB, WrittenBlock};

    fn write(text: &str, asked: &[&str]) -> WrittenBlock {
        let names: Vec<DnsName> = asked
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
            ports: WEB,
        };
        ApacheWriter {
            new,
            config: &config(text),
        }
        .write()
    }

    #[test]
    fn a_first_site() {
        let written = write(
            "Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\nDocumentRoot /srv/www",
            &["*.example.com", "example.com"],
        );
        assert_eq!(written.first, ["sudo a2enmod ssl"]);
        insta::assert_snapshot!(written.text);
    }

    #[test]
    fn a_site_that_is_there_in_plain_text() {
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
            (written.first.len(), written.additions.len()),
            (0, 0),
            "{written:?}"
        );
        insta::assert_snapshot!(written.text);
    }

    #[test]
    fn what_only_redirects_is_not_copied() {
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
                (written.taken_from.as_deref(), written.additions.len()),
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
