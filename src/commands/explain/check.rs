//! `explain --check`: what `verify`, `inspect` and `doctor` find in a file or at a server.

use std::path::Path;

use serde_json::Value;

use super::super::{doctor, inspect, verify};
use crate::context::Context;
use crate::error_texts::MentionedKind;
use crate::failure::Failure;
use crate::report::Outcome;
use crate::system::fs::files;

/// What certctl found in a file or at a server.
#[derive(Debug)]
pub(super) struct CheckedItem {
    /// The value of `--check`.
    pub item: String,
    pub kind: MentionedKind,
    /// The commands that examined it.
    pub commands: Vec<&'static str>,
    /// The codes of all findings, each once.
    pub codes: Vec<String>,
    /// What kept a command from examining it.
    pub failures: Vec<String>,
}

impl CheckedItem {
    /// Examines a file by `verify` and `inspect`, a server with a port by `verify`, and a site by
    /// `verify` at port 443 and `doctor`.
    pub(super) fn examine(context: &Context, item: &str) -> Self {
        let kind = Self::kind(item);
        let mut checked = Self {
            item: item.to_owned(),
            kind,
            commands: Vec::new(),
            codes: Vec::new(),
            failures: Vec::new(),
        };
        let is_file = kind == MentionedKind::File;
        let has_port = item.rsplit_once(':').is_some();
        let is_site = !is_file && !has_port;
        let mut verify = verify::VerifyArgs::default();
        verify.items.push(match is_site {
            true => format!("{item}:443"),
            false => item.to_owned(),
        });
        checked.add("verify", verify::run(context, &verify));
        if is_file {
            let inspect = inspect::InspectArgs {
                file: item.to_owned(),
                ..inspect::InspectArgs::default()
            };
            checked.add("inspect", inspect::run(context, &inspect));
        }
        if is_site {
            let doctor = doctor::DoctorArgs {
                name: Some(item.to_owned()),
            };
            checked.add("doctor", doctor::run(context, &doctor));
        }
        checked
    }

    /// What the value of `--check` is: a file, if one has that name, else a server.
    pub(super) fn kind(item: &str) -> MentionedKind {
        if files::exists(Path::new(item)) {
            MentionedKind::File
        } else {
            MentionedKind::Host
        }
    }

    fn add<O: Outcome>(&mut self, command: &'static str, result: Result<O, Failure>) {
        match result {
            Ok(outcome) => {
                self.commands.push(command);
                self.add_codes(&outcome.json());
            }
            Err(failure) => {
                let message = failure.message.clone();
                if !self.failures.contains(&message) {
                    self.failures.push(message);
                }
            }
        }
    }

    /// Adds the codes of all findings of a document.
    fn add_codes(&mut self, document: &Value) {
        match document {
            Value::Object(fields) => {
                if let Some(code) = fields.get("code").and_then(Value::as_str)
                    && !self.codes.iter().any(|known| known == code)
                {
                    self.codes.push(code.to_owned());
                }
                fields.values().for_each(|value| self.add_codes(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.add_codes(value)),
            _ => {}
        }
    }
}
