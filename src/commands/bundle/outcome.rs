//! The outcome of `bundle`, as text and as JSON.

use std::path::Path;

use serde_json::{Value, json};

use super::extract::ExtractedKey;
use super::outputs::OutputFile;
use crate::advice::bundle_command::{self, InstallKey};
use crate::export::ExportFormat;
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::{self, MatchedCertificate};
use crate::pki::trust::TrustSource;
use crate::report::{self, Label, Outcome, TextOutput};

/// One chain and its files.
#[derive(Debug)]
pub(crate) struct BundledChain {
    /// The chain, its key and its request.
    pub matched: MatchedCertificate,
    /// The files; none if the chain is wrong or was printed.
    pub outputs: Vec<OutputFile>,
    /// The file of the key that came with the certificate, with `--extract-key`.
    pub extracted: Option<ExtractedKey>,
    /// How to configure the servers of `--for` with the files.
    pub steps: Vec<NextStep>,
    /// Whether `install` needs `--key`, because the key is not in the directory.
    pub needs_key_flag: bool,
    /// `--password-file FILE`, if that was given: the key may need it.
    pub password_flags: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct BundleOutcome {
    pub bundled: Vec<BundledChain>,
    /// The first words of the command that installs.
    pub install_words: Vec<String>,
    /// The flags that make `install` use the same trust anchors.
    pub trust_flags: Vec<String>,
    /// If it is wrong, nothing was written.
    pub(super) verdict: BundleVerdict,
    /// The source of the trust anchors.
    pub trust: TrustSource,
    /// Whether the chain was printed to stdout, so that nothing else may be printed.
    pub(super) printed: bool,
}

/// Whether every chain is right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BundleVerdict {
    Right,
    Wrong,
}

impl BundleVerdict {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let has_error = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        if has_error { Self::Wrong } else { Self::Right }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
        }
    }
}

impl Outcome for BundleOutcome {
    fn json(&self) -> Value {
        let certificates: Vec<Value> = self.bundled.iter().map(BundledChain::json).collect();
        json!({
            "schema": "certctl.bundle/1",
            "verdict": self.verdict.word(),
            "changed": self.bundled.iter().any(BundledChain::changed),
            "certificates": certificates,
            "trust": self.trust.to_string(),
            "findings": self.findings(),
            "next": self.next_steps(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        if self.printed {
            return;
        }
        for chain in &self.bundled {
            text.add(Label::Found, chain.in_words(&self.trust, self.verdict));
            chain.write_files(text);
        }
        text.add_findings(self.findings());
        if self.verdict == BundleVerdict::Wrong {
            text.add(Label::Done, "no file was written");
        }
        text.add_next_steps(&self.next_steps());
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.verdict == BundleVerdict::Wrong)
    }
}

impl BundleOutcome {
    /// Returns the findings about all certificates, those about damage before those that result from
    /// it.
    fn findings(&self) -> Vec<&Finding> {
        let chains = self.bundled.iter();
        let mut findings: Vec<&Finding> =
            chains.flat_map(|chain| &chain.matched.findings).collect();
        inputs::sort_causes_first(&mut findings);
        findings
    }

    /// Returns the steps for the servers of `--for`; without any, how to install the chain file.
    fn next_steps(&self) -> Vec<NextStep> {
        let mut steps: Vec<NextStep> = self
            .bundled
            .iter()
            .flat_map(|chain| chain.steps.clone())
            .collect();
        if steps.is_empty() && self.verdict == BundleVerdict::Right {
            let installs = self.bundled.iter();
            steps.extend(installs.filter_map(|chain| self.install_step(chain)));
        }
        steps
    }

    fn install_step(&self, chain: &BundledChain) -> Option<NextStep> {
        let chain_file = chain.output(ExportFormat::Pem)?;
        let mut words = self.install_words.clone();
        words.push(chain_file.path.display().to_string());
        words.extend(self.trust_flags.iter().cloned());
        let Some((key, _)) = &chain.matched.key else {
            return Some(bundle_command::install_chain(&words, InstallKey::Missing));
        };
        if chain.needs_key_flag {
            words.extend(["--key".to_owned(), key.display().to_string()]);
            words.extend(chain.password_flags.iter().cloned());
        }
        Some(bundle_command::install_chain(&words, InstallKey::Known))
    }
}

impl OutputFile {
    /// Returns `example.com.pfx (0600)`: with the mode if the file contains the key.
    fn in_words(&self) -> String {
        let path = self.path.display();
        if self.format.includes_key() {
            format!("{path} ({})", self.format.mode())
        } else {
            path.to_string()
        }
    }

    fn json(&self) -> Value {
        json!({
            "format": self.format.name(),
            "path": report::path_text(&self.path),
            "mode": self.format.mode().to_string(),
            "holds_key": self.format.includes_key(),
            "changed": self.changed,
        })
    }
}

impl BundledChain {
    fn changed(&self) -> bool {
        self.outputs.iter().any(|output| output.changed)
            || self.extracted.as_ref().is_some_and(|key| key.changed)
    }

    fn output(&self, format: ExportFormat) -> Option<&OutputFile> {
        self.outputs.iter().find(|output| output.format == format)
    }

    fn json(&self) -> Value {
        let chain = &self.matched.assembly.chain;
        let chain_path = self
            .output(ExportFormat::Pem)
            .map(|output| report::path_text(&output.path));
        let key_path = self
            .matched
            .key
            .as_ref()
            .map(|(path, _)| report::path_text(path));
        let request = self.matched.request.as_ref();
        let outputs: Vec<Value> = self.outputs.iter().map(OutputFile::json).collect();
        json!({
            "name": self.matched.stem,
            "chain_path": chain_path,
            "key_path": key_path,
            "request_path": request.map(|(path, _)| report::path_text(path)),
            "not_after": report::expiry_json(chain.leaf().not_after),
            "chain": report::chain_json(chain),
            "outputs": outputs,
            "findings": self.matched.findings,
        })
    }

    fn write_files(&self, text: &mut TextOutput) {
        if let Some(key) = &self.extracted {
            let path = key.path.display();
            if key.changed {
                text.add(Label::Wrote, format!("{path} (0600)"));
            } else {
                text.add(Label::Found, format!("{path} is up to date"));
            }
        }
        for output in &self.outputs {
            if output.changed {
                text.add(Label::Wrote, output.in_words());
            } else {
                text.add(Label::Found, format!("{} is up to date", output.in_words()));
            }
        }
    }

    /// `example.com, expires 2027-06-10; matches example.com.key; 1 intermediate; trusted by
    /// Mozilla's list of 2026-10-19`.
    fn in_words(&self, trust: &TrustSource, verdict: BundleVerdict) -> String {
        let chain = &self.matched.assembly.chain;
        let mut words = report::certificate_in_words(chain.leaf());
        if let Some(path) = self.matching_file() {
            words.push_str(&format!("; matches {}", path.display()));
        }
        let intermediates = report::intermediates_in_words(chain);
        words.push_str(&format!("; {intermediates}"));
        if verdict == BundleVerdict::Right {
            words.push_str(&format!("; trusted by {trust}"));
        }
        words
    }

    /// Returns the file of the key that matches the certificate, else that of its request.
    fn matching_file(&self) -> Option<&Path> {
        let leaf = self.matched.leaf();
        let key = self.matched.key.as_ref();
        let request = self.matched.request.as_ref();
        key.filter(|(_, key)| key.id() == leaf.key_id)
            .map(|(path, _)| path.as_path())
            .or_else(|| request.map(|(path, _)| path.as_path()))
    }
}
