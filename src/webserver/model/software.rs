//! The supported servers, and the words in which they differ.

use crate::store::layout::{ReleaseFile, StableLink};

/// A supported server program.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ServerSoftware {
    /// <https://httpd.apache.org>, version 2.4.
    Apache,
    /// <https://www.haproxy.org>
    Haproxy,
    /// <https://nginx.org>, and compatible builds.
    Nginx,
}

impl ServerSoftware {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Apache, Self::Haproxy];

    /// The name in settings and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Apache => "apache",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The software with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|software| software.name() == name)
    }

    /// The official spelling of the name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Apache => "Apache",
            Self::Haproxy => "HAProxy",
            Self::Nginx => "nginx",
        }
    }

    /// Its package of Debian.
    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Apache => "apache2",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The directive that sets the names of a block.
    #[must_use]
    pub fn names_directive(self) -> &'static str {
        match self {
            Self::Apache => "ServerName or ServerAlias",
            Self::Haproxy => "crt-list",
            Self::Nginx => "server_name",
        }
    }

    /// What a block is called.
    #[must_use]
    pub fn block_word(self) -> &'static str {
        match self {
            Self::Apache => "virtual host",
            Self::Haproxy => "frontend",
            Self::Nginx => "server block",
        }
    }

    /// The directive that enables OCSP stapling.
    #[must_use]
    pub fn stapling_directive(self) -> &'static str {
        match self {
            Self::Apache => "SSLUseStapling on",
            Self::Haproxy => "ocsp-update on",
            Self::Nginx => "ssl_stapling on",
        }
    }

    /// What to change in a block so that it serves another certificate.
    #[must_use]
    pub fn certificate_settings(self) -> &'static str {
        match self {
            Self::Apache | Self::Nginx => "the certificate lines",
            Self::Haproxy => "the path of the certificate",
        }
    }

    /// The lines that make a block serve a certificate; for HAProxy the words of its `bind` line.
    #[must_use]
    pub fn certificate_lines(self, links: &[StableLink]) -> Vec<String> {
        links.iter().filter_map(|link| self.line(link)).collect()
    }

    fn line(self, link: &StableLink) -> Option<String> {
        let directive = match (self, link.piece) {
            (Self::Apache, ReleaseFile::FullChain | ReleaseFile::Cert) => "SSLCertificateFile",
            (Self::Apache, ReleaseFile::Ca) => "SSLCertificateChainFile",
            (Self::Apache, ReleaseFile::Key) => "SSLCertificateKeyFile",
            (Self::Haproxy, ReleaseFile::FullChain | ReleaseFile::Combined) => "crt",
            (Self::Nginx, ReleaseFile::FullChain) => "ssl_certificate",
            (Self::Nginx, ReleaseFile::Key) => "ssl_certificate_key",
            (Self::Apache, ReleaseFile::Combined) | (Self::Haproxy | Self::Nginx, _) => {
                return None;
            }
        };
        let end = if self == Self::Nginx { ";" } else { "" };
        let path = quote(&link.path.display().to_string());
        Some(format!("{directive} {path}{end}"))
    }
}

/// Quotes a word of a configuration: all three servers read double quotes with backslashes alike.
#[must_use]
pub(crate) fn quote(text: &str) -> String {
    let needs_quotes = text
        .chars()
        .any(|c| !c.is_alphanumeric() && !"/._-+:@~,=".contains(c));
    if !text.is_empty() && !needs_quotes {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::ServerSoftware;
    use crate::store::layout::{ReleaseFile, StableLink};

    #[test]
    fn certificate_lines_follow_the_syntax_of_each_server() {
        let chain = StableLink::new("/etc/ssl/a.pem", ReleaseFile::FullChain);
        let key = StableLink::new("/k/a b\\\"c.key", ReleaseFile::Key);
        for (software, expected) in [
            (
                ServerSoftware::Nginx,
                vec![
                    "ssl_certificate /etc/ssl/a.pem;",
                    r#"ssl_certificate_key "/k/a b\\\"c.key";"#,
                ],
            ),
            (
                ServerSoftware::Apache,
                vec![
                    "SSLCertificateFile /etc/ssl/a.pem",
                    r#"SSLCertificateKeyFile "/k/a b\\\"c.key""#,
                ],
            ),
            (ServerSoftware::Haproxy, vec!["crt /etc/ssl/a.pem"]),
        ] {
            assert_eq!(
                software.certificate_lines(&[chain.clone(), key.clone()]),
                expected
            );
        }
    }
}
