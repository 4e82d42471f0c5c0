//! The certificate of a site: the installed one that covers its name, or a placeholder.

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::forget::plan::NeverProven;
use crate::install::forget::{self, ForgetRequest};
use crate::install::outcome::{InstallVerdict, TransactionOutcome};
use crate::install::placeholder::{self, certificate::PlaceholderCertificate};
use crate::install::request::{InstallGoal, InstallRequest, RunMode};
use crate::install::{installed, transaction};
use crate::install_plan::observe;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::ProbePatience;
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer, StableLink, primary_links};
use crate::store::settings::LineageSettings;
use crate::system::fs::folders;

/// The certificate of a site.
pub(crate) struct SiteCertificate {
    /// Its name in /etc/ssl.
    pub stem: String,
    pub layout: LineageLayout,
    /// The names that the site gets, its own first.
    pub names: Vec<DnsName>,
    /// What is installed; `None` if nothing is.
    pub live: Option<LiveCertificate>,
}

/// An installed certificate.
pub(crate) struct LiveCertificate {
    /// Leaf and intermediates.
    pub chain: Vec<Certificate>,
    pub trust: CertificateTrust,
    /// Whether an install has verified that servers serve it.
    pub is_proven: bool,
}

/// Whether browsers may trust a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CertificateTrust {
    FromCa,
    /// It is self-signed, until the CA has issued one.
    Placeholder,
}

impl CertificateTrust {
    fn of(settings: &LineageSettings, release: &ReleaseId) -> Self {
        if settings.placeholder.as_ref() == Some(release) {
            Self::Placeholder
        } else {
            Self::FromCa
        }
    }
}

impl SiteCertificate {
    /// Finds the certificate for a name.
    ///
    /// # Errors
    /// When files cannot be read, or several certificates cover the name.
    pub(crate) fn find(context: &Context, name: &DnsName) -> Result<Self, Failure> {
        let Some(stem) = find_stem(context, name)? else {
            return Self::missing(context, name);
        };
        let settings = installed::read_settings(context, &stem)?;
        let layout = installed::saved_layout(context, &stem, &settings)?;
        let Some(live) = observe::read_pointer(&layout, ReleasePointer::Live)? else {
            return Self::missing(context, name);
        };
        let Some(release) = disk::load_public(&layout, &live)? else {
            return Self::missing(context, name);
        };
        let proven = observe::read_pointer(&layout, ReleasePointer::Proven)?;
        let trust = CertificateTrust::of(&settings, &live);
        let is_own = stem == name.file_stem();
        let mut names = vec![name.clone()];
        let covered = release.leaf().dns_names.iter();
        let covered = covered.filter_map(|covered| DnsName::parse(covered).ok());
        names.extend(covered.filter(|other| is_own && other != name));
        Ok(Self {
            stem,
            layout,
            names,
            live: Some(LiveCertificate {
                chain: release.certificates,
                trust,
                is_proven: proven.as_ref() == Some(&live),
            }),
        })
    }

    /// A site for which nothing is installed: the placeholder gets the names of the request in the
    /// working directory.
    fn missing(context: &Context, name: &DnsName) -> Result<Self, Failure> {
        let stem = name.file_stem();
        let settings = LineageSettings::default();
        Ok(Self {
            layout: installed::saved_layout(context, &stem, &settings)?,
            stem,
            names: placeholder::names_of_request(context, name)?,
            live: None,
        })
    }

    /// The files that the server reads.
    #[must_use]
    pub(crate) fn links(&self) -> Vec<StableLink> {
        primary_links(self.layout.links()).to_vec()
    }

    /// Installs a placeholder. Nothing uses it until the site is written.
    ///
    /// # Errors
    /// When files cannot be written.
    pub(crate) fn install_placeholder(
        &self,
        context: &Context,
        mode: RunMode,
    ) -> Result<TransactionOutcome, Failure> {
        let certificate = PlaceholderCertificate::new(&self.names, context.now())
            .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
        let request = InstallRequest {
            stem: self.stem.clone(),
            goal: InstallGoal::Placeholder(&certificate),
            flags: LineageSettings::default(),
            allow: Vec::new(),
            lock_timeout: transaction::LOCK_TIMEOUT,
            patience: ProbePatience::default(),
            mode,
            approved: None,
        };
        transaction::run(context, &request)
    }
}

/// Whether a placeholder was refused.
#[must_use]
pub(crate) fn is_refused(placeholder: &TransactionOutcome) -> bool {
    placeholder.verdict == InstallVerdict::Refused
}

/// Finds the certificate with that name in /etc/ssl, else the one that covers the name.
fn find_stem(context: &Context, name: &DnsName) -> Result<Option<String>, Failure> {
    if let Some(stem) = installed::find_folder(context, name.as_str())? {
        return Ok(Some(stem));
    }
    match installed::find_named(context, "site", Some(name.as_str())) {
        Ok(stem) => Ok(Some(stem)),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Removes a placeholder that no server uses, with the files at its paths.
///
/// # Errors
/// When files cannot be removed.
pub(crate) fn remove_placeholder(context: &Context, layout: &LineageLayout) -> Result<(), Failure> {
    let request = ForgetRequest {
        stem: layout.stem(),
        lock_timeout: transaction::LOCK_TIMEOUT,
        mode: RunMode::Run,
        never_proven: NeverProven::Removed,
    };
    let forgotten = forget::run(context, &request)?;
    for file in forgotten.files {
        folders::remove(&file.path)?;
    }
    Ok(())
}
