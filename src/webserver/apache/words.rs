//! Reads the output of a failed `configtest`, a failed start and certctl's own check, and decides
//! whether a given certificate is to blame.

use std::collections::BTreeSet;
use std::path::Path;

use super::block::ApacheConfig;
use super::gate::RELOAD_FAULT_PREFIX;
use crate::webserver::model::{ComplaintSubject, ServerComplaint, last_lines};

/// Reads the output; `paths` are those of the certificate and its key, as the configuration names
/// them.
#[must_use]
pub(crate) fn complaint(output: &str, paths: &[&Path]) -> ServerComplaint {
    let mut lines: Vec<String> = output
        .lines()
        .map(without_prefix)
        .filter(|line| is_informative(line))
        .collect();
    lines.dedup();
    // Apache stops at its first error; certctl's check reports all.
    let mut complaints = lines.iter().filter(|line| !is_position(line)).peekable();
    let first = complaints.peek().map(|line| subject(line));
    let are_about_paths = complaints.all(|line| {
        paths
            .iter()
            .any(|path| names(line, &path.display().to_string()))
    });
    let blame = first
        .filter(|_| are_about_paths)
        .unwrap_or(ComplaintSubject::Other);
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

/// Returns doubts about the virtual hosts that Apache lists (`-t -D DUMP_VHOSTS`) and certctl did
/// not find, and about those that certctl found and Apache does not list: certctl then reads the
/// configuration differently.
#[must_use]
pub(crate) fn unlisted_hosts(output: &str, config: &ApacheConfig) -> Vec<String> {
    if output.is_empty() {
        return Vec::new();
    }
    let listed: BTreeSet<String> = output.lines().filter_map(listed_position).collect();
    let hosts = config.hosts.iter().filter(|host| host.directives.is_some());
    let read: BTreeSet<String> = hosts.map(|host| host.block.to_string()).collect();
    let mut doubts = Vec::new();
    for position in listed.difference(&read) {
        doubts.push(format!(
            "{position}: Apache lists a virtual host here that certctl did not find"
        ));
    }
    for position in read.difference(&listed) {
        doubts.push(format!(
            "{position}: Apache does not list this virtual host"
        ));
    }
    doubts
}

/// Returns whether Apache lists its virtual hosts, and none at this position (`FILE:LINE`) of one that
/// certctl found.
#[must_use]
pub(crate) fn is_unlisted(output: &str, config: &ApacheConfig, block: &str) -> bool {
    let mut hosts = config.hosts.iter();
    !output.is_empty()
        && hosts.any(|host| host.directives.is_some() && host.block.to_string() == block)
        && !output
            .lines()
            .filter_map(listed_position)
            .any(|listed| listed == block)
}

/// The `FILE:LINE` in brackets at the end of a line that lists a virtual host; for one in a macro that
/// of the `Use` directive.
fn listed_position(line: &str) -> Option<String> {
    if let Some((_, used)) = line.rsplit_once(" used on line ") {
        let (number, file) = used.split_once(" of \"")?;
        let (file, _) = file.split_once('"')?;
        return Some(format!("{file}:{number}"));
    }
    let (_, position) = line.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    position.contains(':').then(|| position.to_owned())
}

/// Returns whether a line names exactly this path, not a longer one.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        is_edge(line[..at].chars().next_back()) && is_edge(line[at + path.len()..].chars().next())
    })
}

fn is_edge(neighbour: Option<char>) -> bool {
    neighbour.is_none_or(|c| " '\",:".contains(c))
}

/// Removes `AH00526: ` and the prefix of an error log, `[time] [ssl:emerg] [pid 1:tid 1] `.
fn without_prefix(line: &str) -> String {
    let mut line = line.trim();
    while let Some((_, rest)) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        line = rest;
    }
    match line.split_once(": ") {
        Some((word, rest)) if is_message_code(word) => rest.to_owned(),
        _ => line.to_owned(),
    }
}

fn is_message_code(word: &str) -> bool {
    let digits = word.strip_prefix("AH").unwrap_or_default();
    digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a line is about the error, not about the failure as such, the log, or a warning.
fn is_informative(line: &str) -> bool {
    let empty = [
        "Syntax OK",
        "Action '",
        "The Apache error log may have more",
        "Configuration Failed",
        "Could not reliably",
    ];
    let chatter = [
        "apache2: Could not reliably",
        "httpd: Could not reliably",
        "Config variable ",
        "Init: Session Cache",
    ];
    !line.is_empty()
        && !empty
            .iter()
            .chain(&chatter)
            .any(|start| line.starts_with(start))
}

/// Returns whether a line is `Syntax error on line 20 of FILE:`, which precedes the error.
fn is_position(line: &str) -> bool {
    line.contains("Syntax error on line ") && line.ends_with(':')
}

fn subject(line: &str) -> ComplaintSubject {
    if line.contains("does not exist or is empty") || line.contains("Can't open certificate file") {
        ComplaintSubject::FilesMissing
    } else if line.contains("Permission denied") {
        ComplaintSubject::FilesUnreadable
    } else if line.starts_with(RELOAD_FAULT_PREFIX)
        || ["do not match", "Failed to configure", "private key"]
            .iter()
            .any(|words| line.contains(words))
    {
        ComplaintSubject::FilesBroken
    } else {
        ComplaintSubject::Other
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ComplaintSubject, RELOAD_FAULT_PREFIX, complaint, listed_position};

    #[test]
    fn positions_of_listed_hosts_are_read() {
        for (line, expected) in [
            (
                "*:443   a.example (/etc/apache2/a.conf:2)",
                Some("/etc/apache2/a.conf:2"),
            ),
            (
                "  default server a (macro 'h' (defined on line 4 of \"/m.conf\") used on line 50 of \"/a.conf\":1)",
                Some("/a.conf:50"),
            ),
            ("VirtualHost configuration:", None),
        ] {
            assert_eq!(listed_position(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn complaints_are_attributed_to_the_certificate() {
        let place = "AH00526: Syntax error on line 20 of /etc/apache2/sites-enabled/a.conf:\n";
        for (output, blame) in [
            (
                format!("{place}SSLCertificateFile: file '/c' does not exist or is empty\nAction \
                    '-t' failed.\n"),
                ComplaintSubject::FilesMissing,
            ),
            (format!("{place}SSLCertificateKeyFile: file '/k' does not exist or is empty\n"), ComplaintSubject::FilesMissing),
            (format!("{place}SSLCertificateFile: file '/c/longer' does not exist or is empty\n"), ComplaintSubject::Other),
            (format!("{place}Invalid command 'SSLEngine', perhaps misspelled\n"), ComplaintSubject::Other),
            (
                "[Mon Nov 23 18:00:21.199129 2026] [ssl:emerg] [pid 1:tid 1] AH02565: Certificate and private key \
                 a.example:443:0 from /c and /k do not match\nAH00016: Configuration Failed\n"
                    .to_owned(),
                ComplaintSubject::FilesBroken,
            ),
            (format!("{RELOAD_FAULT_PREFIX}/k in /a.conf:3: the key is x"), ComplaintSubject::FilesBroken),
            (
                format!(
                    "{RELOAD_FAULT_PREFIX}/k in /a.conf:3: the key is x\n\
                     {RELOAD_FAULT_PREFIX}/other in /a.conf:9: the key is x"
                ),
                ComplaintSubject::Other,
            ),
            ("Syntax OK\n".to_owned(), ComplaintSubject::Other),
            (String::new(), ComplaintSubject::Other),
        ] {
            let read = complaint(&output, &[Path::new("/c"), Path::new("/k")]);
            assert_eq!(read.subject, blame, "{output}");
        }
    }

    #[test]
    fn only_lines_about_the_error_are_kept() {
        let output = "AH00558: apache2: Could not reliably determine the server's fully qualified domain name\n\
            AH00526: Syntax error on line 20 of /a.conf:\nSSLCertificateFile: file '/c' does not exist or is empty\n\
            Action '-t' failed.\nThe Apache error log may have more information.\n";
        let expected = [
            "Syntax error on line 20 of /a.conf:",
            "SSLCertificateFile: file '/c' does not exist or is empty",
        ];
        assert_eq!(complaint(output, &[]).lines, expected);
    }
}
