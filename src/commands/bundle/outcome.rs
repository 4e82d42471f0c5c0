//! What `bundle` ends with.

use serde_json::{Value, json};

use super::extract::ExtractedKey;
use super::outputs::OutputFile;
use crate::export::ExportFormat;
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::MatchedCertificate;
use crate::pki::trust::TrustSource;
use crate::report::{self, Outcome, TextOutput};

/// One chain and its files.
#[derive(Debug)]
pub(crate) struct BundledChain {
    /// The chain, its key and its request.
    pub taken: MatchedCertificate,
    /// What was written; nothing where it is wrong, or went to stdout.
    pub outputs: Vec<OutputFile>,
    /// The file of the key that came with it, where it was asked for.
    pub extracted: Option<ExtractedKey>,
    /// What to do with the files on the servers that were named.
    pub steps: Vec<NextStep>,
    /// Its key was passed: by `install` it would not be found in the directory.
    pub brought: bool,
}

#[derive(Debug)]
pub(crate) struct BundleOutcome {
    pub bundled: Vec<BundledChain>,
    /// The first words of the command that installs.
    pub install: Vec<String>,
    /// The flags that it needs to come to the same judgement.
    pub flags: Vec<String>,
    /// All findings; an error among them: nothing was written.
    pub findings: Vec<Finding>,
    /// Whose roots were believed.
    pub trust: TrustSource,
    /// The chain was printed: nothing else may be.
    pub(super) printed: bool,
}

impl Outcome for BundleOutcome {
    fn json(&self) -> Value {
        let certificates: Vec<Value> = self.bundled.iter().map(BundledChain::json).collect();
        json!({
            "schema": "certctl.bundle/1",
            "verdict": if self.is_right() { "right" } else { "wrong" },
            "changed": self.bundled.iter().any(BundledChain::changed),
            "certificates": certificates,
            "trust": self.trust.to_string(),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        if self.printed {
            return;
        }
        for one in &self.bundled {
            text.fact("found", one.found(&self.trust, self.is_right()));
            if let Some(key) = &one.extracted {
                match key.changed {
                    true => text.fact("wrote", format!("{} (0600)", key.path.display())),
                    false => text.fact("kept", key.path.display().to_string()),
                }
            }
            for output in &one.outputs {
                text.fact(
                    if output.changed { "wrote" } else { "kept" },
                    output.in_words(),
                );
            }
        }
        text.findings(&self.findings);
        if !self.is_right() {
            text.act("", "nothing was written");
        }
        text.nexts(&self.next());
    }

    fn exit_code(&self) -> u8 {
        u8::from(!self.is_right())
    }
}

impl BundleOutcome {
    fn is_right(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity < Severity::Error)
    }

    /// For the servers that were named; where none was, how to install the chain file here.
    fn next(&self) -> Vec<NextStep> {
        let mut next: Vec<NextStep> = self
            .bundled
            .iter()
            .flat_map(|one| one.steps.clone())
            .collect();
        if next.is_empty() && self.is_right() {
            next.extend(self.bundled.iter().filter_map(|one| self.install(one)));
        }
        next
    }

    fn install(&self, one: &BundledChain) -> Option<NextStep> {
        let chain = one.output(ExportFormat::Pem)?;
        let mut words = self.install.clone();
        words.push(chain.path.display().to_string());
        words.extend(self.flags.iter().cloned());
        if let Some((key, _)) = one.taken.key.as_ref().filter(|_| one.brought) {
            words.extend(["--key".to_owned(), key.display().to_string()]);
        }
        let run = NextStep::run(&words);
        Some(match one.taken.key {
            Some(_) => NextStep {
                text: format!("sudo {}", run.text),
                ..run
            },
            None => NextStep::say(format!("where its private key is:  sudo {}", run.text)),
        })
    }
}

impl OutputFile {
    /// `example.com.pfx (0600)`: the mode is told where it matters.
    fn in_words(&self) -> String {
        let path = self.path.display();
        if self.format.holds_key() {
            format!("{path} ({:04o})", self.format.mode())
        } else {
            path.to_string()
        }
    }

    fn json(&self) -> Value {
        json!({
            "format": self.format.name(),
            "path": report::shown(&self.path),
            "mode": format!("{:04o}", self.format.mode()),
            "holds_key": self.format.holds_key(),
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
        let chain = &self.taken.assembly.chain;
        let key = self.taken.key.as_ref();
        json!({
            "name": self.taken.stem,
            "chain_path": self.output(ExportFormat::Pem).map(|output| report::shown(&output.path)),
            "key_path": key.map(|(path, _)| report::shown(path)),
            "request_path": self.taken.request.as_ref().map(|(path, _)| report::shown(path)),
            "not_after": chain.leaf().not_after,
            "chain": report::chain_json(chain),
            "outputs": self.outputs.iter().map(OutputFile::json).collect::<Vec<_>>(),
        })
    }

    /// `example.com, until 2027-06-10; fits example.com.key; 1 intermediate; trusted by Mozilla's list`.
    fn found(&self, trust: &TrustSource, right: bool) -> String {
        let MatchedCertificate {
            key,
            request,
            assembly,
            ..
        } = &self.taken;
        let leaf = assembly.chain.leaf();
        let key = key
            .as_ref()
            .filter(|(_, key)| key.id() == leaf.key_id)
            .map(|(path, _)| path);
        let fits = key.or_else(|| request.as_ref().map(|(path, _)| path));
        let mut words = report::in_words(leaf);
        if let Some(path) = fits {
            words.push_str(&format!("; fits {}", path.display()));
        }
        words.push_str(&format!(
            "; {}",
            report::intermediates_in_words(&assembly.chain)
        ));
        if right {
            words.push_str(&format!("; trusted by {trust}"));
        }
        words
    }
}
