//! Finds the installed certificates that a name means.

use std::collections::{HashMap, HashSet};

use crate::pki::name::DnsName;
use crate::store::disk::PublicRelease;

/// The live release of an installed certificate.
pub(in crate::install) struct InstalledRelease {
    /// Its name in /etc/ssl.
    pub stem: String,
    pub release: PublicRelease,
}

/// Installed certificates by name.
pub(in crate::install) struct InstalledNames {
    stems: HashSet<String>,
    /// The certificates that cover a DNS name, sorted.
    by_dns_name: HashMap<DnsName, Vec<String>>,
}

impl InstalledNames {
    pub(in crate::install) fn new(installed: Vec<InstalledRelease>) -> Self {
        let mut stems = HashSet::new();
        let mut by_dns_name: HashMap<DnsName, Vec<String>> = HashMap::new();
        for InstalledRelease { stem, release } in installed {
            let names: HashSet<DnsName> = release
                .leaf()
                .dns_names
                .iter()
                .filter_map(|name| DnsName::parse(name).ok())
                .collect();
            for name in names {
                by_dns_name.entry(name).or_default().push(stem.clone());
            }
            stems.insert(stem);
        }
        Self { stems, by_dns_name }
    }

    /// Finds the certificate with that name in /etc/ssl, else those that cover it.
    pub(in crate::install) fn find(&self, name: &str) -> Vec<String> {
        let dns_name = DnsName::parse(name).ok();
        let stem = dns_name
            .as_ref()
            .map_or_else(|| name.to_owned(), DnsName::file_stem);
        if self.stems.contains(&stem) {
            return vec![stem];
        }
        dns_name
            .and_then(|dns_name| self.by_dns_name.get(&dns_name).cloned())
            .unwrap_or_default()
    }
}
