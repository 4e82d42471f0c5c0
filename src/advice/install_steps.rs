//! Advice of `status` about installs: the command, and what has to happen first where certificates of
//! the CA are missing or not trusted.

use super::call_context::{CallContext, is_here};
use crate::finding::NextStep;
use crate::inventory::item::{ItemLocation, ItemOrigin};
use crate::inventory::{StatusReason, StatusRow};
use crate::pki::name::DnsName;
use crate::pki::verify::ChainProblem;

/// Installs a certificate whose key is here: by its name where both are in the working directory,
/// else by their files; the name does not mean one that was rolled back. Certificates of other ACME
/// clients are left to those.
pub(super) fn install_command(row: &StatusRow, calls: &CallContext<'_>) -> Option<NextStep> {
    const SENTENCE: &str = "Install the certificate";
    let ItemLocation::File { path, origin } = row.main_location()? else {
        return None;
    };
    let (key, _) = row.keys.first()?;
    match origin {
        ItemOrigin::AcmeSh | ItemOrigin::Certbot(_) => None,
        ItemOrigin::Delivery | ItemOrigin::Here
            if is_here(key) && (*origin == ItemOrigin::Delivery || is_rolled_back(row)) =>
        {
            let path = path.display().to_string();
            Some(calls.install(SENTENCE, &[&path], row))
        }
        ItemOrigin::Here if is_here(key) && DnsName::parse(&row.name).is_ok() => {
            Some(calls.install(SENTENCE, &[&row.name], row))
        }
        _ => {
            let path = path.display().to_string();
            let key = key.to_string();
            Some(calls.install(SENTENCE, &[&path, "--key", &key], row))
        }
    }
}

/// Whether a rollback replaced the certificate, and nothing was installed since.
pub(super) fn is_rolled_back(row: &StatusRow) -> bool {
    let is_rollback = |reason: &StatusReason| matches!(reason, StatusReason::RolledBack { .. });
    row.reasons.iter().any(is_rollback)
}

/// Installs the files from the CA, once they are in the working directory.
pub(super) fn install_files_of_ca(sentence: &str, name: &str, calls: &CallContext<'_>) -> NextStep {
    let step = match DnsName::parse(name) {
        Ok(_) => (calls.root)(sentence, &["install", name]),
        Err(_) => (calls.root)(sentence, &["install"]),
    };
    step.later()
}

/// Returns what has to happen before a certificate can be installed; nothing if its root only has to
/// be trusted, which is part of its install.
pub(super) fn step_before_install(
    problem: &ChainProblem,
    row: &StatusRow,
    calls: &CallContext<'_>,
) -> Option<NextStep> {
    match problem {
        ChainProblem::UnknownRoot { .. } | ChainProblem::SelfSigned { .. } => None,
        ChainProblem::MissingIntermediate { .. } | ChainProblem::UnknownIssuer { .. } => {
            match (calls.trust)(row) {
                Some(_) => None,
                None => Some(add_bundle(row, calls)),
            }
        }
        _ => Some(install_files_of_ca(
            "When the CA has sent files without this fault, install them",
            &row.name,
            calls,
        )),
    }
}

fn add_bundle(row: &StatusRow, calls: &CallContext<'_>) -> NextStep {
    const SENTENCE: &str = "Its issuer is missing: when the CA's bundle, or the root of your \
        company's CA, is in this folder too, install the certificate";
    let is_elsewhere = !row.locations.iter().any(is_here);
    match install_command(row, calls).filter(|_| is_elsewhere) {
        Some(mut step) => {
            let sentence =
                "Its issuer is missing: get the CA's bundle, and add its file to this command";
            step.text = sentence.to_owned();
            step.later()
        }
        None => install_files_of_ca(SENTENCE, &row.name, calls),
    }
}
