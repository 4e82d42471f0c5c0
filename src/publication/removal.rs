//! Removes a record that the journal lists: exactly its value, at the provider that published it.

use std::rc::Rc;

use crate::advice::dcv_publish as advice;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::dcv::expectation::expect_record;
use crate::failure::Failure;
use crate::providers::{DnsProvider, ProviderError, ProviderView};
use crate::publication::model::{
    Publication, PublicationMode, PublicationSettings, PublicationVerdict,
};
use crate::publication::verification::await_absence;
use crate::publishing::zone_record::RecordLocation;
use crate::state::{PublicationStage, PublishedRecord, StateFolder};
use crate::system::clock;
use crate::validation::expected::ExpectedRecord;

/// Removes a published record. What fails is part of the result.
pub(crate) fn remove_published(
    settings: &PublicationSettings<'_>,
    state: &StateFolder,
    entry: &PublishedRecord,
    provider: &dyn DnsProvider,
) -> Publication {
    let mut outcome = Publication {
        name: entry.name.clone(),
        location: Some(entry.location()),
        kind: entry.kind.word(),
        value: entry.value.clone(),
        verdict: PublicationVerdict::Refused,
        changed: false,
        exit_code: 0,
        steps: Vec::new(),
        checks: Vec::new(),
        findings: Vec::new(),
        provider: provider.title(),
    };
    let mut removal = RecordRemoval {
        settings,
        state,
        entry,
        provider,
        outcome: &mut outcome,
    };
    if let Err(failure) = removal.run() {
        outcome.exit_code = failure.kind.exit_code();
        outcome.verdict = PublicationVerdict::Refused;
        outcome
            .findings
            .push(failure.into_finding("publication-failed"));
    }
    outcome
}

/// Whether the provider has the record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RecordPresence {
    Absent,
    Present,
    Unknown,
}

struct RecordRemoval<'a> {
    settings: &'a PublicationSettings<'a>,
    state: &'a StateFolder,
    entry: &'a PublishedRecord,
    provider: &'a dyn DnsProvider,
    outcome: &'a mut Publication,
}

impl RecordRemoval<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        let location = self.entry.location();
        if self.settings.mode == PublicationMode::DryRun {
            self.outcome.steps = vec![format!(
                "remove the {} record {} with the value {} from the zone {} at {}",
                self.entry.kind.word(),
                location.name,
                self.entry.value,
                location.zone,
                self.outcome.provider
            )];
            self.outcome.verdict = PublicationVerdict::Planned;
            return Ok(());
        }
        if !self.change()? {
            return Ok(());
        }
        let record = expected_of(self.entry);
        let mut has_returned = false;
        let mut remove_again = || has_returned |= self.remove_again(&location);
        let visible = await_absence(self.settings, &record, &location, &mut remove_again)?;
        self.outcome.changed |= has_returned;
        match visible {
            None => {
                self.state.remove_record(self.entry)?;
                self.outcome.verdict = PublicationVerdict::Removed;
                self.audit("removed");
            }
            Some(checks) => {
                self.outcome.checks = checks;
                self.outcome.findings.push(advice::still_visible(&location));
                self.outcome.verdict = PublicationVerdict::Unchecked;
                self.outcome.exit_code = 1;
            }
        }
        Ok(())
    }

    /// Removes the record at the provider; returns false if it is still there. Only where the record
    /// was once seen is its absence a reason to do nothing: the change of a killed run may be on its
    /// way, and a removal that is sent now arrives after it.
    fn change(&mut self) -> Result<bool, Failure> {
        let location = self.entry.location();
        let interrupt = &self.settings.context.interrupt;
        let give_up = || interrupt.signal().is_some();
        let _lock = self.state.lock_zone(&location.zone, give_up)?;
        let before = self.read_presence()?;
        let was_seen = self.entry.stage == PublicationStage::Published;
        if before == RecordPresence::Absent && was_seen {
            return Ok(true);
        }
        self.state.write_record(&PublishedRecord {
            stage: PublicationStage::Removing,
            at: clock::now(),
            ..self.entry.clone()
        })?;
        let removed = self.provider.remove_record(&location, &self.entry.record());
        self.read_back(before, removed)
    }

    /// Compares what the provider has now with what was asked for; returns false if the record is
    /// still there. An error may only have hidden a success.
    fn read_back(
        &mut self,
        before: RecordPresence,
        removed: Result<(), ProviderError>,
    ) -> Result<bool, Failure> {
        match (self.read_presence(), removed) {
            (Ok(RecordPresence::Absent), _) => {
                self.outcome.changed |= before != RecordPresence::Absent;
                Ok(true)
            }
            (Ok(RecordPresence::Unknown), Ok(())) => {
                self.outcome.changed = true;
                Ok(true)
            }
            (_, Err(error)) => Err(error.into()),
            (Err(error), Ok(())) => Err(error.into()),
            (Ok(RecordPresence::Present), Ok(())) => {
                let provider = &self.outcome.provider;
                let finding = advice::nothing_done(provider, &self.entry.name);
                self.outcome.findings.push(finding);
                self.outcome.verdict = PublicationVerdict::NotVisible;
                self.outcome.exit_code = 1;
                Ok(false)
            }
        }
    }

    /// Removes a record that the provider has again: what a killed run had sent may arrive late.
    /// Returns whether it was there. After an error the next check decides.
    fn remove_again(&self, location: &RecordLocation) -> bool {
        let interrupt = &self.settings.context.interrupt;
        let give_up = || interrupt.signal().is_some();
        let Ok(_lock) = self.state.lock_zone(&location.zone, give_up) else {
            return false;
        };
        let is_there = matches!(self.read_presence(), Ok(RecordPresence::Present));
        if is_there {
            let _ = self.provider.remove_record(location, &self.entry.record());
        }
        is_there
    }

    fn read_presence(&self) -> Result<RecordPresence, ProviderError> {
        let record = self.entry.record();
        Ok(match self.provider.read_records(&self.entry.location())? {
            ProviderView::Unreadable => RecordPresence::Unknown,
            ProviderView::Records(records) if records.iter().any(|one| one.is_same(&record)) => {
                RecordPresence::Present
            }
            ProviderView::Records(_) => RecordPresence::Absent,
        })
    }

    fn audit(&mut self, result: &str) {
        let subject = format!("{} {}", self.outcome.kind, self.outcome.name);
        let event = AuditEvent {
            action: AuditAction::RemoveRecord,
            subject: &subject,
            result,
            before: Some(&self.entry.value),
            after: None,
            key_id: None,
            proof: &self.entry.provider,
        };
        let note = audit::record(self.settings.context, &event);
        self.outcome.findings.extend(note);
    }
}

/// The record as it would be checked.
fn expected_of(entry: &PublishedRecord) -> ExpectedRecord {
    let kind = entry.kind.into();
    let expected = expect_record(&entry.name, &entry.zone, kind, &entry.value);
    ExpectedRecord {
        request: String::new(),
        ca: None,
        expected: Rc::new(expected),
        names: Vec::new(),
    }
}
