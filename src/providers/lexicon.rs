//! A provider of dns-lexicon (`--dns lexicon:NAME`), called through a small Python program: the
//! options and the record reach it on stdin, never as arguments or in the environment. What lexicon
//! reports is no proof; `publication` queries the zone's own servers, which it also reads instead of
//! lexicon's lists, because these differ between providers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::provider::{DnsProvider, LexiconFault, ProviderError, ProviderView};
use crate::configuration::{ConfigurationFolders, find_credentials, read_defaults};
use crate::publishing::credentials_table::CredentialsTable;
use crate::publishing::zone_record::{RecordLocation, RecordValue};
use crate::secret::{SecretText, redact};
use crate::system::environment;
use crate::system::process::{
    self, CommandInvocation, CommandSurroundings, FinishedCommand, LeftoverProcesses,
};
use crate::system::program_trust;
use crate::system::signals::InterruptSignal;

/// The program for the Python interpreter.
const PROGRAM: &str = include_str!("lexicon.py");
/// Reads the request, and runs the program in it.
const BOOTSTRAP: &str =
    "import json, sys; request = json.load(sys.stdin); exec(request.pop(\"program\"))";
/// The command whose first line names the interpreter that has dns-lexicon.
const LEXICON: &str = "lexicon";
/// The maximum time of one call: several requests to the provider.
const DEADLINE: Duration = Duration::from_secs(120);
/// How many bytes of the output are kept, and how much of it is shown.
const OUTPUT_LIMIT: usize = 32 * 1024;
const SHOWN_LIMIT: usize = 1000;
/// The TTL of new records, in seconds: the lowest that most providers allow.
const TTL: u32 = 600;

/// A provider of dns-lexicon with its options.
pub(super) struct LexiconProvider {
    name: String,
    python: PathBuf,
    options: BTreeMap<String, SecretText>,
    interrupt: InterruptSignal,
}

impl LexiconProvider {
    /// Finds the interpreter, and the options that the provider's module lists.
    pub(super) fn open(
        name: &str,
        account: Option<&str>,
        folders: &ConfigurationFolders,
        interrupt: &InterruptSignal,
    ) -> Result<Self, ProviderError> {
        let python = find_python(folders).ok_or_else(|| ProviderError::Lexicon {
            provider: name.to_owned(),
            reason: LexiconFault::NoPython,
        })?;
        let mut provider = Self {
            name: name.to_owned(),
            python,
            options: BTreeMap::new(),
            interrupt: interrupt.clone(),
        };
        let described = provider.call(json!({"action": "describe"}))?;
        let listed = described["options"].as_array();
        let listed = listed.into_iter().flatten().filter_map(Value::as_str);
        let options: Vec<String> = listed.map(str::to_owned).collect();
        let table = CredentialsTable::of_lexicon(name, account, &options);
        let credentials = find_credentials(folders, &table)?;
        if credentials.is_empty() && !options.is_empty() {
            return Err(credentials.missing("every option").into());
        }
        provider.options = credentials.into_values();
        Ok(provider)
    }

    /// Changes a record.
    fn change(
        &self,
        action: &str,
        at: &RecordLocation,
        record: &RecordValue,
    ) -> Result<(), ProviderError> {
        let mut options = serde_json::Map::new();
        for (key, value) in &self.options {
            options.insert(key.clone(), Value::from(value.expose()));
        }
        let reply = self.call(json!({
            "action": action,
            "zone": at.zone,
            "name": at.name,
            "type": record.kind.word(),
            "value": record.value,
            "ttl": TTL,
            "options": options,
        }))?;
        if reply["done"] == true {
            return Ok(());
        }
        Err(self.fault(LexiconFault::Refused))
    }

    /// Runs the program with a request, and returns its reply.
    fn call(&self, mut request: Value) -> Result<Value, ProviderError> {
        request["provider"] = Value::from(self.name.as_str());
        request["program"] = Value::from(PROGRAM);
        let python = self.python.display().to_string();
        let invocation = CommandInvocation {
            // -I: neither variables nor the working directory add packages.
            argv: [&*python, "-I", "-c", BOOTSTRAP]
                .map(str::to_owned)
                .to_vec(),
            deadline: DEADLINE,
            output_limit: OUTPUT_LIMIT,
        };
        program_trust::check_command(&invocation.argv[..1])?;
        let surroundings = CommandSurroundings {
            folder: None,
            variables: Some(environment::without_secrets()),
            input: Some(SecretText::new(request.to_string())),
            leftovers: LeftoverProcesses::Killed,
            interrupt: Some(self.interrupt.clone()),
        };
        let finished = process::run_in(&invocation, &surroundings)?;
        let reply = reply_in(&finished.output).filter(|_| finished.succeeded());
        let Some(reply) = reply else {
            return Err(self.fault(self.unreadable(&finished)));
        };
        match self.fault_of(&reply) {
            Some(fault) => Err(self.fault(fault)),
            None => Ok(reply),
        }
    }

    fn fault(&self, reason: LexiconFault) -> ProviderError {
        ProviderError::Lexicon {
            provider: self.name.clone(),
            reason,
        }
    }

    /// The fault of a program that did not reply.
    fn unreadable(&self, finished: &FinishedCommand) -> LexiconFault {
        if finished.timed_out {
            return LexiconFault::TimedOut(DEADLINE.as_secs());
        }
        let last = finished.output.trim_end().lines().last();
        LexiconFault::Failed(self.without_secrets(last.unwrap_or("it printed nothing")))
    }

    /// The fault that a reply reports.
    fn fault_of(&self, reply: &Value) -> Option<LexiconFault> {
        let message = reply["message"].as_str().unwrap_or_default();
        let python = self.python.clone();
        Some(match reply.get("error")?.as_str().unwrap_or_default() {
            "no-lexicon" => LexiconFault::NotInstalled(python),
            "old-lexicon" => LexiconFault::TooOld(python),
            "extra-needed" => LexiconFault::ExtraNeeded(python),
            "exposed" => LexiconFault::Exposed(message.to_owned()),
            "rewrites-zone" => LexiconFault::RewritesZone,
            "no-filter" => LexiconFault::NoFilter,
            "unknown-provider" => {
                let known = reply["known"].as_array().into_iter().flatten();
                let known: Vec<&str> = known.filter_map(Value::as_str).collect();
                LexiconFault::UnknownProvider(known.join(", "))
            }
            _ => LexiconFault::Failed(self.without_secrets(message)),
        })
    }

    /// A message of the provider's module, which may contain its options, for example in a URL.
    fn without_secrets(&self, text: &str) -> String {
        let shown = redact(text, self.options.values());
        shown.chars().take(SHOWN_LIMIT).collect()
    }
}

/// Returns the interpreter that is configured, or else the one of the command `lexicon`.
fn find_python(folders: &ConfigurationFolders) -> Option<PathBuf> {
    let configured = read_defaults(folders).ok()?.lexicon_python;
    if configured.is_some() {
        return configured;
    }
    let command = process::find_program(LEXICON)?;
    let words = program_trust::interpreter_of(&command)?;
    let python = Path::new(words.first()?);
    let name = python.file_name()?.to_string_lossy();
    name.starts_with("python").then(|| python.to_owned())
}

/// Returns the object on the last line of the output.
fn reply_in(output: &str) -> Option<Value> {
    let line = output.trim_end().lines().last()?;
    let reply: Value = serde_json::from_str(line).ok()?;
    reply.is_object().then_some(reply)
}

impl DnsProvider for LexiconProvider {
    fn title(&self) -> String {
        format!("{} (lexicon)", self.name)
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
        self.change("create", location, new_record)
    }

    fn remove_record(
        &self,
        location: &RecordLocation,
        old_record: &RecordValue,
    ) -> Result<(), ProviderError> {
        self.change("delete", location, old_record)
    }
}
