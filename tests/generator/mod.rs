//! Makes deliveries at run time: what CAs send, what mail programs, editors and people make of it,
//! what is none, and what means harm. Every row says what must come of it.

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

/// What must come of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Must {
    /// The one right chain file, byte for byte: leaf and intermediate.
    Give,
    /// A judgement (exit 1): read, and not written.
    Judge,
    /// A refusal (exit 3): nothing of use in it, or hostile.
    Refuse,
}

/// One delivery.
pub struct Row {
    pub name: String,
    /// In the folder `in`, in this order on the command line.
    pub files: Vec<(String, Vec<u8>)>,
    pub stdin: Option<Vec<u8>>,
    /// What is passed in place of the files.
    pub typed: Option<Vec<&'static str>>,
    pub must: Must,
    /// It wants to use up memory: it is measured.
    pub greedy: bool,
}

impl Row {
    pub fn new(must: Must, name: impl Into<String>, files: Vec<(&str, Vec<u8>)>) -> Self {
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .collect();
        Self {
            name: name.into(),
            files,
            stdin: None,
            typed: None,
            must,
            greedy: false,
        }
    }

    /// Of one file.
    pub fn one(must: Must, name: impl Into<String>, file: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(must, name, vec![(file, bytes.into())])
    }

    pub fn typed(mut self, words: &[&'static str]) -> Self {
        self.typed = Some(words.to_vec());
        self
    }

    pub fn greedy(mut self) -> Self {
        self.greedy = true;
        self
    }
}

/// All of them.
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
    /// A further file that is not passed.
    pub fn with_file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }
}
