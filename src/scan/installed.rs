//! What certctl installed: the files that are live, and what is remembered of them.

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory::item::InstallTerms;
use crate::inventory::{ItemContent, ItemOrigin};
use crate::scan::installed_certificate::{InstalledCertificate, pairs};
use crate::scan::request_folders::RequestStems;
use crate::scan::results::ScanResults;
use crate::scan::web_servers::ScannedServers;
use crate::store::layout::ReleaseFile;

/// The names of all certificates that are live.
pub(crate) fn names(context: &Context) -> Result<Vec<String>, Failure> {
    let mut survey = ScanResults::default();
    let _ = survey.installed(context, None)?;
    let certificates = survey.items.into_iter().filter_map(|item| match item.what {
        ItemContent::Certificates(chain) => chain.into_iter().next(),
        _ => None,
    });
    Ok(certificates
        .flat_map(|leaf| leaf.dns_names.clone())
        .collect())
}

impl ScanResults {
    /// The live files of all pairs; with `servers`, also who reads them. Says where their requests
    /// were made.
    pub(crate) fn installed(
        &mut self,
        context: &Context,
        mut servers: Option<&mut ScannedServers>,
    ) -> Result<RequestStems, Failure> {
        let (mut failures, mut rounds) = (Vec::new(), RequestStems::default());
        for pair in pairs(context, |failure| failures.push(failure))? {
            let before = self.items.len();
            self.pair(&pair);
            rounds.add(&pair.settings);
            let chain = self.items[before..]
                .iter()
                .rev()
                .find_map(|item| match &item.what {
                    ItemContent::Certificates(chain) => Some(chain.clone()),
                    _ => None,
                });
            if let (Some(servers), Some(chain)) = (servers.as_deref_mut(), chain) {
                self.servers_of(context, &pair, &chain, servers);
            }
        }
        failures
            .iter()
            .for_each(|failure| self.tell(failure, "certificate-unreadable"));
        Ok(rounds)
    }

    fn pair(
        &mut self,
        InstalledCertificate {
            layout,
            settings,
            live,
        }: &InstalledCertificate,
    ) {
        let stem = layout.stem().to_owned();
        let origin = ItemOrigin::Installed(stem.clone());
        // The key first: the certificates are then the last of its items.
        self.file(
            &layout.piece(live, ReleaseFile::Key),
            &origin,
            layout.key_path(),
        );
        self.file(
            &layout.piece(live, ReleaseFile::FullChain),
            &origin,
            layout.chain_path(),
        );
        let paid_until = settings.paid_until;
        let placeholder = settings.placeholder.as_ref() == Some(live);
        let trust = settings.trust.clone().filter(|trust| trust != "mozilla");
        if let Some(trust) = &trust {
            self.anchors_of(&stem, trust);
        }
        self.terms.insert(
            stem,
            InstallTerms {
                paid_until,
                placeholder,
                trust,
            },
        );
    }
}
