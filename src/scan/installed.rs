//! Scans the installed certificates: their live files and their stored options.

use std::sync::Arc;

use jiff::Timestamp;

use crate::advice::drift;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inventory::file_reader::{self, Keys};
use crate::inventory::item::InstallTerms;
use crate::inventory::{InventoryItem, ItemContent, ItemOrigin};
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::scan::installed_certificate::{InstalledCertificate, read_installed};
use crate::scan::request_folders::RequestStems;
use crate::scan::results::ScanResults;
use crate::scan::web_servers::ScannedServers;
use crate::store::history;
use crate::store::layout::ReleaseFile;
use crate::system::fs::files;

/// Returns the names of all live certificates.
pub(crate) fn installed_names(context: &Context) -> Result<Vec<String>, Failure> {
    let mut results = ScanResults::default();
    let _ = results.scan_installed(context, None)?;
    let mut names = Vec::new();
    for item in results.items {
        if let ItemContent::Certificates(chain) = item.content
            && let Some(leaf) = chain.first()
        {
            names.extend(leaf.dns_names.iter().cloned());
        }
    }
    Ok(names)
}

impl ScanResults {
    /// Scans the live files of all installed certificates; with `servers`, also the servers that
    /// use them. Returns the folders where their requests were created.
    pub(crate) fn scan_installed(
        &mut self,
        context: &Context,
        mut servers: Option<&mut ScannedServers>,
    ) -> Result<RequestStems, Failure> {
        let mut failures = Vec::new();
        let mut request_stems = RequestStems::default();
        for installed in read_installed(context, &mut failures)? {
            let before = self.items.len();
            self.scan_installed_certificate(&installed);
            self.find_missing_key(context, &installed);
            request_stems.add(&installed.settings);
            let chain = last_chain(&self.items[before..]);
            if let Some(servers) = servers.as_deref_mut()
                && let Some(chain) = chain
            {
                self.scan_servers_of(context, &installed, &chain, servers);
            }
        }
        for failure in &failures {
            self.report_failure(failure, "certificate-unreadable");
        }
        Ok(request_stems)
    }

    fn scan_installed_certificate(&mut self, installed: &InstalledCertificate) {
        let layout = &installed.layout;
        let settings = &installed.settings;
        let stem = layout.stem().to_owned();
        let origin = ItemOrigin::Installed(stem.clone());
        // The key is scanned first, so that the certificates are the last item.
        if let Some(key_path) = layout.key_path() {
            let key = layout.file_path(&installed.live, ReleaseFile::Key);
            self.scan_file(&key, &origin, key_path);
        }
        let chain = layout.file_path(&installed.live, ReleaseFile::FullChain);
        self.scan_file(&chain, &origin, layout.chain_path());
        let trust = settings.trust.clone().filter(|trust| trust != "mozilla");
        if let Some(trust) = &trust {
            self.load_anchors(&stem, trust);
        }
        self.terms.insert(
            stem,
            InstallTerms {
                paid_until: settings.paid_until,
                placeholder: settings.placeholder.as_ref() == Some(&installed.live),
                trust,
                rolled_back: rolled_back(installed),
            },
        );
    }
}

/// Returns the certificate that the last rollback replaced, if nothing was installed since then.
fn rolled_back(installed: &InstalledCertificate) -> Option<(Fingerprint, Timestamp)> {
    let (replaced, at) = history::replaced_by_rollback(&installed.settings)?;
    let path = installed.layout.file_path(replaced, ReleaseFile::Cert);
    let bytes = files::read(&path, file_reader::LIMIT).ok()?;
    let items = file_reader::read_items(&bytes, Mode::new(0o644), Keys::Checked);
    let leaf = items.iter().find_map(|item| match item {
        ItemContent::Certificates(chain) => chain.first(),
        _ => None,
    })?;
    Some((leaf.fingerprint, at))
}

impl ScanResults {
    /// Reports an installed certificate whose key was deleted: servers that run still have it, and
    /// cannot load it again.
    fn find_missing_key(&mut self, context: &Context, installed: &InstalledCertificate) {
        let layout = &installed.layout;
        let key = layout.file_path(&installed.live, ReleaseFile::Key);
        let chain = layout.file_path(&installed.live, ReleaseFile::FullChain);
        let has_key = files::exists(&key) || layout.key_path().is_none();
        if has_key || !files::exists(&chain) {
            return;
        }
        let message = format!(
            "the key of the installed certificate {} is missing: {}; a server that is restarted \
                cannot load it",
            layout.stem(),
            key.display()
        );
        let next = drift::replace_damaged(context.root.as_deref());
        self.findings
            .push(Finding::error("key-missing", message).with_step(next));
    }
}

fn last_chain(items: &[InventoryItem]) -> Option<Vec<Arc<Certificate>>> {
    items.iter().rev().find_map(|item| match &item.content {
        ItemContent::Certificates(chain) => Some(chain.clone()),
        _ => None,
    })
}
