//! The tables of messages, as read from the `.toml` files.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The files of problems.
const FILES: [&str; 7] = [
    include_str!("chains.toml"),
    include_str!("files.toml"),
    include_str!("handshakes.toml"),
    include_str!("names_and_dates.toml"),
    include_str!("providers.toml"),
    include_str!("servers.toml"),
    include_str!("validation.toml"),
];
const PROGRAMS: &str = include_str!("programs.toml");

/// A program whose messages are known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageSource {
    /// The key in the tables of texts.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// Where the texts were taken from.
    pub source: String,
}

/// What several messages mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    /// Kebab-case, unique, stable.
    pub name: String,
    /// One sentence without a capital and a full stop.
    pub meaning: String,
    /// The likely causes, most likely first.
    #[serde(rename = "cause")]
    pub causes: Vec<ProblemCause>,
    /// Texts that mean this and nothing else, by program; `…` stands for any text.
    #[serde(default)]
    pub texts: BTreeMap<String, Vec<String>>,
    /// Texts that stand beside others which say more, by program.
    #[serde(default)]
    pub general: BTreeMap<String, Vec<String>>,
}

/// A cause of a problem.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProblemCause {
    /// Whole sentences.
    pub what: String,
    /// The command that shows whether the cause applies. HOST, NAME, FILE, KEY and PROVIDER stand
    /// for values of the reader.
    pub check: String,
    /// Whole sentences, with commands in backticks.
    pub fix: String,
    /// The findings of certctl by which it recognizes the cause.
    pub codes: Vec<String>,
}

/// All problems and programs.
#[derive(Debug)]
pub(crate) struct ErrorTable {
    /// The problems, in the order of the files.
    pub problems: Vec<Problem>,
    programs: Vec<MessageSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProblemFile {
    problem: Vec<Problem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramFile {
    program: Vec<MessageSource>,
}

impl ErrorTable {
    /// Reads the tables that are part of the program.
    ///
    /// # Errors
    /// One of them is no TOML or has unknown fields, which a test excludes.
    pub(crate) fn read() -> Result<Self, toml::de::Error> {
        let mut problems = Vec::new();
        for file in FILES {
            let file: ProblemFile = toml::from_str(file)?;
            problems.extend(file.problem);
        }
        let programs: ProgramFile = toml::from_str(PROGRAMS)?;
        Ok(Self {
            problems,
            programs: programs.program,
        })
    }

    /// The program with this key.
    #[must_use]
    pub(crate) fn program(&self, id: &str) -> Option<&MessageSource> {
        self.programs.iter().find(|program| program.id == id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ErrorTable;
    use crate::code_table;

    /// What stands between backticks.
    fn quoted(text: &str) -> impl Iterator<Item = &str> {
        text.split('`').skip(1).step_by(2)
    }

    #[test]
    fn every_problem_is_complete_and_every_text_has_a_source() {
        let table = ErrorTable::read().unwrap();
        let mut names = BTreeSet::new();
        let mut used = BTreeSet::new();
        for problem in &table.problems {
            let name = &problem.name;
            assert!(names.insert(name), "{name} has two rows");
            assert!(!problem.meaning.ends_with('.'), "{name}");
            assert!(!problem.causes.is_empty(), "{name}");
            for cause in &problem.causes {
                assert!(cause.what.ends_with('.'), "{name}: {}", cause.what);
                assert!(cause.fix.ends_with('.'), "{name}: {}", cause.fix);
                for line in [cause.check.as_str()].into_iter().chain(quoted(&cause.fix)) {
                    assert!(line.chars().count() <= 68, "{name}: {line}");
                }
                assert!(cause.fix.matches('`').count().is_multiple_of(2), "{name}");
                for code in &cause.codes {
                    let is_known = code_table::entries().any(|entry| entry.code == code);
                    assert!(is_known, "{name}: {code}");
                }
            }
            for program in problem.texts.keys().chain(problem.general.keys()) {
                assert!(table.program(program).is_some(), "{name}: {program}");
                used.insert(program.clone());
            }
        }
        assert_eq!(used.len(), table.programs.len(), "a program has no text");
    }
}
