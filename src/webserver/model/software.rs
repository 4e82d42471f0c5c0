//! The servers whose configuration is understood, and the words in which they differ.

use crate::store::layout::{ReleaseFile, StableLink};

/// A server program that has a profile.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ServerSoftware {
    /// <https://httpd.apache.org>, version 2.4.
    Apache,
    /// <https://www.haproxy.org>
    Haproxy,
    /// <https://nginx.org>, and what was made of it.
    Nginx,
}

impl ServerSoftware {
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Apache, Self::Haproxy];

    /// The name that settings and flags have.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Apache => "apache",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The one with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|software| software.name() == name)
    }

    /// The name that people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Apache => "Apache",
            Self::Haproxy => "HAProxy",
            Self::Nginx => "nginx",
        }
    }

    #[must_use]
    pub fn package(self) -> &'static str {
        match self {
            Self::Apache => "apache2",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The directive that gives a block its names.
    #[must_use]
    pub fn names_directive(self) -> &'static str {
        match self {
            Self::Apache => "ServerName or ServerAlias",
            Self::Haproxy => "crt-list",
            Self::Nginx => "server_name",
        }
    }

    /// The directive that has a server send OCSP answers along.
    #[must_use]
    pub fn stapling_directive(self) -> &'static str {
        match self {
            Self::Apache => "SSLUseStapling on",
            Self::Haproxy => "ocsp-update on",
            Self::Nginx => "ssl_stapling on",
        }
    }

    /// What has to be changed of a block for it to serve a pair.
    #[must_use]
    pub fn what_changes(self) -> &'static str {
        match self {
            Self::Apache | Self::Nginx => "two lines",
            Self::Haproxy => "the path of its certificate",
        }
    }

    /// The lines that make a block serve a pair; of HAProxy the words of a line.
    #[must_use]
    pub fn lines(self, links: &[StableLink]) -> Vec<String> {
        let line = |link: &StableLink| {
            let path = quoted(&link.path.display().to_string());
            let directive = match (self, link.piece) {
                (Self::Apache, ReleaseFile::FullChain | ReleaseFile::Cert) => "SSLCertificateFile",
                (Self::Apache, ReleaseFile::Ca) => "SSLCertificateChainFile",
                (Self::Apache, ReleaseFile::Key) => "SSLCertificateKeyFile",
                (Self::Haproxy, ReleaseFile::FullChain | ReleaseFile::Combined) => {
                    return Some(format!("crt {path}"));
                }
                (Self::Nginx, ReleaseFile::FullChain) => {
                    return Some(format!("ssl_certificate {path};"));
                }
                (Self::Nginx, ReleaseFile::Key) => {
                    return Some(format!("ssl_certificate_key {path};"));
                }
                (Self::Apache, ReleaseFile::Combined) | (Self::Haproxy | Self::Nginx, _) => {
                    return None;
                }
            };
            Some(format!("{directive} {path}"))
        };
        links.iter().filter_map(line).collect()
    }
}

/// A word of a configuration: all three read double quotes with backslashes alike.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@~,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::ServerSoftware;
    use crate::store::layout::{ReleaseFile, StableLink};

    #[test]
    fn lines_that_serve_a_pair() {
        let (chain, key) = (
            StableLink::new("/etc/ssl/a.pem", ReleaseFile::FullChain),
            StableLink::new("/k/a b\\\"c.key", ReleaseFile::Key),
        );
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
            assert_eq!(software.lines(&[chain.clone(), key.clone()]), expected);
        }
    }
}
