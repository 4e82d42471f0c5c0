//! Reads the output of a failed `haproxy -c` and decides whether a given certificate is to blame.
//! HAProxy reports every line that fails.

use std::path::Path;

use crate::webserver::model::{ComplaintSubject, ServerComplaint, last_lines};

/// Reads the output of a failed test; `paths` are those of the certificate and its key, as the
/// configuration names them.
#[must_use]
pub(crate) fn complaint(output: &str, paths: &[&Path]) -> ServerComplaint {
    let mut lines: Vec<String> = output.lines().filter_map(alert).collect();
    lines.dedup();
    let mut about = Vec::new();
    for line in &lines {
        about.push(blame(line, paths));
    }
    let blame = match about.split_first() {
        Some((first, rest)) if rest.iter().all(|other| other == first) => *first,
        _ => ComplaintSubject::Other,
    };
    let lines = if lines.is_empty() {
        last_lines(output)
    } else {
        lines
    };
    ServerComplaint {
        subject: blame,
        lines,
    }
}

/// The message of `[ALERT]    (123) : config : parsing [FILE:LINE] : ...`; `None` for the summaries
/// at the end.
fn alert(line: &str) -> Option<String> {
    let (_, message) = line.strip_prefix("[ALERT]")?.split_once(" : ")?;
    let message = message.strip_prefix("config : ").unwrap_or(message).trim();
    let summaries = [
        "Error(s) found in configuration file",
        "Fatal errors found in configuration",
    ];
    let is_summary = summaries.iter().any(|start| message.starts_with(start));
    (!is_summary).then(|| message.to_owned())
}

fn blame(line: &str, paths: &[&Path]) -> ComplaintSubject {
    // The key may be in the certificate's file or next to it.
    let names_certificate = paths.iter().any(|path| {
        let path = path.display();
        line.contains(&format!("'{path}'")) || line.contains(&format!("'{path}.key'"))
    });
    if !names_certificate {
        return ComplaintSubject::Other;
    }
    for (words, blame) in [
        (
            "unable to stat SSL certificate",
            ComplaintSubject::FilesMissing,
        ),
        ("cannot open the file", ComplaintSubject::FilesUnreadable),
        ("No Private Key found", ComplaintSubject::FilesBroken),
        (
            "inconsistencies between private key",
            ComplaintSubject::FilesBroken,
        ),
        ("unable to load", ComplaintSubject::FilesBroken),
    ] {
        if line.contains(words) {
            return blame;
        }
    }
    ComplaintSubject::Other
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ComplaintSubject, complaint};

    #[test]
    fn complaints_are_attributed_to_the_certificate() {
        let at =
            "[ALERT]    (1) : config : parsing [/h.cfg:9] : 'bind :443' in section 'frontend' : ";
        let sums = "[ALERT]    (1) : config : Error(s) found in configuration file : /h.cfg\n\
            [ALERT]    (1) : config : Fatal errors found in configuration.\n";
        let list = "'crt-list' : unable to stat SSL certificate from file '/c' : No such file or \
            directory.";
        for (output, blame) in [
            (
                "unable to stat SSL certificate from file '/c' : No such file or directory.",
                ComplaintSubject::FilesMissing,
            ),
            (list, ComplaintSubject::FilesMissing),
            (
                "unable to stat SSL certificate from file '/other' : No such file or directory.",
                ComplaintSubject::Other,
            ),
            (
                "unable to stat SSL certificate from file '/c/longer' : No such file or directory.",
                ComplaintSubject::Other,
            ),
            (
                "No Private Key found in '/c.key'.",
                ComplaintSubject::FilesBroken,
            ),
            (
                "inconsistencies between private key and certificate loaded '/c'.",
                ComplaintSubject::FilesBroken,
            ),
            (
                "unable to load certificate from file '/c'.",
                ComplaintSubject::FilesBroken,
            ),
            (
                "cannot open the file '/c'.",
                ComplaintSubject::FilesUnreadable,
            ),
            (
                "unknown keyword 'bogus' in 'frontend' section",
                ComplaintSubject::Other,
            ),
        ] {
            let output = format!("[NOTICE]   (1) : haproxy version is 2.6\n{at}{output}\n{sums}");
            assert_eq!(
                complaint(&output, &[Path::new("/c")]).subject,
                blame,
                "{output}"
            );
            let more = format!("{at}unknown keyword 'x'\n{output}");
            assert_eq!(
                complaint(&more, &[Path::new("/c")]).subject,
                ComplaintSubject::Other,
                "{more}"
            );
        }
        assert_eq!(
            complaint("", &[Path::new("/c")]).subject,
            ComplaintSubject::Other
        );
    }

    #[test]
    fn only_lines_about_the_error_are_kept() {
        let output = "[NOTICE]   (7) : x\n[ALERT]    (7) : config : parsing [/h.cfg:2] : unknown keyword 'y'\n\
            [ALERT]    (7) : config : Fatal errors found in configuration.\n";
        assert_eq!(
            complaint(output, &[]).lines,
            ["parsing [/h.cfg:2] : unknown keyword 'y'"]
        );
        assert_eq!(complaint("killed\n", &[]).lines, ["killed"]);
    }
}
