//! Managed domains of mod_md: it provides the certificates of the virtual hosts that have one of the
//! domain's names. <https://httpd.apache.org/docs/2.4/mod/mod_md.html>

use super::read::{ApacheDirective, flat};
use crate::webserver::model::ServerName;

/// The modes of `MDomain`, which follow the names.
const MODES: [&str; 2] = ["auto", "manual"];

/// One managed domain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ManagedDomain {
    /// Its names, lower case; the first one is also that of its folder.
    pub names: Vec<String>,
    /// `MDCertificateFile`, in order: certificates that mod_md does not request itself.
    pub certificates: Vec<String>,
    /// `MDCertificateKeyFile`, in order.
    pub keys: Vec<String>,
}

impl ManagedDomain {
    /// The domains of the main server's directives: `MDomain`, `<MDomain>`, `<MDomainSet>`.
    pub(crate) fn find_all(main: &[&ApacheDirective]) -> Vec<Self> {
        let domains = main
            .iter()
            .filter(|directive| directive.is("MDomain") || directive.is("MDomainSet"));
        domains
            .map(|directive| Self::parse(directive))
            .filter(|domain| !domain.names.is_empty())
            .collect()
    }

    fn parse(directive: &ApacheDirective) -> Self {
        let mut domain = Self {
            names: names(&directive.arguments),
            certificates: Vec::new(),
            keys: Vec::new(),
        };
        for inner in flat(directive.inside.as_deref().unwrap_or_default()) {
            if inner.is("MDMember") {
                domain.names.extend(names(&inner.arguments));
            } else if inner.is("MDCertificateFile") {
                domain.certificates.extend(inner.first().map(str::to_owned));
            } else if inner.is("MDCertificateKeyFile") {
                domain.keys.extend(inner.first().map(str::to_owned));
            }
        }
        domain
    }

    /// Returns whether it provides the certificates of a host with these names.
    pub(crate) fn covers(&self, host: &[ServerName]) -> bool {
        self.names.iter().any(|name| match name.strip_prefix('*') {
            // One label for the `*`, and only in `ServerName`.
            Some(base) => host.first().is_some_and(|own| match own {
                ServerName::Exact(own) => own
                    .strip_suffix(base)
                    .is_some_and(|label| !label.is_empty() && !label.contains('.')),
                _ => false,
            }),
            None => host.iter().any(|own| own.rank(name).is_some()),
        })
    }
}

fn names(arguments: &[String]) -> Vec<String> {
    let names = arguments.iter().map(|word| word.to_ascii_lowercase());
    names
        .filter(|word| !MODES.contains(&word.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::webserver::apache::testing::config;
    use crate::webserver::model::ConfiguredPath;

    /// The certificates of the first host, and of the main server.
    fn certificates(domains: &str, host: &str) -> String {
        let config = config(&format!(
            "Listen 443\n{domains}\n<VirtualHost *:443>\nSSLEngine on\n{host}\n</VirtualHost>"
        ));
        let block = &config.hosts[0].block;
        let files = block
            .certificates
            .iter()
            .flat_map(|certificate| &certificate.files);
        let shown: Vec<String> = files
            .map(|(_, path)| match path {
                ConfiguredPath::File(path) => path.display().to_string(),
                ConfiguredPath::Other(text) => format!("({text})"),
            })
            .collect();
        shown.join(" ")
    }

    #[test]
    fn managed_domains_provide_certificates() {
        let files = "<MDomainSet a.example>\nMDMember b.example\nMDCertificateFile /m\n\
             MDCertificateKeyFile k\n</MDomainSet>";
        for (domains, host, expected) in [
            (
                "MDomain A.example manual",
                "ServerName a.example",
                "(mod_md: a.example)",
            ),
            (
                "MDomain a.example b.example",
                "ServerName c.example\nServerAlias b.example",
                "(mod_md: a.example)",
            ),
            ("MDomain a.example", "ServerName c.example", ""),
            (
                "MDomain a.example",
                "ServerName c.example\nServerAlias *.example",
                "(mod_md: a.example)",
            ),
            (
                "MDomain *.a.example",
                "ServerName b.a.example",
                "(mod_md: *.a.example)",
            ),
            ("MDomain *.a.example", "ServerName c.b.a.example", ""),
            (
                "MDomain a.example",
                "ServerName a.example\nSSLCertificateFile /x",
                "/x",
            ),
            (files, "ServerName b.example", "/m /etc/apache2/k"),
            (
                files,
                "ServerName a.example\nSSLCertificateFile /x",
                "/x /m /etc/apache2/k",
            ),
        ] {
            assert_eq!(certificates(domains, host), expected, "{domains} {host}");
        }
    }
}
