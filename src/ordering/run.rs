//! One order, step by step.

use std::net::IpAddr;

use super::account::CaConnection;
use super::bought::{begin_bought, resume_bought};
use super::caa_check::check_caa;
use super::challenge_files::check_files;
use super::challenge_records::remove_records;
use super::document::{OrderOutcome, OrderVerdict};
use super::installed::{InstalledComparison, compare_with_installed};
use super::installing::{audit_order, install_issued};
use super::issued::has_expired;
use super::journal::OrderJournal;
use super::listener::open_listener;
use super::new_files::{lint_request, prepare_files};
use super::order_run::{OrderRun, has_error};
use super::placed::PlacedOrder;
use super::preflight::plan_install;
use super::publisher::open_publisher;
use super::spec::{ChargeConsent, InstallChoice, OrderSpec, OrderTiming, ValidationSetup};
use crate::acme::ca_table::{AcmeChoice, OrderPrice};
use crate::advice::order as advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::install::outcome::InstallVerdict;
use crate::install::request::{RunMode, refuse_at_option};
use crate::pki::key::KeyAlgorithm;
use crate::state::{OrderProgress, StateFolder};

/// How many certificates below the CA's limit for one set of names are left for emergencies.
pub(crate) const KEPT_IN_RESERVE: u32 = 2;
/// The days of such a limit.
const LIMIT_HOURS: i64 = 7 * 24;

/// Orders a certificate and installs it, or continues the order that an earlier run has begun.
///
/// # Errors
/// What prevents the order from starting, or a signal. What fails afterwards is an outcome.
pub(crate) fn order_certificate(
    context: &Context,
    spec: &OrderSpec,
) -> Result<OrderOutcome, Failure> {
    refuse_at_option(context, spec.mode)?;
    let listening = context.interrupt.listen();
    listening.map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    check_names(spec)?;
    let state = StateFolder::find(context.root.as_deref())?;
    let run = OrderRun {
        context,
        spec,
        state: &state,
        publisher: open_publisher(context, spec)?,
    };
    if spec.mode == RunMode::DryRun {
        return run.begin_or_use_obtained();
    }
    let give_up = || context.interrupt.signal().is_some();
    let _lock = state.lock_order(&spec.name, spec.deployment.lock_wait, give_up)?;
    let mut warnings = Vec::new();
    let mut outcome = match run.earlier_order(&mut warnings)? {
        EarlierOrder::None => run.begin_or_use_obtained(),
        EarlierOrder::Unfinished(journal) => run.resume(*journal),
        EarlierOrder::Useless => run.begin(),
    }?;
    outcome.findings.extend(warnings);
    Ok(outcome)
}

/// Refuses what the method cannot validate.
pub(super) fn check_names(spec: &OrderSpec) -> Result<(), Failure> {
    for name in spec.names.iter() {
        let text = name.text();
        match (name.dns(), &spec.method) {
            // RFC 8738 4: an address is validated by a file, never by a record.
            (None, ValidationSetup::Records(_) | ValidationSetup::Manual) => {
                return Err(advice::not_orderable(&text));
            }
            (None, _) if text.parse::<IpAddr>().is_err() => {
                return Err(advice::not_orderable(&text));
            }
            (Some(dns), ValidationSetup::Files(_) | ValidationSetup::Listener(_))
                if dns.is_wildcard() =>
            {
                return Err(advice::wildcard_needs_dns(&text));
            }
            (_, ValidationSetup::Files(webroots)) => {
                webroots.folder_of(&text)?;
            }
            (
                _,
                ValidationSetup::Records(_)
                | ValidationSetup::Listener(_)
                | ValidationSetup::Manual,
            ) => {}
        }
    }
    Ok(())
}

/// What an earlier run of this name has left.
enum EarlierOrder<'a> {
    None,
    Unfinished(Box<OrderJournal<'a>>),
    /// A certificate that is not installed any more; its files stay.
    Useless,
}

impl<'a> OrderRun<'a> {
    /// Returns the unfinished order for the same names at the same CA. Another one of this name is
    /// dropped if the CA cannot have issued a certificate yet.
    fn earlier_order(&self, warnings: &mut Vec<Finding>) -> Result<EarlierOrder<'a>, Failure> {
        let Some(journal) = OrderJournal::resume(self.state, &self.spec.name)? else {
            return Ok(EarlierOrder::None);
        };
        if self.is_useless(&journal) {
            warnings.extend(self.abandon(journal)?);
            return Ok(EarlierOrder::Useless);
        }
        if journal.is_for(&self.spec.names, self.spec.ca.directory()) {
            return Ok(EarlierOrder::Unfinished(Box::new(journal)));
        }
        if journal.may_be_issued() {
            return Err(advice::other_order_unfinished(&journal.entry));
        }
        warnings.extend(self.abandon(journal)?);
        Ok(EarlierOrder::None)
    }

    /// Returns whether a certificate was issued that has expired since, or that was refused when it was
    /// to be installed and is not wanted any more (`--force`). A run with `--force` that was killed
    /// before the install is continued.
    fn is_useless(&self, journal: &OrderJournal<'_>) -> bool {
        if journal.entry.progress != OrderProgress::Issued {
            return false;
        }
        let is_unwanted = journal.entry.refused.is_some() && self.spec.is_forced();
        is_unwanted || has_expired(&journal.files(), self.context.now())
    }

    /// Removes what is left of an order that is not continued. What is left at the CA, if it cannot
    /// be reached, expires by itself.
    fn abandon(&self, mut journal: OrderJournal<'a>) -> Result<Vec<Finding>, Failure> {
        let warnings = remove_records(self, &mut journal)?;
        if let Some(order) = &journal.entry.order
            && journal.entry.progress != OrderProgress::Issued
        {
            let _ = self.deactivate(&journal.entry.directory, order);
        }
        audit_order(self, "abandoned", journal.entry.order.as_deref());
        journal.finish()?;
        Ok(warnings)
    }

    /// Deactivates the pending authorizations of an order.
    fn deactivate(&self, directory: &str, order: &str) -> Result<(), Failure> {
        if self.state.read_account(directory)?.is_none() {
            return Ok(());
        }
        let ca = AcmeChoice::Url(directory.to_owned());
        let connection = CaConnection::open(self.context, &ca, self.spec.trust.as_deref())?;
        let session = connection.session(self.context, self.spec, self.state)?;
        Ok(session.open_order(order)?.deactivate_pending()?)
    }

    /// A certificate that an earlier run has obtained is not ordered again.
    fn begin_or_use_obtained(&self) -> Result<OrderOutcome, Failure> {
        match self.find_obtained() {
            Some(obtained) => self.use_obtained(&obtained),
            None => self.begin(),
        }
    }

    /// Checks everything that can be checked before the CA is asked, then places the order.
    fn begin(&self) -> Result<OrderOutcome, Failure> {
        self.check_charges()?;
        let algorithm = match compare_with_installed(self.context, self.spec)? {
            InstalledComparison::Order(algorithm) => algorithm,
            InstalledComparison::Unchanged(outcome) => return Ok(*outcome),
        };
        let faults = lint_request(self.spec, algorithm);
        if !faults.is_empty() {
            return Ok(self.refused(faults));
        }
        self.check_limit()?;
        // The port is free, or the order stops here.
        drop(open_listener(self.spec)?);
        let planned = self.plan()?;
        if planned.verdict == OrderVerdict::Refused {
            return Ok(planned);
        }
        if self.spec.ca.is_reseller() {
            return begin_bought(self, planned, algorithm);
        }
        let connection = CaConnection::open_for(self.context, self.spec)?;
        connection.check_consent(self.spec, self.state)?;
        if self.spec.mode == RunMode::DryRun {
            return Ok(planned);
        }
        self.place(&connection, algorithm)
    }

    /// The outcome of a dry run, or of an install that would be refused.
    pub(super) fn plan(&self) -> Result<OrderOutcome, Failure> {
        let mut planned = OrderOutcome::new(self.spec, OrderVerdict::Planned);
        planned.steps = self.planned_steps();
        "dry run: nothing was ordered or changed".clone_into(&mut planned.summary);
        if self.spec.install == InstallChoice::FilesOnly {
            return Ok(planned);
        }
        let plan = plan_install(self.context, self.spec, self.flags(None))?;
        if plan.verdict == InstallVerdict::Refused {
            planned = OrderOutcome::new(self.spec, OrderVerdict::Refused);
            "nothing was ordered: the certificate could not be installed"
                .clone_into(&mut planned.summary);
        }
        planned.transaction = Some(Box::new(plan));
        Ok(planned)
    }

    /// Checks the validation files, then opens the account, writes key and request, and places the
    /// order.
    fn place(
        &self,
        connection: &CaConnection,
        algorithm: KeyAlgorithm,
    ) -> Result<OrderOutcome, Failure> {
        let mut findings = check_files(self.context, self.spec)?;
        if has_error(&findings) {
            return Ok(self.refused(findings));
        }
        let session = connection.session(self.context, self.spec, self.state)?;
        findings.extend(check_caa(self, connection, session.account_url())?);
        if has_error(&findings) {
            return Ok(self.refused(findings));
        }
        let files = prepare_files(self.context, self.spec, algorithm)?;
        let directory = self.spec.ca.directory();
        let journal = OrderJournal::begin(self.state, self.spec, directory, files)?;
        PlacedOrder::new(self, session, journal, findings).carry_out()
    }

    /// Continues an order. A certificate that was issued already needs no CA.
    fn resume(&self, mut journal: OrderJournal<'a>) -> Result<OrderOutcome, Failure> {
        if journal.entry.progress == OrderProgress::Issued {
            return install_issued(self, journal, Vec::new());
        }
        if self.spec.ca.is_reseller() {
            return resume_bought(self, journal);
        }
        let connection = CaConnection::open_for(self.context, self.spec)?;
        let session = connection.session(self.context, self.spec, self.state)?;
        if journal.entry.order.is_none() {
            // The earlier run may have ended between the CA's answer and the journal.
            let names = self.spec.name_texts();
            if let Ok(Some(url)) = connection.find_open_order(self.state, &names) {
                journal.record_placed(&url)?;
            }
        }
        PlacedOrder::new(self, session, journal, Vec::new()).carry_out()
    }

    /// Refuses to spend money without the user's consent.
    fn check_charges(&self) -> Result<(), Failure> {
        let Some(ca) = self.spec.ca.known() else {
            return Ok(());
        };
        if ca.price == OrderPrice::Free || self.spec.charges == ChargeConsent::Accepted {
            return Ok(());
        }
        Err(advice::accept_charges(ca))
    }

    /// Refuses to come close to the CA's limit for one set of names.
    fn check_limit(&self) -> Result<(), Failure> {
        let limit = self.spec.ca.known().and_then(|ca| ca.same_names_a_week);
        let Some(limit) = limit.filter(|_| !self.spec.is_forced()) else {
            return Ok(());
        };
        let names = self.spec.name_texts();
        let issued = self.state.issued_at(self.spec.ca.directory(), &names)?;
        let now = self.context.now();
        let week = jiff::SignedDuration::from_hours(LIMIT_HOURS);
        let recent = issued.iter().filter(|at| now.duration_since(**at) < week);
        let count = u32::try_from(recent.count()).unwrap_or(u32::MAX);
        if count < limit.saturating_sub(KEPT_IN_RESERVE) {
            return Ok(());
        }
        let is_renewal = matches!(self.spec.timing, OrderTiming::Renewal(_));
        let renewed = is_renewal.then_some(&self.spec.name);
        let title = self.spec.ca.title();
        Err(advice::limit_reached(title, count, limit, renewed))
    }

    /// What a dry run says about the order, before the plan of the install.
    fn planned_steps(&self) -> Vec<String> {
        let names = self.spec.name_texts().join(", ");
        vec![
            format!("create key and request for {names}"),
            format!("order the certificate from {}", self.spec.ca.title()),
        ]
    }
}
