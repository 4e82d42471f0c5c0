//! Where the commands of next steps are run.

use std::path::PathBuf;

use crate::dcv::ca::Ca;
use crate::finding::NextStep;
use crate::inventory::StatusRow;
use crate::inventory::item::{ItemLocation, ItemOrigin};

/// The root of a company's own CA.
pub(crate) enum RootToTrust {
    File(PathBuf),
    /// The request does not say that it is for a company's own CA, so only the person can know whether
    /// the root is that of one.
    Doubtful(PathBuf),
    /// No file that was found has it.
    Missing,
}

/// Makes steps with certctl commands that work from where this run was started. Each takes the
/// sentence of the step and the words after `certctl`.
pub(crate) struct CallContext<'a> {
    /// In the same directory and tree.
    pub here: &'a dyn Fn(&str, &[&str]) -> NextStep,
    /// As root, in the same tree.
    pub root: &'a dyn Fn(&str, &[&str]) -> NextStep,
    /// Returns the root of a company's own CA that an install of the row's certificate has to trust.
    pub trust: &'a dyn Fn(&StatusRow) -> Option<RootToTrust>,
    /// Returns the CA of a request if it shows a record that is not stored yet.
    pub record_at: &'a dyn Fn(&ItemLocation) -> Option<Ca>,
}

impl CallContext<'_> {
    /// Returns a step that installs the certificate of `row`; `words` are those after `install`.
    pub(super) fn install(&self, sentence: &str, words: &[&str], row: &StatusRow) -> NextStep {
        let mut all = vec!["install"];
        all.extend(words);
        match (self.trust)(row) {
            None => (self.root)(sentence, &all),
            Some(RootToTrust::File(path)) => {
                let path = path.display().to_string();
                all.extend(["--trust", &path]);
                (self.root)(sentence, &all)
            }
            Some(RootToTrust::Doubtful(path)) => {
                let path = path.display().to_string();
                all.extend(["--trust", &path]);
                (self.root)(&trust_if_own(&path, sentence), &all)
            }
            Some(RootToTrust::Missing) => {
                let sentence = "When your CA's root certificate (here root.pem), and its \
                    intermediates if it has any, are in this folder too, install the certificate";
                all.extend(["--trust", "root.pem"]);
                (self.root)(sentence, &all).later()
            }
        }
    }
}

/// Returns the sentence of a step that trusts the root in the file `path`, of which only the person
/// knows whether it can be trusted.
#[must_use]
pub(super) fn trust_if_own(path: &str, sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first: String = letters.next().into_iter().collect();
    let first = first.to_lowercase();
    let rest = letters.as_str();
    format!("If the root in {path} is that of your company's CA, {first}{rest} and trust it")
}

/// Returns true for a file in the working directory.
pub(super) fn is_here(place: &ItemLocation) -> bool {
    matches!(
        place,
        ItemLocation::File {
            origin: ItemOrigin::Here,
            ..
        }
    )
}
