//! The complaint of a server's failed test, in the form that all dialects share.

use std::path::Path;

/// What a failed test is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ComplaintSubject {
    /// The certificate or its key is missing.
    FilesMissing,
    /// The certificate or its key cannot be loaded: it is not PEM, or the two do not match.
    FilesBroken,
    /// The server is not permitted to read the certificate or its key.
    FilesUnreadable,
    /// Something other than the certificate.
    Other,
}

/// The complaint of a failed test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerComplaint {
    /// What the complaint is about.
    pub subject: ComplaintSubject,
    /// The server's lines about it, without its prefix. Untrusted text.
    pub lines: Vec<String>,
}

/// The last five lines of an output in which no line is known to be the complaint (another program,
/// a crash).
#[must_use]
pub(crate) fn last_lines(output: &str) -> Vec<String> {
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

/// Returns whether a server's output names exactly this path, in any quotes.
#[must_use]
pub(crate) fn names_path(output: &str, path: &Path) -> bool {
    let path = path.display().to_string();
    if path.is_empty() {
        return false;
    }
    output.match_indices(&path).any(|(at, _)| {
        let before = &output[..at];
        let after = &output[at + path.len()..];
        ends_path(after) && !before.ends_with(continues_path)
    })
}

fn continues_path(c: char) -> bool {
    c.is_alphanumeric() || "/._-".contains(c)
}

/// Returns whether a path is complete before `after`. A full stop may end a sentence or start an
/// extension.
fn ends_path(after: &str) -> bool {
    let sentence_end = after.strip_prefix('.').unwrap_or(after);
    !after.starts_with(continues_path) || !sentence_end.starts_with(continues_path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{last_lines, names_path};

    #[test]
    fn only_exact_paths_are_found_in_output() {
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
    fn only_the_last_five_lines_are_kept() {
        assert_eq!(
            last_lines("a\n\nb\nc\nd\ne\nf \n"),
            ["b", "c", "d", "e", "f"]
        );
    }
}
