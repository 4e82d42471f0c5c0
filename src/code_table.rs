//! Every word that scripts may match on, with its meaning: codes of findings, verdicts, states,
//! kinds of errors, exit codes. `certctl explain` answers from this table, the pages of
//! docs/reference are generated from it, and the tests compare it with everything that the program
//! prints.

mod applications;
mod caa;
mod certificates;
mod deployment;
mod dns;
mod doctor;
mod drift;
mod entry;
mod exit_codes;
mod failures;
mod formats;
mod installation;
mod keys_and_chains;
mod lookup;
mod operations;
mod orders;
mod proofs;
mod publishing;
mod record_caa;
mod reference;
mod renamed;
mod requests;
mod sections;
mod served_evidence;
mod sites;
mod states;
mod status;
mod topics;
mod unusable_files;
mod validation_records;
mod verdicts;
mod web_and_mail;

pub use entry::{CodeEntry, CodeKind};
pub(crate) use lookup::{CodeLookup, look_up, similar_codes};
pub use reference::pages;
pub use renamed::{RENAMED_WORDS, RenamedKind, RenamedWord};
pub(crate) use sections::sections;
pub use sections::{entries, find, validation_findings};

#[cfg(test)]
mod tests {
    use super::{CodeEntry, CodeKind, RENAMED_WORDS, RenamedKind, entries, find, sections};

    #[test]
    fn rows_are_sorted_and_unique() {
        for section in sections() {
            let is_sorted = section
                .rows
                .windows(2)
                .all(|neighbours| neighbours[0].code < neighbours[1].code);
            let is_numeric = section.rows[0].kind == CodeKind::ExitCode;
            assert!(is_sorted || is_numeric, "{}", section.title);
        }
        let mut keys = Vec::new();
        for entry in entries() {
            let key = (entry.kind.name(), entry.code);
            assert!(!keys.contains(&key), "{key:?} has two rows");
            keys.push(key);
        }
    }

    #[test]
    fn rows_say_what_it_means_why_it_matters_and_what_to_do() {
        for entry in entries() {
            let is_phrase = |text: &str| !text.is_empty() && !text.ends_with('.');
            assert!(is_phrase(entry.meaning), "{entry:?}");
            let needs_reason = matches!(
                entry.kind,
                CodeKind::ExitCode | CodeKind::Failure | CodeKind::Finding
            );
            for text in [entry.why, entry.fix] {
                assert!(!needs_reason || !text.is_empty(), "{entry:?}");
                assert!(text.is_empty() || text.ends_with('.'), "{entry:?}");
            }
            for text in [entry.meaning, entry.why, entry.fix, entry.source] {
                assert!(!text.contains(['\n', '|']), "{entry:?}");
                assert!(!text.contains("  "), "{entry:?}");
                assert!(text.matches('`').count() % 2 == 0, "{entry:?}");
            }
            assert!(fits_a_terminal(entry), "{entry:?}");
        }
    }

    /// Whether what is never broken (a line of the example, text between backticks) fits into 80
    /// columns where `certctl explain` prints it.
    fn fits_a_terminal(entry: &CodeEntry) -> bool {
        let is_short = |text: &str, indent: usize| text.chars().count() + indent <= 80;
        let quoted = [entry.meaning, entry.why, entry.fix]
            .into_iter()
            .flat_map(|text| text.split('`').skip(1).step_by(2));
        quoted.into_iter().all(|text| is_short(text, 12))
            && entry.example.lines().all(|line| is_short(line, 12))
    }

    #[test]
    fn a_renamed_code_has_a_row_under_its_new_name_only() {
        for renamed in RENAMED_WORDS {
            assert_ne!(renamed.old, renamed.new);
            if let RenamedKind::Code(kind) = renamed.kind {
                assert!(find(kind, renamed.new).is_some(), "{renamed:?}");
                assert!(find(kind, renamed.old).is_none(), "{renamed:?}");
            }
        }
    }
}
