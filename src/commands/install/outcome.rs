//! What `install` ends with: one certificate in full, or several with a block each.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::install::outcome::{InstallVerdict, TransactionOutcome, day, start_then_install};
use crate::install::request::again;
use crate::report::{Outcome, TextOutput};

/// What `install` ends with.
#[derive(Debug)]
pub(crate) struct InstallOutcome {
    parts: Vec<CertificateOutcome>,
    /// One step for all that wait for servers to be started: a second start would fail.
    start: Option<NextStep>,
    /// The way back of several.
    undo: Option<String>,
}

/// What came of one certificate.
#[derive(Debug)]
pub(super) struct CertificateOutcome {
    pub(super) stem: String,
    /// What was found, in words.
    pub(super) found: String,
    /// What was mended, left out or does not fit.
    pub(super) findings: Vec<Finding>,
    pub(super) came: InstallResult,
    /// The way back, where files were replaced.
    pub(super) undo: Option<NextStep>,
}

#[derive(Debug)]
pub(super) enum InstallResult {
    /// The pair itself was refused.
    Refused,
    /// Its files could not be used: what servers read is as it was.
    Failed(Failure),
    Done(Box<TransactionOutcome>),
}

/// The worst first, as a run of several is judged.
const RANKS: [InstallVerdict; 8] = [
    InstallVerdict::NotTakenBack,
    InstallVerdict::TakenBack,
    InstallVerdict::Refused,
    InstallVerdict::NotServed,
    InstallVerdict::Live,
    InstallVerdict::Files,
    InstallVerdict::Planned,
    InstallVerdict::Unchanged,
];

/// Exit codes, the worst first.
const CODES: [u8; 5] = [6, 5, 4, 3, 1];

impl CertificateOutcome {
    fn changeover(&self) -> Option<&TransactionOutcome> {
        match &self.came {
            InstallResult::Done(changeover) => Some(changeover),
            InstallResult::Refused | InstallResult::Failed(_) => None,
        }
    }

    fn verdict(&self) -> InstallVerdict {
        self.changeover()
            .map_or(InstallVerdict::Refused, |changeover| changeover.verdict)
    }

    fn exit_code(&self) -> u8 {
        match &self.came {
            InstallResult::Failed(failure) => failure.kind.exit_code(),
            _ => self.verdict().exit_code(),
        }
    }

    /// The signal that ended it.
    fn signal(&self) -> Option<i32> {
        match &self.came {
            InstallResult::Failed(Failure {
                kind: FailureKind::Interrupted(signal),
                ..
            }) => Some(*signal),
            _ => None,
        }
    }

    /// Where it stands, in words.
    fn stands(&self) -> Vec<String> {
        match &self.came {
            InstallResult::Failed(failure) if self.signal().is_some() => failure.causes.clone(),
            InstallResult::Failed(failure) => std::iter::once(failure.message.clone())
                .chain(failure.causes.clone())
                .collect(),
            _ => vec![self.verdict().name().to_owned()],
        }
    }

    /// All that was found, what could not be used included.
    fn findings(&self) -> Vec<Finding> {
        let failed = match &self.came {
            InstallResult::Failed(failure) => Some(finding(failure)),
            _ => None,
        };
        let later = self
            .changeover()
            .into_iter()
            .flat_map(|changeover| &changeover.findings);
        self.findings
            .iter()
            .chain(later)
            .cloned()
            .chain(failed)
            .collect()
    }

    fn document(&self) -> Value {
        let mut document = match self.changeover() {
            Some(changeover) => changeover.json("certctl.install/1"),
            None => json!({
                "schema": "certctl.install/1",
                "verdict": InstallVerdict::Refused.name(),
                "changed": false,
                "certificates": [{ "name": self.stem, "proof": "none", "probes": [] }],
                "findings": [],
                "next": [],
            }),
        };
        document["findings"] = json!(self.findings());
        document["undo"] = json!(Vec::from_iter(&self.undo));
        document
    }

    fn human(&self, text: &mut TextOutput) {
        text.fact("found", self.found.clone());
        text.findings(&self.findings);
        match &self.came {
            InstallResult::Done(changeover) => changeover.human(text),
            InstallResult::Refused => text.fact("so", "nothing was touched"),
            InstallResult::Failed(failure) => {
                text.findings(&[finding(failure)]);
                text.fact("so", "what servers read is as it was");
            }
        }
        if let Some(undo) = &self.undo {
            text.fact("undo", undo.text.clone());
        }
    }

    /// What ended well is a line; what did not is told in full.
    fn among_others(&self, text: &mut TextOutput) {
        let Some(changeover) = self.changeover().filter(|_| self.exit_code() == 0) else {
            return self.human(text);
        };
        if changeover.verdict == InstallVerdict::Planned {
            return self.human(text);
        }
        let leaf = &changeover.leaf;
        let label = match changeover.verdict {
            InstallVerdict::Live => "live",
            InstallVerdict::Files => "wrote",
            _ => "same",
        };
        let at = changeover.addresses();
        let at = if at.is_empty() {
            String::new()
        } else {
            format!(", at {at}")
        };
        text.fact(
            label,
            format!(
                "{}: {} until {}{at}",
                self.stem,
                leaf.dns_names.join(", "),
                day(leaf.not_after)
            ),
        );
        let worth: Vec<Finding> = self
            .findings()
            .into_iter()
            .filter(|finding| finding.severity != Severity::Note)
            .collect();
        text.findings(&worth);
    }
}

/// A failure of one among several.
fn finding(failure: &Failure) -> Finding {
    let message = std::iter::once(failure.message.clone()).chain(failure.causes.clone());
    let finding = Finding::error("step-failed", message.collect::<Vec<_>>().join(": "));
    failure.next.iter().cloned().fold(finding, Finding::with)
}

/// Several that a signal ended: those that stand alike are told together, for some may be live and
/// others be back.
fn interrupted(signal: i32, parts: &[CertificateOutcome]) -> Failure {
    const FEW: usize = 5;
    let mut alike: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
    for part in parts {
        let stands = part.stands();
        match alike.iter_mut().find(|(like, _)| *like == stands) {
            Some((_, stems)) => stems.push(&part.stem),
            None => alike.push((stands, vec![&part.stem])),
        }
    }
    let causes = alike.iter().flat_map(|(stands, stems)| {
        let more = if stems.len() > FEW {
            format!(" and {} more", stems.len() - FEW)
        } else {
            String::new()
        };
        let whose = format!("{}{more}: ", stems[..stems.len().min(FEW)].join(", "));
        let whose = if alike.len() == 1 {
            String::new()
        } else {
            whose
        };
        stands.iter().map(move |cause| format!("{whose}{cause}"))
    });
    let failure = Failure::new(
        FailureKind::Interrupted(signal),
        format!("interrupted by signal {signal}"),
    );
    let failure = causes.fold(failure, Failure::because);
    let next = parts
        .iter()
        .filter(|part| part.signal().is_some())
        .find_map(|part| match &part.came {
            InstallResult::Failed(ended) => ended.next.first().cloned(),
            _ => None,
        });
    next.into_iter().fold(failure, Failure::with)
}

/// The way back of each that ended well, on one line.
fn all_back(context: &Context, parts: &[CertificateOutcome]) -> Option<String> {
    const FEW: usize = 20;
    let quiet = |part: &&CertificateOutcome| part.undo.is_some() && part.exit_code() == 0;
    let names: Vec<&str> = parts.iter().filter(quiet).map(|part| &*part.stem).collect();
    let back = |name: &str| {
        again(context, &["rollback", "NAME"])
            .text
            .replace("NAME", name)
    };
    match names.as_slice() {
        [] => None,
        [name] => Some(back(name)),
        few if few.len() <= FEW => Some(format!(
            "for name in {}; do {}; done",
            few.join(" "),
            back("\"$name\"")
        )),
        many => Some(format!(
            "each of the {} by its name:  {}",
            many.len(),
            back("NAME")
        )),
    }
}

/// The step that starts the servers for which several wait, taken out of what each has to do.
fn start_once(context: &Context, parts: &mut [CertificateOutcome]) -> Option<NextStep> {
    let (mut start, mut names): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
    for part in parts {
        let InstallResult::Done(changeover) = &mut part.came else {
            continue;
        };
        if changeover.start.is_empty() {
            continue;
        }
        changeover.next.clear();
        names.push(&part.stem);
        let new: Vec<String> = changeover
            .start
            .iter()
            .filter(|one| !start.contains(one))
            .cloned()
            .collect();
        start.extend(new);
    }
    (!names.is_empty()).then(|| start_then_install(context, &start, &names))
}

impl InstallOutcome {
    /// One that ended early is no outcome.
    pub(super) fn of(
        context: &Context,
        mut parts: Vec<CertificateOutcome>,
    ) -> Result<Self, Failure> {
        if let (Some(signal), true) = (
            parts.iter().find_map(CertificateOutcome::signal),
            parts.len() > 1,
        ) {
            return Err(interrupted(signal, &parts));
        }
        let alone = if parts.len() == 1 { parts.pop() } else { None };
        match alone {
            Some(CertificateOutcome {
                came: InstallResult::Failed(failure),
                ..
            }) => Err(failure),
            Some(alone) => Ok(Self {
                parts: vec![alone],
                start: None,
                undo: None,
            }),
            None => Ok(Self {
                start: start_once(context, &mut parts),
                undo: all_back(context, &parts),
                parts,
            }),
        }
    }

    fn verdict(&self) -> InstallVerdict {
        let is =
            |verdict: &InstallVerdict| self.parts.iter().any(|part| part.verdict() == *verdict);
        RANKS
            .into_iter()
            .find(is)
            .unwrap_or(InstallVerdict::Unchanged)
    }
}

impl Outcome for InstallOutcome {
    fn json(&self) -> Value {
        if let [alone] = self.parts.as_slice() {
            return alone.document();
        }
        let documents: Vec<Value> = self
            .parts
            .iter()
            .map(CertificateOutcome::document)
            .collect();
        let all = |field: &str| -> Vec<Value> {
            documents
                .iter()
                .flat_map(|one| one[field].as_array().cloned().unwrap_or_default())
                .collect()
        };
        let certificate = |document: &Value| {
            let mut certificate = document["certificates"][0].clone();
            for field in [
                "verdict",
                "changed",
                "settings",
                "plan",
                "rolled_back",
                "findings",
                "next",
                "undo",
            ] {
                certificate[field] = document[field].clone();
            }
            certificate
        };
        let mut next = all("next");
        next.extend(self.start.iter().map(|start| json!(start)));
        json!({
            "schema": "certctl.install/1",
            "verdict": self.verdict().name(),
            "changed": documents.iter().any(|one| one["changed"] == true),
            "certificates": documents.iter().map(certificate).collect::<Vec<_>>(),
            "findings": all("findings"),
            "next": next,
            "undo": all("undo"),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        if let [alone] = self.parts.as_slice() {
            return alone.human(text);
        }
        self.parts.iter().for_each(|part| part.among_others(text));
        let count = |verdict: InstallVerdict| {
            self.parts
                .iter()
                .filter(|part| part.verdict() == verdict)
                .count()
        };
        let counts = RANKS
            .into_iter()
            .map(|verdict| (count(verdict), verdict.name()))
            .filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        text.fact(
            "in all",
            format!("{} certificates: {}", self.parts.len(), counts.join(", ")),
        );
        text.nexts(self.start.as_slice());
        if let Some(undo) = &self.undo {
            text.fact("undo", undo.clone());
        }
    }

    fn exit_code(&self) -> u8 {
        let code = |code: &u8| self.parts.iter().any(|part| part.exit_code() == *code);
        CODES.into_iter().find(code).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CertificateOutcome, Failure, FailureKind, InstallResult, NextStep, interrupted};

    #[test]
    fn each_is_told_where_a_signal_left_it() {
        let ended = |stem: &str, stands: &str| {
            let failure = Failure::new(FailureKind::Interrupted(15), "interrupted by signal 15")
                .because(stands);
            let came = InstallResult::Failed(failure.with(NextStep::say("type the same again")));
            CertificateOutcome {
                stem: stem.to_owned(),
                found: String::new(),
                findings: Vec::new(),
                came,
                undo: None,
            }
        };
        let back = "it was taken back";
        let all = interrupted(15, &[ended("a", back), ended("b", back)]);
        assert_eq!(all.causes, [back]);
        let some = interrupted(
            15,
            &[ended("a", back), ended("b", "not whole"), ended("c", back)],
        );
        assert_eq!(some.causes, ["a, c: it was taken back", "b: not whole"]);
        assert_eq!((some.kind.exit_code(), some.next.len()), (143, 1));
    }
}
