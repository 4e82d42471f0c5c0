//! The journal entry of the order of this run: written before each step.

use serde_json::Map;

use super::spec::{OrderFiles, OrderSpec};
use crate::failure::Failure;
use crate::pki::alt_name::AltNames;
use crate::state::{JournaledFile, JournaledOrder, OrderProgress, StateFolder};
use crate::system::clock;
use crate::system::fs::webroot::ChallengeFolder;

/// The entry, and where it is.
pub(super) struct OrderJournal<'a> {
    state: &'a StateFolder,
    pub entry: JournaledOrder,
}

impl<'a> OrderJournal<'a> {
    /// Returns the entry of an earlier run.
    pub(super) fn resume(state: &'a StateFolder, name: &str) -> Result<Option<Self>, Failure> {
        let entry = state.read_order(name)?;
        Ok(entry.map(|entry| Self { state, entry }))
    }

    /// Writes the entry of a new order, which is about to be placed.
    pub(super) fn begin(
        state: &'a StateFolder,
        spec: &OrderSpec,
        directory: &str,
        files: OrderFiles,
    ) -> Result<Self, Failure> {
        let entry = JournaledOrder {
            name: spec.name.clone(),
            names: spec.name_texts(),
            directory: directory.to_owned(),
            progress: OrderProgress::Placing,
            order: None,
            key: files.key,
            request: files.request,
            chain: files.chain,
            files: Vec::new(),
            records: Vec::new(),
            refused: None,
            purchase: None,
            at: clock::now(),
            other: Map::new(),
        };
        let mut journal = Self { state, entry };
        journal.write()?;
        Ok(journal)
    }

    /// Returns whether the entry is about the same names at the same CA.
    pub(super) fn is_for(&self, names: &AltNames, directory: &str) -> bool {
        let same_names = AltNames::parse(&self.entry.names).is_ok_and(|own| own.same_set(names));
        same_names && self.entry.directory == directory
    }

    /// Returns whether the CA may have been asked to issue.
    pub(super) fn may_be_issued(&self) -> bool {
        matches!(
            self.entry.progress,
            OrderProgress::Finalizing | OrderProgress::Issued
        )
    }

    pub(super) fn record(&mut self, progress: OrderProgress) -> Result<(), Failure> {
        self.entry.progress = progress;
        self.write()
    }

    /// The CA has the order; forgets the one before.
    pub(super) fn record_placed(&mut self, url: &str) -> Result<(), Failure> {
        self.entry.order = Some(url.to_owned());
        self.record(OrderProgress::Placed)
    }

    /// The certificate was issued, and its install was refused or rolled back.
    pub(super) fn record_refusal(&mut self) -> Result<(), Failure> {
        self.entry.refused = Some(clock::now());
        self.write()
    }

    /// Validation files are about to be written.
    pub(super) fn record_files(&mut self, files: Vec<JournaledFile>) -> Result<(), Failure> {
        for file in files {
            if !self.entry.files.contains(&file) {
                self.entry.files.push(file);
            }
        }
        self.write()
    }

    /// Records are about to be published.
    pub(super) fn record_records(&mut self, values: Vec<String>) -> Result<(), Failure> {
        for value in values {
            if !self.entry.records.contains(&value) {
                self.entry.records.push(value);
            }
        }
        self.write()
    }

    /// The records were removed.
    pub(super) fn forget_records(&mut self) -> Result<(), Failure> {
        self.entry.records.clear();
        self.write()
    }

    /// Removes the validation files that are in the entry.
    pub(super) fn remove_files(&mut self) -> Result<(), Failure> {
        if self.entry.files.is_empty() {
            return Ok(());
        }
        for file in &self.entry.files {
            ChallengeFolder::open(&file.webroot)?.remove(&file.token)?;
        }
        self.entry.files.clear();
        self.write()
    }

    /// The order is finished.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.remove_files()?;
        Ok(self.state.remove_order(&self.entry.name)?)
    }

    pub(super) fn files(&self) -> OrderFiles {
        OrderFiles {
            key: self.entry.key.clone(),
            request: self.entry.request.clone(),
            chain: self.entry.chain.clone(),
        }
    }

    pub(super) fn write(&mut self) -> Result<(), Failure> {
        self.entry.at = clock::now();
        Ok(self.state.write_order(&self.entry)?)
    }
}
