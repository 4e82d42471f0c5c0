//! Warnings in the output of a server's own test that succeeded.

use std::path::{Path, PathBuf};

use super::complaint::names_path;

/// The most warnings that are kept, and the most that are reported.
const KEPT: usize = 200;
const REPORTED: usize = 10;

/// The ends of the files that HAProxy loads next to a certificate.
const NEXT_TO_CERTIFICATE: [&str; 4] = ["issuer", "key", "ocsp", "sctl"];

/// Returns the lines of a test's output that are warnings, each once, without process ids. Untrusted
/// text.
#[must_use]
pub(crate) fn test_warnings(output: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in output.lines().filter(|line| is_warning(line)) {
        let line = without_process_id(line);
        if found.len() < KEPT && !found.contains(&line) {
            found.push(line);
        }
    }
    found
}

/// Returns the warnings that concern a certificate: those that name one of its files or a file that
/// HAProxy loads next to one, and those that the test before the installation (`before`) did not
/// print.
#[must_use]
pub(crate) fn warnings_about(
    warnings: Vec<String>,
    paths: &[PathBuf],
    before: Option<&[String]>,
) -> Vec<String> {
    let is_new = |line: &String| before.is_some_and(|before| !before.contains(line));
    let names_any = |line: &String| paths.iter().any(|path| names_file_of(line, path));
    let mut about = warnings;
    about.retain(|line| names_any(line) || is_new(line));
    about.truncate(REPORTED);
    about
}

/// Whether a line has the level of a warning in nginx, HAProxy or Apache, where each message has a
/// number (`AH02217`).
fn is_warning(line: &str) -> bool {
    ["[warn]", "[WARNING]", "[ALERT]"]
        .iter()
        .any(|level| line.contains(level))
        || line.match_indices("AH").any(|(at, _)| {
            let digits = line.get(at + 2..at + 7).unwrap_or_default();
            digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// HAProxy prints the id of its process in each line: `[WARNING]  (4711) : text`.
fn without_process_id(line: &str) -> String {
    let is_id = |word: &&str| {
        let id = word
            .strip_prefix('(')
            .and_then(|word| word.strip_suffix(')'));
        !id.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let words: Vec<&str> = line.split_whitespace().filter(is_id).collect();
    words.join(" ")
}

fn names_file_of(line: &str, path: &Path) -> bool {
    let text = path.display().to_string();
    let mut neighbors = NEXT_TO_CERTIFICATE
        .iter()
        .map(|end| PathBuf::from(format!("{text}.{end}")));
    names_path(line, path) || neighbors.any(|neighbor| names_path(line, &neighbor))
}

#[cfg(test)]
mod tests {
    use super::{test_warnings, warnings_about};

    const OUTPUT: &str = "nginx: [warn] \"ssl_stapling\" ignored, no OCSP responder URL in the certificate \"/etc/ssl/a.pem\"
        nginx: [warn] \"ssl_stapling\" ignored, no OCSP responder URL in the certificate \"/etc/ssl/b.pem\"
        nginx: the configuration file /etc/ssl/a.pem syntax is ok
        [WARNING]  (7) : Loading: OCSP response ignored: '/etc/ssl/a.pem.ocsp'.
        [WARNING]  (7) : '/etc/ssl/a.pem.old' is unused.
        AH02217: cannot retrieve the issuer of /etc/ssl/a.pem";

    #[test]
    fn warnings_are_listed_once_and_without_process_ids() {
        let found = test_warnings(OUTPUT);
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(
            found[2],
            "[WARNING] : Loading: OCSP response ignored: '/etc/ssl/a.pem.ocsp'."
        );
        assert_eq!(
            test_warnings(&format!("{OUTPUT}\n{}", OUTPUT.replace("(7)", "(8)"))),
            found
        );
        assert_eq!(test_warnings("Syntax OK\nAHA12345"), [""; 0]);
    }

    #[test]
    fn only_warnings_about_our_files_or_new_ones_are_reported() {
        let all = test_warnings(OUTPUT);
        let ours = warnings_about(all.clone(), &["/etc/ssl/a.pem".into()], Some(&all));
        assert_eq!(ours, [&all[0][..], &all[2], &all[4]]);
        assert!(warnings_about(all.clone(), &[], Some(&all)).is_empty());
        assert!(warnings_about(all.clone(), &[], None).is_empty());
        let before = &all[..3];
        assert_eq!(warnings_about(all.clone(), &[], Some(before)), all[3..]);
    }
}
