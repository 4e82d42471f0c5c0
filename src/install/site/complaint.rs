//! What a server's failing test says, read by its profile.

/// What a failing test is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The pair, or a part of it, is not there.
    PairMissing,
    /// The pair is there and cannot be loaded: no PEM, or key and certificate do not belong together.
    PairBroken,
    /// The pair is there and the server may not read it.
    PairUnreadable,
    /// Another reason.
    Other,
}

/// A failing test in the server's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// Who is to blame.
    pub blame: Blame,
    /// The lines that say so, without the server's prefix. Foreign text.
    pub lines: Vec<String>,
}

/// Where no line is known to be the complaint (another server's words, a crash): the last few.
#[must_use]
pub fn last_words(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].iter().map(|&line| line.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn the_last_five_lines() {
        assert_eq!(last_words("a\n\nb\nc\nd\ne\nf \n"), ["b", "c", "d", "e", "f"]);
    }
}
