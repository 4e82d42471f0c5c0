//! Every word that scripts may match on, with its meaning: codes of findings, verdicts, states,
//! kinds of failures, exit codes. docs/reference/codes.md is generated from this table, and the
//! tests compare it with everything that they see printed.

mod certificates;
mod dcv;
mod entry;
mod files;
mod installation;

use std::fmt::Write;

pub use entry::{CodeEntry, CodeKind};

const fn word(kind: CodeKind, code: &'static str, meaning: &'static str) -> CodeEntry {
    CodeEntry::new(kind, code, meaning, "")
}

static EXIT_CODES: [CodeEntry; 9] = [
    word(CodeKind::ExitCode, "0", "done, or checked and right"),
    word(
        CodeKind::ExitCode,
        "1",
        "read, and judged wrong or incomplete; nothing was harmed",
    ),
    word(CodeKind::ExitCode, "2", "command-line error"),
    word(
        CodeKind::ExitCode,
        "3",
        "not found, or not what was asked for: missing, malformed, hostile, ambiguous",
    ),
    word(
        CodeKind::ExitCode,
        "4",
        "machine or network: permissions, full disk, DNS servers that do not answer, lock held",
    ),
    word(
        CodeKind::ExitCode,
        "5",
        "failed after the switch and rolled back: the site is as it was",
    ),
    word(
        CodeKind::ExitCode,
        "6",
        "failed and not fully rolled back: the output lists what is restored and what is not",
    ),
    word(CodeKind::ExitCode, "130", "interrupted by SIGINT"),
    word(CodeKind::ExitCode, "143", "interrupted by SIGTERM"),
];

static FAILURES: [CodeEntry; 11] = [
    word(
        CodeKind::Failure,
        "ambiguous",
        "several things fit what was asked for (exit 3)",
    ),
    word(
        CodeKind::Failure,
        "exists",
        "something is in the way and is never overwritten (exit 3)",
    ),
    word(
        CodeKind::Failure,
        "hostile",
        "the input exceeds a limit that honest files never reach (exit 3)",
    ),
    word(
        CodeKind::Failure,
        "internal",
        "an error in certctl itself (exit 4)",
    ),
    word(
        CodeKind::Failure,
        "interrupted",
        "a signal ended the run (exit 128 + its number)",
    ),
    word(
        CodeKind::Failure,
        "io",
        "a file, the disk or a program failed (exit 4)",
    ),
    word(
        CodeKind::Failure,
        "lock-held",
        "another certctl holds the lock (exit 4)",
    ),
    word(
        CodeKind::Failure,
        "malformed",
        "the input cannot be read as what it should be (exit 3)",
    ),
    word(
        CodeKind::Failure,
        "network",
        "a server cannot be reached or does not answer (exit 4)",
    ),
    word(
        CodeKind::Failure,
        "not-found",
        "what was asked for does not exist (exit 3)",
    ),
    word(
        CodeKind::Failure,
        "usage",
        "the command line is wrong (exit 2)",
    ),
];

static PROOFS: [CodeEntry; 3] = [
    word(
        CodeKind::Proof,
        "files",
        "the files are in place, and there was nothing to probe",
    ),
    word(
        CodeKind::Proof,
        "live",
        "verified at every address where the names are answered",
    ),
    word(CodeKind::Proof, "none", "a dry run, not served, or failed"),
];

static RECORD_CAA: [CodeEntry; 9] = [
    word(CodeKind::RecordCaa, "allowed", "CAA records allow the CA"),
    word(
        CodeKind::RecordCaa,
        "ca-unknown",
        "the name that identifies the CA in CAA records is not known",
    ),
    word(
        CodeKind::RecordCaa,
        "failed",
        "the CAA records could not be looked up",
    ),
    word(
        CodeKind::RecordCaa,
        "forbidden",
        "CAA records do not allow the CA",
    ),
    word(
        CodeKind::RecordCaa,
        "free",
        "no CAA records exist, so every CA may issue",
    ),
    word(
        CodeKind::RecordCaa,
        "needs-ca",
        "CAA records exist, and no CA was given to compare them with",
    ),
    word(
        CodeKind::RecordCaa,
        "not-queried",
        "not looked up, because no server answered for the record",
    ),
    word(
        CodeKind::RecordCaa,
        "some",
        "CAA records allow one of the CAs that the reseller may use, but not all",
    ),
    word(
        CodeKind::RecordCaa,
        "with-parameters",
        "CAA records allow the CA for certain accounts or validation methods",
    ),
];

static STATES: [CodeEntry; 7] = [
    word(
        CodeKind::State,
        "installed",
        "a server's configuration names it, or certctl installed it; it was not seen to be served",
    ),
    word(
        CodeKind::State,
        "key-missing",
        "a certificate whose key was not found",
    ),
    word(
        CodeKind::State,
        "pending",
        "a request without a certificate",
    ),
    word(
        CodeKind::State,
        "ready",
        "certificate and key exist, and no server uses them",
    ),
    word(CodeKind::State, "served", "a server serves it"),
    word(
        CodeKind::State,
        "superseded",
        "another certificate for the same names replaced it",
    ),
    word(
        CodeKind::State,
        "unused-key",
        "a key with neither request nor certificate",
    ),
];

static VERDICTS: [CodeEntry; 23] = [
    word(
        CodeKind::Verdict,
        "absent",
        "dcv-check: the record does not exist",
    ),
    word(
        CodeKind::Verdict,
        "as-expected",
        "rehearse: every step went as expected",
    ),
    word(
        CodeKind::Verdict,
        "different",
        "dcv-check: the record has another value",
    ),
    word(
        CodeKind::Verdict,
        "due",
        "status: a certificate should be renewed now",
    ),
    word(
        CodeKind::Verdict,
        "files",
        "install, rollback: the files are in place, and there was nothing to probe",
    ),
    word(CodeKind::Verdict, "fine", "status: nothing to do"),
    word(
        CodeKind::Verdict,
        "forgotten",
        "forget: the links are plain files, and certctl no longer manages them",
    ),
    word(
        CodeKind::Verdict,
        "live",
        "install, rollback: in place and verified at every address",
    ),
    word(
        CodeKind::Verdict,
        "not-served",
        "install, rollback: in place, and no server serves it yet",
    ),
    word(
        CodeKind::Verdict,
        "nothing-due",
        "renew: no certificate is due",
    ),
    word(
        CodeKind::Verdict,
        "planned",
        "a dry run: the plan could run, and nothing was changed",
    ),
    word(
        CodeKind::Verdict,
        "prepared",
        "renew: the next request is prepared",
    ),
    word(
        CodeKind::Verdict,
        "refused",
        "install, rollback, forget: refused before anything was changed",
    ),
    word(
        CodeKind::Verdict,
        "right",
        "bundle, verify: everything that was checked is right",
    ),
    word(
        CodeKind::Verdict,
        "rollback-failed",
        "install, rollback: failed after the switch, and not everything was rolled back",
    ),
    word(
        CodeKind::Verdict,
        "rolled-back",
        "install, rollback: failed after the switch and rolled back",
    ),
    word(
        CodeKind::Verdict,
        "unchanged",
        "install, rollback: already installed",
    ),
    word(
        CodeKind::Verdict,
        "unchecked",
        "dcv-check: a record from this request exists, and its unique value was never compared",
    ),
    word(
        CodeKind::Verdict,
        "unexpected",
        "rehearse: a step did not go as expected",
    ),
    word(
        CodeKind::Verdict,
        "unreachable",
        "dcv-check: no server answered, or not all of them",
    ),
    word(
        CodeKind::Verdict,
        "visible",
        "dcv-check: the CA would see the record",
    ),
    word(
        CodeKind::Verdict,
        "wrong",
        "bundle, verify, status: something is wrong",
    ),
    word(
        CodeKind::Verdict,
        "wrong-place",
        "dcv-check: the record is at a name that the CA does not query",
    ),
];

/// The sections of docs/reference/codes.md, in its order.
static SECTIONS: [(&str, &[CodeEntry]); 10] = [
    ("Exit codes", &EXIT_CODES),
    ("Verdicts", &VERDICTS),
    ("Proof of an installation", &PROOFS),
    ("States of `status`", &STATES),
    ("CAA of a validation record", &RECORD_CAA),
    ("Kinds of errors", &FAILURES),
    ("Findings: domain validation", &dcv::ROWS),
    ("Findings: files, keys and chains", &files::ROWS),
    ("Findings: certificates and requests", &certificates::ROWS),
    ("Findings: installation", &installation::ROWS),
];

/// All rows, section by section.
pub fn entries() -> impl Iterator<Item = &'static CodeEntry> {
    SECTIONS.iter().flat_map(|(_, rows)| rows.iter())
}

/// Returns the rows of the findings about domain validation.
#[must_use]
pub fn validation_findings() -> &'static [CodeEntry] {
    &dcv::ROWS
}

/// Returns the row of `code` among those of `kind`.
#[must_use]
pub fn find(kind: CodeKind, code: &str) -> Option<&'static CodeEntry> {
    entries().find(|entry| entry.kind == kind && entry.code == code)
}

/// Returns docs/reference/codes.md as this table has it.
#[must_use]
pub fn markdown() -> String {
    let mut page = "# Codes\n\nEvery word that a script may match on. This page is generated from \
                    the program's own table.\n"
        .to_owned();
    for (title, rows) in &SECTIONS {
        let fixes = rows.iter().any(|row| !row.fix.is_empty());
        let head = if fixes {
            "| code | meaning | what helps |\n|---|---|---|\n"
        } else {
            "| code | meaning |\n|---|---|\n"
        };
        // Writing to a String never fails.
        let _ = write!(page, "\n## {title}\n\n{head}");
        for row in *rows {
            let _ = write!(page, "| `{}` | {} |", row.code, row.meaning);
            let _ = if fixes {
                writeln!(page, " {} |", row.fix)
            } else {
                writeln!(page)
            };
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{CodeKind, SECTIONS, entries};

    #[test]
    fn rows_are_sorted_and_unique_and_say_something() {
        for (title, rows) in &SECTIONS {
            let by_code = rows.windows(2).all(|pair| pair[0].code < pair[1].code);
            assert!(by_code || rows[0].kind == CodeKind::ExitCode, "{title}");
        }
        let mut seen = Vec::new();
        for entry in entries() {
            let key = (format!("{:?}", entry.kind), entry.code);
            assert!(!seen.contains(&key), "{key:?} is there twice");
            seen.push(key);
            let plain = |text: &str| !text.ends_with('.') && !text.contains(['|', '\n']);
            assert!(
                !entry.meaning.is_empty() && plain(entry.meaning),
                "{entry:?}"
            );
            assert!(plain(entry.fix), "{entry:?}");
            assert_eq!(
                entry.kind == CodeKind::Finding,
                !entry.fix.is_empty(),
                "{entry:?}"
            );
        }
    }
}
