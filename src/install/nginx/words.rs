//! What a failing `nginx -t` says, and whether a given pair is to blame. nginx stops at its first error, so this tells
//! of that one: a configuration whose pair is mended can still fail for another reason.

use std::path::Path;

/// What a failing test is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The pair, or a part of it, is not there.
    PairMissing,
    /// The pair is there and cannot be loaded: no PEM, or key and certificate do not belong together.
    PairBroken,
    /// The pair is there and nginx may not read it.
    PairUnreadable,
    /// Another reason.
    Other,
}

/// A failing test in nginx's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// Who is to blame.
    pub blame: Blame,
    /// The lines that say so, without nginx's prefix. Foreign text.
    pub lines: Vec<String>,
}

impl Complaint {
    /// Reads the output of a failing test; `paths` are those of the pair, as the configuration names them.
    #[must_use]
    pub fn read(output: &str, paths: &[&Path]) -> Self {
        let lines: Vec<String> = output.lines().filter_map(emergency).collect();
        let blame = match lines.as_slice() {
            [line] if paths.iter().any(|path| line.contains(&format!("\"{}\"", path.display()))) => about(line),
            _ => Blame::Other,
        };
        let lines = if lines.is_empty() { last_words(output) } else { lines };
        Self { blame, lines }
    }
}

/// `nginx: [emerg] ...`, or a line of an error log: `2026/11/23 10:00:00 [emerg] 1#1: ...`.
fn emergency(line: &str) -> Option<String> {
    let (_, said) = line.split_once("[emerg] ")?;
    let logged = said.split_once(": ").filter(|(id, _)| id.contains('#') && !id.contains(' '));
    Some(logged.map_or(said, |(_, said)| said).trim().to_owned())
}

fn about(line: &str) -> Blame {
    let loading = ["cannot load certificate", "SSL_CTX_use_", "BIO_new_file(", "PEM_read_bio"];
    if !loading.iter().any(|words| line.contains(words)) {
        Blame::Other
    } else if line.contains("No such file or directory") {
        Blame::PairMissing
    } else if line.contains("Permission denied") {
        Blame::PairUnreadable
    } else {
        Blame::PairBroken
    }
}

/// Where nothing is an emergency (another server's words, a crash): the last few lines.
fn last_words(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].iter().map(|&line| line.to_owned()).collect()
}
