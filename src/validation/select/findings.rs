//! Findings about the selected requests: a given record that belongs to none of them, or a request
//! without its key.

use std::path::PathBuf;

use crate::advice::{dcv_check_command, missing_keys};
use crate::context::Context;
use crate::dcv::record;
use crate::dcv::reseller_record::GivenRecord;
use crate::finding::{Finding, NextStep};
use crate::inputs::folder::FolderContents;
use crate::validation::key_reuse::KeyUsageHistory;
use crate::validation::selected_request::SelectedRequest;

/// Warns about pending requests of the folder whose key is not in it.
pub(super) fn requests_without_key(
    context: &Context,
    folder: &FolderContents,
    candidates: &[SelectedRequest],
    history: &KeyUsageHistory,
) -> Vec<Finding> {
    let make = |sentence: &str, words: &[&str]| {
        let words = words.iter().skip(1).map(|&word| word.to_owned());
        let words: Vec<String> = context
            .command_words("csr")
            .into_iter()
            .chain(words)
            .collect();
        NextStep::run_certctl(sentence, &words)
    };
    let mut findings = Vec::new();
    for candidate in candidates {
        let request = &candidate.request;
        let is_here = |path: &PathBuf| folder.requests.iter().any(|held| held.path == *path);
        let path = candidate.path.as_ref().filter(|path| is_here(path));
        if let Some(path) = path
            && history.is_pending(request)
            && folder.lacks_key(request.key_id)
        {
            let finding = missing_keys::request_without_key(path, &request.dns_names, &make);
            findings.push(finding);
        }
    }
    findings
}

/// For a record that is for none of the requests' domains.
pub(super) fn of_no_domain(record: &GivenRecord, candidates: &[SelectedRequest]) -> Finding {
    let names: Vec<&str> = candidates
        .iter()
        .flat_map(|one| &one.request.dns_names)
        .map(String::as_str)
        .take(5)
        .collect();
    let message = format!(
        "the given record is for {}; the names in the request are {}",
        record.validated_domain(),
        names.join(", ")
    );
    Finding::error("record-for-another-domain", message)
        .with_step(dcv_check_command::copy_record_with_host())
}

/// For a record with the hash of a request that is not among the candidates.
pub(super) fn of_another_request(md5: &str, candidates: &[SelectedRequest]) -> Finding {
    let hashes: Vec<String> = candidates
        .iter()
        .take(5)
        .map(|one| format!("that of {} is {}", one.shown, one.request.md5()))
        .collect();
    let message = format!(
        "the given record was derived from another CSR: it has the MD5 {md5}; {}",
        hashes.join(", ")
    );
    Finding::error("record-from-another-request", message)
        .with_step(dcv_check_command::copy_record_of_this_order())
}

/// For a record whose host and value belong to different requests.
pub(super) fn of_two_requests(record: &GivenRecord, candidate: &SelectedRequest) -> Finding {
    let message = format!(
        "the host of the given record belongs to {}, its value to another CSR: {}",
        candidate.shown, record.value
    );
    let labels = record::target_labels(&candidate.request);
    Finding::error("record-from-another-request", message)
        .with_step(dcv_check_command::value_starts_with(&labels))
}
