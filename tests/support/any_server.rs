//! One interface to nginx, Apache and HAProxy: each serves certificates for names at addresses,
//! with its own kind of configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::apache::{self, Apache};
use super::haproxy::{self, Haproxy};
use super::nginx::{self, Nginx};

/// The kind of server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerKind {
    Apache,
    Haproxy,
    Nginx,
}

/// A server that runs in a folder of its own until this is dropped.
pub enum Running {
    Apache(Apache),
    Haproxy(Haproxy),
    Nginx(Nginx),
}

/// Names, the addresses where they are served, and the files.
#[derive(Clone, Debug)]
pub struct ServedNames {
    pub names: &'static str,
    pub at: Vec<SocketAddr>,
    /// Chain and key; for HAProxy, which needs both in one file, the same path twice.
    pub pairs: Vec<(PathBuf, PathBuf)>,
}

impl ServerKind {
    pub const ALL: [Self; 3] = [Self::Apache, Self::Haproxy, Self::Nginx];

    /// The value of `--server`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apache => "apache",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The default paths of chain and key of example.com in a tree.
    pub fn default_paths(self, tree: &Path) -> (PathBuf, PathBuf) {
        let both = tree.join("etc/ssl/private/example.com.pem");
        match self {
            Self::Haproxy => (both.clone(), both),
            _ => (
                tree.join("etc/ssl/example.com.fullchain.pem"),
                tree.join("etc/ssl/private/example.com.key"),
            ),
        }
    }

    /// Returns its configuration file in `folder`.
    pub fn config(self, folder: &Path) -> PathBuf {
        folder.join(match self {
            Self::Apache => "apache2.conf",
            Self::Haproxy => "haproxy.cfg",
            Self::Nginx => "nginx.conf",
        })
    }

    /// Writes a configuration that serves these names; the first entry is the default.
    pub fn write(self, folder: &Path, sites: &[ServedNames]) {
        let text = self.text(sites);
        drop(match self {
            Self::Apache => apache::write_config(folder, &text),
            Self::Haproxy => haproxy::write_config(folder, &text),
            Self::Nginx => nginx::write_config(folder, &text),
        });
    }

    pub fn start(self, folder: &Path, sites: &[ServedNames]) -> Running {
        let text = self.text(sites);
        match self {
            Self::Apache => Running::Apache(Apache::start(folder, &text)),
            Self::Haproxy => Running::Haproxy(Haproxy::start(folder, &text)),
            Self::Nginx => Running::Nginx(Nginx::start(folder, &text)),
        }
    }

    fn text(self, sites: &[ServedNames]) -> String {
        match self {
            Self::Apache => {
                let mut at: Vec<SocketAddr> =
                    sites.iter().flat_map(|site| site.at.clone()).collect();
                at.sort();
                at.dedup();
                at.iter()
                    .map(|at| format!("Listen {at}\n"))
                    .chain(sites.iter().map(apache_host))
                    .collect()
            }
            Self::Haproxy => haproxy_section(sites),
            Self::Nginx => sites.iter().map(nginx_block).collect(),
        }
    }
}

fn apache_host(site: &ServedNames) -> String {
    let at: Vec<String> = site.at.iter().map(ToString::to_string).collect();
    let (first, others) = site
        .names
        .split_once(' ')
        .unwrap_or((site.names, "none.invalid"));
    let pair = |(chain, key): &(PathBuf, PathBuf)| {
        format!(
            "SSLCertificateFile {}\nSSLCertificateKeyFile {}\n",
            chain.display(),
            key.display()
        )
    };
    let pairs: String = site.pairs.iter().map(pair).collect();
    format!(
        "<VirtualHost {}>\nServerName {first}\nServerAlias {others}\nSSLEngine on\n{pairs}</VirtualHost>\n",
        at.join(" ")
    )
}

/// Returns one frontend: all names are at the addresses of the first entry, and HAProxy selects the
/// certificate by the names in it.
fn haproxy_section(sites: &[ServedNames]) -> String {
    let files: String = sites
        .iter()
        .flat_map(|site| &site.pairs)
        .map(|(both, _)| format!(" crt {}", both.display()))
        .collect();
    let bind = |at: &SocketAddr| format!("    bind {at} ssl{files}\n");
    let binds: String = sites
        .iter()
        .take(1)
        .flat_map(|site| &site.at)
        .map(bind)
        .collect();
    if binds.is_empty() {
        return String::new();
    }
    format!("frontend f\n{binds}    http-request return status 204\n")
}

fn nginx_block(site: &ServedNames) -> String {
    let listens: String = site
        .at
        .iter()
        .map(|at| format!("listen {at} ssl; "))
        .collect();
    let pair = |(chain, key): &(PathBuf, PathBuf)| {
        format!(
            "ssl_certificate {}; ssl_certificate_key {};\n",
            chain.display(),
            key.display()
        )
    };
    let pairs: String = site.pairs.iter().map(pair).collect();
    format!(
        "server {{ {listens}server_name {}; ssl_protocols TLSv1.2 TLSv1.3;\n\
         {pairs}return 204; }}\n",
        site.names
    )
}
