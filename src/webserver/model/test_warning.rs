//! Warnings in the output of a server's own test that succeeded.

use std::path::{Path, PathBuf};

use super::complaint::names_path;

/// The most warnings that are reported.
const MOST: usize = 10;

/// The ends of the files that HAProxy loads next to a certificate.
const NEXT_TO_CERTIFICATE: [&str; 4] = ["issuer", "key", "ocsp", "sctl"];

/// Returns the lines of `output` that are warnings and name one of these files, or a file that
/// HAProxy loads next to one. Untrusted text.
#[must_use]
pub(crate) fn warnings_naming(output: &str, paths: &[PathBuf]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in output.lines().map(str::trim) {
        let is_new = !found.iter().any(|known| known == line);
        let names_any = || paths.iter().any(|path| names_file_of(line, path));
        if found.len() < MOST && is_new && is_warning(line) && names_any() {
            found.push(line.to_owned());
        }
    }
    found
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

fn names_file_of(line: &str, path: &Path) -> bool {
    let text = path.display().to_string();
    let mut neighbors = NEXT_TO_CERTIFICATE
        .iter()
        .map(|end| PathBuf::from(format!("{text}.{end}")));
    names_path(line, path) || neighbors.any(|neighbor| names_path(line, &neighbor))
}

#[cfg(test)]
mod tests {
    use super::warnings_naming;

    #[test]
    fn only_warnings_that_name_our_files_are_reported() {
        let output = "nginx: [warn] \"ssl_stapling\" ignored, no OCSP responder URL in the certificate \"/etc/ssl/a.pem\"\n\
            nginx: [warn] \"ssl_stapling\" ignored, no OCSP responder URL in the certificate \"/etc/ssl/b.pem\"\n\
            nginx: the configuration file /etc/ssl/a.pem syntax is ok\n\
            [WARNING]  (7) : Loading: OCSP response ignored: '/etc/ssl/a.pem.ocsp'.\n\
            [WARNING]  (7) : '/etc/ssl/a.pem.old' is unused.\n\
            AH02217: cannot retrieve the issuer of /etc/ssl/a.pem\n";
        let found = warnings_naming(output, &["/etc/ssl/a.pem".into()]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("nginx: [warn]"), "{found:?}");
        assert!(found[1].starts_with("[WARNING]"), "{found:?}");
        assert!(found[2].starts_with("AH02217"), "{found:?}");
        let twice = output.repeat(2);
        assert_eq!(warnings_naming(&twice, &["/etc/ssl/a.pem".into()]), found);
        assert!(warnings_naming(output, &[]).is_empty());
    }
}
