//! Orders certificates again that were ordered before: when that is due, with the saved options, and
//! installed and verified like the first ones.

use jiff::Timestamp;

use super::args::RenewArgs;
use super::earlier_tries::EarlierTries;
use super::failed::FailedRenewal;
use super::ordered::OrderedRenewal;
use super::tlsa_check::warn_about_tlsa;
use crate::advice::renew_command as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::install::request::RunMode;
use crate::inventory::due::{follow_suggestion, is_urgent};
use crate::inventory::install_window::InstallWindow;
use crate::inventory::item::ItemLocation;
use crate::inventory::{RenewBefore, StatusRow};
use crate::matching::{file_names, file_stem_of};
use crate::ordering::{
    CertificatePlace, InstallChoice, KeyChoice, OrderOutcome, OrderSpec, OrderToInstall,
    OrderVerdict, RenewalOptions, RenewalSuggestions, RenewalUrgency, install_together,
    leave_to_other_tool, order_certificate, read_folder_order, renewal_spec, wait_after_failure,
};
use crate::pki::certificate::Certificate;
use crate::state::StateFolder;
use crate::store::settings::{ImportedOrder, LineageSettings};
use crate::system::fs::files;
use crate::wording::local_zone;

/// The folder of the requests in the state folder.
const REQUESTS_FOLDER: &str = "requests";

/// What became of a certificate.
pub(super) enum OrderAttempt {
    /// It is not ordered through an API.
    NotOrdered,
    /// It is not due before this time.
    NotDue(Timestamp),
    Ordered(Box<OrderedRenewal>),
}

/// How a certificate was ordered.
struct SavedOrder {
    /// Its name in /etc/ssl, or that of its files.
    stem: String,
    place: CertificatePlace,
    settings: LineageSettings,
}

/// Returns the saved options of an installed certificate, or those beside one that is only in the working
/// directory.
fn find_saved_order(context: &Context, row: &StatusRow) -> Result<Option<SavedOrder>, Failure> {
    if let Some(stem) = &row.installed_as {
        return Ok(Some(SavedOrder {
            stem: stem.clone(),
            place: CertificatePlace::Installed,
            settings: installed::read_settings(context, stem)?,
        }));
    }
    for location in &row.locations {
        let ItemLocation::File { path, .. } = location else {
            continue;
        };
        let stem = file_stem_of(path);
        let stem = stem.trim_end_matches(".fullchain");
        let stem = file_names::strip_renewal_number(stem);
        let is_here = *path == context.path_of(path.file_name().unwrap_or_default());
        if let (true, Some(settings)) = (is_here, read_folder_order(context, stem)?) {
            return Ok(Some(SavedOrder {
                stem: stem.to_owned(),
                place: CertificatePlace::Folder,
                settings,
            }));
        }
    }
    Ok(None)
}

/// Orders certificates again in one run.
pub(super) struct Reordering<'a> {
    context: &'a Context,
    args: &'a RenewArgs,
    /// When renewed certificates are installed.
    window: Option<InstallWindow>,
    suggestions: RenewalSuggestions,
}

/// A certificate that was ordered before.
struct ReorderedCertificate<'a> {
    /// Its name in /etc/ssl, or that of its files.
    stem: String,
    place: CertificatePlace,
    leaf: &'a Certificate,
    /// When it is due.
    due: Timestamp,
    not_after: Timestamp,
    spec: OrderSpec,
    /// When the new certificate is installed; `None` for at once.
    opens_at: Option<Timestamp>,
    /// The program that ordered it before, if that still renews it.
    other_tool: Option<ImportedOrder>,
}

impl<'a> Reordering<'a> {
    /// Reads when certificates are installed.
    ///
    /// # Errors
    /// When the configuration is not valid.
    pub(super) fn new(context: &'a Context, args: &'a RenewArgs) -> Result<Self, Failure> {
        Ok(Self {
            context,
            args,
            window: context.install_window()?,
            suggestions: RenewalSuggestions::default(),
        })
    }

    /// Orders the certificate of `row` if it is due, or continues its order.
    ///
    /// # Errors
    /// What prevents the order from starting, or a signal.
    pub(super) fn renew(&mut self, row: &StatusRow) -> Result<OrderAttempt, Failure> {
        let Some(certificate) = self.find_ordered(row)? else {
            return Ok(OrderAttempt::NotOrdered);
        };
        if !self.is_wanted(&certificate) {
            return Ok(OrderAttempt::NotDue(certificate.due));
        }
        let before = match certificate.place {
            CertificatePlace::Installed => {
                installed::find_deployed(self.context, &certificate.stem)?
            }
            CertificatePlace::Folder => None,
        };
        let tries = EarlierTries::read(self.context, &certificate.stem, certificate.leaf)?;
        let mut outcome = self.order(&certificate, &tries)?;
        let tlsa = warn_about_tlsa(self.context, &certificate.spec, certificate.leaf, &outcome);
        outcome.findings.extend(tlsa);
        let now = self.context.now();
        let due = certificate.due.max(certificate.leaf.not_before);
        Ok(OrderAttempt::Ordered(Box::new(OrderedRenewal {
            outcome: with_window(&certificate.stem, outcome, certificate.opens_at),
            name: certificate.stem,
            due: certificate.due,
            not_after: certificate.not_after,
            before,
            is_urgent: is_urgent(now, due, certificate.not_after),
            spec: certificate.spec,
            tries,
        })))
    }

    /// Returns what is to be ordered; `None` if the certificate was not ordered.
    fn find_ordered<'r>(
        &mut self,
        row: &'r StatusRow,
    ) -> Result<Option<ReorderedCertificate<'r>>, Failure> {
        let Some(leaf) = row.certificate.as_deref() else {
            return Ok(None);
        };
        let Some(found) = find_saved_order(self.context, row)? else {
            return Ok(None);
        };
        let SavedOrder {
            stem,
            place,
            settings,
        } = found;
        let not_after = row.expiry.unwrap_or(leaf.not_after);
        let opens_at = match place {
            CertificatePlace::Installed => self.window_opens_at(not_after),
            CertificatePlace::Folder => None,
        };
        let options = self.options(&settings, place, opens_at);
        let Some(spec) = renewal_spec(&stem, leaf, &settings, options)? else {
            return Ok(None);
        };
        let usual = row.due.unwrap_or(not_after);
        Ok(Some(ReorderedCertificate {
            stem,
            place,
            leaf,
            due: self.due(&spec, usual, not_after),
            not_after,
            spec,
            opens_at,
            other_tool: other_tool(settings),
        }))
    }

    /// Returns when the window for installations opens; `None` if nothing waits for it.
    fn window_opens_at(&self, not_after: Timestamp) -> Option<Timestamp> {
        // `--force` does not wait.
        let window = self.window.as_ref().filter(|_| !self.args.force)?;
        window.opens_at(self.context.now(), not_after, local_zone())
    }

    fn options(
        &self,
        settings: &LineageSettings,
        place: CertificatePlace,
        opens_at: Option<Timestamp>,
    ) -> RenewalOptions {
        let saved = settings.order.as_ref();
        let is_saved = saved.is_some_and(|order| order.reuse_key);
        let keeps_key = self.args.reuse_key || (is_saved && !self.args.force);
        let is_in_folder = place == CertificatePlace::Folder;
        let only_obtains = self.args.no_install || is_in_folder || opens_at.is_some();
        RenewalOptions {
            key: if keeps_key {
                KeyChoice::Reused
            } else {
                KeyChoice::New
            },
            install: match self.args.mode() {
                _ if only_obtains => InstallChoice::FilesOnly,
                RunMode::Run => InstallChoice::Together,
                RunMode::Check | RunMode::DryRun => InstallChoice::Install,
            },
            urgency: if self.args.force {
                RenewalUrgency::Now
            } else {
                RenewalUrgency::WhenDue
            },
            place,
            mode: self.args.mode(),
        }
    }

    /// Returns when the certificate is due: as the CA suggests, unless the user says when to renew.
    fn due(&mut self, spec: &OrderSpec, usual: Timestamp, not_after: Timestamp) -> Timestamp {
        let is_usual = self.args.renew_before == Some(RenewBefore::Usual);
        if !is_usual || self.args.force {
            return usual;
        }
        let suggested = self.suggestions.find(self.context, spec);
        suggested.map_or(usual, |at| follow_suggestion(at, usual, not_after))
    }

    /// Returns whether the certificate is due, or its order was interrupted.
    fn is_wanted(&self, certificate: &ReorderedCertificate<'_>) -> bool {
        let is_due = certificate.due <= self.context.now();
        is_due || self.args.force || has_unfinished_order(self.context, &certificate.stem)
    }

    /// Orders it, unless the last try failed and it is too early for the next one.
    fn order(
        &self,
        certificate: &ReorderedCertificate<'_>,
        tries: &EarlierTries,
    ) -> Result<OrderOutcome, Failure> {
        let now = self.context.now();
        let spec = &certificate.spec;
        if let Some(tool) = &certificate.other_tool {
            return Ok(leave_to_other_tool(spec, tool));
        }
        // A person who names a certificate wants it now.
        let is_patient = self.args.names.is_empty();
        if let Some(last) = tries.too_early(now).filter(|_| is_patient) {
            return Ok(wait_after_failure(self.context, spec, last));
        }
        let folder = match certificate.place {
            CertificatePlace::Installed => self.request_folder()?,
            CertificatePlace::Folder => self.context.in_folder(self.context.directory.clone()),
        };
        let result = order_certificate(&folder, spec);
        let is_waiting = result
            .as_ref()
            .is_ok_and(|outcome| outcome.waiting.is_some());
        if !self.args.dry_run && !is_waiting {
            tries.record(now, result.as_ref())?;
        }
        result
    }

    /// Installs what was obtained, in one transaction. Returns what failed.
    ///
    /// # Errors
    /// When a signal arrives, or a failure cannot be written down.
    pub(super) fn install(
        &self,
        ordered: &mut Vec<OrderedRenewal>,
    ) -> Result<Vec<FailedRenewal>, Failure> {
        let (mut waiting, others): (Vec<OrderedRenewal>, Vec<OrderedRenewal>) =
            std::mem::take(ordered)
                .into_iter()
                .partition(|one| one.outcome.waiting.is_some());
        ordered.extend(others);
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let mut orders = Vec::new();
        for one in &mut waiting {
            orders.push(OrderToInstall {
                spec: &one.spec,
                outcome: &mut one.outcome,
            });
        }
        let failures = install_together(&self.request_folder()?, &mut orders)?;
        let now = self.context.now();
        let mut failed = Vec::new();
        for (one, failure) in waiting.into_iter().zip(failures) {
            match failure {
                None => {
                    one.tries.record(now, Ok(&one.outcome))?;
                    ordered.push(one);
                }
                Some(failure) => {
                    one.tries.record(now, Err(&failure))?;
                    failed.push(FailedRenewal::of_install(one.name, failure));
                }
            }
        }
        Ok(failed)
    }

    /// The context for the folder of the next request: `-C`, else one that only certctl uses, because
    /// a timer has no folder of its own.
    fn request_folder(&self) -> Result<Context, Failure> {
        let context = self.context;
        if !context.has_usual_directory() {
            return Ok(context.in_folder(context.directory.clone()));
        }
        let state = StateFolder::find(context.root.as_deref())?;
        let folder = if self.args.dry_run {
            state.subfolder(REQUESTS_FOLDER)
        } else {
            state.create_subfolder(REQUESTS_FOLDER)?
        };
        Ok(context.in_folder(folder))
    }
}

/// Returns the program from which the certificate was taken over, if that still renews it.
fn other_tool(settings: LineageSettings) -> Option<ImportedOrder> {
    let tool = settings.order.and_then(|order| order.imported);
    tool.filter(|tool| files::exists(&tool.renewal_file))
}

/// Returns whether a certificate was ordered, and is installed or in the working directory.
pub(super) fn is_ordered(context: &Context, row: &StatusRow) -> bool {
    // What cannot be read is reported when it is renewed.
    let saved = find_saved_order(context, row);
    saved.is_ok_and(|saved| saved.is_some_and(|saved| saved.settings.order.is_some()))
}

/// Returns whether an order of this certificate was interrupted. An entry that cannot be read counts:
/// the order reports it.
fn has_unfinished_order(context: &Context, stem: &str) -> bool {
    let Ok(state) = StateFolder::find(context.root.as_deref()) else {
        return false;
    };
    !matches!(state.read_order(stem), Ok(None))
}

/// Says when what was obtained is installed.
fn with_window(name: &str, mut outcome: OrderOutcome, opens_at: Option<Timestamp>) -> OrderOutcome {
    let is_obtained = matches!(
        outcome.verdict,
        OrderVerdict::Issued | OrderVerdict::Unchanged
    );
    if let Some(opens_at) = opens_at
        && is_obtained
        && outcome.files.is_some()
    {
        outcome.not_before = Some(opens_at);
        outcome
            .findings
            .push(advice::outside_window(name, opens_at));
    }
    outcome
}
