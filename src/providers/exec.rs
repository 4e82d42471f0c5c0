//! A program of the user that changes records (`--dns exec:PROGRAM`):
//!
//! * arguments: `present` or `cleanup`, the owner name with a final dot, and the value, as lego's
//!   `exec` provider passes them;
//! * environment: `CERTCTL_DNS_TYPE`, `_NAME`, `_VALUE`, `_ZONE` and `_TTL`, and nothing secret;
//! * exit code 0: done; any other one: failed, and the end of its output is shown.
//!
//! Programs for lego know only TXT records, so that another type is published only by a program that
//! declares it: with [`EXEC_DECLARATION`] and the types, in its first lines.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::provider::{DnsProvider, ProviderError, ProviderView};
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::system::environment;
use crate::system::fs::files;
use crate::system::process::{
    self, CommandInvocation, CommandSurroundings, FinishedCommand, LeftoverProcesses,
};
use crate::system::program_trust;
use crate::system::signals::InterruptSignal;

/// What precedes the types of record that a program can publish, in its first lines.
pub(crate) const EXEC_DECLARATION: &str = "certctl-dns-types:";

/// The largest program whose first lines are searched, and how many of its bytes.
const PROGRAM_LIMIT: u64 = 64 << 20;
const DECLARATION_LIMIT: usize = 4096;
/// How many bytes of the output are kept, and how many lines are shown.
const OUTPUT_LIMIT: usize = 16 * 1024;
const OUTPUT_LINES: usize = 10;
/// The TTL that programs are asked for, in seconds: the lowest that most providers allow.
const TTL: u32 = 600;

/// The program.
pub(super) struct ProgramProvider {
    program: PathBuf,
    deadline: Duration,
    interrupt: InterruptSignal,
}

impl ProgramProvider {
    pub(super) fn open(
        program: &Path,
        deadline: Duration,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ProviderError> {
        program_trust::check_command(&[program.display().to_string()])?;
        Ok(Self {
            program: program.to_owned(),
            deadline,
            interrupt: interrupt.clone(),
        })
    }

    fn name(&self) -> String {
        self.program.display().to_string()
    }

    fn run(
        &self,
        action: &str,
        at: &RecordLocation,
        record: &RecordValue,
    ) -> Result<(), ProviderError> {
        if record.kind != PublishableKind::Txt && !self.declares(record.kind) {
            return Err(ProviderError::UnsupportedKind {
                program: self.name(),
                kind: record.kind,
            });
        }
        let invocation = CommandInvocation {
            argv: vec![
                self.name(),
                action.to_owned(),
                format!("{}.", at.name),
                record.value.clone(),
            ],
            deadline: self.deadline,
            output_limit: OUTPUT_LIMIT,
        };
        // Checked again, because it may have been replaced since the command began.
        program_trust::check_command(&invocation.argv[..1])?;
        let surroundings = CommandSurroundings {
            folder: None,
            variables: Some(variables(at, record)),
            input: None,
            leftovers: LeftoverProcesses::Killed,
            interrupt: Some(self.interrupt.clone()),
        };
        let finished = process::run_in(&invocation, &surroundings)?;
        if finished.succeeded() {
            return Ok(());
        }
        Err(ProviderError::ProgramFailed {
            program: self.name(),
            end: self.end_in_words(&finished),
            output: last_lines(&finished.output),
        })
    }

    fn end_in_words(&self, finished: &FinishedCommand) -> String {
        match (finished.timed_out, finished.status, finished.signal) {
            (true, ..) => format!("did not end within {} s", self.deadline.as_secs()),
            (_, Some(code), _) => format!("ended with exit code {code}"),
            (_, _, Some(signal)) => format!("was ended by signal {signal}"),
            _ => "was ended".to_owned(),
        }
    }

    /// Returns whether the first lines of the program declare a type of record.
    fn declares(&self, kind: PublishableKind) -> bool {
        let bytes = files::read(&self.program, PROGRAM_LIMIT).unwrap_or_default();
        let start = bytes.get(..DECLARATION_LIMIT).unwrap_or(&bytes);
        declares_kind(&String::from_utf8_lossy(start), kind)
    }
}

fn declares_kind(text: &str, kind: PublishableKind) -> bool {
    let mut declarations = text
        .lines()
        .filter_map(|line| line.split_once(EXEC_DECLARATION));
    declarations.any(|(_, types)| {
        types
            .split([' ', ',', '\t'])
            .any(|word| word.eq_ignore_ascii_case(kind.word()))
    })
}

fn variables(at: &RecordLocation, record: &RecordValue) -> Vec<(String, String)> {
    let mut variables = environment::without_secrets();
    let own = [
        ("TYPE", record.kind.word().to_owned()),
        ("NAME", at.name.clone()),
        ("VALUE", record.value.clone()),
        ("ZONE", at.zone.clone()),
        ("TTL", TTL.to_string()),
    ];
    let own = own.into_iter();
    variables.extend(own.map(|(name, value)| (format!("CERTCTL_DNS_{name}"), value)));
    variables
}

fn last_lines(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().collect();
    let first = lines.len().saturating_sub(OUTPUT_LINES);
    lines.iter().skip(first).map(ToString::to_string).collect()
}

impl DnsProvider for ProgramProvider {
    fn title(&self) -> String {
        format!("the program {}", self.name())
    }

    fn propagation(&self) -> Duration {
        Duration::ZERO
    }

    fn read_records(&self, _at: &RecordLocation) -> Result<ProviderView, ProviderError> {
        Ok(ProviderView::Unreadable)
    }

    fn add_record(
        &self,
        location: &RecordLocation,
        new_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.run("present", location, new_record)
    }

    fn remove_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.run("cleanup", location, old_record)
    }
}

#[cfg(test)]
mod tests {
    use super::declares_kind;
    use crate::publishing::zone_record::PublishableKind;

    #[test]
    fn types_are_declared_in_a_comment() {
        for (text, declared) in [
            ("#!/bin/sh\n# certctl-dns-types: TXT CNAME\n", true),
            ("// certctl-dns-types: txt,cname", true),
            ("#!/bin/sh\n# certctl-dns-types: TXT\n# CNAME\n", false),
            ("#!/bin/sh\necho CNAME", false),
        ] {
            assert_eq!(
                declares_kind(text, PublishableKind::Cname),
                declared,
                "{text}"
            );
        }
    }
}
