//! The sections of the table, in the order of the reference.

use super::entry::{CodeEntry, CodeKind};
use super::{
    applications, caa, certificates, deployment, dns, doctor, drift, exit_codes, failures, formats,
    installation, keys_and_chains, operations, orders, proofs, publishing, record_caa, requests,
    served_evidence, sites, states, status, topics, unusable_files, validation_records, verdicts,
    web_and_mail,
};

/// Rows that belong together, under one heading of the reference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeSection {
    /// The heading.
    pub title: &'static str,
    /// The rows, sorted by code; exit codes by number.
    pub rows: &'static [CodeEntry],
}

const fn section(title: &'static str, rows: &'static [CodeEntry]) -> CodeSection {
    CodeSection { title, rows }
}

/// The sections in the order of the reference.
static SECTIONS: [CodeSection; 27] = [
    section("Exit codes", exit_codes::ROWS),
    section("Verdicts", verdicts::ROWS),
    section("Proof of an installation", proofs::ROWS),
    section("States of `status`", states::ROWS),
    section("CAA verdicts of a validation record", record_caa::ROWS),
    section("Kinds of errors", failures::ROWS),
    section("Requests", requests::ROWS),
    section("Validation records", validation_records::ROWS),
    section("Name servers and DNSSEC", dns::ROWS),
    section("CAA records", caa::ROWS),
    section("Published records", publishing::ROWS),
    section("Orders", orders::ROWS),
    section("Validation by file and by email", web_and_mail::ROWS),
    section("Keys and chains", keys_and_chains::ROWS),
    section("Certificates", certificates::ROWS),
    section("Form of a file", formats::ROWS),
    section("Files that cannot be used", unusable_files::ROWS),
    section("Installation", installation::ROWS),
    section("Links and copies", deployment::ROWS),
    section(
        "What servers send after an installation",
        served_evidence::ROWS,
    ),
    section("Sites", sites::ROWS),
    section("Applications", applications::ROWS),
    section("Diagnosis", doctor::ROWS),
    section("Hooks, approval and audit", operations::ROWS),
    section("Changes after an installation", drift::ROWS),
    section("Status and renewal", status::ROWS),
    section("Topics", topics::ROWS),
];

/// Returns all sections.
#[must_use]
pub(crate) fn sections() -> &'static [CodeSection] {
    &SECTIONS
}

/// All rows, section by section.
pub fn entries() -> impl Iterator<Item = &'static CodeEntry> {
    SECTIONS.iter().flat_map(|section| section.rows)
}

/// The rows of the findings about domain validation.
pub fn validation_findings() -> impl Iterator<Item = &'static CodeEntry> {
    [
        validation_records::ROWS,
        dns::ROWS,
        caa::ROWS,
        web_and_mail::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Returns the row of `code` among those of `kind`.
#[must_use]
pub fn find(kind: CodeKind, code: &str) -> Option<&'static CodeEntry> {
    entries().find(|entry| entry.kind == kind && entry.code == code)
}
