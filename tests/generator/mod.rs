//! Generates deliveries at run time: files as CAs send them, as mail programs, editors and people
//! change them, files of other kinds, and hostile ones. Every row states the expected outcome.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "test support"
)]
pub mod chains;
pub mod damages;
pub mod encode;
pub mod hostile;
pub mod layouts;
pub mod mails;
pub mod others;
pub mod world;
pub mod wrappings;

pub use world::World;

/// The expected outcome of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExpectedOutcome {
    /// The correct chain file, byte for byte: leaf and intermediate.
    Chain,
    /// The files are read and judged wrong (exit 1), and no chain file is written.
    Invalid,
    /// The files are refused (exit 3): nothing usable in them, or hostile.
    Refused,
}

/// One delivery and its expected outcome.
pub struct Row {
    pub name: String,
    /// The files in the folder `in`, in their order on the command line.
    pub files: Vec<(String, Vec<u8>)>,
    pub stdin: Option<Vec<u8>>,
    /// Arguments to pass instead of the files.
    pub arguments: Option<Vec<&'static str>>,
    pub expected: ExpectedOutcome,
    /// Whether it is designed to use up memory, so that the memory is measured.
    pub greedy: bool,
}

impl Row {
    pub fn new(
        expected: ExpectedOutcome,
        name: impl Into<String>,
        files: Vec<(&str, Vec<u8>)>,
    ) -> Self {
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .collect();
        Self {
            name: name.into(),
            files,
            stdin: None,
            arguments: None,
            expected,
            greedy: false,
        }
    }

    /// Creates a row with one file.
    pub fn one(
        expected: ExpectedOutcome,
        name: impl Into<String>,
        file: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Self {
        Self::new(expected, name, vec![(file, bytes.into())])
    }

    pub fn arguments(mut self, words: &[&'static str]) -> Self {
        self.arguments = Some(words.to_vec());
        self
    }

    pub fn greedy(mut self) -> Self {
        self.greedy = true;
        self
    }
}

/// Returns all rows.
pub fn rows(world: &World) -> Vec<Row> {
    let all = [
        layouts::rows,
        wrappings::rows,
        mails::rows,
        damages::rows,
        others::rows,
        chains::rows,
        hostile::rows,
    ];
    all.iter().flat_map(|rows| rows(world)).collect()
}

impl Row {
    /// Adds a file that is not passed on the command line.
    pub fn with_file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }
}
