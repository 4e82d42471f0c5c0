//! Publishes one record: observe, plan, write the intent, change, read back, verify.

use std::path::PathBuf;

use serde_json::Map;

use crate::advice::dcv_publish as advice;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::dcv::answer::DnsAnswer;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::providers::{DnsProvider, ProviderError, ProviderView};
use crate::publication::location::find_location;
use crate::publication::model::{
    Publication, PublicationMode, PublicationSettings, PublicationVerdict, UncheckedRule,
};
use crate::publication::verification::{ZoneView, await_record};
use crate::publishing::plan::{NameObservation, RecordPlan, plan_publication};
use crate::publishing::provider::ProviderChoice;
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::state::{PublicationStage, PublishedRecord, StateFolder};
use crate::system::clock;
use crate::system::dns::{self, LocationError};
use crate::validation::expected::ExpectedRecord;
use crate::validation::record_check::RecordCheck;

/// One record to publish.
pub(crate) struct PublicationRequest<'a> {
    /// The record that the CA expects, and the request that it belongs to.
    pub record: &'a ExpectedRecord,
    /// The provider as the journal names it.
    pub choice: &'a ProviderChoice,
    /// The same provider, with its credentials.
    pub provider: &'a dyn DnsProvider,
    /// Where the journal is.
    pub state: &'a StateFolder,
    /// The full value of a CNAME that may be replaced.
    pub replaceable: Option<&'a str>,
}

/// Publishes a record. What fails after the work began is part of the result.
///
/// # Errors
/// A record that is not complete, or a signal while servers were queried.
pub(crate) fn publish_record(
    settings: &PublicationSettings<'_>,
    request: &PublicationRequest<'_>,
) -> Result<Publication, Failure> {
    let expected = &request.record.expected;
    let wanted = wanted_record(request.record)?;
    let mut run = PublicationRun {
        settings,
        request,
        outcome: Publication {
            name: expected.record.name.clone(),
            location: None,
            kind: wanted.kind.word(),
            value: wanted.value.clone(),
            verdict: PublicationVerdict::Refused,
            changed: false,
            exit_code: 0,
            steps: Vec::new(),
            checks: Vec::new(),
            findings: Vec::new(),
            provider: request.provider.title(),
        },
        wanted,
    };
    if let Err(failure) = run.publish() {
        run.refuse(failure);
    }
    Ok(run.outcome)
}

/// Returns the record to publish.
///
/// # Errors
/// When a part of its value is known only to the reseller.
fn wanted_record(record: &ExpectedRecord) -> Result<RecordValue, Failure> {
    let expected = &record.expected.record;
    let kind = PublishableKind::of_validation(expected.kind);
    match (kind, &expected.value, expected.complete) {
        (Some(kind), Some(value), true) => Ok(RecordValue {
            kind,
            value: value.clone(),
        }),
        _ => Err(advice::value_unknown(&expected.name)),
    }
}

struct PublicationRun<'a> {
    settings: &'a PublicationSettings<'a>,
    request: &'a PublicationRequest<'a>,
    outcome: Publication,
    wanted: RecordValue,
}

impl PublicationRun<'_> {
    fn publish(&mut self) -> Result<(), Failure> {
        let expected = &self.request.record.expected;
        let location = find_location(self.settings, expected, self.wanted.kind)?;
        self.outcome.location = Some(location.clone());
        if !self.change(&location)? {
            return Ok(());
        }
        self.verify(&location)
    }

    /// Changes the zone; returns whether the record is to be verified.
    fn change(&mut self, location: &RecordLocation) -> Result<bool, Failure> {
        let interrupt = &self.settings.context.interrupt;
        let is_dry = self.settings.mode == PublicationMode::DryRun;
        let lock = if is_dry {
            None
        } else {
            let give_up = || interrupt.signal().is_some();
            Some(self.request.state.lock_zone(&location.zone, give_up)?)
        };
        let seen = self.observe(location)?;
        let plan = plan_publication(&self.wanted, &seen, self.request.replaceable);
        if let RecordPlan::Refuse(existing) = &plan {
            self.outcome
                .findings
                .push(advice::record_conflict(location, existing, &self.wanted));
            self.outcome.exit_code = 1;
            return Ok(false);
        }
        if is_dry {
            self.outcome.steps = self.steps(location, &plan);
            self.outcome.verdict = PublicationVerdict::Planned;
            return Ok(false);
        }
        self.carry_out(location, &plan)?;
        drop(lock);
        Ok(true)
    }

    /// Reads the records at the name, from the provider or else from the zone's own servers.
    fn observe(&self, location: &RecordLocation) -> Result<NameObservation, Failure> {
        let existing = match self.request.provider.read_records(location)? {
            ProviderView::Records(records) => records,
            ProviderView::Unreadable => self.read_from_zone(location)?,
        };
        let journal = self.request.state.published_records()?;
        let mut published = Vec::new();
        for entry in journal {
            if entry.name == location.name {
                published.push(entry.record());
            }
        }
        Ok(NameObservation {
            existing,
            published,
        })
    }

    fn read_from_zone(&self, location: &RecordLocation) -> Result<Vec<RecordValue>, Failure> {
        let mut records: Vec<RecordValue> = Vec::new();
        for answer in self.answers_of_zone(location)? {
            let found = match answer {
                DnsAnswer::Cname(target) => vec![(PublishableKind::Cname, target)],
                DnsAnswer::Txt(texts) => texts
                    .into_iter()
                    .map(|text| (PublishableKind::Txt, text))
                    .collect(),
                _ => Vec::new(),
            };
            for (kind, value) in found {
                let record = RecordValue { kind, value };
                if !records.contains(&record) {
                    records.push(record);
                }
            }
        }
        Ok(records)
    }

    /// Queries the zone's own servers. Where a firewall prevents that and the user accepts a record
    /// that is not checked, the resolvers: they at least show a CNAME that conflicts.
    fn answers_of_zone(&self, location: &RecordLocation) -> Result<Vec<DnsAnswer>, Failure> {
        let questions = [PublishableKind::Cname, PublishableKind::Txt]
            .map(|kind| (location.name.clone(), kind.into()));
        let resolvers = &self.settings.resolvers;
        let interrupt = &self.settings.context.interrupt;
        match dns::query_zone_servers(location, &questions, resolvers, interrupt) {
            Err(LocationError::NoZone { .. })
                if self.settings.unchecked == UncheckedRule::Allow =>
            {
                let answers = dns::look_up(&questions, resolvers, interrupt);
                answers.map_err(|error| LocationError::from(error).into())
            }
            answers => answers.map_err(Failure::from),
        }
    }

    fn carry_out(
        &mut self,
        location: &RecordLocation,
        record_plan: &RecordPlan,
    ) -> Result<(), Failure> {
        let state = self.request.state;
        let provider = self.request.provider;
        match record_plan {
            RecordPlan::Keep | RecordPlan::Refuse(_) => {
                self.outcome.verdict = PublicationVerdict::Unchanged;
            }
            RecordPlan::KeepOwn => {
                state.write_record(&self.entry(location, PublicationStage::Published))?;
                self.outcome.verdict = PublicationVerdict::Unchanged;
            }
            RecordPlan::Add => {
                state.write_record(&self.entry(location, PublicationStage::Adding))?;
                let added = provider.add_record(location, &self.wanted);
                self.read_back(location, added)?;
            }
            RecordPlan::Replace(old) => {
                state.write_record(&self.entry(location, PublicationStage::Adding))?;
                let replaced = provider.replace_record(location, old, &self.wanted);
                self.read_back(location, replaced)?;
                self.forget_replaced(location, old)?;
            }
        }
        Ok(())
    }

    /// Compares what the provider has now with what was asked for. An error may only have hidden a
    /// success, so that the provider is asked in either case.
    fn read_back(
        &mut self,
        location: &RecordLocation,
        done: Result<(), ProviderError>,
    ) -> Result<(), Failure> {
        let state = self.request.state;
        let is_there = match self.request.provider.read_records(location) {
            Ok(ProviderView::Records(records)) => {
                Some(records.iter().any(|one| one.is_same(&self.wanted)))
            }
            Ok(ProviderView::Unreadable) => None,
            // The entry in the journal stays: what the provider has is not known.
            Err(error) => return Err(done.err().unwrap_or(error).into()),
        };
        match (is_there, done) {
            (Some(true), _) | (None, Ok(())) => self.note_published(location),
            (Some(false), Ok(())) => {
                let finding = advice::nothing_done(&self.outcome.provider, &location.name);
                self.outcome.findings.push(finding);
                self.outcome.verdict = PublicationVerdict::NotVisible;
                self.outcome.exit_code = 1;
                self.audit("not-visible");
                Ok(())
            }
            (_, Err(error)) => {
                if error.changed_nothing() {
                    state.remove_record(&self.entry(location, PublicationStage::Adding))?;
                }
                Err(error.into())
            }
        }
    }

    fn note_published(&mut self, location: &RecordLocation) -> Result<(), Failure> {
        let entry = self.entry(location, PublicationStage::Published);
        self.request.state.write_record(&entry)?;
        self.outcome.changed = true;
        self.outcome.verdict = PublicationVerdict::Published;
        self.audit("published");
        Ok(())
    }

    /// Removes the entry of a record that was replaced.
    fn forget_replaced(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), Failure> {
        let journal = self.request.state.published_records()?;
        for entry in journal {
            let is_here = entry.name == location.name;
            if is_here && entry.record().is_same(old_record) {
                self.request.state.remove_record(&entry)?;
            }
        }
        Ok(())
    }

    /// Queries the zone's own servers; only they can confirm a publication.
    fn verify(&mut self, location: &RecordLocation) -> Result<(), Failure> {
        if self.outcome.verdict == PublicationVerdict::NotVisible {
            return Ok(());
        }
        let propagation = self.request.provider.propagation();
        match await_record(self.settings, self.request.record, location, propagation)? {
            ZoneView::Everywhere(checks) => self.keep(checks),
            ZoneView::Missing(checks) => {
                self.keep(checks);
                self.outcome.findings.push(advice::not_visible(location));
                self.outcome.verdict = PublicationVerdict::NotVisible;
                self.outcome.exit_code = 1;
            }
            ZoneView::Unknown(checks) => {
                self.outcome.checks = checks;
                self.leave_unchecked(location);
            }
        }
        Ok(())
    }

    /// Takes over a check with its findings.
    fn keep(&mut self, checks: Vec<RecordCheck>) {
        let findings = checks.iter().flat_map(RecordCheck::findings);
        self.outcome.findings.extend(findings);
        self.outcome.checks = checks;
    }

    fn leave_unchecked(&mut self, location: &RecordLocation) {
        let finding = advice::unchecked_record(location);
        let is_allowed = self.settings.unchecked == UncheckedRule::Allow;
        self.outcome.findings.push(if is_allowed {
            finding.into_allowed()
        } else {
            finding
        });
        self.outcome.verdict = PublicationVerdict::Unchecked;
        self.outcome.exit_code = if is_allowed { 0 } else { 4 };
    }

    fn entry(&self, location: &RecordLocation, stage: PublicationStage) -> PublishedRecord {
        let record = self.request.record;
        let request = (!record.request.is_empty()).then(|| PathBuf::from(&record.request));
        PublishedRecord {
            stage,
            name: location.name.clone(),
            zone: location.zone.clone(),
            kind: self.wanted.kind,
            value: self.wanted.value.clone(),
            provider: self.request.choice.to_string(),
            domain: record.expected.domain.clone(),
            names: record.names.clone(),
            request: request.map(|path| std::path::absolute(&path).unwrap_or(path)),
            at: clock::now(),
            other: Map::new(),
        }
    }

    fn steps(&self, location: &RecordLocation, plan: &RecordPlan) -> Vec<String> {
        let kind = self.wanted.kind.word();
        let name = &location.name;
        let zone = &location.zone;
        let provider = &self.outcome.provider;
        let value = &self.wanted.value;
        match plan {
            RecordPlan::Add => vec![format!(
                "add the {kind} record {name} with the value {value} to the zone {zone} at {provider}"
            )],
            RecordPlan::Replace(old) => vec![format!(
                "replace the {} record {name} with the value {} in the zone {zone} at {provider} by \
                 a {kind} record with the value {value}",
                old.kind.word(),
                old.value
            )],
            RecordPlan::Keep | RecordPlan::KeepOwn | RecordPlan::Refuse(_) => Vec::new(),
        }
    }

    fn audit(&mut self, result: &str) {
        let subject = format!("{} {}", self.outcome.kind, self.outcome.name);
        let event = AuditEvent {
            action: AuditAction::PublishRecord,
            subject: &subject,
            result,
            before: None,
            after: Some(&self.outcome.value),
            key_id: None,
            proof: &self.outcome.provider,
        };
        let note: Option<Finding> = audit::record(self.settings.context, &event);
        self.outcome.findings.extend(note);
    }

    /// What failed: nothing more is done for this record.
    fn refuse(&mut self, failure: Failure) {
        self.outcome.exit_code = failure.kind.exit_code();
        let finding = failure.into_finding("publication-failed");
        self.outcome.findings.push(finding);
        self.outcome.verdict = PublicationVerdict::Refused;
    }
}
