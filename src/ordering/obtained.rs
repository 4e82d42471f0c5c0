//! The certificates of a name in the working directory, from earlier orders.

use super::document::{OrderOutcome, OrderVerdict};
use super::installing::install_issued;
use super::journal::OrderJournal;
use super::order_run::OrderRun;
use super::renewal::certificate_names;
use super::spec::{InstallChoice, MOST_RENEWALS, OrderFiles, OrderSpec, OrderTiming};
use crate::advice::order as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::FoundKeyFile;
use crate::inputs::folder::read_file;
use crate::install::request::RunMode;
use crate::pki::alt_name::AltNames;
use crate::pki::certificate::Certificate;
use crate::state::OrderProgress;
use crate::wording::day;

/// A certificate with the files of its order.
pub(super) struct ObtainedCertificate {
    pub files: OrderFiles,
    pub leaf: Certificate,
}

/// Returns the certificates of this name in the working directory.
pub(super) fn list_obtained(context: &Context, spec: &OrderSpec) -> Vec<ObtainedCertificate> {
    let mut obtained = Vec::new();
    for number in 1..MOST_RENEWALS {
        let files = OrderFiles::numbered(context, &spec.name, number);
        match read_file(&files.chain) {
            Ok(delivery) => {
                let leaf = delivery.clone_certificates().into_iter().next();
                obtained.extend(leaf.map(|leaf| ObtainedCertificate { files, leaf }));
            }
            Err(_) if files.have_request() => {}
            Err(_) => break,
        }
    }
    obtained
}

impl ObtainedCertificate {
    /// Returns whether its key is here and may be used.
    fn has_key(&self) -> bool {
        let file = FoundKeyFile::read(&self.files.key);
        let key = file.map(|file| file.into_key(&self.files.key, self.leaf.key_id));
        matches!(key, Ok(Some(Ok(_))))
    }
}

impl OrderRun<'_> {
    /// Returns the certificate of an earlier run that is to replace the one that is renewed.
    pub(super) fn find_obtained(&self) -> Option<ObtainedCertificate> {
        let OrderTiming::Renewal(renewed) = &self.spec.timing else {
            return None;
        };
        let mut obtained = list_obtained(self.context, self.spec);
        // The files are numbered in the order of their orders.
        let is_renewed = |one: &ObtainedCertificate| one.leaf.sha256() == renewed.sha256;
        if let Some(at) = obtained.iter().position(is_renewed) {
            obtained.drain(..=at);
        }
        let is_next = |one: &ObtainedCertificate| {
            let names = AltNames::parse(&certificate_names(&one.leaf));
            let is_same = names.is_ok_and(|names| names.same_set(&self.spec.names));
            // A CA may give the same end again, and two certificates may be of the same second.
            let is_older =
                one.leaf.not_after < renewed.not_after || one.leaf.not_before < renewed.not_before;
            is_same && !is_older && one.leaf.is_in_date(self.context.now()) && one.has_key()
        };
        obtained
            .into_iter()
            .filter(is_next)
            .max_by_key(|one| one.leaf.not_after)
    }

    /// Installs that certificate, unless nothing is to be installed.
    pub(super) fn use_obtained(
        &self,
        obtained: &ObtainedCertificate,
    ) -> Result<OrderOutcome, Failure> {
        if self.spec.mode == RunMode::DryRun || self.spec.install == InstallChoice::FilesOnly {
            return self.keep_obtained(obtained);
        }
        let files = obtained.files.absolute()?;
        let directory = self.spec.ca.directory();
        let mut journal = OrderJournal::begin(self.state, self.spec, directory, files)?;
        journal.record(OrderProgress::Issued)?;
        install_issued(self, journal, Vec::new())
    }

    /// The outcome for a certificate that stays in its file.
    fn keep_obtained(&self, obtained: &ObtainedCertificate) -> Result<OrderOutcome, Failure> {
        let chain = obtained.files.chain.display().to_string();
        if self.spec.install == InstallChoice::Install {
            let mut planned = self.plan()?;
            planned.steps = vec![format!("install {chain}, which was obtained earlier")];
            return Ok(planned);
        }
        let verdict = match self.spec.mode {
            RunMode::DryRun => OrderVerdict::Planned,
            _ => OrderVerdict::Unchanged,
        };
        let mut kept = OrderOutcome::new(self.spec, verdict);
        kept.not_after = Some(obtained.leaf.not_after);
        kept.files = Some(obtained.files.clone());
        kept.summary = format!(
            "the next certificate is in {chain}, expires {}; it was not installed",
            day(obtained.leaf.not_after)
        );
        let words = self.context.command_words("install");
        kept.next.push(advice::install_later(&words, &chain));
        Ok(kept)
    }
}
