//! What a server's failing test says, read by its profile.

use std::path::Path;

/// What a failing test is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ComplaintSubject {
    /// The pair, or a part of it, is not there.
    PairMissing,
    /// The pair is there and cannot be loaded: no PEM, or key and certificate do not belong
    /// together.
    PairBroken,
    /// The pair is there and the server may not read it.
    PairUnreadable,
    /// The complaint is about something else.
    Other,
}

/// A failing test in the server's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerComplaint {
    /// Who is to blame.
    pub blame: ComplaintSubject,
    /// The lines that say so, without the server's prefix. Foreign text.
    pub lines: Vec<String>,
}

/// Where no line is known to be the complaint (another server's words, a crash): the last few.
#[must_use]
pub(crate) fn last_words(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(5)..]
        .iter()
        .map(|&line| line.to_owned())
        .collect()
}

/// Whether a server's words name this very path, however they quote it.
#[must_use]
pub(crate) fn names_path(output: &str, path: &Path) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    let path = path.display().to_string();
    let alone = |(at, _): (usize, &str)| {
        let (before, after) = (&output[..at], &output[at + path.len()..]);
        // A full stop ends a sentence as often as it begins an extension.
        let mut after = after.chars();
        let ends = after
            .next()
            .is_none_or(|c| !goes_on(c) || c == '.' && after.next().is_none_or(|c| !goes_on(c)));
        ends && !before.ends_with(goes_on)
    };
    !path.is_empty() && output.match_indices(&path).any(alone)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{last_words, names_path};

    #[test]
    fn a_path_is_named_when_it_is_that_one() {
        for (output, named) in [
            ("cannot load certificate \"/etc/a.pem\": BIO", true),
            ("file '/etc/a.pem', line 3", true),
            ("unable to load /etc/a.pem.", true),
            ("/etc/a.pem: no start line", true),
            ("cannot load \"/etc/a.pem.old\"", false),
            ("cannot load \"/srv/etc/a.pem\"", false),
            ("cannot load \"/etc/a.pem2\"", false),
            ("", false),
        ] {
            assert_eq!(
                names_path(output, Path::new("/etc/a.pem")),
                named,
                "{output}"
            );
        }
    }

    #[test]
    fn the_last_five_lines() {
        assert_eq!(
            last_words("a\n\nb\nc\nd\ne\nf \n"),
            ["b", "c", "d", "e", "f"]
        );
    }
}
