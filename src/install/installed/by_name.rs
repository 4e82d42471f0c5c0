//! Which installed certificates a name means.

use std::collections::{HashMap, HashSet};

use crate::pki::name::DnsName;
use crate::store::release::Release;

/// Installed pairs, found by name.
pub(super) struct InstalledNames {
    stems: HashSet<String>,
    /// Those whose certificates have a name, sorted.
    named: HashMap<DnsName, Vec<String>>,
}

impl InstalledNames {
    pub(super) fn new(pairs: Vec<(String, Release)>) -> Self {
        let (mut stems, mut named) = (HashSet::new(), HashMap::<DnsName, Vec<String>>::new());
        for (stem, release) in pairs {
            let names: HashSet<DnsName> = release
                .leaf()
                .dns_names
                .iter()
                .filter_map(|name| DnsName::parse(name).ok())
                .collect();
            for name in names {
                named.entry(name).or_default().push(stem.clone());
            }
            stems.insert(stem);
        }
        Self { stems, named }
    }

    /// The pair of that name, else those whose certificates have it.
    pub(super) fn fitting(&self, name: &str) -> Vec<String> {
        let wanted = DnsName::parse(name).ok();
        let spelled = wanted
            .as_ref()
            .map_or_else(|| name.to_owned(), DnsName::file_stem);
        if self.stems.contains(&spelled) {
            return vec![spelled];
        }
        wanted
            .and_then(|wanted| self.named.get(&wanted).cloned())
            .unwrap_or_default()
    }
}
